"""Remedies as plans, and the loss of a batch under a phase."""

import keras
import numpy as np
import pytest

from tessera import catalogue, remedies
from tessera.imbalance.losses import per_image
from tessera.imbalance.plan import Phase, Plan, mean_loss, phase_at, plan, starts
from tessera.remedies import Remedy

COUNTS = np.array([30, 6, 14])
WEIGHTS = tuple(50 / (3 * COUNTS))


def values(tensor: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def batch() -> tuple[np.ndarray, np.ndarray]:
    logits = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
    return np.arange(16, dtype=np.int32) % 3, logits


def test_plain_is_cross_entropy_to_the_end() -> None:
    assert plan(Remedy(), COUNTS) == Plan((Phase(),), (30, 6, 14))


def test_class_weights_are_inverse_frequencies() -> None:
    (phase,) = plan(catalogue.named("class-weights"), COUNTS).phases
    assert phase.class_weights == pytest.approx(WEIGHTS)


def test_deferred_weights_set_in_after_their_share_of_the_epochs() -> None:
    early, late = plan(catalogue.named("ldam-drw"), COUNTS).phases
    assert (early.until, early.class_weights) == (0.8, None)
    assert late.class_weights is not None
    assert early.loss == late.loss == remedies.Ldam()


def test_any_weights_and_any_sampling_may_be_deferred_with_any_loss() -> None:
    remedy = Remedy(
        loss=remedies.Focal(), weights=remedies.Smoothed(), deferred=0.5, drop=0.1
    )
    early, late = plan(remedy, COUNTS).phases
    assert (early.rate, late.rate) == (1.0, 0.1)
    deferred = plan(Remedy(sampling=remedies.Progressive(), deferred=0.5), COUNTS)
    assert [p.sampling for p in deferred.phases] == [None, remedies.Progressive()]
    (at_once,) = plan(Remedy(weights=remedies.Smoothed(), drop=0.1), COUNTS).phases
    assert at_once.rate == 1.0


def test_mixing_lasts_from_its_begin_to_its_end() -> None:
    mixing = remedies.CutMix(begin=0.2, end=0.6)
    phases = plan(Remedy(mixing=mixing), COUNTS).phases
    assert [(p.until, p.mixing) for p in phases] == [
        (0.2, None),
        (0.6, mixing),
        (1.0, None),
    ]


@pytest.mark.parametrize(
    ("again", "trains"),
    [(remedies.Classifier(), "classifier"), (remedies.Scales(), "scales")],
)
def test_a_second_stage_trains_the_last_layer_on_balanced_draws(
    again: remedies.Retraining, trains: str
) -> None:
    loss = remedies.Focal()
    remedy = Remedy(loss=loss, mixing=remedies.Mixup(), retraining=again)
    first, second = plan(remedy, COUNTS).phases
    assert first.loss == second.loss == loss
    assert (first.until, first.trains, first.sampling) == (0.8, "everything", None)
    assert (second.trains, second.sampling) == (trains, remedies.Power())
    assert first.mixing is not None
    assert second.mixing is None


def test_images_are_varied_from_the_first_epoch_to_the_last() -> None:
    more = remedies.Variation()
    remedy = Remedy(
        weights=remedies.Smoothed(),
        deferred=0.5,
        variation=more,
        retraining=remedies.Scales(),
    )
    assert [p.variation for p in plan(remedy, COUNTS).phases] == [more] * 3


def test_a_second_stage_may_draw_its_classes_otherwise() -> None:
    root = remedies.Power(power=0.5)
    again = remedies.Classifier(sampling=root)
    assert plan(Remedy(retraining=again), COUNTS).phases[1].sampling == root


def test_mixing_that_would_last_into_the_second_stage_ends_where_it_begins() -> None:
    mixing = remedies.Mixup(end=0.9)
    first, second = plan(
        Remedy(mixing=mixing, retraining=remedies.Scales()), COUNTS
    ).phases
    assert (first.until, first.mixing) == (0.8, mixing)
    assert (second.until, second.mixing) == (1.0, None)


def test_the_rate_of_a_second_stage_is_the_remedys_and_factors_move_faster() -> None:
    scaled = plan(Remedy(retraining=remedies.Scales(rate=7.0)), COUNTS)
    assert [phase.rate for phase in scaled.phases] == [1.0, 7.0]
    drawn = plan(Remedy(retraining=remedies.Classifier()), COUNTS)
    assert [phase.rate for phase in drawn.phases] == [1.0, 1.0]


def test_sharpness_lasts_through_every_phase_of_the_first_stage() -> None:
    remedy = Remedy(sharpness=0.05, weights=remedies.InverseFrequency(), deferred=0.5)
    assert [phase.sharpness for phase in plan(remedy, COUNTS).phases] == [0.05, 0.05]


def test_what_is_done_afterwards_is_part_of_the_plan() -> None:
    after = remedies.TauNormalisation()
    assert plan(Remedy(after=after), COUNTS).after == after


def test_an_empty_class_is_refused_when_weights_are_asked_for() -> None:
    with pytest.raises(ValueError, match="none of class 1"):
        plan(catalogue.named("class-weights"), np.array([3, 0, 2]))


def test_a_weighted_batch_is_keras_with_class_weight() -> None:
    labels, logits = batch()
    net = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    net.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    weights = np.array(WEIGHTS)[labels]
    oracle = net.test_on_batch(logits, labels, sample_weight=weights)
    found = mean_loss(Phase(class_weights=WEIGHTS), COUNTS, labels, logits)
    assert np.isclose(values(found), oracle)


def test_the_loss_divides_by_images_not_by_weights() -> None:
    phase = Phase(class_weights=(2.0, 4.0, 1.0))
    labels, logits = np.array([0, 1], np.int32), np.zeros((2, 3), np.float32)
    found = values(mean_loss(phase, COUNTS, labels, logits))
    assert np.isclose(found, (2 + 4) * np.log(3) / 2)


@pytest.mark.parametrize(
    "loss",
    [remedies.CrossEntropy(), remedies.Focal(), remedies.Ldam()],
    ids=lambda loss: loss.kind,
)
def test_a_mixed_image_has_either_labels_loss_with_its_own_weight(
    loss: remedies.Loss,
) -> None:
    first, logits = batch()
    second, share = (first + 1) % 3, np.linspace(0, 1, 16).astype(np.float32)
    targets = np.stack([first, second, share], axis=1).astype(np.float32)
    one, other = (values(per_image(loss, y, logits, COUNTS)) for y in (first, second))
    weights = np.array(WEIGHTS)
    expected = share * weights[first] * one + (1 - share) * weights[second] * other
    phase = Phase(loss=loss, class_weights=WEIGHTS)
    found = values(mean_loss(phase, COUNTS, targets, logits))
    assert np.isclose(found, expected.mean(), rtol=1e-5)


def test_mixed_cross_entropy_is_that_of_the_mixed_label() -> None:
    first, logits = batch()
    second, share = (first + 2) % 3, np.full(16, 0.3, np.float32)
    soft = 0.3 * np.eye(3)[first] + 0.7 * np.eye(3)[second]
    oracle = keras.losses.categorical_crossentropy(
        soft.astype(np.float32), logits, from_logits=True
    )
    targets = np.stack([first, second, share], axis=1).astype(np.float32)
    found = values(mean_loss(Phase(), COUNTS, targets, logits))
    assert np.isclose(found, values(oracle).mean(), rtol=1e-5)


def test_smoothed_cross_entropy_is_keras_own_with_label_smoothing() -> None:
    labels, logits = batch()
    oracle = keras.losses.categorical_crossentropy(
        np.eye(3, dtype=np.float32)[labels],
        logits,
        from_logits=True,
        label_smoothing=0.2,
    )
    found = values(mean_loss(Phase(), COUNTS, labels, logits, smoothing=0.2))
    assert np.isclose(found, values(oracle).mean())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="counts its graph")
