"""One image and a class -> the map that the page shows, and what each branch adds."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images
from tessera.experiment import Hybrid
from tessera.explain import gradients, maps, methods, pixels
from tessera.explain.explanations import Explanations
from tessera.explain.gradients import Cut
from tessera.explain.graph import CoarseGrid
from tessera.explain.pixels import Lens
from tessera.explain.shares import shapley
from tessera.trained import Trained

LAYER = "features"

OFFERED: tuple[type[methods.Method], ...] = (
    *(methods.GradCam, methods.HiResCam, methods.LayerCam, methods.GradCamPlusPlus),
    *(methods.IntegratedGradients, methods.SmoothGrad, methods.Occlusion),
)
"""Those that know a class and are quick; see `tessera.explain.methods`."""

METHODS = {kind.name: kind.label for kind in OFFERED}
"""Key -> name, the page's default first."""

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
    lens: Lens
    branched: Branched | None
    """None for a model without two branches, or without images to compare with."""

    def methods(self) -> dict[str, str]:
        """Those of `METHODS` that this model can be explained by."""
        return {
            kind.name: kind.label
            for kind in OFFERED
            if kind.where == "pixels" or self.cut is not None
        }


def prepare(trained: Trained, examples: Images) -> Insight:
    """Cut a model once.

    Args:
        trained: The model.
        examples: uint8 [M, S, S, C] that a branch's vector is compared with.
    """
    try:
        cut = gradients.cut(trained.net, LAYER)
    except CoarseGrid:
        cut = None
    lens = pixels.lens(trained.net)
    if not isinstance(trained.run.model, Hybrid) or not len(examples):
        return Insight(cut, lens, None)
    return Insight(cut, lens, _branched(trained.net, examples))


def explain(
    insight: Insight, image: NDArray[np.uint8], target: int, key: str
) -> Explanations:
    """The map of one image uint8 [S, S, C] for one class, by a key of `METHODS`.

    Raises:
        CoarseGrid: The method needs a map of more cells than the model has.
    """
    method = methods.by_name(key)
    model = insight.lens if method.where == "pixels" else insight.cut
    if model is None:
        raise CoarseGrid("the model's map has too few cells to show a place")
    return maps.compute(model, image[None], method=method, target=target)


def shares(
    branched: Branched, image: NDArray[np.uint8], target: int
) -> tuple[float, float, float]:
    """What the first and the second branch add to a logit, and the base.

    Shapley values, see `explain.shares`, with the reference's vectors for a branch
    that says nothing; their sum is the logit.
    """
    u, v = (np.asarray(x)[0] for x in branched.vectors([_float(image[None])]))
    u0, v0 = branched.reference
    rows = [np.concatenate(pair) for pair in ((u, v), (u, v0), (u0, v), (u0, v0))]
    (logits,) = branched.head([np.stack(rows)])
    both, first, second, none = np.asarray(logits)[:, None, target]
    parts, base = shapley(both, first, second, none)
    return float(parts[0, 0]), float(parts[1, 0]), float(base[0])


def _branched(net: Any, examples: Images) -> Branched:
    fusion = net.get_layer("fusion")
    vectors = keras.Function([net.input], fusion.input)
    head = keras.Function([fusion.output], [net.output])
    means = [np.asarray(x).mean(axis=0) for x in vectors([_float(examples)])]
    return Branched(vectors, head, (means[0], means[1]))


def _float(images: Images) -> NDArray[np.float32]:
    return images.astype(np.float32)
