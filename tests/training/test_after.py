"""What is done to the logits after training, against formulas and brute force."""

import keras
import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import balanced_accuracy_score

from tessera import remedies
from tessera.data.dataset import Split
from tessera.experiment import Cnn
from tessera.models import build, logits
from tessera.training import after, predict

COUNTS = np.array([90, 9, 1])
PRIOR = np.array([0.9, 0.09, 0.01])
RNG = np.random.default_rng(0)
SPLIT = Split(
    RNG.integers(0, 255, (60, 8, 8, 3), dtype=np.uint8),
    np.arange(60, dtype=np.int32) % 3,
)


def net(cosine: float | None = None) -> object:
    built = build.build(Cnn(), (8, 8, 3), 3, seed=0, cosine=cosine)
    layer = built.get_layer("logits")
    if cosine is None:
        layer.bias.assign([0.3, -0.1, 0.2])
    return built


@pytest.mark.parametrize("cosine", [None, 30.0])
def test_adjustment_takes_tau_log_prior_off_the_logits(cosine: float | None) -> None:
    model = net(cosine)
    before = predict.logits(model, SPLIT.images)
    setting = remedies.PostHocAdjustment(tau=1.5)
    after.apply(model, setting, COUNTS, SPLIT)
    now = predict.logits(model, SPLIT.images)
    np.testing.assert_allclose(now, before - 1.5 * np.log(PRIOR), atol=1e-4)


@pytest.mark.parametrize(
    "kind", [remedies.PostHocAdjustment, remedies.TauNormalisation]
)
def test_a_tau_that_is_given_is_not_said_to_be_chosen(
    kind: type[remedies.PostHocAdjustment | remedies.TauNormalisation],
) -> None:
    assert after.apply(net(), kind(tau=1.5), COUNTS, SPLIT) == {}


GRID = [round(0.1 * i, 1) for i in range(21)]


def sharp() -> object:
    """A model whose answers depend on the image at every tau."""
    model = net()
    layer = model.get_layer("logits")
    before = keras.Model(model.input, layer.input)
    mean = before.predict_on_batch(SPLIT.images).mean(axis=0)
    kernel = np.random.default_rng(4).normal(size=layer.kernel.shape)
    # What all images have in common gives no class an advantage.
    kernel -= np.outer(mean, mean @ kernel) / (mean @ mean)
    layer.set_weights([kernel * [40.0, 20.0, 10.0], np.zeros(3)])
    return model


def test_without_a_tau_the_best_on_validation_is_taken() -> None:
    model = sharp()
    before = predict.logits(model, SPLIT.images)
    answers = {t: (before - t * np.log(PRIOR)).argmax(axis=1) for t in GRID}
    assert len({tuple(found) for found in answers.values()}) > 5
    held = Split(SPLIT.images, answers[0.7].astype(np.int32))
    found = after.apply(model, remedies.PostHocAdjustment(), COUNTS, held)["tau"]
    by_hand = [balanced_accuracy_score(held.labels, answers[t]) for t in GRID]
    assert found == GRID[int(np.argmax(by_hand))]
    assert 0.0 < found <= 0.7


def test_the_best_strength_is_that_of_balanced_accuracy_up_to_two() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), [8, 2])
    # The common class alone is answered, 8 of 10 rightly; beyond, both rare images and
    # half of the common ones: 6 of 10, and more in the mean of the classes.
    common = np.tile([1.0, 0.0], (10, 1)).astype(np.float32)
    rare = common.copy()
    rare[4:] = [0.0, 1.0]
    for first in (0.3, 2.0):
        found = after.best(lambda t, at=first: rare if t >= at else common, labels)
        assert found == first
    assert after.best(lambda t: common, labels) == 0.0


def test_a_shift_to_equal_classes_is_adjustment_with_tau_one() -> None:
    one, other = net(), net()
    after.apply(one, remedies.PriorShift(), COUNTS, SPLIT)
    after.apply(other, remedies.PostHocAdjustment(tau=1.0), COUNTS, SPLIT)
    ours, theirs = (predict.logits(m, SPLIT.images) for m in (one, other))
    # Up to a constant, which no probability depends on.
    np.testing.assert_allclose(
        log_softmax(ours, axis=1), log_softmax(theirs, axis=1), atol=1e-5
    )


def test_a_shift_to_the_training_prior_changes_no_probability() -> None:
    model = net()
    before = predict.logits(model, SPLIT.images)
    after.apply(model, remedies.PriorShift(prior=(90.0, 9.0, 1.0)), COUNTS, SPLIT)
    now = predict.logits(model, SPLIT.images)
    np.testing.assert_allclose(
        log_softmax(now, axis=1), log_softmax(before, axis=1), atol=1e-5
    )


def test_shifted_probabilities_follow_bayes_rule() -> None:
    model = net()
    wanted = np.array([0.2, 0.3, 0.5])
    before = np.exp(log_softmax(predict.logits(model, SPLIT.images), axis=1))
    setting = remedies.PriorShift(prior=tuple(wanted.tolist()))
    after.apply(model, setting, COUNTS, SPLIT)
    now = np.exp(log_softmax(predict.logits(model, SPLIT.images), axis=1))
    expected = before * wanted / PRIOR
    np.testing.assert_allclose(
        now, expected / expected.sum(1, keepdims=True), rtol=1e-4
    )


def test_tau_one_gives_class_vectors_of_length_one_and_no_bias() -> None:
    model = net()
    after.apply(model, remedies.TauNormalisation(tau=1.0), COUNTS, SPLIT)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(bias, 0.0)


def test_the_best_tau_is_the_one_that_the_model_then_has() -> None:
    model = net()
    kernel = logits.read(model).kernel
    tau = after.apply(model, remedies.TauNormalisation(), COUNTS, SPLIT)["tau"]
    lengths = np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(
        logits.read(model).kernel, kernel / lengths**tau, rtol=1e-5
    )


def test_the_best_tau_of_normalisation_is_found_by_the_answers_that_it_gives() -> None:
    model = sharp()
    kernel = logits.read(model).kernel
    before = keras.Model(model.input, model.get_layer("logits").input)
    vectors = before.predict_on_batch(SPLIT.images)
    lengths = np.linalg.norm(kernel, axis=0)
    answers = {t: (vectors @ (kernel / lengths**t)).argmax(axis=1) for t in GRID}
    held = Split(SPLIT.images, answers[0.7].astype(np.int32))
    by_hand = [balanced_accuracy_score(held.labels, answers[t]) for t in GRID]
    assert by_hand[0] < 1 and by_hand[10] < 1
    found = after.apply(model, remedies.TauNormalisation(), COUNTS, held)["tau"]
    assert found == GRID[int(np.argmax(by_hand))]


def test_temperature_changes_no_answer() -> None:
    model = net()
    before = predict.logits(model, SPLIT.images)
    warmth = after.apply(model, remedies.Temperature(), COUNTS, SPLIT)["temperature"]
    now = predict.logits(model, SPLIT.images)
    np.testing.assert_array_equal(now.argmax(axis=1), before.argmax(axis=1))
    np.testing.assert_allclose(now, before / warmth, rtol=1e-4)


def test_where_every_validation_answer_is_right_temperature_changes_nothing() -> None:
    model = net()
    before = predict.logits(model, SPLIT.images)
    answered = Split(SPLIT.images, before.argmax(axis=1).astype(np.int32))
    chosen = after.apply(model, remedies.Temperature(), COUNTS, answered)
    assert chosen == {"temperature": 1.0}
    np.testing.assert_array_equal(predict.logits(model, SPLIT.images), before)