def test_smoothed_cross_entropy_takes_no_more_operations_for_more_classes() -> None:
    import tensorflow as tf

    def operations(classes: int) -> int:
        counts = np.full(classes, 5)
        shapes = [tf.TensorSpec([4], tf.int32), tf.TensorSpec([4, classes])]
        step = tf.function(
            lambda labels, logits: mean_loss(
                Phase(), counts, labels, logits, smoothing=0.1
            ),
            shapes,
        )
        return len(step.get_concrete_function().graph.get_operations())

    assert operations(100) == operations(10)


def test_smoothing_any_loss_is_its_expectation_under_the_smoothed_label() -> None:
    labels, logits = batch()
    phase = Phase(loss=remedies.Ldam())
    each = [
        values(per_image(phase.loss, np.full(16, c, np.int32), logits, COUNTS))
        for c in range(3)
    ]
    own = np.stack(each)[labels, np.arange(16)]
    expected = 0.7 * own + 0.1 * np.sum(each, axis=0)
    found = values(mean_loss(phase, COUNTS, labels, logits, smoothing=0.3))
    assert np.isclose(found, expected.mean(), rtol=1e-5)


def test_a_phase_lasts_until_its_share_of_the_epochs() -> None:
    early, late = Phase(until=0.8), Phase(class_weights=(1.0, 2.0))
    deferred = Plan((early, late), (2, 1))
    phases = [phase_at(deferred, epoch, 10) for epoch in range(10)]
    assert phases == [early] * 8 + [late] * 2
    # 0.8 of 6 epochs are 4.8, and of 4 3.2: the nearest whole number counts.
    for epochs, first in ((6, 5), (4, 3)):
        phases = [phase_at(deferred, epoch, epochs) for epoch in range(epochs)]
        assert phases.index(late) == first


def test_phases_start_where_others_end_and_those_of_no_epoch_are_left_out() -> None:
    phases = (Phase(until=0.01), Phase(until=0.5), Phase(until=0.8), Phase())
    assert starts(Plan(phases, (2, 1)), 10) == (0, 5, 8)
    assert starts(Plan((Phase(),), (2, 1)), 10) == (0,)


def test_one_phase_holds_for_every_epoch() -> None:
    only = plan(Remedy(), COUNTS)
    assert {phase_at(only, epoch, 3) for epoch in range(3)} == {Phase()}


@pytest.mark.parametrize("epoch", [-1, 3])
def test_epochs_beyond_the_training_are_refused(epoch: int) -> None:
    with pytest.raises(ValueError, match=f"epoch: expected 0 to 2.*Received: {epoch}"):
        phase_at(plan(Remedy(), COUNTS), epoch, 3)


@pytest.mark.parametrize("ends", [(), (0.5,), (0.5, 0.5, 1.0), (1.0, 0.5), (0.0, 1.0)])
def test_phases_must_cover_the_training_in_order(ends: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="phases: expected `until` to rise"):
        Plan(tuple(Phase(until=end) for end in ends), (1, 1))
