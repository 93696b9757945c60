"""Training: the best epoch's weights are kept, and divergence is an error."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import toy_run
from tiny import net_of

from tessera import files, remedies
from tessera.data.dataset import Split
from tessera.experiment import Hybrid, HybridPlus, Start, Training
from tessera.imbalance.plan import Phase, Plan
from tessera.models import build, logits, rebuild, whitening
from tessera.record import RunFolder
from tessera.training import fit, predict, steps
from tessera.training.batches import Epoch, Material
from tessera.training.resume import State
from tessera.training.stages import Span
from tessera.training.validation import TrainingDiverged, validation_scores


def material() -> Material:
    """Two classes that differ in brightness."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.array([0, 1], np.int32), 32)
    bright = rng.integers(0, 100, (64, 8, 8, 3)) + 150 * labels[:, None, None, None]
    images = bright.astype(np.uint8)
    train, validation = Split(images[:48], labels[:48]), Split(images[48:], labels[48:])
    return Material(train, np.arange(48), validation)


def contrary() -> Material:
    """The same with wrong labels to validate on: what is learnt makes it worse."""
    one = material()
    wrong = Split(one.validation.images, 1 - one.validation.labels)
    return replace(one, validation=wrong)


def fitted(
    path: Path, given: Material | None = None, **changes: object
) -> tuple[fit.Fitted, object]:
    training = Training.model_validate(
        {"epochs": 4, "batch_size": 8, "monitor": "val_loss"} | changes
    )
    net = net_of(0)
    plan = Plan((Phase(),), (24, 24))
    weights = path / "best.weights.h5"
    result = fit.fit(fit.Job(net, plan, given or material(), training, 0, weights))
    return result, net


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[fit.Fitted, object]:
    """Four epochs of an easy task, of which the last is not the best."""
    return fitted(tmp_path_factory.mktemp("trained"), contrary(), learning_rate=0.01)


def test_the_model_is_left_with_its_best_epochs_weights(
    trained: tuple[fit.Fitted, object],
) -> None:
    result, net = trained
    validation = contrary().validation
    answers = predict.logits(net, validation.images)
    losses = [row["val_loss"] for row in result.history]
    assert validation_scores(validation.labels, answers)["val_loss"] == pytest.approx(
        min(losses), rel=1e-4
    )
    assert result.best_epoch == 1 + int(np.argmin(losses)) < len(losses)


def test_the_last_epoch_is_kept_though_an_earlier_one_was_better(
    tmp_path: Path,
) -> None:
    result, net = fitted(tmp_path, contrary(), learning_rate=0.01, monitor="last_epoch")
    validation = contrary().validation
    answers = predict.logits(net, validation.images)
    losses = [row["val_loss"] for row in result.history]
    assert validation_scores(validation.labels, answers)["val_loss"] == pytest.approx(
        losses[-1], rel=1e-4
    )
    assert result.best_epoch == len(losses) > 1 + int(np.argmin(losses))


def test_a_training_may_start_from_a_runs_weights_all_but_the_last_layers(
    toy: RunFolder, tmp_path: Path
) -> None:
    start = Start(run=str(toy.path), sha256=files.sha256(toy.weights))
    drawn = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), np.uint8)
    split = Split(drawn, np.arange(16, dtype=np.int32) % 2)
    net = build.build(Hybrid(), (16, 16, 3), 2, seed=1)
    head = net.get_layer("logits").get_weights()
    training = Training(epochs=1, batch_size=8, learning_rate=1e-12)
    fit.fit(
        fit.Job(
            net,
            Plan((Phase(),), (8, 8)),
            Material(split, np.arange(16), split),
            training,
            0,
            tmp_path / "best.weights.h5",
            start=start,
        )
    )
    source = rebuild.rebuild(toy).net
    for layer in net.layers:
        begun = source.get_layer(layer.name).get_weights()
        wanted = head if layer.name == "logits" else begun
        for got, expected in zip(layer.get_weights(), wanted, strict=True):
            np.testing.assert_allclose(got, expected, atol=1e-9)


