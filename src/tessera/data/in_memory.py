"""Arrays that a program already holds -> pixels and their division, or why not."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from tessera.arrays import Images, Indices, Labels
from tessera.data import splits


def pixels(X: ArrayLike) -> Images:
    """Check images and give grey ones their channel.

    Args:
        X: Integers 0..255, [N, H, W, C] or [N, H, W], at least one.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        ValueError: They are not; fractions are refused, for 0..1 and 0..255 cannot be
            told apart by looking.
    """
    try:
        images = np.asarray(X)
    except ValueError as error:
        raise ValueError(
            "X: expected images of one size, [N, H, W, C], or [N, H, W] in grey. "
            "Received: images of several. Resize them first, as "
            "`tessera.load_data(folder)` does with image files."
        ) from error
    if images.ndim == 3:
        images = images[..., None]
    whole = images.dtype.kind in "iu"
    if images.ndim != 4 or 0 in images.shape or not whole:
        raise ValueError(
            "X: expected images as integers, uint8 [N, H, W, C], or [N, H, W] in grey. "
            f"Received: {images.dtype} {list(np.shape(X))}. " + _way_out(images)
        )
    if images.min() < 0 or images.max() > 255:
        raise ValueError(
            f"X: expected pixels 0..255. Received: {images.min()}..{images.max()}."
        )
    return images.astype(np.uint8, copy=False)


def numbered(y: ArrayLike, images: int) -> tuple[NDArray[Any], Labels]:
    """Check labels and number them.

    Args:
        y: A label for each image, of any type that sorts.
        images: How many there are.

    Returns:
        The labels that there are, sorted, [K], and each image's number among them,
        int32 [N].

    Raises:
        ValueError: They are missing, of another number, numbers that are no classes,
            or of fewer classes than can be told apart.
    """
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None.")
    given = column_or_1d(y, warn=True)
    check_classification_targets(given)
    if len(given) != images:
        raise ValueError(
            f"y: expected one label for each of {images} images. "
            f"Received: {len(given)}."
        )
    classes, labels, counts = np.unique(given, return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise ValueError(
            "y: expected at least two classes, one of them with two images. "
            f"Received: {len(counts)} class{'es' * (len(counts) != 1)} of "
            f"n_samples = {images}."
        )
    return classes, labels.astype(np.int32)


def divided(
    labels: Labels, groups: ArrayLike | None, share: float, *, seed: int
) -> tuple[Indices, Indices]:
    """Positions to learn from and to validate with, as `splits.stratified` has them.

    Args:
        labels: int32 [N].
        groups: What each image belongs to, of any type that can be a key, [N]; None:
            each stands alone.
        share: To validate with, between 0 and 1.
        seed: 0 or more.

    Raises:
        ValueError: The groups are not one for each image, some are missing, or no class
            has two.
    """
    names = None if groups is None else _named(groups, len(labels))
    kept, held = splits.stratified(labels, share, seed=seed, groups=names)
    if names and not len(held):
        raise ValueError(
            "groups: expected two of at least one class, to learn from one and to "
            "validate with the other. Received one of each class."
        )
    return kept, held


def _named(groups: ArrayLike, images: int) -> list[str]:
    """Groups by names that can be sorted, whatever they were."""
    known = np.asarray(groups)
    if known.shape != (images,):
        raise ValueError(
            f"groups: expected one for each of {images} images. Received: "
            f"{list(known.shape)}."
        )
    listed = known.tolist()
    missing = sum(one is None or one != one for one in listed)
    if missing:
        raise ValueError(
            f"groups: expected one for each image. Received: {missing} missing. Give "
            "an image that stands alone a group of its own."
        )
    numbers = {one: str(number) for number, one in enumerate(dict.fromkeys(listed))}
    return [numbers[one] for one in listed]


def _way_out(images: NDArray[Any]) -> str:
    if images.ndim == 2:
        return "Reshape your data: `X.reshape(-1, height, width, channels)`."
    if images.dtype.kind == "f":
        return "Fractions 0..1 become pixels by `(255 * X).round().astype('uint8')`."
    return "`tessera.load_data(folder)` reads image files."
