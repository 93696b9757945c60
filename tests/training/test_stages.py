"""Stages of a plan: what they train, from when to when."""

import keras
import numpy as np
import pytest

from tessera import catalogue, remedies
from tessera.experiment import Cnn, Training
from tessera.imbalance.plan import phase_at, plan
from tessera.models import build, logits
from tessera.remedies import Remedy
from tessera.training import predict, stages, steps
from tessera.training.stages import Span

COUNTS = np.array([30, 6])
IMAGES = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)


def begun(remedy: Remedy, span: Span, epochs: int = 10) -> tuple[object, stages.Stage]:
    net = build.build(Cnn(), (8, 8, 3), 2, seed=0)
    training = Training(epochs=epochs, learning_rate=0.1)
    found = plan(remedy, COUNTS)
    equal = [5] * (span.last - span.first)
    stage = stages.begin(net, found, span, training, epoch_steps=equal, seed=0)
    return net, stage


@pytest.mark.parametrize("name", ["plain", "ldam-drw", "mixup-drw", "sam"])
def test_a_remedy_without_retraining_is_one_stage(name: str) -> None:
    found = stages.spans(plan(catalogue.named(name), COUNTS), 10)
    assert found == (Span("everything", 0, 10),)


def test_a_second_stage_takes_the_last_epochs() -> None:
    found = stages.spans(plan(catalogue.named("crt"), COUNTS), 10)
    assert found == (Span("everything", 0, 8), Span("classifier", 8, 10))


def test_the_first_stage_trains_every_weight() -> None:
    net, stage = begun(Remedy(), Span("everything", 0, 10))
    assert len(stage.trained) == len(net.trainable_variables)


def test_retraining_draws_the_last_layer_anew_and_trains_it_alone() -> None:
    fresh = build.build(Cnn(), (8, 8, 3), 2, seed=0)
    net, stage = begun(catalogue.named("crt"), Span("classifier", 8, 10))
    same = [
        np.array_equal(a, b)
        for a, b in zip(net.get_weights(), fresh.get_weights(), strict=True)
    ]
    assert [v.path for v in stage.trained] == ["logits/kernel", "logits/bias"]
    assert same.count(False) == 1
    assert not np.array_equal(
        net.get_layer("logits").get_weights()[0],
        fresh.get_layer("logits").get_weights()[0],
    )


def test_a_schedule_runs_over_the_steps_of_its_stage() -> None:
    net = build.build(Cnn(), (8, 8, 3), 2, seed=0)
    training = Training(epochs=10, learning_rate=0.1, schedule="cosine")
    crt = plan(catalogue.named("crt"), COUNTS)
    span = Span("classifier", 8, 10)
    stage = stages.begin(net, crt, span, training, epoch_steps=[3, 7], seed=0)
    rates = []
    for step in (0, 5, 10):  # half of the stage's 3 + 7 steps, and all
        stage.optimizer.iterations.assign(step)
        rates.append(float(np.asarray(stage.optimizer.learning_rate)))
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.0], atol=1e-7)


@pytest.mark.parametrize(("name", "live"), [("crt", False), ("plain", True)])
def test_in_a_second_stage_the_features_are_those_of_the_finished_model(
    name: str, live: bool
) -> None:
    remedy = catalogue.named(name)
    trains = "everything" if live else "classifier"
    net, stage = begun(remedy, Span(trains, 8, 10))
    phase = phase_at(plan(remedy, COUNTS), 9, 10)
    task = stages.task(net, stage, phase, COUNTS, Training())
    outcomes = {
        float(np.asarray(steps.outcome(task, IMAGES, np.zeros(4, np.int32))[0]))
        for _ in range(2)
    }
    # Dropout draws anew each time, where it acts.
    assert (len(outcomes) == 2) == live


@pytest.mark.parametrize("seed", [0, 1])
def test_the_last_layer_is_drawn_anew_by_the_trainings_seed(seed: int) -> None:
    nets = [build.build(Cnn(), (8, 8, 3), 2, seed=0) for _ in range(2)]
    crt, span = plan(catalogue.named("crt"), COUNTS), Span("classifier", 8, 10)
    stages.begin(nets[0], crt, span, Training(epochs=10), epoch_steps=[1], seed=seed)
    logits.redraw(nets[1], seed)
    one, other = (net.get_layer("logits").get_weights() for net in nets)
    np.testing.assert_array_equal(one[0], other[0])


