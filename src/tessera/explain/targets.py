"""What to explain of each image: a class, or why one class rather than another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Labels
from tessera.explain.gradients import Directions
from tessera.explain.graph import ExplainError

OneClass: TypeAlias = Literal["predicted"] | int | Sequence[int] | NDArray[Any]
"""The predicted class; one class for all images; or a class for each, int [N]."""


@dataclass(frozen=True, eq=False)
class Contrast:
    """Why `target` rather than `against`: the logit of one less that of the other.

    For an error, why the predicted class rather than the true one:
    `Contrast("predicted", labels)`.
    """

    target: OneClass
    against: OneClass


Target: TypeAlias = OneClass | Contrast


@dataclass(frozen=True, eq=False)
class Question:
    """A target in numbers: score = logits . (directions + predicted * answer).

    `answer` is the one-hot row of each image's largest logit.
    """

    directions: Directions
    """float32 [N, K]."""
    predicted: float
    """Weight of each image's predicted class: 1, 0, or -1 if it is argued against."""
    target: Labels | None
    """int32 [N]; None: the predicted class."""
    against: Labels | None
    """int32 [N]; None: the predicted class, where there is a contrast."""
    contrast: bool

    def classes(self, predicted: Labels) -> tuple[Labels, Labels | None]:
        """Which class is explained, and against which, once the answers are known."""
        target = predicted if self.target is None else self.target
        if not self.contrast:
            return target, None
        return target, predicted if self.against is None else self.against


def question(target: Target, images: int, classes: int) -> Question:
    """Put a target into numbers.

    Args:
        target: What to explain.
        images: Number of images N.
        classes: Number of classes K.

    Raises:
        ExplainError: Not one class per image, a class that does not exist, or a
            contrast of a class with itself.
    """
    if not isinstance(target, Contrast):
        wanted = indices(target, images, classes)
        rows, weight = _rows(wanted, images, classes)
        return Question(rows, weight, wanted, None, contrast=False)
    wanted = indices(target.target, images, classes)
    against = indices(target.against, images, classes)
    if wanted is None and against is None:
        raise ExplainError(
            "contrast: expected two classes. Received: the predicted one, twice."
        )
    if wanted is not None and against is not None and (wanted == against).all():
        raise ExplainError("contrast: expected two classes. Received: the same, twice.")
    rows, weight = _rows(wanted, images, classes)
    less, less_weight = _rows(against, images, classes)
    return Question(rows - less, weight - less_weight, wanted, against, contrast=True)


def indices(target: OneClass, images: int, classes: int) -> Labels | None:
    """A class for each image, int32 [N]; None for the predicted ones.

    Raises:
        ExplainError: Not one class per image, or a class that does not exist.
    """
    if isinstance(target, str):
        if target != "predicted":
            raise ExplainError(
                "target: expected 'predicted', a class index, one index per image, or "
                f"a Contrast. Received: {target!r}."
            )
        return None
    if isinstance(target, int | np.integer):
        target = np.full(images, target)
    given = np.asarray(target)
    one_hot(given, images, classes)
    return given.astype(np.int32)


def one_hot(targets: Labels, images: int, classes: int) -> Directions:
    """Rows with a one at each image's class, float32 [N, K].

    Raises:
        ExplainError: Not one class per image, or a class that does not exist.
    """
    targets = np.asarray(targets)
    if targets.shape != (images,) or targets.dtype.kind not in "iu":
        raise ExplainError(
            f"targets: expected one class index per image, int [{images}]. "
            f"Received: {targets.dtype} {list(targets.shape)}."
        )
    wrong = targets[(targets < 0) | (targets >= classes)]
    if len(wrong):
        known = f"classes from 0 to {classes - 1}"
        if classes == 1:
            known = "0, the only output; a negative cell of its map speaks against it"
        raise ExplainError(f"targets: expected {known}. Received: {wrong[0]}.")
    rows: Directions = np.eye(classes, dtype=np.float32)[targets]
    return rows


def _rows(wanted: Labels | None, images: int, classes: int) -> tuple[Directions, float]:
    """One-hot rows and no weight on the answer, or the other way round."""
    if wanted is None:
        return np.zeros((images, classes), np.float32), 1.0
    return one_hot(wanted, images, classes), 0.0
