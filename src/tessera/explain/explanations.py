"""What explaining images gives: raw maps, the question they answer, and its limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tessera.arrays import Floats, Heatmaps, Labels, Logits
from tessera.evaluation.probabilities import of_class, softmax
from tessera.explain.blank import Reasons
from tessera.explain.methods import Method, class_specific

CLASS_AGNOSTIC = (
    "The map knows no class: it is the same whatever class is asked for, and shows "
    "where the model's features are strong, not what speaks for an answer."
)
SQUASHED = (
    "The model's answers are probabilities, or logarithms of them, from a last layer "
    "that is not known as a softmax, and were taken for logits: maps may vanish where "
    "the model is sure, and the chances beside them may be off. Build the model "
    "without it, and put a keras.layers.Softmax() after it."
)
_SUM = 1e-3
"""How far the sum of float32 probabilities may be from one."""


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
    temperature: float = 1.0
    """What logits are divided by before the softmax: a run's own, fitted on its
    validation images; 1 for any other model."""
    sigmoid: bool = False
    """Whether the model gives every class a probability of its own, by a sigmoid;
    else one softmax is over all classes."""

    @property
    def grid(self) -> tuple[int, int]:
        """Cells of a map: (height, width)."""
        _, height, width = self.raw.shape
        return height, width

    @property
    def probabilities(self) -> Floats:
        """Probability of the explained class, float64 [N]."""
        if self.sigmoid:
            own = of_class(self.logits.astype(np.float64), self.targets)
            return np.asarray(special.expit(own / self.temperature))
        return of_class(softmax(self.logits, self.temperature), self.targets)

    def subject(self, index: int, class_names: Sequence[str]) -> str:
        """The class explained, and the one that it is contrasted with, in words."""
        target: str = class_names[self.targets[index]]
        if self.against is None:
            return target
        return f"{target} against {class_names[self.against[index]]}"


def cautions(method: Method, logits: Logits) -> tuple[str, ...]:
    """What a reader must know of a method's maps of any layer, and of these answers.

    Args:
        method: What made the maps.
        logits: What was taken for logits, float32 [N, K].
    """
    notes = () if class_specific(method) else (CLASS_AGNOSTIC,)
    # Above 1 none is a logarithm of a share, and may be too much for float32.
    shares = logits if logits.min() >= 0 else np.exp(np.minimum(logits, 1.0))
    squashed = logits.shape[1] > 1 and (
        (shares <= 1 + _SUM).all() and (np.abs(shares.sum(axis=1) - 1) < _SUM).all()
    )
    return (*notes, SQUASHED) if squashed else notes
