"""Seeds trained at once come to what each comes to alone. JAX only.

Where another backend is in use, the last test runs the files of this subject on JAX in
one process.
"""

import dataclasses
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import elsewhere
import keras
import numpy as np
import pytest
from tiny import material, net_of

from tessera import remedies
from tessera.experiment import Training
from tessera.imbalance.plan import Phase, Plan, TrainedPart
from tessera.training import fit
from tessera.training.fit import Job
from tessera.training.validation import TrainingDiverged

ON_JAX = keras.backend.backend() == "jax"
TOGETHER = "test_together.py"
jax_only = pytest.mark.skipif(not ON_JAX, reason="needs the JAX backend")

TRAINING = Training(
    epochs=3,
    batch_size=40,
    learning_rate=0.03,
    optimizer="muon",
    weight_decay=0.1,
    schedule="one-cycle",
    averaging=0.8,
    label_smoothing=0.1,
    alternating_flip=True,
    crop_fill="mirror",
    crop_padding=2,
    cutout=3,
    rotation=20.0,
    monitor="val_loss",
)
PHASES = (
    Phase(until=0.5, mixing=remedies.TailOnHead()),
    Phase(class_weights=(1.0, 3.0), sampling=remedies.Power(), sharpness=0.05),
)
"""The second begins after two of three epochs."""
QUICK = {
    "optimizer": "adam",
    "schedule": "constant",
    "averaging": 0.0,
    "cutout": 0,
}
"""For what does not depend on these: half of the program, and so half of its
compiling."""


def job(folder: Path, seed: int, **changes: Any) -> Job:
    plan = Plan(changes.pop("phases", PHASES), (40, 40))
    training = TRAINING.model_copy(update=changes)
    weights = folder / f"{seed}.weights.h5"
    return Job(
        net_of(seed), plan, material(seed), training, seed, weights, lambda *_: None
    )


def assert_alike(found: fit.Fitted, expected: fit.Fitted) -> None:
    """Equal but for rounding; a score may differ by one of the 40 images."""
    assert found.best_epoch == expected.best_epoch
    assert len(found.history) == len(expected.history)
    for row, other in zip(found.history, expected.history, strict=True):
        assert tuple(row) == fit.COLUMNS
        for name in ("epoch", "learning_rate"):
            assert row[name] == pytest.approx(other[name], rel=1e-6)
        for name in ("loss", "val_loss"):
            assert row[name] == pytest.approx(other[name], rel=1e-3)
        for name in ("accuracy", "val_accuracy", "val_balanced_accuracy"):
            assert row[name] == pytest.approx(other[name], abs=0.026)


@jax_only
@pytest.mark.slow
def test_two_seeds_at_once_come_to_what_each_comes_to_alone(tmp_path: Path) -> None:
    """Everything that is not refused at once, and two phases of it."""
    from tessera.training import seeds

    jobs = [job(tmp_path, seed) for seed in (0, 1)]
    for mine, found in zip(jobs, seeds.fit(jobs), strict=True):
        single = job(tmp_path, mine.seed)
        expected = fit.fit(single)
        assert isinstance(found, fit.Fitted)
        assert_alike(found, expected)
        pixels = mine.material.validation.images.astype(np.float32)
        answers, others = (np.asarray(j.net(pixels)) for j in (mine, single))
        np.testing.assert_allclose(answers, others, atol=2e-3)
        assert found.notes == (seeds.note(jobs),)
        assert "seeds 0, 1" in found.notes[0]

        stored = net_of(9)
        stored.load_weights(tmp_path / f"{mine.seed}.weights.h5")
        for array, kept in zip(
            stored.get_weights(), single.net.get_weights(), strict=True
        ):
            np.testing.assert_allclose(array, kept, atol=2e-3)


@jax_only
@pytest.mark.slow
@pytest.mark.parametrize("trains", ["classifier", "scales"])
def test_a_second_stage_starts_from_each_seeds_best_epoch_of_the_first(
    tmp_path: Path, trains: TrainedPart
) -> None:
    """Averages of the weights are kept in the first, and in a classifier's second."""
    from tessera.training import seeds

    phases = (Phase(until=0.5), Phase(trains=trains, sampling=remedies.Power()))
    more = {"phases": phases, "epochs": 4, "cutout": 0, "optimizer": "adam"}
    jobs = [job(tmp_path, seed, **more) for seed in (0, 1)]
    for mine, found in zip(jobs, seeds.fit(jobs), strict=True):
        single = job(tmp_path, mine.seed, **more)
        assert_alike(found, fit.fit(single))
        assert found.best_epoch > 2
        for array, kept in zip(
            mine.net.get_weights(), single.net.get_weights(), strict=True
        ):
            np.testing.assert_allclose(array, kept, atol=2e-3)


