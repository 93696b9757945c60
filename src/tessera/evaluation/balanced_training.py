"""Key finding 1 of the reference study: is balanced training stable and high?"""

from collections.abc import Sequence

import numpy as np

from tessera.evaluation.comparison import measure
from tessera.evaluation.differences import (
    NO_SPREAD,
    Decision,
    Difference,
    deviation_bounds,
    largest_deviation,
    of_values,
    seeds_to_bound,
    spread,
)
from tessera.evaluation.evidence import Claim, Outcome
from tessera.evaluation.roles import Roles
from tessera.phrases import plural, whole_percent
from tessera.record import Record, Spread, Verdict

STABLE = 0.02
"""Standard deviation of the accuracy over seeds that still counts as stable."""
HIGH = 0.5
"""Chance-adjusted balanced accuracy from which training counts as high: 0 is
guessing, 1 is perfect, so one half avoids half of the errors that guessing makes."""

BALANCED = Claim(
    "balanced-training",
    "Balanced training provides stable and high accuracy.",
    "With balanced training, for every model: the test accuracy's standard deviation "
    "over seeds is below 2 points (stable), and the model avoids more than half of the "
    "errors that guessing makes (high). The reference study names no bar; these two "
    "are ours, and hold for any number of classes.",
)


def balanced_training(roles: Roles) -> Verdict:
    """Spread and height of the accuracy under balance."""
    if roles.balanced is None:
        return BALANCED.untested("No finished run has balanced classes and no remedy.")
    found = [(m, runs) for m in roles.models if (runs := _runs(roles, m))]
    if any(np.isnan(_above_guessing(r)) for _, runs in found for r in runs):
        return BALANCED.untested(
            "All test images are of one class, so that there is nothing to guess."
        )
    sides = [
        side for _, runs in found for side in (_stable(runs), _high(runs).decision)
    ]
    return BALANCED.verdict(
        _overall(sides, complete=len(found) == len(roles.models)),
        _why(sides, roles),
        [*_levelled(roles), *(_level_sentence(model, runs) for model, runs in found)],
    )


def _levelled(roles: Roles) -> list[str]:
    """What balanced training is on data that are imbalanced by nature."""
    seen = roles.images(roles.balanced or "")
    return [
        f"The {roles.balanced} runs see {seen:,} of the {whole:,} training images of "
        f"{i.regime}: the classes are levelled by leaving images out."
        for i in roles.natural[:1]
        if i.regime != roles.balanced and (whole := roles.images(i.regime))
    ]


def _runs(roles: Roles, model: str) -> tuple[Record, ...]:
    return roles.runs(model, roles.balanced or "")


def _stable(runs: Sequence[Record]) -> Decision:
    """Above: surely stable; below: surely not."""
    bounds = _bounds(_accuracy(runs))
    if bounds is None or bounds[0] < STABLE <= bounds[1]:
        return "undecided"
    return "above" if bounds[1] < STABLE else "below"


def _high(runs: Sequence[Record]) -> Difference:
    return of_values([_above_guessing(r) - HIGH for r in runs])


def _above_guessing(record: Record) -> float:
    return measure("chance_adjusted")(record.scores)


def _accuracy(runs: Sequence[Record]) -> Spread:
    return spread([r.scores.accuracy for r in runs])


def _bounds(accuracy: Spread) -> tuple[float, float] | None:
    # No deviation is a coincidence of rounding, as in `difference`.
    if accuracy.deviation is None or accuracy.deviation < NO_SPREAD:
        return None
    return deviation_bounds(accuracy.deviation, len(accuracy.values))


def _level_sentence(model: str, runs: Sequence[Record]) -> str:
    accuracy = _accuracy(runs)
    bounds = _bounds(accuracy)
    seeds = plural(len(runs), "seed")
    if accuracy.deviation is None:
        sway = f"({seeds}, so the spread is not known)"
    elif bounds is None:
        sway = f"(the same for all {seeds}, so its true spread is not known)"
    else:
        most = min(bounds[1], largest_deviation(len(runs)))
        sway = (
            f"with a standard deviation of {100 * accuracy.deviation:.1f} points over "
            f"{seeds} (at most {100 * most:.1f} at 95 % confidence)"
        )
    level = spread([_above_guessing(r) for r in runs]).mean
    return (
        f"{model}: accuracy {100 * accuracy.mean:.1f} % {sway}; it avoids "
        f"{whole_percent(level)} % of the errors that guessing makes."
    )


def _overall(sides: Sequence[Decision], *, complete: bool) -> Outcome:
    if "below" in sides:
        return "not supported"
    supported = complete and all(side == "above" for side in sides)
    return "supported" if supported else "not decided"


def _why(sides: Sequence[Decision], roles: Roles) -> str:
    stable, high = sides[::2], sides[1::2]
    text = (
        f"Of {plural(len(stable), 'model')}, {stable.count('above')} "
        f"{'is' if stable.count('above') == 1 else 'are'} stable beyond doubt and "
        f"{high.count('above')} high beyond doubt"
    )
    if "below" in sides:
        text += (
            f"; {stable.count('below')} surely not stable, {high.count('below')} "
            "surely not high"
        )
    if len(stable) < len(roles.models):
        return f"{text}; the other models have no finished run."
    if "undecided" in sides:
        return f"{text}. {_seeds_for(roles)}"
    return f"{text}."


def _seeds_for(roles: Roles) -> str:
    """What it would take to know what is open."""
    needed = [n for model in roles.models for n in _needed(_runs(roles, model))]
    known = [n for n in needed if n is not None]
    if len(known) < len(needed):
        return "What is open takes more seeds to say."
    return (
        f"If these spreads are the true ones, about {max(known)} seeds would pin all "
        "of them down."
    )


def _needed(runs: Sequence[Record]) -> list[int | None]:
    """Seeds that would probably decide each of a model's two sides that is open."""
    accuracy, high = _accuracy(runs), _high(runs)
    needed: list[int | None] = []
    if _stable(runs) == "undecided":
        known = _bounds(accuracy) is not None
        deviation = accuracy.deviation or 0.0
        needed.append(seeds_to_bound(deviation, STABLE) if known else None)
    if high.decision == "undecided":
        needed.append(high.seeds_to_decide)
    return needed
