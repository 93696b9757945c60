"""A trained model and images -> which places on a layer's grid speak for a class.

Works on any Keras 3 image classifier that is functional or sequential:

    from tessera import explain
    maps = explain.explain(model, images, method=explain.HiResCam())
    maps.save("explanations")
"""

from tessera.explain.graph import CoarseGrid, ExplainError
from tessera.explain.methods import (
    AttentionRollout,
    EigenCam,
    GradCam,
    GradCamPlusPlus,
    HiResCam,
    IntegratedGradients,
    LayerCam,
    Method,
    Occlusion,
    ScoreCam,
    SmoothGrad,
)
from tessera.explain.targets import Contrast
from tessera.explain.view import Maps, explain

__all__ = [
    "AttentionRollout",
    "CoarseGrid",
    "Contrast",
    "EigenCam",
    "ExplainError",
    "GradCam",
    "GradCamPlusPlus",
    "HiResCam",
    "IntegratedGradients",
    "LayerCam",
    "Maps",
    "Method",
    "Occlusion",
    "ScoreCam",
    "SmoothGrad",
    "explain",
]
