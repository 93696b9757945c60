"""A study's folder -> runs that lie in it under another cell's name, taken over.

Which run a folder holds is decided by its digest, in which no name takes part. A cell
that got another name, or that two studies of one folder name differently, is copied to
where it is looked for, and its files say the new name; so do those of a folder that was
renamed by hand.
"""

import shutil
from pathlib import Path

from tessera import checkpoint, files, settings
from tessera.data.dataset import Dataset
from tessera.evaluation import faithfulness
from tessera.experiment import Experiment, Run
from tessera.locks import NAME, held
from tessera.record import Record, RunFolder, StudyFolder, finished
from tessera.study import run_folder


def take_over(experiment: Experiment, dataset: Dataset, out: Path) -> int:
    """Copy finished runs to the folders of the experiment's names; return how many.

    Args:
        experiment: Whose runs are looked for.
        dataset: What they are trained on.
        out: The study's folder, which this process holds.

    Raises:
        CannotWrite: The disk refused a copy.
        FolderInUse: Another command is at one of the runs.
    """
    study, taken = StudyFolder(out), 0
    for run in experiment.runs():
        wanted = run_folder(study, run, dataset)
        digest = run.digest(dataset.fingerprint)
        known = finished(wanted, digest)
        if known and (known.model, known.regime) != (run.model.label, run.regime.name):
            with held(wanted.path):
                _say_names(wanted, run, known)
        elif known is None and (found := _elsewhere(wanted, digest)):
            record, there = found
            _copy(there, wanted, run, record)
            taken += 1
    return taken


def _elsewhere(wanted: RunFolder, digest: str) -> tuple[Record, RunFolder] | None:
    """A finished run of this digest and seed in the folder of another cell."""
    cell, seed = wanted.path.parent, wanted.path.name
    for place in sorted(cell.parent.glob(f"*-{digest[:8]}/{seed}")):
        folder = RunFolder(place)
        if place != wanted.path and (record := finished(folder, digest)):
            return record, folder
    return None


def _copy(there: RunFolder, wanted: RunFolder, run: Run, record: Record) -> None:
    """Copy a run under the names of `run`; its record last, which makes it finished."""
    others = shutil.ignore_patterns(NAME, f"{files.PARTIAL}*", there.record.name)
    with held(wanted.path):
        with files.writing(wanted.path):
            shutil.copytree(there.path, wanted.path, ignore=others, dirs_exist_ok=True)
        checkpoint.clear(wanted.checkpoints)
        _say_names(wanted, run, record)


def _say_names(folder: RunFolder, run: Run, record: Record) -> None:
    """Write the names of `run` into a folder's files, the record last."""
    names = {"model": run.model.label, "regime": run.regime.name}
    files.write_text(folder.experiment, settings.dumps(run.experiment()))
    if checked := faithfulness.read(folder.faithfulness, record):
        said = checked.model_copy(update=names)
        files.write_text(folder.faithfulness, said.model_dump_json(indent=1) + "\n")
    renamed = record.model_copy(update=names)
    files.write_text(folder.record, renamed.model_dump_json(indent=2) + "\n")
