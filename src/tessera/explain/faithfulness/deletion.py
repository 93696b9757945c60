"""Deletion and insertion: how fast an answer goes, or comes back, cell by cell.

Petsiuk et al. 2018 (BMVC, arXiv:1806.07421). Cells are taken by rank in whole numbers,
so every step removes exactly what it says; the area is by trapezoids over the shares
of pixels that were really replaced, with both ends.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Labels
from tessera.explain.faithfulness import ranking
from tessera.explain.faithfulness.answers import Predict, probability
from tessera.explain.faithfulness.fills import Pixels
from tessera.explain.faithfulness.ranking import Ranks

Direction = Literal["deletion", "insertion"]


@dataclass(frozen=True, eq=False)
class Ends:
    """The two images that every curve of an image begins or ends with."""

    whole: NDArray[np.float64]
    """Probability with nothing removed, float64 [N]."""
    filled: NDArray[np.float64]
    """Probability with everything replaced, float64 [N]."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Probability of the explained class against the share of pixels changed."""

    shares: NDArray[np.float64]
    """From 0 to 1, float64 [N, T]."""
    probabilities: NDArray[np.float64]
    """float64 [N, T]."""

    @property
    def areas(self) -> NDArray[np.float64]:
        """Area under each curve by the trapezoid rule, float64 [N]."""
        return np.asarray(np.trapezoid(self.probabilities, self.shares, axis=1))


def ends(predict: Predict, images: Pixels, fill: Pixels, targets: Labels) -> Ends:
    """Ask the model about the whole and the filled images, once for all maps."""
    return Ends(
        whole=probability(predict(images), targets),
        filled=probability(predict(fill), targets),
    )


def curves(
    predict: Predict,
    images: Pixels,
    ranks: Ranks,
    targets: Labels,
    *,
    fill: Pixels,
    known: Ends,
    direction: Direction,
    steps: int,
) -> Curves:
    """Change the top cells step by step and ask the model each time.

    Args:
        predict: The model.
        images: float32 [N, H, W, C].
        ranks: The order of the cells, int [N, h, w].
        targets: The class watched, int [N].
        fill: What replaces pixels, float32 [N, H, W, C].
        known: The model's answers at both ends.
        direction: Deletion puts the fill where the top cells were, insertion puts the
            top cells into the fill.
        steps: About how many steps; the number of cells or more: one cell a step.
    """
    cells = ranks.shape[1] * ranks.shape[2]
    places = ranking.to_pixels(ranks, *images.shape[1:3])
    back, front, first, last = (
        (images, fill, known.whole, known.filled)
        if direction == "deletion"
        else (fill, images, known.filled, known.whole)
    )
    shares, found = [np.zeros(len(images))], [first]
    for count in ranking.counts(cells, steps)[1:-1]:
        changed = places < count
        mixed = np.where(changed[..., None], front, back)
        shares.append(np.asarray(changed.mean(axis=(1, 2))))
        found.append(probability(predict(mixed), targets))
    shares.append(np.ones(len(images)))
    return Curves(np.stack(shares, axis=1), np.stack([*found, last], axis=1))