def test_filters_are_computed_from_the_images_to_train_on_alone(
    tmp_path: Path,
) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), np.uint8)
    split = Split(drawn, np.arange(16, dtype=np.int32) % 2)
    net = build.build(HybridPlus(widths=(4, 8), depth=0), (16, 16, 3), 2, seed=1)
    kept = np.array([1, 2, 5, 9])
    plan, weights = Plan((Phase(),), (2, 2)), tmp_path / "best.weights.h5"
    job = fit.Job(net, plan, Material(split, kept, split), Training(), 0, weights)
    fit.initialise(job)
    found = net.get_layer("whiten").get_weights()
    for one, expected in zip(found, whitening.filters(drawn[kept]), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-6)


def test_filters_that_come_with_a_start_are_not_computed_anew(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "seed-0")
    toy_run.write_run(folder, toy_run.experiment([HybridPlus()]).runs()[0])
    drawn = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), np.uint8)
    split = Split(drawn, np.arange(16, dtype=np.int32) % 2)
    net = build.build(HybridPlus(), (16, 16, 3), 2, seed=1)
    material = Material(split, np.arange(16), split)
    plan = Plan((Phase(),), (8, 8))
    job = fit.Job(net, plan, material, Training(), 0, tmp_path / "best.weights.h5")
    own = Start(run=str(folder.path), sha256=files.sha256(folder.weights))
    fit.initialise(job)
    assert net.get_layer("whiten").get_weights()[0].any()
    fit.initialise(replace(job, start=own))  # whose filters are still those of a draft
    assert not net.get_layer("whiten").get_weights()[0].any()


def test_the_history_has_a_row_per_epoch_with_every_column(
    trained: tuple[fit.Fitted, object],
) -> None:
    result, _ = trained
    assert [row["epoch"] for row in result.history] == [1, 2, 3, 4]
    assert {tuple(row) for row in result.history} == {fit.COLUMNS}


@pytest.mark.parametrize("name", ["{x}{0}{", "{epoch:02d}"])
def test_a_folder_with_braces_in_its_name_is_a_folder(tmp_path: Path, name) -> None:
    (tmp_path / name).mkdir()
    fitted(tmp_path / name, epochs=1)
    assert [path.name for path in (tmp_path / name).iterdir()] == ["best.weights.h5"]


def test_weights_that_the_disk_refuses_are_named_and_end_the_training(
    tmp_path: Path,
) -> None:
    (tmp_path / "best.weights.h5").mkdir()
    with pytest.raises(files.CannotWrite, match=r"best\.weights\.h5: expected room"):
        fitted(tmp_path, epochs=1)


def test_the_loss_falls_on_an_easy_task(trained: tuple[fit.Fitted, object]) -> None:
    history = trained[0].history
    assert history[-1]["loss"] < history[0]["loss"]


def test_an_exploding_loss_is_an_error_that_names_the_epoch(tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged, match="epoch"):
        fitted(tmp_path, learning_rate=1e30)


