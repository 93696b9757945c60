"""Counts per class to one weight per class."""

import numpy as np

from tessera.arrays import Counts, Weights


def inverse_frequency(counts: Counts) -> Weights:
    """Weights w_c = N / (K n_c): every class adds as much to the loss as any other.

    N is the number of images, K that of classes, n_c the images of class c. Their
    mean over the images is 1, so that the step size stays what it was. The study's
    weights; scikit-learn calls them "balanced" (King and Zeng 2001).

    Args:
        counts: Training images per class, int64 [K].

    Returns:
        Weights, float64 [K].

    Raises:
        ValueError: A class has no images.
    """
    _refuse_empty(counts)
    images = np.asarray(counts, dtype=np.float64)
    weights: Weights = images.sum() / (len(images) * images)
    return weights


def _refuse_empty(counts: Counts) -> None:
    empty = np.flatnonzero(counts <= 0).tolist()
    if empty:
        raise ValueError(
            f"counts: expected at least one image of every class. Received: none of "
            f"class {', '.join(map(str, empty))} (counted from 0). Keep some of its "
            "images in the profile, or leave the class out of the data."
        )
