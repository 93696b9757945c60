"""A model's answers and heatmaps for some images, as values that show themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessera import overlay
from tessera.arrays import Images, Probabilities
from tessera.notebook import html

if TYPE_CHECKING:
    from tessera.explain.explanations import Explanations

SIDE = 128
"""Least pixels per side of a picture."""

MOST = 24
"""Images shown; all are in the arrays."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's answers, one per image that could be read."""

    names: tuple[str, ...]
    """Of the images: paths, or their positions in an array."""
    images: Images
    """As the model sees them, uint8 [N, S, S, C]."""
    probabilities: Probabilities
    """Calibrated as far as `calibration` says, float64 [N, K]."""
    class_names: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, each with the reason."""
    because: str = ""
    """Why the run asked stands for its study, a sentence; empty for a run itself."""
    calibration: str = ""
    """Whether the probabilities are calibrated and on what, a sentence."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The most probable class of every image."""
        return tuple(self.class_names[k] for k in self.probabilities.argmax(axis=1))

    def __repr__(self) -> str:
        """A line per image."""
        lines = [
            f"{name}: {_answer(row, self.class_names)}"
            for name, row in zip(self.names, self.probabilities, strict=True)
        ]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        return html.page(self._parts())

    def _parts(self) -> Iterator[str]:
        first = zip(self.names[:MOST], self.images, self.probabilities, strict=False)
        for name, image, row in first:
            answer = _answer(row, self.class_names)
            yield html.figure(enlarged(image), f"{name}\n{answer}", alternative=name)
        yield from _rest(len(self.names))
        yield from map(html.paragraph, self._notes())

    def _notes(self) -> list[str]:
        return [*filter(None, [self.calibration]), *_notes(self.because, self.refused)]


@dataclass(frozen=True, eq=False)
class Heatmaps:
    """What a model's answers rest on, one map per image that could be read."""

    names: tuple[str, ...]
    images: Images
    """As the model sees them, uint8 [N, S, S, C]."""
    explanations: "Explanations"
    class_names: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    because: str = ""
    """See `Predictions`."""

    def __repr__(self) -> str:
        """A line per image, and what a reader must know about the maps."""
        lines = [f"{name}: {self._told(i)}" for i, name in enumerate(self.names)]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        return html.page(self._parts())

    def pictures(self) -> tuple[overlay.Pixels, ...]:
        """Each image with its map over it, RGB, uint8 [H, W, 3]."""
        maps = self.explanations.raw
        return tuple(
            overlay.overlay(image, raw, magnification=overlay.magnified(image, SIDE))
            for image, raw in zip(self.images, maps, strict=True)
        )

    def _parts(self) -> Iterator[str]:
        pictures = self.pictures()[:MOST]
        for i, (name, over) in enumerate(zip(self.names, pictures, strict=False)):
            both = np.concatenate([enlarged(self.images[i]), over], axis=1)
            text = f"{name}\n{self._told(i)}"
            yield html.figure(both, text, alternative=f"{name} and its heatmap")
        yield from _rest(len(self.names))
        yield from map(html.paragraph, self._notes())

    def _told(self, i: int) -> str:
        found = self.explanations
        target = self.class_names[found.targets[i]]
        predicted = self.class_names[found.predicted[i]]
        text = f"evidence for {target}; predicted {predicted}"
        return f"{text}; blank: {found.reasons[i]}" if found.reasons[i] else text

    def _notes(self) -> list[str]:
        found = self.explanations
        height, width = found.grid
        method = (
            f"{found.method} at {found.layer}, {height}x{width} cells. It shows where "
            "the evidence lies, to first order; it proves no cause."
        )
        return [method, *found.cautions, *_notes(self.because, self.refused)]


def enlarged(image: NDArray[np.uint8]) -> overlay.Pixels:
    """An image in whole multiples of its pixels, at least `SIDE` high or wide."""
    return overlay.enlarge(image, magnification=overlay.magnified(image, SIDE))


def _rest(count: int) -> Iterator[str]:
    if count > MOST:
        yield html.paragraph(f"The first {MOST} of {count:,} images.")


def _answer(row: NDArray[np.float64], class_names: Sequence[str]) -> str:
    first, second = np.argsort(-row, kind="stable")[:2]
    return (
        f"{class_names[first]} {row[first]:.1%}, "
        f"then {class_names[second]} {row[second]:.1%}"
    )


def _notes(because: str, refused: Sequence[tuple[str, str]]) -> list[str]:
    unread = [f"{name}: not read: {reason}" for name, reason in refused]
    return [because, *unread] if because else unread
