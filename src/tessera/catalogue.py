"""The published remedies by name, and the name of a remedy."""

from typing import Any

from tessera.frozen import Setting
from tessera.remedies import (
    BalancedSoftmax,
    Classifier,
    CutMix,
    EffectiveNumber,
    Focal,
    InverseFrequency,
    LabelAwareSmoothing,
    Ldam,
    LogitAdjusted,
    Mixup,
    Oversampling,
    PostHocAdjustment,
    Power,
    PriorShift,
    Progressive,
    Remedy,
    Remix,
    Scales,
    Smoothed,
    TailOnHead,
    TauNormalisation,
    Temperature,
    Undersampling,
    VectorScaling,
)


def catalogue() -> dict[str, Remedy]:
    """The published remedies by name, `plain` first; see docs/methods.md."""
    balanced = EffectiveNumber()
    return {
        "plain": Remedy(),
        "class-weights": Remedy(weights=InverseFrequency()),
        "smoothed-weights": Remedy(weights=Smoothed()),
        "effective-number": Remedy(weights=balanced),
        "focal": Remedy(loss=Focal()),
        "focal-sigmoid": Remedy(loss=Focal(form="sigmoid")),
        "class-balanced-focal": Remedy(loss=Focal(gamma=1.0), weights=balanced),
        "ldam": Remedy(loss=Ldam()),
        "ldam-drw": Remedy(loss=Ldam(), weights=balanced, deferred=0.8),
        "balanced-softmax": Remedy(loss=BalancedSoftmax()),
        "logit-adjusted-loss": Remedy(loss=LogitAdjusted()),
        "vector-scaling": Remedy(loss=VectorScaling()),
        "label-aware-smoothing": Remedy(loss=LabelAwareSmoothing()),
        "deferred-weights": Remedy(weights=balanced, deferred=0.8),
        "deferred-sampling": Remedy(sampling=Power(), deferred=0.8),
        "balanced-sampling": Remedy(sampling=Power()),
        "square-root-sampling": Remedy(sampling=Power(power=0.5)),
        "progressive-sampling": Remedy(sampling=Progressive()),
        "oversampling": Remedy(sampling=Oversampling()),
        "undersampling": Remedy(sampling=Undersampling()),
        "mixup": Remedy(mixing=Mixup()),
        "mixup-drw": Remedy(mixing=Mixup(), weights=balanced, deferred=0.8),
        "cutmix": Remedy(mixing=CutMix()),
        "remix": Remedy(mixing=Remix()),
        "tail-on-head": Remedy(mixing=TailOnHead()),
        "crt": Remedy(retraining=Classifier()),
        "lws": Remedy(retraining=Scales()),
        "sam": Remedy(sharpness=0.05),
        "logit-adjustment": Remedy(after=PostHocAdjustment()),
        "prior-shift": Remedy(after=PriorShift()),
        "tau-normalisation": Remedy(after=TauNormalisation()),
        "temperature": Remedy(after=Temperature()),
    }


def named(name: Any) -> Remedy:
    """A remedy of the catalogue.

    Raises:
        ValueError: There is none of this name.
    """
    known = catalogue()
    if name not in known:
        raise ValueError(f"one of {', '.join(known)}")
    return known[name]


def keeps_answers(remedy: Remedy) -> bool:
    """Whether it only calibrates: no answer differs from that of plain training."""
    return remedy == Remedy(after=Temperature())


def label(remedy: Remedy) -> str:
    """Its name in the catalogue, or its parts in words: `ldam + deferred 0.6`."""
    for name, known in catalogue().items():
        if remedy == known:
            return name
    changed = remedy.model_dump(mode="json", exclude_defaults=True)
    return " + ".join(_part(remedy, key, value) for key, value in changed.items())


def _part(whole: Setting, key: str, value: Any) -> str:
    """One part in words: its kind with what it changes, or its name and number."""
    if not isinstance(value, dict):
        return f"{key} {value}"
    part = getattr(whole, key)
    inner = ", ".join(_part(part, *changed) for changed in value.items())
    kind: str = part.kind
    return f"{kind} ({inner})" if inner else kind
