"""A remedy for imbalance as a value: independent parts, each a choice of its own.

A remedy says what differs from plain training: the loss, the weights of the classes,
how often each is drawn, how images are mixed, when all that sets in, what is trained
once more at the end, and what is done to the logits afterwards. `tessera.catalogue`
names the published ones; the formulas are in docs/methods.md.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tessera.frozen import Setting

# Weights ---------------------------------------------------------------------


class InverseFrequency(Setting):
    """w_c = N / (K n_c), the reference study's class weights."""

    kind: Literal["inverse-frequency"] = "inverse-frequency"


class Smoothed(Setting):
    """w_c proportional to n_c^-power; mean 1 over the images."""

    kind: Literal["smoothed"] = "smoothed"
    power: float = Field(0.5, gt=0.0, le=1.0)
    """1 is inverse frequency, 0.5 its square root."""


class EffectiveNumber(Setting):
    """w_c proportional to (1 - beta) / (1 - beta^n_c) (Cui et al. 2019)."""

    kind: Literal["effective-number"] = "effective-number"
    beta: float = Field(0.9999, gt=0.0, lt=1.0)


Weights = Annotated[
    InverseFrequency | Smoothed | EffectiveNumber, Field(discriminator="kind")
]

# Losses ----------------------------------------------------------------------


class CrossEntropy(Setting):
    """-log p_y."""

    kind: Literal["cross-entropy"] = "cross-entropy"


class Focal(Setting):
    """Well-classified images count less, by (1 - p)^gamma (Lin et al. 2017)."""

    kind: Literal["focal"] = "focal"
    gamma: float = Field(2.0, ge=0.0)
    form: Literal["softmax", "sigmoid"] = "softmax"
    """`softmax`: one term, of the true class. `sigmoid`: a binary term per class,
    summed, as in the original and in class-balanced focal loss. Two losses."""


class Ldam(Setting):
    """A margin that grows as classes shrink, on cosine logits (Cao et al. 2019)."""

    kind: Literal["ldam"] = "ldam"
    max_margin: float = Field(0.5, gt=0.0, le=2.0)
    """Of the rarest class, in units of the cosine."""
    scale: float = Field(30.0, gt=0.0)
    """Of the cosine, in the model's logits as in the loss."""


class BalancedSoftmax(Setting):
    """Cross-entropy of z + log n_c (Ren et al. 2020)."""

    kind: Literal["balanced-softmax"] = "balanced-softmax"


class LogitAdjusted(Setting):
    """Cross-entropy of z + tau log pi_c (Menon et al. 2021)."""

    kind: Literal["logit-adjusted"] = "logit-adjusted"
    tau: float = Field(1.0, gt=0.0)


class VectorScaling(Setting):
    """Cross-entropy of (n_c / n_max)^gamma z + tau log pi_c (Kini et al. 2021)."""

    kind: Literal["vector-scaling"] = "vector-scaling"
    gamma: float = Field(0.3, ge=0.0)
    tau: float = Field(1.0, ge=0.0)


class LabelAwareSmoothing(Setting):
    """Label smoothing that grows with the class's size (Zhong et al. 2021)."""

    kind: Literal["label-aware-smoothing"] = "label-aware-smoothing"
    head: float = Field(0.3, ge=0.0, lt=1.0)
    """Smoothing of the largest class."""
    tail: float = Field(0.0, ge=0.0, lt=1.0)
    """Smoothing of the smallest."""


Loss = Annotated[
    CrossEntropy
    | Focal
    | Ldam
    | BalancedSoftmax
    | LogitAdjusted
    | VectorScaling
    | LabelAwareSmoothing,
    Field(discriminator="kind"),
]

# Sampling --------------------------------------------------------------------


class Power(Setting):
    """Classes are drawn with shares proportional to n_c^power."""

    kind: Literal["power"] = "power"
    power: float = Field(0.0, ge=0.0, lt=1.0)
    """0: every class alike. 0.5: square root. (1 is what plain training does.)"""


class Progressive(Setting):
    """From the data's own shares in the first epoch to equal ones in the last."""

    kind: Literal["progressive"] = "progressive"


class Oversampling(Setting):
    """Images of rarer classes come again until all have as many as the largest."""

    kind: Literal["oversampling"] = "oversampling"


class Undersampling(Setting):
    """As many images of every class as of the rarest, drawn anew in every epoch."""

    kind: Literal["undersampling"] = "undersampling"


Sampling = Annotated[
    Power | Progressive | Oversampling | Undersampling, Field(discriminator="kind")
]

# Mixing ----------------------------------------------------------------------


