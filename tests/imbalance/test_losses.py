"""Losses per image, against closed forms, scikit-learn and Keras."""

import keras
import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.metrics import log_loss

from tessera import remedies
from tessera.imbalance import losses
from tessera.imbalance.losses import cross_entropy, per_image

COUNTS = np.array([5000, 1000, 50])


def values(tensor: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def batch() -> tuple[np.ndarray, np.ndarray]:
    logits = np.random.default_rng(0).normal(size=(12, 3)) * 2
    return np.arange(12) % 3, logits.astype(np.float32)


def nats(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """-log softmax(z)_y by SciPy."""
    return -log_softmax(logits.astype(np.float64), axis=1)[
        np.arange(len(labels)), labels
    ]


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    found = values(cross_entropy(np.array([0, 3]), np.zeros((2, 5), np.float32)))
    assert np.allclose(found, np.log(5))


def test_two_classes_give_the_logistic_loss() -> None:
    found = values(cross_entropy(np.array([1]), np.array([[0.0, 2.0]], np.float32)))
    assert np.allclose(found, np.log1p(np.exp(-2.0)))


def test_the_mean_is_scikit_learns_log_loss() -> None:
    labels, logits = batch()
    oracle = log_loss(labels, softmax(logits.astype(np.float64), axis=1))
    assert np.isclose(values(cross_entropy(labels, logits)).mean(), oracle)


def test_the_loss_named_cross_entropy_looks_at_no_counts() -> None:
    labels, logits = batch()
    found = per_image(remedies.CrossEntropy(), labels, logits, np.array([5, 0, 1]))
    assert np.allclose(values(found), nats(labels, logits), rtol=1e-5, atol=1e-6)


def test_huge_logits_stay_finite() -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    assert np.allclose(values(cross_entropy(np.array([0, 0]), logits)), [0.0, 2e4])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_labels_of_any_dtype_and_shape_are_class_indices(
    dtype: str, shape: tuple[int, ...]
) -> None:
    logits = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    labels = np.array([2, 0, 3])
    same = cross_entropy(labels.astype(dtype).reshape(shape), logits)
    assert np.array_equal(values(same), values(cross_entropy(labels, logits)))


def test_logits_of_half_precision_are_summed_in_float32() -> None:
    logits = keras.ops.cast(np.zeros((2, 3)), "float16")
    found = cross_entropy(np.array([0, 1]), logits)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"


def test_focal_loss_is_its_formula() -> None:
    labels, logits = batch()
    p = softmax(logits.astype(np.float64), axis=1)[np.arange(12), labels]
    found = values(losses.focal(labels, logits, 2.0))
    assert np.allclose(found, -((1 - p) ** 2) * np.log(p), rtol=1e-4)


def test_focal_loss_is_keras_categorical_focal_loss_without_its_alpha() -> None:
    labels, logits = batch()
    oracle = keras.losses.categorical_focal_crossentropy(
        np.eye(3, dtype=np.float32)[labels],
        logits,
        alpha=1.0,
        gamma=2.0,
        from_logits=True,
    )
    assert np.allclose(
        values(losses.focal(labels, logits, 2.0)), values(oracle), rtol=1e-4
    )


@pytest.mark.parametrize("lead", [20.0, 60.0])
def test_an_answer_beyond_doubt_leaves_focal_loss_a_slope_of_zero(lead: float) -> None:
    # In float32 p is 1 here, and x^gamma with gamma < 1 is infinitely steep at 0.
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, use_bias=False)])
    net.set_weights([np.array([[lead, 0.0]])])
    net.compile(
        keras.optimizers.SGD(1.0),
        loss=lambda labels, logits: losses.focal(labels, logits, 0.5),
        run_eagerly=True,
    )
    net.train_on_batch(np.ones((1, 1)), np.array([0]))
    assert np.allclose(net.get_weights(), [[lead, 0.0]])


@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
def test_gamma_zero_is_the_loss_without_focus(form: str) -> None:
    labels, logits = batch()
    found = values(
        per_image(remedies.Focal(gamma=0.0, form=form), labels, logits, COUNTS)
    )
    binary = -np.log(expit(np.where(np.eye(3)[labels] == 1, logits, -logits))).sum(
        axis=1
    )
    expected = nats(labels, logits) if form == "softmax" else binary
    assert np.allclose(found, expected, rtol=1e-5)


def test_the_sigmoid_form_is_keras_binary_focal_loss_summed_over_classes() -> None:
    labels, logits = batch()
    oracle = keras.losses.binary_focal_crossentropy(
        np.eye(3, dtype=np.float32)[labels], logits, gamma=2.0, from_logits=True
    )
    found = values(losses.sigmoid_focal(labels, logits, 2.0))
    assert np.allclose(found, 3 * values(oracle), rtol=1e-4)


def test_the_two_focal_losses_differ() -> None:
    labels, logits = batch()
    softmax_form = values(losses.focal(labels, logits, 2.0))
    assert not np.allclose(
        softmax_form, values(losses.sigmoid_focal(labels, logits, 2.0))
    )


