"""An estimate of time: what a run costs, by hand, and a real measurement."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from tessera import catalogue, estimate, runtime, workers
from tessera.data.dataset import Dataset, Split
from tessera.estimate import Speed
from tessera.experiment import (
    Cnn,
    Experiment,
    Hybrid,
    Model,
    Natural,
    Regime,
    Run,
    Start,
    Training,
)
from tessera.record import RunFolder
from tessera.remedies import Remedy
from tessera.settings import ExperimentError


def dataset(side: int = 8) -> Dataset:
    labels = np.repeat(np.arange(2, dtype=np.int32), [800, 200])
    train = Split(np.zeros((1000, side, side, 3), np.uint8), labels)
    shown = np.zeros((50, side, side, 3), np.uint8)
    test = Split(shown, np.arange(50, dtype=np.int32) % 2)
    return Dataset("tiny", ("a", "b"), train, test, None, "f" * 64)


def task(
    remedy: Remedy, donor: RunFolder | None = None, model: Model | None = None
) -> workers.Task:
    run: Run = Experiment(
        models=(model or Cnn(),),
        regimes=(Regime(name="one", profile=Natural(), remedy=remedy),),
        training=Training(epochs=10),
        seeds=(0,),
    ).runs()[0]
    return workers.Task(run, RunFolder(Path("run")), donor)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", 9000),  # 1000 images less a tenth for validation, ten epochs
        ("sam", 18_000),  # two passes a step
        ("crt", 9000 * (0.8 + 0.2 / 3)),  # a fifth of the epochs without a way back
        ("oversampling", 14_400),  # both classes as large as the one of 720
        ("undersampling", 3600),  # as the one of 180
    ],
)
def test_a_run_costs_its_images_times_what_its_remedy_does(
    name: str, expected: float
) -> None:
    cost = estimate.passes(task(catalogue.named(name)), dataset())
    assert cost == pytest.approx(expected)


def test_a_training_that_is_taken_over_costs_nothing() -> None:
    shared = task(catalogue.named("temperature"), RunFolder(Path("plain")))
    assert estimate.passes(shared, dataset()) == 0


def test_validation_is_predicted_each_epoch_and_the_test_set_once() -> None:
    found = estimate.predictions(task(Remedy()).run, dataset())
    assert found == pytest.approx(10 * 100 + 50)


def test_runs_side_by_side_share_the_time() -> None:
    speeds = {"cnn": Speed(train=0.001, predict=0.01)}
    four = [task(Remedy())] * 4
    one_run = 9 + 10.5 + estimate.EACH  # of 9,000 and 1,050 images, as above
    alone = estimate.seconds(four, dataset(), speeds, jobs=1)
    together = estimate.seconds(four, dataset(), speeds, jobs=2)
    assert alone == pytest.approx(4 * one_run)
    assert together == pytest.approx(2 * one_run)


def test_more_workers_than_runs_do_not_speed_a_run_up() -> None:
    speeds = {"cnn": Speed(train=0.001, predict=0.0)}
    found = estimate.seconds([task(Remedy())], dataset(), speeds, jobs=8)
    assert found == pytest.approx(9 + estimate.EACH)


def test_nothing_to_do_takes_no_time() -> None:
    assert estimate.seconds([], dataset(), {}, jobs=2) == 0


@pytest.mark.slow
def test_models_are_timed_once_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    tasks = [task(Remedy())]
    first = estimate.speeds(tasks, dataset(), threads=1)
    assert first["cnn"].train > 0
    assert first["cnn"].predict > 0
    assert estimate.speeds(tasks, dataset(), threads=1) == first


def test_models_that_differ_in_name_and_start_alone_are_timed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    asked: list[str] = []

    def elsewhere(runs: list[Run], *_: object) -> dict[str, Speed]:
        asked.extend(run.model.label for run in runs)
        return {run.model.label: Speed(1.0, 2.0) for run in runs}

    monkeypatch.setattr(estimate, "_elsewhere", elsewhere)
    twin = Cnn(name="twin", start=Start(run="runs/larger", sha256="0" * 64))
    models = (Cnn(), twin, Cnn(name="other", dropout=0.1))
    tasks = [task(Remedy(), model=model) for model in models]
    found = estimate.speeds(tasks, dataset(), threads=1)
    assert asked == ["cnn", "other"]
    assert found == dict.fromkeys(["cnn", "twin", "other"], Speed(1.0, 2.0))


def test_what_decides_how_long_a_step_takes_is_timed_anew_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    timed: list[int] = []
    monkeypatch.setattr(
        estimate,
        "_elsewhere",
        lambda runs, *_: timed.append(1) or {"cnn": Speed(1.0, 1.0)},
    )

    def times(side: int = 8, threads: int = 1, **changes: object) -> int:
        one = task(Remedy())
        training = one.run.training.model_copy(update=changes)
        run = one.run.model_copy(update={"training": training})
        again = workers.Task(run, one.folder, None)
        timed.clear()
        estimate.speeds([again], dataset(side), threads=threads)
        return len(timed)

    assert times() == 1
    assert times(epochs=3, learning_rate=0.5) == 0
    assert times(batch_size=16) == times(optimizer="muon") == 1
    assert times(precision="bfloat16") == times(threads=2) == times(side=16) == 1


def test_without_every_models_speed_nothing_is_foretold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    speed = {"cnn": Speed(1.0, 1.0)}
    monkeypatch.setattr(estimate, "_elsewhere", lambda *_: speed)
    tasks = [task(Remedy()), task(Remedy(), model=Hybrid())]
    assert estimate.speeds(tasks, dataset(), threads=1) == {}


def test_one_thread_is_timed_by_its_processor_time_which_other_work_does_not_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime, "on_processor", lambda: True)
    assert estimate.clock(1) is time.process_time
    assert estimate.clock(2) is time.perf_counter
    monkeypatch.setattr(runtime, "on_processor", lambda: False)
    assert estimate.clock(1) is time.perf_counter


def test_speeds_are_what_the_clock_shows() -> None:
    ticks = iter([10.0, 14.0, 15.0])
    speed = estimate.timed(task(Remedy()).run, (8, 8, 3), 2, lambda: next(ticks))
    images = 128 * estimate.BATCHES
    assert speed == Speed(train=4 / images, predict=1 / images)


def test_a_batch_larger_than_the_data_is_timed_as_the_batch_that_there_will_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    sizes: list[int] = []
    monkeypatch.setattr(
        estimate,
        "_elsewhere",
        lambda runs, *_: sizes.extend(r.training.batch_size for r in runs) or {},
    )
    for batch in (128, 2**20):
        run = task(Remedy()).run
        training = run.training.model_copy(update={"batch_size": batch})
        run = run.model_copy(update={"training": training})
        one = workers.Task(run, RunFolder(Path("run")), None)
        estimate.speeds([one], dataset(), threads=1)
    assert sizes == [128, 1000]


def test_a_damaged_memory_is_as_good_as_none(tmp_path: Path) -> None:
    for damaged in ("{", "[]"):
        (tmp_path / "speed.json").write_text(damaged)
        assert estimate._remembered(tmp_path / "speed.json") == {}


def test_a_cache_that_cannot_be_written_only_forgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "file" / "cache"))
    speed = Speed(train=1.0, predict=0.5)
    monkeypatch.setattr(estimate, "_elsewhere", lambda *_: {"cnn": speed})
    assert estimate.speeds([task(Remedy())], dataset(), threads=1) == {"cnn": speed}


@pytest.mark.slow
def test_a_model_that_these_images_are_too_small_for_is_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hybrid = Hybrid(patch=2, depth=1)  # its map of 2 x 2 is a single token
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    with pytest.raises(ExperimentError, match="model hybrid: tokens: expected"):
        estimate.speeds([task(Remedy(), model=hybrid)], dataset(), threads=1)


def test_a_model_that_cannot_be_timed_is_left_out_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def timed(run: Run, *_: object) -> Speed:
        if run.model == Cnn(name="huge"):
            raise MemoryError
        return Speed(1.0, 1.0)

    monkeypatch.setattr(estimate, "timed", timed)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    models = (Cnn(name="huge"), Cnn())
    runs = [task(Remedy(), model=model).run for model in models]
    estimate._time_all(theirs, runs, (8, 8, 3), 2, 1)
    assert [ours.recv()[0], ours.poll()] == ["cnn", False]
