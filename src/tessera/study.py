"""An experiment -> every run finished, and `study.json` beside them.

The folders are the state: a run is finished when its record says so, and the same
command does what is missing. Nothing else is remembered between commands.
"""

import contextlib
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tessera import beforehand, execution, files, machine, runtime, starts, workers
from tessera.data.dataset import Dataset
from tessera.engines import Engine
from tessera.experiment import (
    OWN_REGIMES,
    STUDY_CLASSES,
    STUDY_REGIMES,
    Compare,
    Experiment,
    Folder,
    Reduced,
    Regime,
    Run,
)
from tessera.imbalance import profiles
from tessera.record import (
    SCHEMA_VERSION,
    Record,
    RunFolder,
    StudyFolder,
    StudyRecord,
)

UNEQUAL = 2.0
"""Imbalance factor from which data counts as imbalanced by nature."""

MEMORY_PER_WORKER = 2 * 2**30
"""Bytes that one training may need."""

THREADS = 1
"""Of each training, however few there are: with more, sums are cut elsewhere and their
last bits differ, so a result would depend on how many runs there were beside it."""


class StudyError(RuntimeError):
    """The study cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Progress:
    """What is done and what is left."""

    finished: tuple[workers.Task, ...]
    missing: tuple[workers.Task, ...]


def adapted(
    experiment: Experiment, dataset: Dataset, remedies: tuple[str, ...] = ()
) -> Experiment:
    """The experiment with regimes that suit the data, unless it names its own.

    The reference study cuts classes 3, 4 and 5 of balanced data; of fewer than six
    classes the last is cut. Data whose classes differ by `UNEQUAL` or more is compared
    as it is instead: levelled, as it comes, and as it comes with class weights.

    Args:
        experiment: What was asked for.
        dataset: Its data.
        remedies: Names of the catalogue to compare on the first profile of the
            experiment that is not balanced; none: the experiment's own regimes.

    Raises:
        ProfileError: A profile does not fit the data.
        RemedyError: A remedy contradicts itself, the data or the epochs.
    """
    counts = dataset.train.counts(len(dataset.class_names))
    if "regimes" not in experiment.model_fields_set:
        unequal = profiles.imbalance_factor(counts) >= UNEQUAL
        suited = OWN_REGIMES if unequal else study_regimes(len(counts))
        experiment = experiment.model_copy(update={"regimes": suited})
    if remedies:
        found = (r.profile for r in experiment.regimes if r.profile.kind != "balanced")
        compare = Compare(profile=next(found, Reduced()), remedies=remedies)
        experiment = experiment.model_copy(update={"regimes": compare.regimes()})
    beforehand.notes(experiment, dataset)
    return experiment


def study_regimes(classes: int) -> tuple[Regime, ...]:
    """The reference study's regimes; without classes 3, 4 and 5 the last one is cut."""
    if classes > max(STUDY_CLASSES):
        return STUDY_REGIMES
    last = Reduced(classes=(classes - 1,))
    return tuple(
        regime.model_copy(update={"profile": last})
        if regime.profile == Reduced()
        else regime
        for regime in STUDY_REGIMES
    )


def refuse_other_data(
    dataset: Dataset, out: Path, option: str = "--out ", beside: Path | None = None
) -> None:
    """Let no study take the place of one of other data.

    Args:
        dataset: Of the study that is about to begin.
        out: Its folder, which need not be there.
        option: How the caller's user says the folder; a path is put behind it.
        beside: What the user says is the study's folder; None: `out`.

    Raises:
        StudyError: The folder holds `study.json` of other data, or of no study.
    """
    path = StudyFolder(out).study
    if not path.exists():
        return
    found, give = files.unread(path, SCHEMA_VERSION), "If it is no study's, give"
    with contextlib.suppress(OSError, ValidationError):
        record = StudyRecord.model_validate_json(path.read_bytes())
        held, asked = record.data, record.experiment.data
        if held.fingerprint == dataset.fingerprint:
            return
        folds = asked.folds if isinstance(asked, Folder) else None
        divided = f" in {folds} folds" if folds else ""
        found = f"that of {held.name}{divided} ({held.fingerprint[:12]}), which"
        found, give = f"{found} would be replaced.", "Give"
    place = _elsewhere(dataset, beside or out)
    raise StudyError(
        f"{out}: expected a new folder, or the study of {dataset.name} "
        f"({dataset.fingerprint[:12]}). Received: {found} {give} this study a "
        f"folder of its own: {option}{place}"
    )


