"""Images that a program already holds -> pixels, or a reason why they are none."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tessera.arrays import Images


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
    images = np.asarray(X)
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


def _way_out(images: NDArray[Any]) -> str:
    if images.ndim == 2:
        return "Reshape your data: `X.reshape(-1, height, width, channels)`."
    if images.dtype.kind == "f":
        return "Fractions 0..1 become pixels by `(255 * X).round().astype('uint8')`."
    return "`tessera.load_data(folder)` reads image files."
