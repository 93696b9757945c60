"""Which map to draw: one frozen settings value per method, with its published source.

Where a method draws at random, its seed is a setting. docs/methods.md holds the
formulas.
"""

import math
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar, Literal, TypeAlias, get_args

from tessera.explain.graph import ExplainError

Where: TypeAlias = Literal["layer", "pixels", "attention"]
"""What a method explains: a layer's cells, the image's pixels, or token positions."""


def _count(name: str, value: object) -> None:
    if not isinstance(value, Integral) or value < 1:
        raise ExplainError(
            f"{name}: expected a whole number of at least 1. Received: {value!r}."
        )


def _size(name: str, value: float, *, zero: bool) -> None:
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        least = "of at least 0" if zero else "above 0"
        raise ExplainError(f"{name}: expected a number {least}. Received: {value!r}.")


@dataclass(frozen=True)
class GradCam:
    """Gradient averaged over the picture, as a weight per channel.

    Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2.
    """

    name: ClassVar[str] = "gradcam"
    label: ClassVar[str] = "Grad-CAM"
    where: ClassVar[Where] = "layer"


@dataclass(frozen=True)
class HiResCam:
    """Gradient times activation, cell by cell.

    Draelos and Carin 2020, arXiv:2011.08891. Where the head after the layer is affine
    its sum is what the layer adds to the logit.
    """

    name: ClassVar[str] = "hirescam"
    label: ClassVar[str] = "HiResCAM"
    where: ClassVar[Where] = "layer"


@dataclass(frozen=True)
class LayerCam:
    """Positive gradient times activation, cell by cell; for early layers.

    Jiang et al. 2021, IEEE TIP 30.
    """

    name: ClassVar[str] = "layercam"
    label: ClassVar[str] = "LayerCAM"
    where: ClassVar[Where] = "layer"


@dataclass(frozen=True)
class GradCamPlusPlus:
    """Positive gradients weighted by higher derivatives of exp(logit).

    Chattopadhay et al. 2018, arXiv:1710.11063.
    """

    name: ClassVar[str] = "gradcam++"
    label: ClassVar[str] = "Grad-CAM++"
    where: ClassVar[Where] = "layer"


@dataclass(frozen=True)
class ScoreCam:
    """Channels weighted by the logit of the image seen through each. Slow.

    Wang et al. 2020, arXiv:1910.01279.
    """

    channels: int | None = None
    """How many channels, those that vary most over the picture; None: all."""

    name: ClassVar[str] = "scorecam"
    label: ClassVar[str] = "Score-CAM"
    where: ClassVar[Where] = "layer"

    def __post_init__(self) -> None:
        if self.channels is not None:
            _count("channels", self.channels)


@dataclass(frozen=True)
class EigenCam:
    """First principal component of the layer's output; knows no class.

    Muhammad and Yeasin 2020, arXiv:2008.00299.
    """

    name: ClassVar[str] = "eigencam"
    label: ClassVar[str] = "Eigen-CAM (class-agnostic)"
    where: ClassVar[Where] = "layer"


@dataclass(frozen=True)
class IntegratedGradients:
    """Mean gradient on the way from a baseline to the image, times that way.

    Sundararajan et al. 2017, arXiv:1703.01365; midpoints of `steps` equal parts.
    """

    steps: int = 32
    baseline: float = 0.0
    """Value of every pixel of the baseline, in the units that the model takes."""

    name: ClassVar[str] = "integrated-gradients"
    label: ClassVar[str] = "integrated gradients"
    where: ClassVar[Where] = "pixels"

    def __post_init__(self) -> None:
        _count("steps", self.steps)


@dataclass(frozen=True)
class SmoothGrad:
    """Mean gradient of the logit at noisy copies of the image.

    Smilkov et al. 2017, arXiv:1706.03825.
    """

    samples: int = 25
    noise: float = 0.15
    """Standard deviation of the noise, as a share of the image's own range."""
    seed: int = 0

    name: ClassVar[str] = "smoothgrad"
    label: ClassVar[str] = "SmoothGrad"
    where: ClassVar[Where] = "pixels"

    def __post_init__(self) -> None:
        _count("samples", self.samples)
        _size("noise", self.noise, zero=True)


@dataclass(frozen=True)
class Occlusion:
    """How far the logit falls when a patch around each cell is covered.

    Zeiler and Fergus 2014, arXiv:1311.2901.
    """

    cells: int = 8
    """Cells per side of the map."""
    window: float = 2.0
    """Side of the patch, in cells."""
    fill: float | None = None
    """Value of covered pixels; None: each image's own mean, channel by channel."""

    name: ClassVar[str] = "occlusion"
    label: ClassVar[str] = "occlusion"
    where: ClassVar[Where] = "pixels"

    def __post_init__(self) -> None:
        _count("cells", self.cells)
        _size("window", self.window, zero=False)


@dataclass(frozen=True)
class AttentionRollout:
    """Attention of all blocks multiplied, with their skips; knows no class.

    Abnar and Zuidema 2020, arXiv:2005.00928.
    """

    readout: str = "mean"
    """How the classifier reads the tokens: their `mean`, the `first`, or the name of a
    layer that gives each token's weight, [N, T, 1]."""

    name: ClassVar[str] = "rollout"
    label: ClassVar[str] = "attention rollout (class-agnostic)"
    where: ClassVar[Where] = "attention"


OnLayer: TypeAlias = (
    GradCam | HiResCam | LayerCam | GradCamPlusPlus | ScoreCam | EigenCam
)
OnPixels: TypeAlias = IntegratedGradients | SmoothGrad | Occlusion
Method: TypeAlias = OnLayer | OnPixels | AttentionRollout

METHODS: tuple[type[Method], ...] = get_args(Method)
"""Every method, in the order of the documentation."""


def by_name(text: str) -> Method:
    """The method of that name, with its default settings.

    Raises:
        ExplainError: There is none.
    """
    for kind in METHODS:
        if kind.name == text:
            return kind()
    names = ", ".join(kind.name for kind in METHODS)
    raise ExplainError(f"method: expected one of {names}. Received: {text!r}.")


def class_specific(method: Method) -> bool:
    """Whether the map depends on the class that is explained."""
    return not isinstance(method, EigenCam | AttentionRollout)
