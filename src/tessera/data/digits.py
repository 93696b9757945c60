"""Scikit-learn's embedded handwritten digits as RGB images, with a fixed test set.

1,797 digits of 8x8 pixels (Alpaydin and Kaynak 1998, UCI optical recognition of
handwritten digits, its test part). They need no network.
"""

import numpy as np

from tessera.data import decode, splits
from tessera.data.dataset import Dataset, Split, assemble

NAME = "Digits (scikit-learn, 32x32)"
TEST_SHARE = 0.2
TEST_SEED = 0
"""The test set is the same for every run."""


def load(image_size: int) -> Dataset:
    """The digits at any size.

    Grey values 0..16 become round(v * 255 / 16) and then three equal channels; the
    8x8 grid is brought to `image_size` by the rule for image files (bilinear).
    """
    from sklearn.datasets import load_digits

    grey, labels = load_digits(return_X_y=True)
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
