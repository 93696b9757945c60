"""A ranking -> which remedy to take, in sentences that the statistics support."""

from collections.abc import Sequence

from tessera.evaluation.differences import MOST_SEEDS
from tessera.phrases import listed, plural, points, whole_percent
from tessera.results import Change, GapClosed, RankedRemedy, Ranking

_NAMED = 4
"""Remedies that a sentence names; of more, it says how many."""
_DEARER, _CHEAPER = 1.1, 0.9
_AWAY = ", though it points the other way"


def recommendation(ranking: Ranking) -> tuple[str, ...]:
    """Say what to take, what it costs, and what these seeds leave open."""
    best = next((r for r in ranking.tested if r.regime == ranking.pick), None)
    if best is not None:
        said = _take(ranking, best), _price(ranking, best), *_rivals(ranking, best)
    else:
        said = _none(ranking) if ranking.tested else ()
    return (*said, *_untested(ranking))


def _untested(ranking: Ranking) -> list[str]:
    """Why a remedy that only calibrates is compared with nothing."""
    names = [r.regime for r in ranking.remedies if r.same_answers]
    if not names:
        return []
    it, changes = ("it", "changes") if len(names) == 1 else ("they", "change")
    takes = "takes" if len(names) == 1 else "take"
    return [
        f"For {ranking.model} under {ranking.plain}, {listed(names)} {changes} no "
        f"answer, only how sure the model is of it, so {it} {takes} no part in this "
        "comparison."
    ]


def _take(ranking: Ranking, best: RankedRemedy) -> str:
    p = best.change.p_adjusted or 0.0
    text = (
        f"For {ranking.model} under {ranking.plain}, take {best.regime}: its macro-F1 "
        f"is {with_interval(best.change)} points against plain training over "
        f"{plural(len(best.seeds), 'seed')} ({p_value(p)}{_corrected(ranking)})"
    )
    return f"{text}{_closes(best.gap_f1, ranking.reference)}."


def _corrected(ranking: Ranking) -> str:
    size = len(ranking.tested)
    return f", corrected for {plural(size, 'comparison')}" if size > 1 else ""


def _closes(gap: GapClosed | None, reference: str) -> str:
    if gap is None or gap.value is None or gap.low is None or gap.high is None:
        return ""
    return (
        f", which closes {whole_percent(gap.value)} % of the gap to {reference} "
        f"({whole_percent(gap.low)} to {whole_percent(gap.high)} %)"
    )


def _price(ranking: Ranking, best: RankedRemedy) -> str:
    rare, common = ranking.sides
    return (
        f"The {rare} classes' recall changes by {with_interval(best.rare)} points, the "
        f"{common} classes' by {with_interval(best.common)}; training takes "
        f"{_cost(ranking, best)} without it."
    )


def _cost(ranking: Ranking, best: RankedRemedy) -> str:
    """By processor time, where it is known: a busy machine stretches the clock's."""
    if best.cpu_seconds is None or ranking.plain_cpu_seconds is None:
        much, what = "long as", "as long as"
        ratio = best.train_seconds.mean / ranking.plain_seconds.mean
    else:
        much, what = "much processor time as", "the processor time of training"
        ratio = best.cpu_seconds.mean / ranking.plain_cpu_seconds.mean
    if _CHEAPER <= ratio <= _DEARER:
        return f"about as {much}"
    return f"{ratio:.1f} times {what}"


def _rivals(ranking: Ranking, best: RankedRemedy) -> list[str]:
    others = [r for r in ranking.tested if r.regime != best.regime]
    sentences = []
    higher = [r for r in others if r.change.mean > best.change.mean]
    if higher:
        verb = "reaches" if len(higher) == 1 else "reach"
        sentences.append(
            f"{_names(higher)} {verb} a higher mean, but these seeds do not show "
            f"that {'it beats' if len(higher) == 1 else 'they beat'} plain training."
        )
    sides = [r.behind_pick.decision if r.behind_pick else "undecided" for r in others]
    even = [r for r, side in zip(others, sides, strict=True) if side == "undecided"]
    if even:
        sentences.append(
            f"{_names(even)} cannot be told apart from it with these seeds; "
            f"{_seeds([r.behind_pick for r in even])}"
        )
    elif sides and set(sides) == {"above"}:
        sentences.append(
            "It is ahead of the other beyond doubt."
            if len(others) == 1
            else f"It is ahead of the other {len(others)} beyond doubt."
        )
    return sentences


def _none(ranking: Ranking) -> tuple[str, ...]:
    """No remedy is decided above plain training."""
    best, n = ranking.tested[0], len(ranking.tested)
    seeds = max(len(r.seeds) for r in ranking.tested)
    where = f"For {ranking.model} under {ranking.plain}"
    if seeds == 1:
        return (
            f"{where}, one seed cannot recommend a remedy: without a second there is "
            f"no interval. The remedy with the highest macro-F1 is {best.regime}, "
            f"{points(best.change.mean)} points against plain training.",
        )
    below = [r for r in ranking.tested if r.change.decision == "below"]
    subject = "the remedy does not beat" if n == 1 else f"none of {n} remedies beats"
    first = (
        f"{where}, {subject} plain training beyond doubt with {plural(seeds, 'seed')}"
        f"{_corrected(ranking)}."
    )
    change = f"macro-F1 {with_interval(best.change)} points"
    away = round(100 * best.change.mean, 1) < 0 and best not in below
    nearest = f"Nearest is {best.regime}{_AWAY * away}: {change}"
    nearest += "." if best in below else f"; {_seeds([best.change])}"
    if not below:
        return first, nearest
    verb = "is" if len(below) == 1 else "are"
    return first, nearest, f"{_names(below)} {verb} worse than plain training."


def _names(rows: Sequence[RankedRemedy]) -> str:
    if len(rows) <= _NAMED:
        return listed([r.regime for r in rows])
    named = ", ".join(r.regime for r in rows[:_NAMED])
    return f"{named} and {plural(len(rows) - _NAMED, 'other')}"


def _seeds(changes: Sequence[Change | None]) -> str:
    """How many seeds would probably decide, as the end of a sentence.

    Args:
        changes: None of them decided.
    """
    if any(change is None or change.low is None for change in changes):
        return "where there is no interval, more seeds have to give one."
    found = [c for c in changes if c]
    rough = any(len(c.values) == 2 for c in found)
    source = ", estimated from two seeds" if rough else ""
    return f"{_number([c.seeds_to_decide for c in found])}{source}."


def _number(needed: Sequence[int | None]) -> str:
    known = [n for n in needed if n]
    if not known:
        return f"more than {MOST_SEEDS:,} seeds would be needed"
    fewest, most = min(known), max(known)
    if len(known) < len(needed):
        return (
            f"about {fewest} seeds would probably decide the first of these "
            f"comparisons, and more than {MOST_SEEDS:,} the closest"
        )
    if fewest == most:
        return f"about {most} seeds would probably decide"
    return f"about {fewest} to {most} seeds would probably decide"


def with_interval(change: Change) -> str:
    """A change in points and its 95 % interval, say `+8.3 [+6.9, +9.7]`."""
    if change.low is None or change.high is None:
        return points(change.mean)
    return f"{points(change.mean)} [{points(change.low)}, {points(change.high)}]"


def p_value(p: float) -> str:
    """`p = 0.012`, or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
