"""One image and a class -> the map that the page shows, and what each branch adds."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Labels
from tessera.experiment import Hybrid
from tessera.explain import blank, gradcam, gradients
from tessera.explain.gradients import Cut
from tessera.trained import Trained

LAYER = "features"
METHODS = {"gradcam": "Grad-CAM", "hirescam": "HiResCAM"}
"""Key -> name: Selvaraju et al. 2017, arXiv:1610.02391; Draelos and Carin 2020,
arXiv:2011.08891 (gradient times activation, cell by cell)."""

Vectors = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Branched:
    """A hybrid cut where its branches meet."""

    vectors: Any
    """Pixels -> both branches' vectors."""
    head: Any
    """Both vectors, side by side -> logits."""
    reference: Vectors
    """Mean vectors of the example images: a branch that says nothing in particular."""


@dataclass(frozen=True, eq=False)
class Insight:
    """A model made ready to be explained again and again."""

    cut: Cut | None
    """None where the map is too coarse to show a place."""
    branched: Branched | None
    """None for a model without two branches, or without images to compare with."""


@dataclass(frozen=True, eq=False)
class Map:
    """One image's map."""

    raw: NDArray[np.float32]
    """Signed, float32 [h, w]."""
    reason: str
    """Why it is blank, or empty."""
    cautions: tuple[str, ...]


def prepare(trained: Trained, examples: Images) -> Insight:
    """Cut a model once.

    Args:
        trained: The model.
        examples: uint8 [M, S, S, C] that a branch's vector is compared with.
    """
    try:
        cut = gradients.cut(trained.net, LAYER)
    except gradcam.CoarseGrid:
        cut = None
    if not isinstance(trained.run.model, Hybrid) or not len(examples):
        return Insight(cut, None)
    return Insight(cut, _branched(trained.net, examples))


def explain(insight: Insight, image: NDArray[np.uint8], target: int, key: str) -> Map:
    """The map of one image uint8 [S, S, C] for one class, by a key of `METHODS`."""
    if insight.cut is None:
        raise gradcam.CoarseGrid("the model's map has too few cells to show a place")
    targets: Labels = np.array([target], np.int32)
    direction = gradcam.one_hot(targets, 1, insight.cut.classes)
    (batch,) = gradients.batches(insight.cut, image[None], direction)
    if key == "hirescam":
        raw = (batch.features * batch.gradients).sum(axis=3)
    else:
        weights = gradcam.channel_weights(batch.gradients)
        raw = gradcam.weighted_sum(batch.features, weights)
    (reason,) = blank.reasons(raw, batch.gradients)
    cautions = gradients.cautions(insight.cut, *raw.shape[1:])
    return Map(raw[0], str(reason), cautions)


def shares(
    branched: Branched, image: NDArray[np.uint8], target: int
) -> tuple[float, float, float]:
    """What the first and the second branch add to a logit, and the base.

    Shapley values of two players (Shapley 1953): with vectors u, v and references
    u0, v0, the first is 1/2 [y(u, v) - y(u0, v) + y(u, v0) - y(u0, v0)], the second
    likewise, the base y(u0, v0); their sum is the logit y(u, v).
    """
    u, v = (np.asarray(x)[0] for x in branched.vectors([_float(image[None])]))
    u0, v0 = branched.reference
    rows = [np.concatenate(pair) for pair in ((u, v), (u, v0), (u0, v), (u0, v0))]
    (logits,) = branched.head([np.stack(rows)])
    both, first, second, none = np.asarray(logits, np.float64)[:, target]
    return (
        float(both - second + first - none) / 2,
        float(both - first + second - none) / 2,
        float(none),
    )


def _branched(net: Any, examples: Images) -> Branched:
    fusion = net.get_layer("fusion")
    vectors = keras.Function([net.input], fusion.input)
    head = keras.Function([fusion.output], [net.output])
    means = [np.asarray(x).mean(axis=0) for x in vectors([_float(examples)])]
    return Branched(vectors, head, (means[0], means[1]))


def _float(images: Images) -> NDArray[np.float32]:
    return images.astype(np.float32)
