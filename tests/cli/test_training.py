"""What a study's missing runs print, and that their engine is closed in the end."""

import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import toy_run
from rich.console import Console

from tessera import engines, files, locks, machine, settings, study, workers
from tessera.cli import training
from tessera.cli.announcing import Work
from tessera.cross_validation import Part
from tessera.data.dataset import Dataset
from tessera.experiment import Cnn, Data, Folder
from tessera.record import StudyFolder

EXPERIMENT = toy_run.experiment([Cnn()], seeds=(0, 1))


@dataclass
class Engine:
    """Says that the first run ends and that the second fails; trains nothing."""

    slots: int = 1
    threads: int = 1
    closed: list[bool] = field(default_factory=list)

    def run_all(
        self, tasks: Sequence[workers.Task], data: Data, dataset: Dataset
    ) -> Generator[workers.Event]:
        first, second = tasks
        try:
            yield workers.Started(first)
            yield workers.Finished(first)
            yield workers.Started(second)
            yield workers.Failed(second, "TrainingDiverged: epoch 1", "")
        finally:
            self.closed.append(True)


@pytest.fixture(autouse=True)
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is timed to foretell how long it takes."""
    monkeypatch.setattr("tessera.estimate.speeds", lambda *_, **__: {})


def trained(engine: engines.Engine, folder: Path) -> str:
    """What is printed; its lines come before an error's."""
    text = io.StringIO()
    console = Console(file=text, width=200)
    whole = Part(EXPERIMENT, folder)
    works = training.begin(console, [whole], [toy_run.digits()])
    try:
        training.carry_out(console, whole, works, engine)
    except study.StudyError as error:
        print(error, file=text)
    return text.getvalue()


def test_the_plan_stands_before_the_runs_and_failures_after_them(
    tmp_path: Path,
) -> None:
    told = trained(Engine(), tmp_path).splitlines()
    assert "0 finished, 2 to do, 1 at a time" in told[2]
    assert told[-6].startswith("time: this machine could not be timed")
    assert told[-5].startswith("  1/2 runs: cnn, balanced, seed 0")
    assert "FAILED: TrainingDiverged: epoch 1" in told[-4]
    assert told[-3] == f"{tmp_path}: 1 of the study's runs failed:"


def test_no_more_trainings_are_foretold_at_full_speed_than_there_are_cores_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 4)
    crowd, pairs = engines.Processes(100, threads=1), engines.Processes(3, threads=2)
    assert (training.at_full_speed(crowd), training.at_full_speed(pairs)) == (4, 2)
    assert training.at_full_speed(engines.Processes(2, threads=8)) == 1
    assert training.at_full_speed(engines.Processes(3, threads=1)) == 3
    assert training.at_full_speed(Engine(slots=100)) == 100  # of other machines


def test_finished_runs_of_other_images_are_told_before_more_is_trained(
    tmp_path: Path,
) -> None:
    dataset = toy_run.digits()
    runs = EXPERIMENT.runs()
    folder = study.run_folder(StudyFolder(tmp_path), runs[0], dataset)
    record = toy_run.write_run(folder, runs[0])
    assert training.of_other_images(dataset, tmp_path) == []
    changed = record.model_copy(
        update={
            "digest": "0" * 64,
            "data": record.data.model_copy(update={"fingerprint": "f" * 64}),
        }
    )
    folder.record.write_text(changed.model_dump_json())
    told = trained(Engine(), tmp_path)
    assert "0 finished, 2 to do" in told
    assert f"note: 1 finished run in {tmp_path} learned from other images" in told


def test_ctrl_c_closes_the_engine_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(console: Console, events: Iterator[workers.Event], *_: object):
        next(events)
        raise KeyboardInterrupt

    monkeypatch.setattr("tessera.cli.progress.follow", interrupted)
    engine = Engine()
    with pytest.raises(KeyboardInterrupt):
        trained(engine, tmp_path)
    assert engine.closed == [True]


