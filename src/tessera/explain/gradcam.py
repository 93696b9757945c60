"""A model and images -> Grad-CAM: where a layer's features raise a class's logit.

Selvaraju et al. 2017 (ICCV, arXiv:1610.02391) in three steps: the gradient of the
logit at the layer, its spatial mean as a weight per channel, the weighted sum of the
channels. The paper's last step, the ReLU, belongs to the display (`overlay`): the raw
map keeps its sign, so that maps of branches add up and evidence against is not lost.

The default method by its own name; `maps.compute` has the others and more targets.
"""

from typing import Any

import keras
from numpy.typing import NDArray

from tessera.arrays import Labels
from tessera.explain import maps
from tessera.explain.explanations import Explanations
from tessera.explain.gradients import Cut
from tessera.explain.graph import CoarseGrid as CoarseGrid  # callers catch it
from tessera.explain.methods import GradCam


def explain(
    net: keras.Model | Cut,
    images: NDArray[Any],
    *,
    targets: Labels | None = None,
    layer: str | None = "features",
    batch_size: int = 128,
) -> Explanations:
    """Grad-CAM of every image at one layer; the model is left as it is.

    Args:
        net: A functional or sequential Keras model: pixels in, logits out; or one cut
            at a layer by `gradients.cut`, which then is the layer.
        images: [N, H, W, C], in the units the model takes; at least one.
        targets: The class to explain for each image, int [N]; None: the predicted.
        layer: Name of a layer whose output is a map [N, h, w, C].
        batch_size: Images at a time; does not change the result beyond rounding.

    Raises:
        ExplainError: The model cannot be explained at this layer; there are no images;
            targets do not fit the images and classes.
        CoarseGrid: The layer's map has fewer than 4x4 cells.

    Reference: Selvaraju et al. 2017, arXiv:1610.02391. Unlike the paper, the ReLU is
    left to the display.
    """
    return maps.compute(
        net,
        images,
        method=GradCam(),
        target="predicted" if targets is None else targets,
        layer=None if isinstance(net, Cut) else layer,
        batch_size=batch_size,
    )