def test_a_step_does_all_that_phase_and_settings_ask_for() -> None:
    net, stage = begun(catalogue.named("sam"), Span("everything", 0, 10))
    (phase,) = plan(catalogue.named("sam"), COUNTS).phases
    asked = Training(label_smoothing=0.2, precision="bfloat16")
    task = stages.task(net, stage, phase, COUNTS, asked)
    assert (task.sharpness, task.precision) == (0.05, "bfloat16")
    values = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    labels = np.arange(6, dtype=np.int32) % 2
    oracle = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    expected = oracle(np.eye(2, dtype=np.float32)[labels], values)
    assert float(task.loss(labels, values)) == pytest.approx(float(expected), rel=1e-5)


def test_scaling_trains_one_factor_per_class_that_starts_at_one() -> None:
    _, stage = begun(catalogue.named("lws"), Span("scales", 8, 10))
    (scales,) = stage.trained
    np.testing.assert_array_equal(np.asarray(scales), [1.0, 1.0])


def test_in_use_the_logits_carry_the_factors_and_then_no_more() -> None:
    net, stage = begun(catalogue.named("lws"), Span("scales", 8, 10))
    before = predict.logits(net, IMAGES)
    stage.scales.assign([2.0, 0.5])
    with stages.as_in_use(net, stage):
        np.testing.assert_allclose(
            predict.logits(net, IMAGES), before * [2.0, 0.5], rtol=1e-5
        )
    np.testing.assert_array_equal(predict.logits(net, IMAGES), before)


def test_factors_are_taken_as_they_are_where_weights_are_averaged() -> None:
    net = build.build(Cnn(), (8, 8, 3), 2, seed=0)
    training = Training(epochs=10, learning_rate=0.1, averaging=0.9)
    lws, span = plan(catalogue.named("lws"), COUNTS), Span("scales", 8, 10)
    stage = stages.begin(net, lws, span, training, epoch_steps=[5, 5], seed=0)
    before = predict.logits(net, IMAGES)
    for _ in range(3):
        stage.optimizer.apply([np.array([1.0, -1.0], np.float32)], stage.trained)
    factors = np.asarray(stage.scales)
    assert abs(factors - 1).min() > 1
    with stages.as_in_use(net, stage):
        found = predict.logits(net, IMAGES)
    np.testing.assert_allclose(found, before * factors, rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(stage.scales), factors)


def test_in_use_the_weights_are_their_averages_and_then_no_more() -> None:
    net = build.build(Cnn(), (8, 8, 3), 2, seed=0)
    training = Training(learning_rate=0.1, averaging=0.9)
    span = Span("everything", 0, 1)
    stage = stages.begin(
        net, plan(Remedy(), COUNTS), span, training, epoch_steps=[5], seed=0
    )
    before = net.get_weights()
    for _ in range(2):
        slopes = [np.ones(v.shape, np.float32) for v in stage.trained]
        stage.optimizer.apply(slopes, stage.trained)
    after = net.get_weights()
    with stages.as_in_use(net, stage):
        averages = net.get_weights()
    # Adam's two steps have the length of the rate; the average is 0.9 of the first's.
    for start, average in zip(before, averages, strict=True):
        np.testing.assert_allclose(average, start - 0.11, rtol=1e-4, atol=1e-5)
    assert all(map(np.array_equal, net.get_weights(), after))


def test_a_phases_factor_on_the_rate_sets_in_at_its_first_step() -> None:
    remedy = Remedy(weights=remedies.Smoothed(), deferred=0.8, drop=0.1)
    _, stage = begun(remedy, Span("everything", 0, 10))
    rate = stage.optimizer._learning_rate
    found = [float(np.asarray(rate(step))) for step in (0, 39, 40, 49)]
    assert found == pytest.approx([0.1, 0.1, 0.01, 0.01])


def test_it_does_so_where_the_epochs_before_are_of_different_length() -> None:
    remedy = Remedy(sampling=remedies.Oversampling(), deferred=0.5, drop=0.1)
    net = build.build(Cnn(), (8, 8, 3), 2, seed=0)
    training, span = Training(epochs=4, learning_rate=0.1), Span("everything", 0, 4)
    found = plan(remedy, COUNTS)
    stage = stages.begin(net, found, span, training, epoch_steps=[3, 5, 9, 9], seed=0)
    rate = stage.optimizer._learning_rate
    rates = [float(np.asarray(rate(step))) for step in (7, 8)]
    assert rates == pytest.approx([0.1, 0.01])


def test_the_factor_of_a_second_stage_holds_from_its_start() -> None:
    _, stage = begun(catalogue.named("lws"), Span("scales", 8, 10))
    assert float(np.asarray(stage.optimizer._learning_rate(0))) == pytest.approx(3.0)
