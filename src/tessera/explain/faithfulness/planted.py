"""Images whose class is decided by one small glyph -> maps can be held to its place.

Ground truth without annotation: the glyph is planted at a known random place over a
background that says nothing of the class, beside a decoy of the same pixels scrambled,
and a tiny model learns it to nearly 100 %. What it then looks at is known, so a map's
energy there must lie well above the glyph's share of the area.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import initializers, layers
from numpy.typing import NDArray
from scipy import ndimage

from tessera.arrays import Images, Labels
from tessera.explain.faithfulness import fitting
from tessera.explain.faithfulness.answers import predictor
from tessera.explain.faithfulness.mosaics import Located

SIDE = 32
GLYPH = 9
"""Pixels per side of a glyph."""
NAMES = ("plus", "cross", "ring", "bars")
CLASSES = len(NAMES)
BRIGHT = 90
"""How far a glyph stands out of its background, of 255."""


@dataclass(frozen=True, eq=False)
class Planted:
    """Generated images with their class and the glyph's place."""

    images: Images
    labels: Labels
    regions: NDArray[np.bool_]
    """The square that holds the glyph, bool [N, H, W]."""

    def located(self) -> Located:
        """The images as ground truth for the pointing game."""
        return Located(self.images.astype(np.float32), self.labels, self.regions)


def glyphs() -> NDArray[np.bool_]:
    """Four shapes of the same size: plus, cross, ring, two bars; bool [4, 9, 9]."""
    row, column = np.mgrid[:GLYPH, :GLYPH] - GLYPH // 2
    plus = (abs(row) <= 1) | (abs(column) <= 1)
    cross = (abs(row - column) <= 1) | (abs(row + column) <= 1)
    ring = np.maximum(abs(row), abs(column)) >= 3
    bars = abs(abs(row) - 3) <= 1
    return np.stack([plus, cross, ring, bars])


def plant(count: int, *, seed: int) -> Planted:
    """Draw images: smooth grey noise, one glyph, and one decoy that touches it not.

    Args:
        count: Images; the classes take turns.
        seed: Decides everything.

    Returns:
        uint8 [count, 32, 32, 3] with labels and places.
    """
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (count, SIDE, SIDE))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2), mode="wrap")
    background = 110 + 25 * smooth / smooth.std() + rng.normal(0, 6, smooth.shape)
    labels = (np.arange(count) % CLASSES).astype(np.int32)
    shapes = glyphs()
    regions = np.zeros((count, SIDE, SIDE), dtype=bool)
    for image, label in enumerate(labels):
        place, other = _two_places(rng)
        decoy = rng.permutation(shapes[label].ravel()).reshape(GLYPH, GLYPH)
        background[image][place] += BRIGHT * shapes[label]
        background[image][other] += BRIGHT * decoy
        regions[image][place] = True
    pixels = np.clip(background, 0, 255).round().astype(np.uint8)
    return Planted(np.repeat(pixels[..., None], 3, axis=-1), labels, regions)


def _two_places(
    rng: np.random.Generator,
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Two squares of a glyph's size that do not overlap."""
    while True:
        first, second = rng.integers(0, SIDE - GLYPH + 1, (2, 2))
        if np.abs(first - second).max() >= GLYPH:
            break
    one, two = (
        (slice(top, top + GLYPH), slice(left, left + GLYPH))
        for top, left in (first, second)
    )
    return one, two


def reader(*, seed: int) -> keras.Model:
    """A tiny CNN, 8 to 32 filters, with the layer `features` [8 x 8 x 32]."""

    def start(index: int) -> Any:
        return initializers.GlorotUniform(seed + index)

    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    maps = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(pixels)
    for index, (filters, name) in enumerate(
        ((8, "conv1"), (16, "conv2"), (32, "features"))
    ):
        if index:
            maps = layers.MaxPooling2D(2, name=f"pool{index}")(maps)
        maps = layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="relu",
            kernel_initializer=start(index),
            name=name,
        )(maps)
    strongest = layers.GlobalMaxPooling2D(name="strongest")(maps)
    logits = layers.Dense(CLASSES, kernel_initializer=start(3), name="logits")
    return keras.Model(pixels, logits(strongest), name="glyph_reader")


def trained_reader(*, seed: int) -> tuple[keras.Model, float]:
    """A reader fitted to planted glyphs, and its accuracy on others it never saw.

    Some seconds on one core.
    """
    net = reader(seed=seed)
    seen = plant(2048, seed=seed)
    fitting.memorise(
        net,
        seen.images,
        seen.labels,
        seed=seed,
        epochs=30,
        enough=0.995,
        learning_rate=3e-3,
    )
    fresh = plant(400, seed=seed + 1)
    answers = predictor(net)(fresh.images).argmax(axis=1)
    return net, float((answers == fresh.labels).mean())