def _elsewhere(dataset: Dataset, out: Path) -> Path:
    """A folder beside this one with the name of the data, which may lie there too."""
    name = re.sub(r"[^\w.-]+", "-", dataset.name).strip("-.") or "study"
    taken = name == out.name or out.with_name(name).exists()
    return out.with_name(f"{name}-2" if taken else name)


def survey(experiment: Experiment, dataset: Dataset, out: Path) -> Progress:
    """Look at the folders: which runs are finished, which are missing."""
    study = StudyFolder(out)
    runs = experiment.runs()
    tasks = [
        workers.Task(
            run,
            run_folder(study, run, dataset),
            donor_of(study, run, runs, dataset),
            run.digest(dataset.fingerprint),
        )
        for run in runs
    ]
    done = [execution.is_finished(task, dataset) for task in tasks]
    return Progress(
        finished=tuple(t for t, ok in zip(tasks, done, strict=True) if ok),
        missing=tuple(t for t, ok in zip(tasks, done, strict=True) if not ok),
    )


def run_folder(study: StudyFolder, run: Run, dataset: Dataset) -> RunFolder:
    """Where a run lies: named after its cell, what decides its result, and its seed."""
    return study.run(run.cell, run.digest(dataset.fingerprint), run.seed)


def donor_of(
    study: StudyFolder, run: Run, runs: Sequence[Run], dataset: Dataset
) -> RunFolder | None:
    """The folder of the run whose training is the same as this one's, if any.

    A remedy that only changes the logits afterwards trains as its regime without that
    step does, bit by bit; with both in a study, one training is enough.
    """
    if run.regime.remedy.after is None:
        return None
    twin = run.without_after()
    wanted = twin.digest(dataset.fingerprint)
    for other in runs:
        same = other.seed == run.seed and other.model == run.model
        if same and other.digest(dataset.fingerprint) == wanted:
            return run_folder(study, other, dataset)
    return None


def train_missing(
    progress: Progress, experiment: Experiment, dataset: Dataset, engine: Engine
) -> Generator[workers.Event]:
    """Train what is missing, yielding events; may be stopped at any point."""
    if progress.missing:
        yield from engine.run_all(progress.missing, experiment.data, dataset)


def conclude(
    experiment: Experiment, dataset: Dataset, out: Path, *, threads: int
) -> StudyRecord:
    """Read every run's record and write `study.json`.

    Raises:
        StudyError: A run is missing.
    """
    progress = survey(experiment, dataset, out)
    if progress.missing:
        raise StudyError(
            f"{out}: expected {len(experiment.runs())} finished runs. "
            f"Received: {len(progress.finished)}. The same command trains the rest."
        )
    for task in progress.finished:
        execution.tidy(task, dataset)
    # What it takes is of no use before, and takes half a second to import.
    from tessera.evaluation import faithfulness, study_record

    records = read([task.folder for task in progress.finished])
    folders = [str(task.folder.path.relative_to(out)) for task in progress.finished]
    checked = [
        faithfulness.read(task.folder.faithfulness, found)
        for task, found in zip(progress.finished, records, strict=True)
    ]
    record = study_record.study_record(
        experiment,
        records,
        runtime.environment(threads),
        folders,
        root=out,
        faithfulness=[found for found in checked if found is not None],
    )
    # A run's record says what was known of the data when that run was trained.
    data = dataset.summary()
    notes = (*data.notes, *starts.notes(experiment, dataset))
    data = data.model_copy(update={"notes": notes})
    record = record.model_copy(update={"data": data})
    files.write_text(StudyFolder(out).study, record.model_dump_json(indent=2) + "\n")
    return record


def read(folders: Sequence[RunFolder]) -> list[Record]:
    """The records of finished runs."""
    return [Record.model_validate_json(f.record.read_bytes()) for f in folders]


def covered(record: StudyRecord, out: Path) -> list[RunFolder]:
    """The folders of the runs that a study's record covers, in its order."""
    return [RunFolder(out / place) for cell in record.cells for place in cell.folders]


def jobs_at_once(jobs: int | None, missing: int, threads: int = THREADS) -> int:
    """How many runs side by side, at least 1.

    Small images keep one core busy better than they keep many: by default every core
    gets a run of its own, as far as memory allows. An accelerator gets one run, for its
    memory is not known here.

    Args:
        jobs: What the user asked for; None chooses.
        missing: Runs to do.
        threads: Cores of each.
    """
    if jobs:
        return jobs
    if not runtime.on_processor():
        return 1
    by_memory = machine.memory() // MEMORY_PER_WORKER
    return max(1, min(machine.cores() // threads, by_memory, missing))