def test_a_gradient_that_is_no_number_ends_the_training_though_the_loss_is_finite(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(steps, "norm", lambda slopes: keras.ops.sum(slopes[0]) * np.nan)
    with pytest.raises(TrainingDiverged, match="epoch 1: expected a finite gradient"):
        fitted(tmp_path)
    with pytest.raises(TrainingDiverged, match="epoch 2: expected a finite gradient"):
        fit.require_finite(1, "gradient", np.inf)


def test_the_first_of_equally_good_epochs_counts() -> None:
    rows = [{"val_accuracy": score} for score in (0.1, 0.5, 0.5)]
    training = Training(monitor="val_accuracy")
    assert fit.best_epoch(rows, training) == 2


def test_steps_and_speed_follow_the_length_of_each_epoch(tmp_path: Path) -> None:
    # Of 24 and 6 images: plain 30, oversampled 48, undersampled 12; in batches of 12.
    phases = (
        Phase(until=0.25),
        Phase(until=0.5, sampling=remedies.Oversampling()),
        Phase(sampling=remedies.Undersampling()),
    )
    one = material()
    kept = np.flatnonzero((one.train.labels == 0) | (np.arange(48) < 12))
    told: list[tuple[int, int]] = []
    job = fit.Job(
        net=net_of(0),
        plan=Plan(phases, (24, 6)),
        material=Material(one.train, kept, one.validation),
        training=Training(epochs=4, batch_size=12),
        seed=0,
        weights=tmp_path / "best.weights.h5",
        report=lambda _, done, steps, row: told.append((done, steps)) if not row else 0,
    )
    assert [job.steps(epoch) for epoch in range(4)] == [3, 4, 1, 1]
    found = fit.fit(job)
    assert {steps for _, steps in told} == {3, 4, 1}
    assert found.images_per_second * found.seconds == pytest.approx(30 + 48 + 12 + 12)


def test_patience_counts_the_epochs_without_a_better_score(tmp_path: Path) -> None:
    def over(*scores: float, phases: tuple[Phase, ...] = (Phase(),)) -> bool:
        job = fit.Job(
            net=None,
            plan=Plan(phases, (24, 24)),
            material=material(),
            training=Training(epochs=8, monitor="val_accuracy", patience=2),
            seed=0,
            weights=tmp_path,
            report=lambda *_: None,
        )
        return fit.is_over(job, [{"val_accuracy": score} for score in scores])

    assert not over(0.5, 0.4)
    assert over(0.5, 0.4, 0.4)
    assert over(0.5, 0.4, 0.5)  # as good is not better
    assert not over(0.5, 0.4, 0.6)
    # Only the last phase is judged, and by its own epochs.
    half = (Phase(until=0.5), Phase(class_weights=(1.0, 2.0)))
    assert not over(0.9, 0.1, 0.1, 0.1, phases=half)
    assert not over(0.9, 0.1, 0.1, 0.1, 0.5, 0.4, phases=half)
    assert over(0.9, 0.1, 0.1, 0.1, 0.5, 0.4, 0.4, phases=half)


class Watched:
    """A training with validation losses that are given, and its weights by epoch."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        phases: tuple[Phase, ...] = (Phase(),),
        losses: tuple[float, ...] = (),
        seed: int = 0,
        **changes: object,
    ) -> None:
        self.validated: list[list[np.ndarray]] = []
        """The model's weights, as each epoch was validated."""
        self.epochs: list[tuple[int, int]] = []
        """Seed and number of each epoch's images."""
        self.after: list[list[np.ndarray]] = []
        real, left = fit.validate, iter(losses)

        def validate(net, validation) -> dict[str, float]:
            self.validated.append(net.get_weights())
            scores = real(net, validation)
            return scores | {"val_loss": next(left, scores["val_loss"])}

        def report(epoch: int, done: int, steps: int, row: fit.Row | None) -> None:
            if row is not None:
                self.after.append(self.net.get_weights())

        def batches(*given: object, **key: int) -> Epoch:
            self.epochs.append((key["seed"], key["epoch"]))
            return Epoch(*given, **key)

        monkeypatch.setattr(fit, "validate", validate)
        monkeypatch.setattr(fit, "Epoch", batches)
        asked = {"epochs": 4, "batch_size": 48, "monitor": "val_loss"} | changes
        training = Training.model_validate(asked)
        self.net = net_of(0)
        plan, weights = Plan(phases, (24, 24)), folder / "best.weights.h5"
        self.job = fit.Job(self.net, plan, material(), training, seed, weights, report)
        self.fitted = fit.fit(self.job)


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(map(np.array_equal, one, other))


def test_the_best_epoch_is_one_of_the_last_phase_and_so_are_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = (Phase(until=0.5), Phase(class_weights=(1.0, 2.0)))
    losses = (0.1, 0.9, 0.5, 0.6)
    watched = Watched(tmp_path, monkeypatch, phases, losses)
    assert watched.fitted.best_epoch == 3
    assert same(watched.net.get_weights(), watched.validated[2])


def test_a_second_stage_starts_from_the_best_epoch_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = (Phase(until=0.75), Phase(trains="classifier"))
    losses = (0.9, 0.1, 0.5, 0.7)
    watched = Watched(tmp_path, monkeypatch, phases, losses)
    begun, end = watched.validated[1], watched.validated[3]
    moved = [not np.array_equal(a, b) for a, b in zip(begun, end, strict=True)]
    names = [v.path.partition("/")[2] for v in watched.net.weights]
    assert {n for n, m in zip(names, moved, strict=True) if m} == {
        "logits/kernel",
        "logits/bias",
    }
    assert watched.fitted.best_epoch == 4


def test_order_and_augmentation_are_those_of_the_seed_in_every_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, monkeypatch, seed=5, epochs=2)
    assert watched.epochs == [(5, 0), (5, 1)]


