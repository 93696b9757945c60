"""Every metric as a value: direction, range, parameters, source, how it misleads."""

from tessera.evaluation.faithfulness import Metric
from tessera.explain.faithfulness import fills, road

PETSIUK = "Petsiuk et al. 2018, BMVC, arXiv:1806.07421"
ROAD = "Rong et al. 2022, ICML, arXiv:2202.00449"
CHATTOPADHAY = "Chattopadhay et al. 2018, WACV, arXiv:1710.11063"
ZHANG_GAIN = "Zhang et al. 2023, arXiv:2301.07002"
ZHANG_POINTING = "Zhang et al. 2016, ECCV, arXiv:1608.00507"
ENERGY = "Wang et al. 2020, CVPRW, arXiv:1910.01279"
GRID = "Böhle et al. 2021, CVPR, arXiv:2104.00032"
SIXT = "Sixt et al. 2020, ICML, arXiv:1912.09818"
ALVAREZ = "Alvarez-Melis and Jaakkola 2018, arXiv:1806.08049"
BHATT = "Bhatt et al. 2020, IJCAI, arXiv:2005.00631"
CHALASANI = "Chalasani et al. 2020, ICML, arXiv:1810.06583"

_OFF = "the images with pieces missing are unlike any the model was trained on"
_FILLS = {
    "mean": "the mean colour of the training images",
    "blur": f"the image blurred, deviation {fills.BLUR:g} of its height",
}
_BRIGHT = "a map that is bright everywhere scores well; read the mean brightness"
_SHIFT = "such images are unlike the training images: a diagnostic, not a score"


def removal(steps: int) -> tuple[Metric, ...]:
    """Deletion, insertion and their difference, with about `steps` steps a curve."""
    both = [
        _curve(kind, fill, steps)
        for kind in ("deletion", "insertion")
        for fill in ("mean", "blur")
    ]
    difference = Metric(
        key="insertion_minus_deletion",
        name="insertion (blur) - deletion (mean)",
        direction="higher",
        low=-1,
        high=1,
        parameters={"steps": str(steps)},
        source=PETSIUK,
        fails=_OFF,
    )
    return (*both, difference)


def _curve(kind: str, fill: str, steps: int) -> Metric:
    return Metric(
        key=f"{kind}_{fill}",
        name=f"{kind} ({fill})",
        direction="lower" if kind == "deletion" else "higher",
        low=0,
        high=1,
        parameters={"fill": _FILLS[fill], "steps": str(steps)},
        source=PETSIUK,
        fails=f"{_OFF}; a model that any hole upsets favours no method, so read the "
        "difference from the random control",
    )


def imputed(shares: tuple[float, ...]) -> tuple[Metric, ...]:
    """ROAD: most relevant first, least relevant first, and both together."""
    parameters = {
        "shares removed": ", ".join(f"{s:g}" for s in shares),
        "noise": f"{road.NOISE:g} of the range",
    }
    fails = (
        "a few large smooth areas are filled in almost perfectly and seem irrelevant"
    )
    rows = (
        ("road_morf", "ROAD, most relevant first", "lower", 0),
        ("road_lerf", "ROAD, least relevant first", "higher", 0),
        ("road", "ROAD, (least - most) / 2", "higher", -0.5),
    )
    return tuple(
        Metric(
            key=key,
            name=name,
            direction=direction,
            low=low,
            high=1 if low == 0 else 0.5,
            parameters=parameters,
            source=ROAD,
            fails=fails,
        )
        for key, name, direction, low in rows
    )


MASKING = (
    Metric(
        key="average_drop",
        name="average drop",
        direction="lower",
        low=0,
        high=1,
        source=CHATTOPADHAY,
        fails=_BRIGHT,
    ),
    Metric(
        key="increase",
        name="increase",
        direction="higher",
        low=0,
        high=1,
        source=CHATTOPADHAY,
        fails=_BRIGHT,
    ),
    Metric(
        key="average_gain",
        name="average gain",
        direction="higher",
        low=0,
        high=1,
        source=ZHANG_GAIN,
        fails=_BRIGHT,
    ),
    Metric(
        key="brightness",
        name="mean brightness of the mask",
        direction="neither",
        low=0,
        high=1,
        source=CHATTOPADHAY,
        fails="no merit in itself; stands beside drop, increase and gain",
    ),
)

COMPLEXITY = (
    Metric(
        key="entropy",
        name="complexity: entropy",
        direction="neither",
        low=0,
        high=1,
        source=BHATT,
        fails="a simple map may be simply wrong",
    ),
    Metric(
        key="gini",
        name="complexity: Gini",
        direction="neither",
        low=0,
        high=1,
        source=CHALASANI,
        fails="a simple map may be simply wrong",
    ),
    Metric(
        key="bright_cells",
        name="complexity: cells above half",
        direction="neither",
        low=0,
        high=1,
        source="share of the cells above half of the maximum",
        fails="a simple map may be simply wrong",
    ),
)

RANDOM_LOGIT = Metric(
    key="random_logit",
    name="random logit: Spearman",
    direction="lower",
    low=-1,
    high=1,
    parameters={"other class": "one drawn among the others"},
    source=SIXT,
    fails="random maps pass it too: it asks only whether the class matters",
)


def stability(noise: float, draws: int) -> tuple[Metric, ...]:
    """Relative change of the map under changes that leave the answer as it is."""
    rows = (
        ("stability_shift", "change after a shift by 1 pixel", "four directions"),
        ("stability_flip", "change after flip and back", "left to right"),
        (
            "stability_noise",
            "change under noise",
            f"deviation {noise:g} of the range, {draws} draws",
        ),
        ("stability_worst", "largest of these changes", "over all of the above"),
    )
    return tuple(
        Metric(
            key=key,
            name=f"stability: {name}",
            direction="lower",
            low=0,
            high=None,
            parameters={"how": how, "counted": "only where the answer stays the same"},
            source=ALVAREZ,
            fails="a map that ignores the image is perfectly stable",
        )
        for key, name, how in rows
    )


def located(key: str, name: str, chance: float) -> tuple[Metric, ...]:
    """Pointing game and energy where the cause's place is known by construction."""
    return (
        Metric(
            key=f"{key}_pointing",
            name=f"{name}: pointing",
            direction="higher",
            low=0,
            high=1,
            parameters={"chance": f"{chance:.3f}"},
            source=ZHANG_POINTING,
            fails=_SHIFT,
        ),
        Metric(
            key=f"{key}_energy",
            name=f"{name}: energy",
            direction="higher",
            low=0,
            high=1,
            parameters={"chance": f"{chance:.3f}"},
            source=GRID if key == "mosaic" else ENERGY,
            fails=_SHIFT,
        ),
    )
