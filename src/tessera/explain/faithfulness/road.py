"""ROAD: remove the top (or bottom) cells so that the hole itself tells nothing.

Rong et al. 2022 (ICML, arXiv:2202.00449). A removed pixel becomes the weighted mean of
its neighbours in the image, 1/6 for the four beside it and 1/12 for the four diagonal
ones, which for all removed pixels together is one sparse linear system; then a little
noise. The system is symmetric and banded, so it is solved by a banded Cholesky
factorisation, once for all channels.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from tessera.arrays import Labels
from tessera.explain.faithfulness import ranking
from tessera.explain.faithfulness.answers import Predict
from tessera.explain.faithfulness.fills import Pixels
from tessera.explain.faithfulness.ranking import Masks, Ranks

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of the cells that are removed. Never all: then nothing is left to fill in from."""

NOISE = 0.01
"""Deviation of the noise on removed pixels, in units of the whole range 0..255."""

BESIDE, DIAGONAL = 1 / 6, 1 / 12


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of neighbouring pixels, each once, the earlier first."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    weight: NDArray[np.float64]
    total: NDArray[np.float64]
    """Sum of a pixel's weights inside the image, float64 [H * W]."""


def neighbours(height: int, width: int) -> Neighbours:
    """The pairs of an image of this size."""
    number = np.arange(height * width).reshape(height, width)
    pairs = [
        (number[:, :-1], number[:, 1:], BESIDE),
        (number[:-1], number[1:], BESIDE),
        (number[:-1, :-1], number[1:, 1:], DIAGONAL),
        (number[:-1, 1:], number[1:, :-1], DIAGONAL),
    ]
    first = np.concatenate([a.ravel() for a, _, _ in pairs])
    second = np.concatenate([b.ravel() for _, b, _ in pairs])
    weight = np.concatenate([np.full(a.size, w) for a, _, w in pairs])
    ends, weights = np.concatenate([first, second]), np.concatenate([weight, weight])
    total = np.bincount(ends, weights, number.size).astype(np.float64)
    return Neighbours(first, second, weight, total)


def impute(image: Pixels, removed: NDArray[np.bool_], near: Neighbours) -> Pixels:
    """Fill removed pixels with the weighted mean of their neighbours.

    Args:
        image: float32 [H, W, C].
        removed: bool [H, W]; some pixel must be left.
        near: The pairs of an image of this size.

    Raises:
        ValueError: Every pixel is removed, so the system is singular.
    """
    gone = removed.ravel()
    if gone.all():
        raise ValueError(
            "removed: expected at least one pixel to be left, from which the others "
            "are filled. Received: all removed."
        )
    flat = image.reshape(gone.size, -1).astype(np.float64)
    filled = flat.copy()
    if gone.any():
        filled[gone] = _solve(flat, gone, near)
    return filled.reshape(image.shape).astype(np.float32)


def _solve(
    flat: NDArray[np.float64], gone: NDArray[np.bool_], near: Neighbours
) -> NDArray[np.float64]:
    """Values of the removed pixels, float64 [unknowns, C]."""
    place = np.cumsum(gone) - 1
    one, two = gone[near.first], gone[near.second]
    inner = one & two
    row, column = place[near.second[inner]], place[near.first[inner]]
    offset = row - column
    bands = np.zeros((int(offset.max(initial=0)) + 1, int(gone.sum())))
    bands[0] = near.total[gone]
    bands[offset, column] = -near.weight[inner]
    known = np.zeros((bands.shape[1], flat.shape[1]))
    for edge, inside, outside in (
        (one & ~two, near.first, near.second),
        (two & ~one, near.second, near.first),
    ):
        pull = near.weight[edge, None] * flat[outside[edge]]
        where = place[inside[edge]]
        for channel in range(flat.shape[1]):
            known[:, channel] += np.bincount(where, pull[:, channel], len(known))
    solved: NDArray[np.float64] = linalg.solveh_banded(
        bands, known, lower=True, overwrite_ab=True, overwrite_b=True
    )
    return solved


def survival(
    predict: Predict,
    images: Pixels,
    ranks: Ranks,
    targets: Labels,
    *,
    seed: int,
    shares: tuple[float, ...] = SHARES,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whether the answer survives when the most, or least, relevant cells go.

    Args:
        predict: The model.
        images: float32 [N, H, W, C], 0..255.
        ranks: The order of the cells, int [N, h, w].
        targets: The explained class, int [N].
        seed: Decides the noise: the same for every method and both directions.
        shares: Of the cells removed, rising, strictly between 0 and 1.

    Returns:
        Two arrays float64 [N, len(shares)] of 0 and 1: most relevant first (MoRF), then
        least relevant first (LeRF); 1 where the explained class is still the answer.
    """
    _check(shares)
    cells = ranks.shape[1] * ranks.shape[2]
    places = ranking.to_pixels(ranks, *images.shape[1:3])
    near = neighbours(*images.shape[1:3])
    most: list[NDArray[np.float64]] = []
    least: list[NDArray[np.float64]] = []
    for index, share in enumerate(shares):
        count = min(max(round(share * cells), 1), cells - 1)
        noise = _noise(images.shape, (seed, index))
        for kept, removed in (
            (most, places < count),
            (least, places >= cells - count),
        ):
            logits = predict(_impute_all(images, removed, near, noise))
            kept.append((logits.argmax(axis=1) == targets).astype(np.float64))
    return np.stack(most, axis=1), np.stack(least, axis=1)


def _check(shares: tuple[float, ...]) -> None:
    rising = all(a < b for a, b in pairwise(shares))
    if not shares or not rising or shares[0] <= 0 or shares[-1] >= 1:
        raise ValueError(
            "shares: expected rising numbers between 0 and 1, both left out: with "
            f"every pixel removed there is nothing to fill in from. Received: {shares}."
        )


def _noise(shape: tuple[int, ...], seed: tuple[int, int]) -> Pixels:
    draw = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return draw * np.float32(NOISE * 255)


def _impute_all(
    images: Pixels, removed: Masks, near: Neighbours, noise: Pixels
) -> Pixels:
    filled = np.stack(
        [impute(x, gone, near) for x, gone in zip(images, removed, strict=True)]
    )
    return np.where(removed[..., None], filled + noise, filled)
