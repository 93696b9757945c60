"""Counts per class to one weight per class."""

from typing import assert_never

import numpy as np

from tessera import remedies
from tessera.arrays import Counts, Weights


def class_weights(weights: remedies.Weights, counts: Counts) -> Weights:
    """The weights that a setting asks for.

    Args:
        weights: Which.
        counts: Training images per class, int64 [K].

    Returns:
        Weights, float64 [K].

    Raises:
        ValueError: A class has no images.
    """
    match weights:
        case remedies.InverseFrequency():
            return inverse_frequency(counts)
        case remedies.Smoothed(power=power):
            return smoothed(counts, power)
        case remedies.EffectiveNumber(beta=beta):
            return effective_number(counts, beta)
        case _:
            assert_never(weights)


def inverse_frequency(counts: Counts) -> Weights:
    """Weights w_c = N / (K n_c): every class adds as much to the loss as any other.

    N is the number of images, K that of classes, n_c the images of class c. Their
    mean over the images is 1, so that the step size stays what it was. The
    reference study's weights; scikit-learn calls them "balanced" (King and Zeng 2001).

    Args:
        counts: Training images per class, int64 [K].

    Returns:
        Weights, float64 [K].

    Raises:
        ValueError: A class has no images.
    """
    return smoothed(counts, 1.0)


def smoothed(counts: Counts, power: float) -> Weights:
    """Weights proportional to n_c^-power, with a mean of 1 over the images.

    Args:
        counts: Training images per class, int64 [K].
        power: 0 weighs all images alike, 1 is inverse frequency, 0.5 between them.

    Returns:
        Weights, float64 [K].

    Raises:
        ValueError: A class has no images.
    """
    refuse_empty(counts)
    images = np.asarray(counts, dtype=np.float64)
    raw = images**-power
    weights: Weights = raw * images.sum() / (images @ raw)
    return weights


def effective_number(counts: Counts, beta: float) -> Weights:
    """Class-balanced weights (1 - beta) / (1 - beta^n_c), with a sum of K.

    (1 - beta^n) / (1 - beta) is the effective number of n images that overlap: n for
    beta near 1, 1 for beta 0. Cui et al. 2019, arXiv:1901.05555.

    Args:
        counts: Training images per class, int64 [K].
        beta: Between 0 and 1.

    Returns:
        Weights, float64 [K].

    Raises:
        ValueError: A class has no images.
    """
    refuse_empty(counts)
    # expm1: 1 - beta^n loses its digits for beta near 1.
    effective = -np.expm1(np.asarray(counts, np.float64) * np.log(beta)) / (1 - beta)
    weights: Weights = len(effective) / effective / (1 / effective).sum()
    return weights


def refuse_empty(counts: Counts) -> None:
    """Raise ValueError, naming the classes, when one has no images."""
    empty = np.flatnonzero(counts <= 0).tolist()
    if empty:
        raise ValueError(
            f"counts: expected at least one image of every class. Received: none of "
            f"class {', '.join(map(str, empty))} (counted from 0). Keep some of its "
            "images in the profile, or leave the class out of the data."
        )
