"""Scikit-learn's embedded handwritten digits as RGB images, with a fixed test set.

1,797 digits of 8x8 pixels (Alpaydin and Kaynak 1998, UCI optical recognition of
handwritten digits, its test part). They need no network.
"""

from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.data import decode, splits
from tessera.data.dataset import Dataset, Split, assemble

NAME = "Digits (scikit-learn, 32x32)"
FILE = "sklearn/datasets/data/digits.csv.gz"
"""Of scikit-learn: a line of 64 grey values and the digit for each image."""

TEST_SHARE = 0.2
TEST_SEED = 0
"""The test set is the same for every run."""


def load(image_size: int) -> Dataset:
    """The digits at any size.

    Grey values 0..16 become round(v * 255 / 16) and then three equal channels; the
    8x8 grid is brought to `image_size` by the rule for image files (bilinear).
    """
    grey, labels = table()
    pixels = np.rint(grey.reshape(-1, 8, 8, 1) * 255 / 16).astype(np.uint8)
    images = decode.resized(np.repeat(pixels, 3, axis=3), image_size)
    labels = labels.astype(np.int32)
    kept, held = splits.stratified(labels, TEST_SHARE, seed=TEST_SEED)
    return assemble(
        NAME.replace("32x32", f"{image_size}x{image_size}"),
        tuple(str(digit) for digit in range(10)),
        train=Split(images[kept], labels[kept]),
        test=Split(images[held], labels[held]),
    )


def table() -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Grey values [1797, 64], 0..16, and labels [1797].

    Read from scikit-learn's own file as scikit-learn does: to import it takes seconds,
    in every process of a study.
    """
    path = Path(str(metadata.distribution("scikit-learn").locate_file(FILE)))
    if not path.exists():  # of a version that keeps it elsewhere
        from sklearn.datasets import load_digits

        grey, labels = load_digits(return_X_y=True)
        return grey, labels
    rows = np.loadtxt(path, delimiter=",")
    return rows[:, :-1], rows[:, -1]