def test_runs_under_other_names_are_taken_over_and_said_so(tmp_path: Path) -> None:
    data = toy_run.digits()
    old = EXPERIMENT.model_copy(update={"models": (Cnn(name="old"),)})
    for run in old.runs():
        toy_run.write_run(study.run_folder(StudyFolder(tmp_path), run, data), run)
    text = io.StringIO()
    for _ in range(2):
        training.take_over(Console(file=text, width=200), EXPERIMENT, data, tmp_path)
    expected = f"2 finished runs in {tmp_path} under other names: taken over, not"
    assert text.getvalue().count(expected) == 1


def folds(out: Path, count: int) -> list[Work]:
    """Of digits, as if they were so many folds of a folder, each without a run."""
    data, works = Folder(path="photos", folds=count), []
    for number in range(1, count + 1):
        one = data.model_copy(update={"fold": number})
        fold = EXPERIMENT.model_copy(update={"data": one})
        place, dataset = out / f"fold-{number}", toy_run.digits()
        works.append(Work(fold, dataset, place, study.survey(fold, dataset, place)))
    return works


def test_finished_runs_of_another_number_of_folds_are_told_with_the_way_out(
    tmp_path: Path,
) -> None:
    work = folds(tmp_path, 4)[0]
    changed = {"fingerprint": "f" * 64}
    for seed, divided in ((0, 3), (1, 4)):
        run = EXPERIMENT.runs()[seed]
        folder = study.run_folder(StudyFolder(work.folder), run, work.dataset)
        record = toy_run.write_run(folder, run)
        other = record.data.model_copy(update=changed)
        record = record.model_copy(update={"data": other})
        files.write_text(folder.record, record.model_dump_json())
        data = Folder(path="photos", folds=divided, fold=1)
        asked = run.model_copy(update={"data": data}).experiment()
        files.write_text(folder.experiment, settings.dumps(asked))
    text = io.StringIO()
    training.warn_of_others(Console(file=text, width=400), work)
    first, second = text.getvalue().splitlines()
    assert first.startswith(f"note: 1 finished run in {work.folder} learned from other")
    assert "1 finished run in" in second and "from the images in 3 folds" in second
    assert "ask for 3 folds; to keep both, give this study a folder of" in second


@dataclass
class Diverging(Engine):
    """Ends every run, but for those of the first fold."""

    asked: list[int] = field(default_factory=list)

    def run_all(
        self, tasks: Sequence[workers.Task], data: Data, dataset: Dataset
    ) -> Generator[workers.Event]:
        assert isinstance(data, Folder) and data.fold
        self.asked.append(data.fold)
        for task in tasks:
            yield workers.Started(task)
            if data.fold == 1:
                yield workers.Failed(task, "TrainingDiverged: epoch 1", "")
            else:
                toy_run.write_run(task.folder, task.run)
                yield workers.Finished(task)


def test_a_run_that_fails_in_a_fold_keeps_no_other_fold_from_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    concluded: list[Path] = []
    monkeypatch.setattr(training, "conclude", lambda w, _: concluded.append(w.folder))
    works, engine, text = folds(tmp_path, 3), Diverging(), io.StringIO()
    whole = Part(EXPERIMENT, tmp_path)
    with pytest.raises(study.StudyError, match="2 of the study's runs failed") as told:
        training.carry_out(Console(file=text, width=200), whole, works, engine)
    assert "cnn, balanced, seed 1, fold 1: TrainingDiverged" in str(told.value)
    assert engine.asked == [1, 2, 3]
    assert concluded == [work.folder for work in works[1:]]
    lines = text.getvalue().splitlines()
    assert "1 model x 1 regime x 2 seeds x 3 folds = 6 runs" in text.getvalue()
    assert len([line for line in lines if line.startswith("time: ")]) == 1
    for number, work in enumerate(works, 1):
        at = lines.index(f"Fold {number} of 3, in {work.folder}:")
        assert lines[at + 1].startswith("  1/2 runs: cnn, balanced, seed 0, fold ")


def test_a_study_in_folds_begins_only_where_no_fold_is_at_work(tmp_path: Path) -> None:
    parts = [Part(EXPERIMENT, tmp_path / "out" / name) for name in ("one", "two")]
    with (
        locks.held(parts[1].folder),
        pytest.raises(locks.FolderInUse, match="two: another"),
        training.held(tmp_path / "out", parts),
    ):
        pytest.fail("it has begun")
    assert not (tmp_path / "out").exists()
