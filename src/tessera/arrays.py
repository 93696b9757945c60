"""The shape vocabulary: one alphabet and one name per kind of array.

N images, H x W pixels, C channels, K classes, T tokens, D embedding width.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""Real numbers of a shape that is said where they stand, float64."""

Images: TypeAlias = NDArray[np.uint8]
"""Pixels 0..255, uint8 [N, H, W, C]."""

Labels: TypeAlias = NDArray[np.int32]
"""Class indices, int32 [N]."""

Indices: TypeAlias = NDArray[np.int64]
"""Positions in a dataset's training images, int64 [N]."""

Counts: TypeAlias = NDArray[np.int64]
"""Training images per class, int64 [K]."""

Weights: TypeAlias = NDArray[np.float64]
"""One weight per class, float64 [K]."""

Logits: TypeAlias = NDArray[np.float32]
"""Unnormalised scores, float32 [N, K]."""

Probabilities: TypeAlias = NDArray[np.float64]
"""Rows that sum to one, float64 [N, K]."""

Confusion: TypeAlias = NDArray[np.int64]
"""Entry (i, j) counts images of true class i predicted as j, int64 [K, K]."""

Heatmaps: TypeAlias = NDArray[np.float32]
"""Signed evidence on a layer's grid, float32 [N, h, w]."""
