"""A study's folder -> what of it may be committed, in a folder of the same layout.

Weights, checkpoints and, unless asked for, every picture of the dataset stay behind;
so do the places where data lay on the machine, and the lists of indices, which the
recipe and the hash in the manifest stand for.

    python -m tessera.report.committed.collect out/cifar10 results/cifar10
"""

import json
import shutil
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import tomli_w

from tessera import files
from tessera.record import RunFolder, StudyFolder
from tessera.report import tables
from tessera.report.load import load
from tessera.report.page import write_report

IMAGES, NO_PREDICTIONS = "--images", "--no-predictions"


def collect(
    study_folder: Path,
    destination: Path,
    *,
    images: bool = False,
    predictions: bool = True,
) -> Path:
    """Copy a study's records, predictions and tables, and draw its report anew.

    Args:
        study_folder: Holds `study.json` and the runs that it names.
        destination: Created if missing; files of the same name are replaced.
        images: Whether pictures of the dataset may be passed on (heatmaps, galleries).
        predictions: Whether to copy every run's logits, of which a large study has
            tens of megabytes. Its confusion matrices are in the records in any case;
            curves and calibration of the new report need the logits.

    Returns:
        The destination.

    Raises:
        StudyError: The folder holds no finished study, or one that cannot be read.
    """
    study = load(study_folder)
    for run in study.folders.values():
        place = run.path.relative_to(study.folder.path)
        copy = RunFolder(destination / place)
        _collect_run(run, copy, images=images, predictions=predictions)
    _copy_json(study.folder.study, StudyFolder(destination).study)
    record = study.record
    text = f"{tables.results(record)}\n{tables.verdicts(record)}"
    if tables.has_ranking(record):
        text = f"{tables.rankings(record)}\n{text}"
    files.write_text(destination / "table.md", text)
    write_report(destination, images=images)
    return destination


def _collect_run(
    source: RunFolder, target: RunFolder, *, images: bool, predictions: bool
) -> None:
    _copy_json(source.record, target.record)
    if source.manifest.exists():
        _copy_json(source.manifest, target.manifest)
    if source.experiment.exists():
        settings = tomllib.loads(source.experiment.read_text(encoding="utf-8"))
        files.write_text(target.experiment, tomli_w.dumps(_portable(settings)))
    _copy(source.history, target.history)
    if predictions:
        _copy(source.predictions, target.predictions)
    if source.faithfulness.exists():
        _copy_json(source.faithfulness, target.faithfulness)
        _copy(source.faithfulness_values, target.faithfulness_values)
    for kept in ("heatmaps", "mistakes"):
        pictures = getattr(source, kept)
        if images and pictures.exists():
            _copy(pictures, getattr(target, kept))


def _copy(source: Path, target: Path) -> None:
    with files.replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def _copy_json(source: Path, target: Path) -> None:
    files.write_json(target, _portable(json.loads(source.read_text(encoding="utf-8"))))


def _portable(value: Any, key: str = "") -> Any:
    """Plain data without this machine's places and without lists of images."""
    match value:
        case _ if key == "indices":
            return "left out; the recipe and the hash stand for them"
        case list():
            return [_portable(v) for v in value]
        case dict():
            return {k: _portable(v, k) for k, v in value.items()}
        case str() if key == "path":
            return PurePath(value).name
        case str() if key == "run":  # that another started from: its cell and seed
            return PurePath(*PurePath(value).parts[-3:]).as_posix()
        case _:
            return value


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a study's folder, then where to collect it."""
    match arguments:
        case [source, target, *flags] if set(flags) <= {IMAGES, NO_PREDICTIONS}:
            collect(
                Path(source),
                Path(target),
                images=IMAGES in flags,
                predictions=NO_PREDICTIONS not in flags,
            )
        case _:
            raise SystemExit(
                "usage: python -m tessera.report.committed.collect STUDY DESTINATION "
                f"[{IMAGES}] [{NO_PREDICTIONS}]"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