@jax_only
@pytest.mark.slow
def test_phases_of_another_length_are_trained_as_alone(tmp_path: Path) -> None:
    from tessera.training import seeds

    phases = (Phase(until=0.5), Phase(sampling=remedies.Oversampling()))

    def uneven(seed: int) -> Job:
        more = QUICK | {"phases": phases, "epochs": 2, "batch_size": 60}
        one = job(tmp_path, seed, **more)
        labels = one.material.labels
        kept = np.r_[np.flatnonzero(labels == 0)[:8], np.flatnonzero(labels == 1)[:30]]
        indices = one.material.indices[np.sort(kept)]
        rare = dataclasses.replace(one.material, indices=indices)
        return dataclasses.replace(one, plan=Plan(phases, (8, 30)), material=rare)

    jobs = [uneven(seed) for seed in (0, 1)]
    assert [jobs[0].images(epoch) for epoch in range(2)] == [38, 60]
    for mine, found in zip(jobs, seeds.fit(jobs), strict=True):
        assert_alike(found, fit.fit(uneven(mine.seed)))
        assert found.images_per_second * found.seconds == pytest.approx(38 + 60)


@jax_only
@pytest.mark.slow
@pytest.mark.parametrize("broken_in", [1, 2])
def test_a_seed_that_breaks_off_keeps_its_best_weights_in_any_phase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_in: int
) -> None:
    from tessera.training import seeds

    phases = (Phase(until=0.5), Phase(sampling=remedies.Power()))
    more = QUICK | {"phases": phases, "epochs": 4}
    jobs = [job(tmp_path, seed, **more) for seed in (0, 1)]
    honest, asked = fit.require_finite, []

    def breaking(epoch: int, name: str, value: float) -> None:
        asked.append((epoch, name))
        here = (epoch, name) == (broken_in, "loss")
        second = asked.count((epoch, name)) == 2  # the seeds ask in their order
        honest(epoch, name, float("nan") if here and second else value)

    monkeypatch.setattr(fit, "require_finite", breaking)
    whole, ended = seeds.fit(jobs)
    assert isinstance(whole, fit.Fitted) and isinstance(ended, TrainingDiverged)
    assert (tmp_path / "1.weights.h5").is_file()


@jax_only
@pytest.mark.slow
def test_a_seed_that_no_longer_gets_better_stops_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    from tessera.training import seeds

    more = QUICK | {"phases": (Phase(),), "epochs": 6, "patience": 1}
    jobs = [job(tmp_path, seed, **more) for seed in (0, 1, 2)]
    found = seeds.fit(jobs)
    for mine, one in zip(jobs, found, strict=True):
        assert_alike(one, fit.fit(job(tmp_path, mine.seed, **more)))
    lengths = [len(one.history) for one in found]
    assert len(set(lengths)) > 1, lengths


@jax_only
@pytest.mark.slow
def test_a_seed_whose_loss_explodes_leaves_the_others_as_they_were(
    tmp_path: Path,
) -> None:
    from tessera.training import seeds

    short = QUICK | {"epochs": 1, "phases": (Phase(),)}
    bad, good = (job(tmp_path, seed, **short) for seed in (0, 1))
    bad.net.set_weights([np.full_like(w, np.nan) for w in bad.net.get_weights()])
    broken, found = seeds.fit([bad, good])
    assert isinstance(broken, TrainingDiverged)
    assert str(broken).startswith("epoch 1: expected a finite loss")
    assert isinstance(found, fit.Fitted)
    assert_alike(found, fit.fit(job(tmp_path, 1, **short)))


@jax_only
def test_seeds_with_other_numbers_of_images_are_refused(tmp_path: Path) -> None:
    from tessera.training import seeds
    from tessera.training.batches import Material

    one, two = (job(tmp_path, seed) for seed in (0, 1))
    fewer = Material(two.material.train, np.arange(79), two.material.validation)
    with pytest.raises(ValueError, match=r"training images: .* Received: \[80, 79\]"):
        seeds.require_alike([one, dataclasses.replace(two, material=fewer)])


@jax_only
def test_a_device_that_makes_other_images_is_refused(tmp_path: Path) -> None:
    from tessera.training import device_batches, seeds

    asked = job(tmp_path, 0)
    other = asked.training.model_copy(update={"crop_padding": 1})  # 2 was asked for
    wrong = device_batches.resident(asked.material.train, other)
    with pytest.raises(ValueError, match=r"the images of `batches`"):
        seeds.require_same_images(wrong, seeds.epoch_of(asked, 0))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(ON_JAX, reason="this process runs them already")
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_on_jax_all_of_this_holds() -> None:
    here = Path(__file__)
    others = ("test_device_batches.py", "test_resident.py")
    files = [here, *map(here.with_name, others), here.parents[1] / TOGETHER]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env=elsewhere.environment("jax"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
