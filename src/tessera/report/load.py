"""A study's folder -> everything its report shows, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import files, history
from tessera.arrays import Heatmaps, Images, Indices, Labels
from tessera.evaluation.comparison import Cells, cells
from tessera.record import SCHEMA_VERSION, Record, RunFolder, StudyFolder, StudyRecord


class StudyError(ValueError):
    """The folder does not hold a finished study."""


@dataclass(frozen=True)
class Explained:
    """Explained test images of one run, M in all."""

    images: Images
    """uint8 [M, H, W, C]."""
    indices: Indices
    """Their positions in the test set, int [M]."""
    labels: Labels
    predicted: Labels
    targets: Labels
    """The class that each map speaks for."""
    probabilities: NDArray[np.float64]
    """Of the target, float [M]."""
    temperature: float | None
    """What their logits were divided by; None in files of before it was stored, whose
    probabilities and choice of images are those before temperature scaling."""
    raw: Heatmaps
    """Signed maps on the layer's grid, float32 [M, h, w]."""
    reasons: tuple[str, ...]
    """Why a map is blank; empty where it is not."""
    layer: str
    method: str
    cautions: tuple[str, ...]
    """What a reader of the maps must know."""
    raw_true: Heatmaps | None = None
    """Maps for the true class, float32 [M, h, w]; None: not stored."""
    names: tuple[str, ...] = ()
    """The images' files, relative to the dataset's folder; empty: not known."""


@dataclass(frozen=True)
class Study:
    """A study's record, with its runs and their files."""

    folder: StudyFolder
    record: StudyRecord
    cells: Cells
    folders: Mapping[tuple[str, str, int], RunFolder]
    """The folder of (model, regime, seed)."""

    @property
    def records(self) -> tuple[Record, ...]:
        """Of all runs, cell by cell, by rising seed."""
        return tuple(r for runs in self.cells.values() for r in runs)

    def histories(self, model: str, regime: str) -> tuple[history.Columns, ...]:
        """The histories of a cell's runs, by rising seed."""
        return tuple(
            history.columns(self.folders[model, regime, r.seed])
            for r in self.cells.get((model, regime), ())
        )


def load(path: Path) -> Study:
    """Read a study.

    Raises:
        StudyError: No `study.json`, one that cannot be read, or a run is missing.
    """
    folder = StudyFolder(path)
    if not folder.study.exists():
        raise StudyError(
            f"{folder.study}: expected a finished study. Received: no such file. "
            "Give the folder that `tessera study --out` was told."
        )
    record = _parsed(folder.study, StudyRecord)
    runs = [RunFolder(path / name) for cell in record.cells for name in cell.folders]
    records = [_parsed(run.record, Record) for run in runs]
    return Study(
        folder=folder,
        record=record,
        cells=cells(record.experiment, records),
        folders={
            (r.model, r.regime, r.seed): run
            for r, run in zip(records, runs, strict=True)
        },
    )


def _parsed(path: Path, kind: type[Any]) -> Any:
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = files.unread(path, SCHEMA_VERSION)
        if isinstance(error, OSError):
            found = (
                f"{error.strerror or error}. Give the study's command again: finished "
                "runs are kept."
            )
        raise StudyError(
            f"{path}: expected a {kind.__name__} of Tessera. Received: {found}"
        ) from error


def explained(path: Path) -> Explained | None:
    """Read `heatmaps.npz` or `mistakes.npz`; None where the run explained nothing."""
    if not path.exists():
        return None
    arrays = files.read_arrays(path)
    if not len(arrays["labels"]):
        return None
    warmth = arrays.get("temperature")
    return Explained(
        images=arrays["images"],
        indices=arrays["indices"],
        labels=arrays["labels"],
        predicted=arrays["predicted"],
        targets=arrays["targets"],
        probabilities=arrays["probabilities"],
        temperature=None if warmth is None else float(warmth),
        raw=arrays["raw"],
        reasons=tuple(str(reason) for reason in arrays["reasons"]),
        layer=str(arrays["layer"]),
        method=str(arrays["method"]),
        cautions=tuple(str(caution) for caution in arrays["cautions"]),
        raw_true=arrays.get("raw_true"),
        names=tuple(map(str, arrays.get("names", ()))),
    )
