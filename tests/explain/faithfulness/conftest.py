"""Models and maps whose faithfulness is known on paper."""

import numpy as np
import pytest

from tessera.arrays import Logits


@pytest.fixture
def brightness():
    """A model of two classes: the logit of class 1 is log(m / (1 - m)).

    m is the mean pixel over 255, kept inside (0, 1), so that the probability of class 1
    is m itself: linear in every pixel.
    """

    def predict(images: np.ndarray) -> Logits:
        mean = images.astype(np.float64).mean(axis=(1, 2, 3)) / 255
        mean = np.clip(mean, 1e-12, 1 - 1e-12)
        zeros = np.zeros(len(images))
        return np.stack([zeros, np.log(mean / (1 - mean))], axis=1).astype(np.float32)

    return predict


@pytest.fixture
def one_pixel():
    """A model of two classes that says 1 exactly where pixel (0, 0) is bright."""

    def predict(images: np.ndarray) -> Logits:
        bright = images[:, 0, 0, 0] > 127
        return np.where(bright[:, None], [[-40.0, 40.0]], [[40.0, -40.0]]).astype(
            np.float32
        )

    return predict