def test_ldam_margins_are_the_published_ones_of_cifar10_at_factor_100() -> None:
    # n^(-1/4) scaled to 0.5 at n = 50: (50 / 5000)^(1/4) / 2 = 0.1581.
    steps = losses.margins(np.array([5000, 50]), 0.5)
    assert np.allclose(steps, [0.5 * 0.01**0.25, 0.5])


@pytest.mark.parametrize(("largest", "scale"), [(0.5, 30.0), (0.2, 10.0)])
def test_ldam_lowers_the_labels_scaled_logit_alone(
    largest: float, scale: float
) -> None:
    labels, logits = batch()
    steps = scale * largest * (50 / COUNTS) ** 0.25
    lowered = logits.astype(np.float64)
    lowered[np.arange(12), labels] -= steps[labels]
    loss = remedies.Ldam(max_margin=largest, scale=scale)
    found = per_image(loss, labels, logits, COUNTS)
    assert np.allclose(values(found), nats(labels, lowered), rtol=1e-4, atol=1e-5)


def test_balanced_softmax_weighs_the_exponentials_by_the_counts() -> None:
    labels, logits = batch()
    weighted = np.exp(logits.astype(np.float64)) * COUNTS
    p = weighted[np.arange(12), labels] / weighted.sum(axis=1)
    found = per_image(remedies.BalancedSoftmax(), labels, logits, COUNTS)
    assert np.allclose(values(found), -np.log(p), rtol=1e-4, atol=1e-6)


def test_logit_adjustment_with_tau_one_is_balanced_softmax() -> None:
    labels, logits = batch()
    one = per_image(remedies.LogitAdjusted(tau=1.0), labels, logits, COUNTS)
    other = per_image(remedies.BalancedSoftmax(), labels, logits, COUNTS)
    assert np.allclose(values(one), values(other), rtol=1e-4, atol=1e-5)


def test_the_prior_is_each_classs_share_of_the_images() -> None:
    assert np.allclose(np.exp(losses.log_prior(np.array([6, 3, 1]))), [0.6, 0.3, 0.1])


def test_logit_adjustment_adds_tau_times_the_log_prior() -> None:
    labels, logits = batch()
    moved = logits + 1.7 * np.log(COUNTS / COUNTS.sum())
    found = per_image(remedies.LogitAdjusted(tau=1.7), labels, logits, COUNTS)
    assert np.allclose(values(found), nats(labels, moved), rtol=1e-4, atol=1e-5)


def test_vector_scaling_scales_and_shifts_the_logits() -> None:
    labels, logits = batch()
    moved = (COUNTS / 5000) ** 0.3 * logits + 1.7 * np.log(COUNTS / COUNTS.sum())
    found = per_image(remedies.VectorScaling(tau=1.7), labels, logits, COUNTS)
    assert np.allclose(values(found), nats(labels, moved), rtol=1e-4, atol=1e-5)


def test_vector_scaling_without_scales_is_logit_adjustment() -> None:
    labels, logits = batch()
    one = per_image(remedies.VectorScaling(gamma=0.0), labels, logits, COUNTS)
    other = per_image(remedies.LogitAdjusted(), labels, logits, COUNTS)
    assert np.allclose(values(one), values(other), rtol=1e-5)


def test_label_aware_smoothing_runs_from_tail_to_head_along_a_sine() -> None:
    smoothing = losses.label_smoothing(np.array([50, 2525, 5000]), head=0.3, tail=0.1)
    # Half way between the extremes the sine is sin(pi / 4).
    assert np.allclose(smoothing, [0.1, 0.1 + 0.2 * np.sqrt(0.5), 0.3])


def test_label_aware_smoothing_spreads_the_label_by_its_own_class() -> None:
    labels, logits = batch()
    share = 0.1 + 0.2 * np.sin(np.pi / 2 * (COUNTS - 50) / 4950)[labels]
    everyone = np.mean([nats(np.full(12, k), logits) for k in range(3)], axis=0)
    loss = remedies.LabelAwareSmoothing(head=0.3, tail=0.1)
    found = per_image(loss, labels, logits, COUNTS)
    expected = (1 - share) * nats(labels, logits) + share * everyone
    assert np.allclose(values(found), expected, rtol=1e-5)


def test_equal_counts_smooth_all_classes_like_the_largest() -> None:
    smoothing = losses.label_smoothing(np.array([7, 7]), head=0.3, tail=0.0)
    assert np.allclose(smoothing, 0.3)


def test_one_smoothing_for_all_is_keras_label_smoothing() -> None:
    labels, logits = batch()
    oracle = keras.losses.categorical_crossentropy(
        np.eye(3, dtype=np.float32)[labels],
        logits,
        from_logits=True,
        label_smoothing=0.2,
    )
    found = losses.smoothed_cross_entropy(labels, logits, np.full(3, 0.2))
    assert np.allclose(values(found), values(oracle), rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        remedies.Ldam(),
        remedies.BalancedSoftmax(),
        remedies.LogitAdjusted(),
        remedies.VectorScaling(),
    ],
    ids=lambda loss: loss.kind,
)
def test_a_loss_of_the_counts_refuses_an_empty_class(loss: remedies.Loss) -> None:
    labels, logits = batch()
    with pytest.raises(ValueError, match="none of class 1"):
        per_image(loss, labels, logits, np.array([3, 0, 2]))
