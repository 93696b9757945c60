"""Run folders -> what a tracker is told: settings, scores, history, pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import files, history, overlay, settings
from tessera.experiment import Run
from tessera.models import rebuild
from tessera.record import Record, RunFolder, StudyFolder


class TrackError(ValueError):
    """Nothing was tracked; the message says why and what to do."""


@dataclass(frozen=True)
class Tracked:
    """One finished run."""

    folder: RunFolder
    run: Run
    record: Record

    @property
    def name(self) -> str:
        """What the tracker calls it: `hybrid--weighted-1a2b3c4d/seed-0`, as studies do.

        A study's folder may hold several runs of a cell and a seed, say of 8 and of 40
        epochs, which the digest tells apart.
        """
        study = StudyFolder(self.folder.path)
        place = study.run(self.run.cell, self.record.digest, self.run.seed).path
        return place.relative_to(study.path / "runs").as_posix()

    def history(self) -> Sequence[dict[str, float]]:
        """One row per epoch.

        Raises:
            TrackError: It cannot be read.
        """
        try:
            return history.read(self.folder)
        except (OSError, ValueError) as error:
            raise TrackError(
                f"{self.folder.history}: expected the run's history. Received: "
                f"{error}. {files.again(self.folder.history)}"
            ) from error

    def parameters(self) -> dict[str, str]:
        """Every setting by dotted name, as text."""
        return dict(_flat("", self.run.model_dump(mode="json", exclude_none=True)))

    def scores(self) -> dict[str, float]:
        """The test scores, and each class's recall."""
        whole = self.record.scores.model_dump(mode="json")
        found = {
            f"test/{name}": float(value)
            for name, value in whole.items()
            if isinstance(value, int | float)
        }
        classes = self.record.scores.per_class
        return found | {f"test/recall/{c.name}": c.recall for c in classes}

    def pictures(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Explained test images as (name, RGB uint8 [H, W, 3]); map over image."""
        if not self.folder.heatmaps.exists():
            return
        stored = files.read_arrays(self.folder.heatmaps)
        names = self.record.data.class_names
        for i, image in enumerate(stored["images"]):
            true, answer = names[stored["labels"][i]], names[stored["predicted"][i]]
            shown = overlay.overlay(image, stored["raw"][i])
            yield f"{true} answered {answer} ({stored['indices'][i]})", shown


def finished(path: Path) -> tuple[Tracked, ...]:
    """The finished runs of a study's folder, or of a run's own.

    Raises:
        TrackError: There is none.
        RunError: A record is damaged.
    """
    records = sorted(path.glob("runs/*/*/record.json"))
    if (path / "record.json").exists():
        records = [path / "record.json"]
    if not records:
        found = "no record.json in it or in its runs" if path.exists() else "no folder"
        raise TrackError(
            f"{path}: expected the folder of a study or of a finished run. Received: "
            f"{found}."
        )
    return tuple(_read(RunFolder(record.parent)) for record in records)


def _read(folder: RunFolder) -> Tracked:
    (run,) = settings.read(folder.experiment).runs()
    return Tracked(folder, run, rebuild.read_record(folder))


def needs_extra(package: str) -> TrackError:
    """The error of a tracker that is not installed."""
    return TrackError(
        f"track: expected the package {package}. Received: it is not installed. "
        "In the checkout, `pip install '.[track]'` installs it."
    )


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else name, inner)
    else:
        yield prefix, str(value)
