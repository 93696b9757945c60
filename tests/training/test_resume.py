"""A training that was interrupted goes on to the same bits as one that was not."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import net_of

from tessera import checkpoint
from tessera.data.dataset import Split
from tessera.experiment import HybridPlus, OwnTraining, Training
from tessera.imbalance.plan import Phase, Plan
from tessera.training import fit, resume
from tessera.training.batches import Material

PLANS = {
    "one phase": (Phase(),),
    "two phases": (Phase(until=0.5), Phase(class_weights=(1.0, 2.0))),
    "the classifier again": (Phase(until=0.5), Phase(trains="classifier")),
    "scales afterwards": (Phase(until=0.5), Phase(trains="scales")),
}
EARLY = (0.4, 2.5)
LATE = (3.0, 3.4, 4.7)
"""At the end of the first phase, before the second has a checkpoint, and after."""
DEATHS = {
    "two phases": EARLY + LATE,
    "the classifier again": LATE,
    "scales afterwards": LATE,
}


def material() -> Material:
    """Two classes that differ in brightness, hard enough to be learnt for a while."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.array([0, 1], np.int32), 32)
    bright = rng.integers(0, 200, (64, 8, 8, 3)) + 20 * labels[:, None, None, None]
    images = bright.astype(np.uint8)
    train, validation = Split(images[:48], labels[:48]), Split(images[48:], labels[48:])
    return Material(train, np.arange(48), validation)


class Killed(Exception):
    """Stands for the end of a process."""


TRAINING = Training(
    epochs=6,
    batch_size=16,
    monitor="val_loss",
    schedule="cosine",
    learning_rate=0.01,
    patience=2,
    crop_padding=1,
)


def train(
    folder: Path,
    phases: tuple[Phase, ...],
    die_at: float | None = None,
    training: Training = TRAINING,
) -> Any:
    """Train, perhaps until an epoch (3.5: in the middle of the fourth)."""

    def report(epoch: int, done: int, steps: int, row: Any) -> None:
        if die_at is not None and epoch + done / steps >= die_at:
            raise Killed

    net = net_of(0)
    job = fit.Job(
        net,
        Plan(phases, (24, 24)),
        material(),
        training,
        seed=0,
        weights=folder / "best.weights.h5",
        report=report,
        store=resume.Store(folder / "checkpoints", "digest"),
    )
    return fit.fit(job), net.get_weights()


def outcome(result: fit.Fitted, weights: Iterable[Any]) -> Any:
    """All that must be equal: seconds are the machine's, not the training's."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in result.history]
    return rows, result.best_epoch, [array.tobytes() for array in weights]


@pytest.fixture(autouse=True)
def save_every_epoch(monkeypatch) -> None:
    monkeypatch.setattr(resume, "BUDGET", 1e9)


@pytest.mark.slow
@pytest.mark.parametrize("plan", DEATHS)
def test_after_any_interruption_the_training_ends_in_the_same_bits(
    tmp_path: Path, plan: str
) -> None:
    phases = PLANS[plan]
    whole = outcome(*train(tmp_path / "whole", phases))
    folder = tmp_path / "killed"
    for die_at in DEATHS[plan]:
        with pytest.raises(Killed):
            train(folder, phases, die_at=die_at)
    assert outcome(*train(folder, phases)) == whole


@pytest.mark.slow
def test_muon_averages_batch_norm_and_all_of_a_recipe_are_remembered_too(
    tmp_path: Path,
) -> None:
    own = OwnTraining(batch_size=16, averaging=0.8, cutout=3, crop_padding=1)
    patient = TRAINING.model_copy(update={"patience": None})
    recipe = HybridPlus(training=own).trained(patient)
    assert recipe.optimizer == "muon"
    whole = outcome(*train(tmp_path / "whole", PLANS["one phase"], training=recipe))
    with pytest.raises(Killed):
        train(tmp_path / "cut", PLANS["one phase"], 4.5, recipe)
    cut = train(tmp_path / "cut", PLANS["one phase"], training=recipe)
    assert outcome(*cut) == whole


def test_a_best_epoch_before_the_interruption_is_still_the_best_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, losses = fit.validate, iter([0.1, 0.9, 0.5, 0.1, 0.9, 0.5])
    monkeypatch.setattr(
        fit, "validate", lambda *asked: real(*asked) | {"val_loss": next(losses)}
    )
    whole = outcome(*train(tmp_path / "whole", PLANS["one phase"]))
    with pytest.raises(Killed):
        train(tmp_path / "cut", PLANS["one phase"], die_at=2.5)
    cut = train(tmp_path / "cut", PLANS["one phase"])
    assert cut[0].best_epoch == 1 and len(cut[0].history) == 3
    assert outcome(*cut) == whole


def test_epochs_that_are_done_are_not_done_again(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(tmp_path, PLANS["one phase"], die_at=2.5)
    found = checkpoint.load(tmp_path / "checkpoints", digest="digest")
    assert found is not None and found.step == 2
    state = resume.resumed(resume.Store(tmp_path / "checkpoints", "digest"))
    assert [row["epoch"] for row in state.history] == [1, 2]
    assert state.seconds > 0


def test_another_trainings_checkpoint_is_named_and_not_used(tmp_path: Path) -> None:
    state = resume.State(history=[{"loss": 1.0}])
    resume.save(resume.Store(tmp_path, "one"), state, {})
    said: list[str] = []
    found = resume.resumed(resume.Store(tmp_path, "another", said.append))
    assert found.history == []
    assert "belongs to other settings" in said[0]


def test_without_a_store_nothing_is_kept(tmp_path: Path) -> None:
    resume.save(None, resume.State(), {})
    assert resume.resumed(None).history == []


def test_state_and_variables_come_back_as_they_were(tmp_path: Path) -> None:
    import keras

    store = resume.Store(tmp_path, "d")
    variable = keras.Variable(np.array([0.1, 0.2], np.float32))
    # More than ten, for which the order of numbers is not that of their names.
    best = resume.Best(0.1 + 0.2, tuple(np.full((2, i), i) for i in range(12)))
    state = resume.State([{"loss": 0.7}], best, seconds=50.0, cpu_seconds=70.0)
    resume.save(store, state, {"net": [variable]})
    variable.assign(np.zeros(2, np.float32))
    found = resume.resumed(store)
    resume.restore(found, {"net": [variable]})
    assert keras.ops.convert_to_numpy(variable).tolist() == [
        np.float32(0.1),
        np.float32(0.2),
    ]
    assert found.history == state.history and found.best is not None
    assert found.best.score == 0.1 + 0.2
    for a, b in zip(found.best.weights, best.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    # Those of processes that are gone count, each kind as its own.
    assert 50.0 <= found.elapsed()[0] < 60.0 and 70.0 <= found.elapsed()[1] < 80.0


def test_saving_takes_no_more_than_its_share_of_the_time(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(resume, "BUDGET", 0.01)
    state = resume.State(history=[{}])
    state.cost = 1.0
    resume.save(resume.Store(tmp_path / "young", "d"), state, {})
    assert not (tmp_path / "young").exists()
    state.saved -= 100.0
    resume.save(resume.Store(tmp_path / "old", "d"), state, {})
    assert [entry.name for entry in (tmp_path / "old").iterdir()] == ["step-000000001"]
    assert state.cost < 1.0
    # The next one waits as long again, from this one on.
    state.history.append({})
    state.cost = 1.0
    resume.save(resume.Store(tmp_path / "old", "d"), state, {})
    assert [entry.name for entry in (tmp_path / "old").iterdir()] == ["step-000000001"]