def test_averages_of_the_weights_are_validated_and_kept_and_not_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch is a step: A = W after the first, A <- 0.75 A + 0.25 W after others."""
    more = {"epochs": 3, "averaging": 0.75, "learning_rate": 0.1}
    losses = (0.9, 0.5, 0.1)
    watched = Watched(tmp_path, monkeypatch, losses=losses, **more)
    trained = [v.trainable for v in watched.net.weights]
    average = watched.after[0]
    for stepped, found in zip(watched.after[1:], watched.validated[1:], strict=True):
        assert not same(stepped, found)
        average = [0.75 * a + 0.25 * w for a, w in zip(average, stepped, strict=True)]
        for one, other, is_trained in zip(found, average, trained, strict=True):
            if is_trained:
                np.testing.assert_allclose(one, other, atol=1e-6)
    assert same(watched.net.get_weights(), watched.validated[-1])


def test_what_patience_cuts_off_is_not_counted_as_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = (0.5, 0.1, 0.2, 0.3)
    watched = Watched(tmp_path, monkeypatch, losses=losses, patience=1)
    found = watched.fitted
    assert (len(found.history), found.best_epoch) == (3, 2)
    assert found.images_per_second * found.seconds == pytest.approx(3 * 48)


def test_a_second_stage_has_its_own_seed_and_the_steps_of_its_own_epochs(
    tmp_path: Path,
) -> None:
    """Of 24 and 6 images in batches of 6: 5 steps, and 8 where rare ones come again."""
    again = Phase(trains="classifier", sampling=remedies.Oversampling())
    training = Training(epochs=4, batch_size=6, learning_rate=0.1, schedule="cosine")
    plan = Plan((Phase(until=0.5), again), (24, 6))
    net, expected = net_of(0), net_of(0)
    job = fit.Job(net, plan, material(), training, 3, tmp_path / "best.weights.h5")
    stage = fit.begun(job, Span("classifier", 2, 4), State())
    stage.optimizer.iterations.assign(8)
    half = float(keras.ops.convert_to_numpy(stage.optimizer.learning_rate))
    assert half == pytest.approx(0.05)
    logits.redraw(expected, 3)
    assert same(net.get_weights(), expected.get_weights())


def test_a_training_that_explodes_later_keeps_its_best_weights_so_far(
    tmp_path: Path, monkeypatch
) -> None:
    real = fit.validate
    weights: list[list[np.ndarray]] = []

    def explode(net, validation) -> dict[str, float]:
        if weights:
            net.set_weights([np.full_like(array, np.nan) for array in weights[0]])
        else:
            weights.append(net.get_weights())
        return real(net, validation)

    monkeypatch.setattr(fit, "validate", explode)
    with pytest.raises(TrainingDiverged, match="epoch 2: expected a finite validation"):
        fitted(tmp_path)
    net = net_of(1)
    net.load_weights(tmp_path / "best.weights.h5")
    for kept, first in zip(net.get_weights(), weights[0], strict=True):
        np.testing.assert_array_equal(kept, first)
