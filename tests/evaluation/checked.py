"""Synthetic checks of explanations: what was found is chosen, so verdicts are known."""

from evaluation.studies import ENVIRONMENT
from tessera.evaluation.faithfulness import (
    Against,
    Blanks,
    Check,
    Curve,
    Decision,
    Faithfulness,
    Interval,
    Measured,
    Method,
    Metric,
    Step,
)
from tessera.record import Record

CONTROLS = ("uniform", "random", "centred Gaussian", "Sobel edges", "class mean")
SIGNS = {"better": 1, "undecided": 0, "worse": -1}
DIRECTIONS = {
    "deletion_mean": "lower",
    "deletion_blur": "lower",
    "insertion_mean": "higher",
    "insertion_blur": "higher",
    "road": "higher",
    "mosaic_energy": "higher",
    "brightness": "neither",
}


def interval(mean: float, reach: float = 0.01) -> Interval:
    return Interval(mean=mean, low=mean - reach, high=mean + reach, images=100)


NOTHING = Interval(mean=None, low=None, high=None, images=0)


def metric(key: str) -> Metric:
    return Metric(
        key=key,
        name=key.replace("_", " "),
        direction=DIRECTIONS[key],
        low=0,
        high=1,
        source="Nobody 2026",
        fails="never, since it is made up",
    )


def measured(key: str, decisions: dict[str, Decision], level: float = 0.4) -> Measured:
    """Differences of 0.1 or 0 with intervals of 0.01, on the side of the decision."""
    sign = -1 if DIRECTIONS[key] == "lower" else 1
    against = []
    for control in CONTROLS:
        decision = decisions.get(control, "better")
        difference = 0.1 * sign * SIGNS[decision]
        against.append(
            Against(
                control=control,
                level=interval(level - difference),
                difference=interval(difference),
                decision=decision,
            )
        )
    return Measured(
        metric=key,
        level=interval(level),
        against=tuple(against),
        by_class={"cat": interval(level), "dog": NOTHING},
        by_group={"head": interval(level), "tail": interval(level / 2)},
        by_group_minus_random={"head": interval(0.1), "tail": interval(0.0)},
    )


def check(key: str, passed: bool | None, likeness: float = 0.1) -> Check:
    step = Step(
        layers=("logits",),
        spearman=interval(likeness),
        absolute=interval(likeness),
        ssim=interval(likeness),
    )
    return Check(
        key=key,
        name=f"check of {key}",
        expects="what it expects",
        steps=(step,),
        bar=0.5,
        passed=passed,
        source="Nobody 2026",
        caveat="made up",
    )


def faithfulness(
    record: Record,
    *,
    worse: dict[str, tuple[str, ...]] | None = None,
    undecided: dict[str, tuple[str, ...]] | None = None,
    sane: bool | None = True,
    controlled: bool | None = True,
    name: str = "Grad-CAM",
    leave_out: tuple[str, ...] = (),
) -> Faithfulness:
    """A check in which the method beats every control, except where said otherwise.

    `worse` and `undecided` map a metric to controls.
    """

    def decisions(key: str) -> dict[str, Decision]:
        found: dict[str, Decision] = dict.fromkeys((worse or {}).get(key, ()), "worse")
        return found | dict.fromkeys((undecided or {}).get(key, ()), "undecided")

    keys = [key for key in DIRECTIONS if key not in leave_out]
    curve = Curve(
        metric="deletion_mean", map=name, shares=(0, 0.5, 1), values=(0.9, 0.5, 0.1)
    )
    method = Method(
        name=name,
        layer="features",
        grid=(8, 8),
        measured=tuple(measured(key, decisions(key)) for key in keys),
        checks=(
            check("cascade", sane),
            check("edges", controlled, 1.0),
            check("other_seed", None),
        ),
        curves=(curve, curve.model_copy(update={"map": "random"})),
        blanks={"cat": Blanks(images=4, reasons={"constant": 1})},
        notes=("A note.",),
    )
    return Faithfulness(
        digest=record.digest,
        run_finished_at=record.finished_at,
        model=record.model,
        regime=record.regime,
        seed=record.seed,
        data=record.data.name,
        class_names=("cat", "dog"),
        images=100,
        sample_seed=0,
        asked={"methods": name},
        right=60,
        groups={"head": ("dog",), "tail": ("cat",)},
        metrics=tuple(metric(key) for key in keys),
        methods=(method,),
        seconds=12.0,
        environment=ENVIRONMENT,
        finished_at="2026-01-02T03:04:05+00:00",
    )
