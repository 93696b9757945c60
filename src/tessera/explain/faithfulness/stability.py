"""Small changes of an image that leave the answer alone -> how far its map moves.

After Alvarez-Melis and Jaakkola 2018 (arXiv:1806.08049), with changes that a person
would not see. An image counts under a change only where the answer stays the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels
from tessera.evaluation.ratios import known_mean
from tessera.explain.faithfulness import similarity
from tessera.explain.faithfulness.answers import Maps, Predict
from tessera.explain.faithfulness.fills import Pixels

NOISE = 0.01
"""Deviation of the noise, as a share of the range 0..255."""
DRAWS = 3

Kind = Literal["shift", "flip", "noise"]


@dataclass(frozen=True, eq=False)
class Change:
    """A changed copy of every image."""

    kind: Kind
    images: Pixels
    mirrored: bool = False
    """Whether its maps must be mirrored back."""


def changes(images: Pixels, *, seed: int) -> Iterator[Change]:
    """The changes of all images, one kind after the other."""
    for rows, columns in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        yield Change("shift", shifted(images, rows, columns))
    yield Change("flip", images[:, :, ::-1], mirrored=True)
    for draw in range(DRAWS):
        noise = np.random.default_rng((seed, draw)).normal(0, NOISE * 255, images.shape)
        noisy = np.clip(images + noise, 0, 255).astype(np.float32)
        yield Change("noise", noisy)


def shifted(images: Pixels, rows: int, columns: int) -> Pixels:
    """Move the picture by at most a pixel each way; the edge is repeated."""
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    height, width = images.shape[1:3]
    return padded[:, 1 - rows : 1 - rows + height, 1 - columns : 1 - columns + width]


def relative(
    predict: Predict,
    maps_of: dict[str, Maps],
    images: Pixels,
    targets: Labels,
    *,
    seed: int,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Relative change of each map under each kind of change, and the largest of all.

    Args:
        predict: The model.
        maps_of: Methods and controls by name.
        images: float32 [N, H, W, C].
        targets: The explained class, int [N].
        seed: Decides the noise.

    Returns:
        Map name -> `stability_KIND` -> float64 [N]; NaN where every change of the kind
        changed the answer, or the map is blank.
    """
    before = {name: maps(images, targets) for name, maps in maps_of.items()}
    answer = predict(images).argmax(axis=1)
    moved: dict[str, dict[str, list[NDArray[np.float64]]]] = {
        name: {kind: [] for kind in ("shift", "flip", "noise")} for name in maps_of
    }
    for change in changes(images, seed=seed):
        same = predict(change.images).argmax(axis=1) == answer
        for name, maps in maps_of.items():
            after = _back(maps(change.images, targets), change)
            value = similarity.change(before[name], after)
            moved[name][change.kind].append(np.where(same, value, np.nan))
    return {name: _summary(kinds) for name, kinds in moved.items()}


def _back(maps: Heatmaps, change: Change) -> Heatmaps:
    return maps[:, :, ::-1] if change.mirrored else maps


def _summary(
    kinds: dict[str, list[NDArray[np.float64]]],
) -> dict[str, NDArray[np.float64]]:
    means = {f"stability_{k}": known_mean(np.stack(x), 0) for k, x in kinds.items()}
    everything = np.stack([x for series in kinds.values() for x in series])
    worst = np.where(np.isnan(everything), -np.inf, everything).max(axis=0)
    return {**means, "stability_worst": np.where(np.isinf(worst), np.nan, worst)}
