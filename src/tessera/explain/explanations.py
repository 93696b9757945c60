"""What explaining images gives: raw maps, the question they answer, and its limits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels, Logits, Probabilities
from tessera.explain.blank import Reasons


@dataclass(frozen=True, eq=False)
class Explanations:
    """One map per image, with what it explains."""

    raw: Heatmaps
    """Signed, before the ReLU, float32 [N, h, w]."""
    targets: Labels
    """The class explained, int32 [N]."""
    predicted: Labels
    logits: Logits
    reasons: Reasons
    """Why a map is blank, str [N]; empty where it is not."""
    layer: str
    method: str
    cautions: tuple[str, ...]
    """What a reader must know about all of these maps, in plain words."""
    against: Labels | None = None
    """The class that `targets` are contrasted with, int32 [N]; None: none."""
    residuals: NDArray[np.float32] | None = None
    """Sum of a map minus what it must be in theory, in logits, float32 [N].

    None where no theory says what the sum must be.
    """

    @property
    def grid(self) -> tuple[int, int]:
        """Cells of a map: (height, width)."""
        _, height, width = self.raw.shape
        return height, width

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax probability of the explained class, float64 [N]."""
        rows = np.arange(len(self.targets))
        chosen: NDArray[np.float64] = softmax(self.logits)[rows, self.targets]
        return chosen


def softmax(logits: Logits) -> Probabilities:
    """Logits to probabilities, float64 [N, K]."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exponents = np.exp(shifted)
    shares: Probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    return shares