class _Mixing(Setting):
    alpha: float = Field(1.0, gt=0.0)
    """Of the Beta(alpha, alpha) that the share of the first image is drawn from."""
    begin: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the epochs after which mixing starts."""
    end: float = Field(1.0, gt=0.0, le=1.0)
    """Share of the epochs after which mixing stops."""


class Mixup(_Mixing):
    """Images blended in pairs (Zhang et al. 2018)."""

    kind: Literal["mixup"] = "mixup"


class CutMix(_Mixing):
    """A box of one image pasted into another (Yun et al. 2019)."""

    kind: Literal["cutmix"] = "cutmix"


class Remix(_Mixing):
    """Mixup whose labels lean towards the rarer class (Chou et al. 2020)."""

    kind: Literal["remix"] = "remix"
    kappa: float = Field(3.0, ge=1.0)
    """Ratio of class sizes from which the label may lean."""
    threshold: float = Field(0.5, gt=0.0, le=0.5)
    """Largest share of the common image for which the label leans."""


class TailOnHead(_Mixing):
    """Boxes of rare images pasted on common ones, as in CMO (Park et al. 2022)."""

    kind: Literal["tail-on-head"] = "tail-on-head"
    probability: float = Field(0.5, gt=0.0, le=1.0)
    """Of a batch to be mixed."""
    power: float = Field(1.0, gt=0.0, le=10.0)
    """Pasted images are drawn with a weight of n_c^-power each."""


Mixing = Annotated[Mixup | CutMix | Remix | TailOnHead, Field(discriminator="kind")]

# Variation -------------------------------------------------------------------


class Variation(Setting):
    """Images of rarer classes are turned, zoomed and recoloured more."""

    kind: Literal["varied-tail"] = "varied-tail"
    rotation: float = Field(15.0, ge=0.0, le=180.0)
    """Degrees; all numbers here are of a class without images. One with n_c of them
    has 1 - n_c / n_max of each besides what `training` says for all images."""
    zoom: float = Field(0.2, ge=0.0, le=1.0)
    colour: float = Field(0.3, ge=0.0, le=1.0)


# A second stage --------------------------------------------------------------


class _Retraining(Setting):
    share: float = Field(0.2, gt=0.0, lt=1.0)
    """Of the epochs, the last ones, which the second stage takes from the first."""
    sampling: Sampling = Power()

    @property
    def begin(self) -> float:
        """Share of the epochs after which the second stage begins."""
        return 1.0 - self.share


class Classifier(_Retraining):
    """cRT: the last layer is drawn anew and trained alone (Kang et al. 2020)."""

    kind: Literal["classifier"] = "classifier"


class Scales(_Retraining):
    """LWS: one factor per class on the logits is trained alone (Kang et al. 2020)."""

    kind: Literal["scales"] = "scales"
    rate: float = Field(30.0, gt=0.0)
    """Factor on the learning rate: ten numbers near 1 move slowly otherwise."""


Retraining = Annotated[Classifier | Scales, Field(discriminator="kind")]

# After training --------------------------------------------------------------


class PostHocAdjustment(Setting):
    """z - tau log pi_c (Menon et al. 2021)."""

    kind: Literal["logit-adjustment"] = "logit-adjustment"
    tau: float | None = Field(None, gt=0.0, le=10.0)
    """None: the value with the best validation score, of 0 to 2 in steps of 0.1."""


class PriorShift(Setting):
    """z - log pi_c + log q_c for the classes' shares q where the model will be used."""

    kind: Literal["prior-shift"] = "prior-shift"
    prior: tuple[Annotated[float, Field(gt=0.0, le=1e15)], ...] | None = Field(
        None, strict=False
    )
    """One positive number per class, in any unit; None: all classes alike."""


class TauNormalisation(Setting):
    """The classifier's vectors divided by |w_c|^tau (Kang et al. 2020)."""

    kind: Literal["tau-normalisation"] = "tau-normalisation"
    tau: float | None = Field(None, gt=0.0, le=10.0)
    """None: the value with the best validation score, of 0 to 2 in steps of 0.1."""


class Temperature(Setting):
    """z / T with the T of least validation loss (Guo et al. 2017): calibration."""

    kind: Literal["temperature"] = "temperature"


After = Annotated[
    PostHocAdjustment | PriorShift | TauNormalisation | Temperature,
    Field(discriminator="kind"),
]

# The whole -------------------------------------------------------------------


class Remedy(Setting):
    """What differs from plain training; with every default it is plain training.

    In an experiment file a remedy may also be written as the name of one in the
    catalogue, alone (`"ldam-drw"`) or with parts replaced (`{ kind = "ldam-drw",
    deferred = 0.6 }`).
    """

    loss: Loss = CrossEntropy()
    weights: Weights | None = None
    sampling: Sampling | None = None
    deferred: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the epochs before weights and sampling set in (DRW, DRS)."""
    drop: float = Field(1.0, gt=0.0, le=1.0)
    """Factor on the learning rate once they have set in."""
    mixing: Mixing | None = None
    variation: Variation | None = None
    retraining: Retraining | None = None
    sharpness: float = Field(0.0, ge=0.0)
    """Rho of sharpness-aware minimisation (Foret et al. 2021); 0: none. A step then
    costs two passes."""
    after: After | None = None
    stacked: bool = False
    """Allow corrections that double one another; otherwise they are refused."""

    @model_validator(mode="before")
    @classmethod
    def _from_catalogue(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, dict) or "kind" not in value:
            return value
        from tessera.catalogue import named  # which is made of remedies

        replaced = {k: v for k, v in value.items() if k != "kind"}
        return named(value["kind"]).model_dump(mode="json") | replaced
