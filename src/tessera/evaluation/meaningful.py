"""Checked explanations -> does Grad-CAM show what the model's answers depend on?

Three ways of hiding, five controls each, a place known by construction, and a sanity
check: all of them must say yes in every run that was checked. docs/methods.md says why
these and not the others.
"""

import math
from collections import Counter
from collections.abc import Sequence

from tessera.evaluation.evidence import Claim, Outcome
from tessera.evaluation.faithfulness import (
    Against,
    Decision,
    Faithfulness,
    Measured,
    Method,
)
from tessera.phrases import MINUS, listed, plural
from tessera.record import Verdict

METHOD = "Grad-CAM"
HIDING = ("deletion_mean", "deletion_blur", "road")
"""Grey squares, blurred squares, holes filled in from their surroundings."""
PLACE = "mosaic_energy"
CHANCE = "uniform"
SANITY, CONTROL = "cascade", "edges"

UNTESTED = (
    "Whether these regions are the object itself, no number here can say: the images "
    "come without outlines."
)


def judged(claim: Claim, checked: Sequence[Faithfulness]) -> Verdict:
    """The verdict over every checked run.

    Args:
        claim: The reference study's, with its hypothesis.
        checked: At least one run's; those without Grad-CAM do not count.
    """
    found = [(f, m) for f in checked for m in f.methods if m.name == METHOD]
    if not found:
        return claim.untested(f"No checked run was explained by {METHOD}.")
    decisions = [d for _, method in found for d in decided(method)]
    return claim.verdict(
        outcome(decisions),
        because(found),
        [sentence(f, method) for f, method in found],
    )


def decided(method: Method) -> list[Decision]:
    """Every decision that bears on the claim, of one run; missing ones are open."""
    return [a for _, _, a in comparisons(method)] + [
        _located(method),
        _sane(method),
    ]


def comparisons(method: Method) -> list[tuple[str, str, Decision]]:
    """(metric, control, decision) of every way of hiding."""
    rows = [(key, method.of(key)) for key in HIDING]
    return [
        (key, against.control, against.decision)
        for key, row in rows
        if row is not None
        for against in row.against
    ] + [(key, "", "undecided") for key, row in rows if row is None or not row.against]


def _located(method: Method) -> Decision:
    row = method.of(PLACE)
    chance = None if row is None else _control(row, CHANCE)
    return "undecided" if chance is None else chance.decision


def _control(row: Measured, name: str) -> Against | None:
    return next((a for a in row.against if a.control == name), None)


def _sane(method: Method) -> Decision:
    """Better: passed, and the positive control too; worse: failed."""
    check, control = method.check(SANITY), method.check(CONTROL)
    if check is None or control is None or control.passed is not True:
        return "undecided"
    if check.passed is None:
        return "undecided"
    return "better" if check.passed else "worse"


def outcome(decisions: Sequence[Decision]) -> Outcome:
    """Supported when all are better, not supported when one is worse."""
    if "worse" in decisions:
        return "not supported"
    return "supported" if set(decisions) == {"better"} else "not decided"


def because(found: Sequence[tuple[Faithfulness, Method]]) -> str:
    """Why, in two or three sentences of plain words."""
    rows = [row for _, method in found for row in comparisons(method)]
    counts = Counter(decision for _, _, decision in rows)
    text = (
        f"Over {plural(len(found), 'run')}, hiding what {METHOD} marks first changes "
        f"the answer more than hiding as much chosen without it in {counts['better']} "
        f"of {plural(len(rows), 'comparison')}, less in {counts['worse']}"
    )
    if counts["undecided"]:
        text += f", undecided in {counts['undecided']}"
    text += f". {_where_not(rows)}"
    sane = Counter(_sane(m) for _, m in found)["better"]
    return (
        f"{text}{_places([m for _, m in found])}; with all weights drawn anew its maps "
        f"change as they must in {sane} of {plural(len(found), 'run')}. {UNTESTED}"
    )


def _places(methods: Sequence[Method]) -> str:
    """How often it finds the right quarter, of the runs that have mosaics."""
    known = [m for m in methods if has_mosaics(m)]
    if not known:
        return (
            "There are no mosaics, which need rightly answered test images of four "
            "classes, so whether it finds the right place is open"
        )
    right = Counter(_located(m) for m in known)["better"]
    runs = plural(len(known), "run")
    return (
        "In mosaics of four classes it finds the right quarter better than chance in "
        f"{right} of {runs}{' that have them' * (len(known) < len(methods))}"
    )


def has_mosaics(method: Method) -> bool:
    """Whether there were images enough of four classes to make mosaics."""
    row = method.of(PLACE)
    return row is not None and row.level.mean is not None


def _where_not(rows: Sequence[tuple[str, str, Decision]]) -> str:
    """Which controls do better than the method, worst first."""
    worse = Counter(control for _, control, d in rows if d == "worse")
    if not worse:
        return ""
    parts = [f"{name} ({count})" for name, count in worse.most_common()]
    return f"What does better there, though it knows nothing: {listed(parts)}. "


def sentence(found: Faithfulness, method: Method) -> str:
    """One run's numbers."""
    parts = [
        _hiding("the area under its probability", method.of("deletion_mean"), low=True),
        _hiding("ROAD", method.of("road"), low=False),
        _mosaic(method),
        _randomised(method),
    ]
    who = f"{found.model}, {found.regime}, seed {found.seed}"
    said = "; ".join(part for part in parts if part)
    return f"{who} ({plural(found.images, 'image')}): {said}."


def _hiding(what: str, row: Measured | None, *, low: bool) -> str:
    if row is None or row.level.mean is None or not row.against:
        return ""
    rival = min(row.against, key=lambda a: (a.level.mean or 0) * (1 if low else -1))
    difference = rival.difference
    if rival.level.mean is None or difference.low is None or difference.high is None:
        return ""
    return (
        f"{what} is {_number(row.level.mean)}, with the strongest control "
        f"({rival.control}) {_number(rival.level.mean)} (difference "
        f"{_signed(difference.mean or 0)}, 95 % interval {_signed(difference.low)} "
        f"to {_signed(difference.high)}: {rival.decision})"
    )


def _signed(value: float) -> str:
    """Three decimals, and below 0.001 two digits: the side of zero must be seen."""
    small = 0 < abs(value) < 0.001
    digits = 1 - math.floor(math.log10(abs(value))) if small else 3
    return f"{'+' * (value > 0)}{_number(value, digits)}"


def _number(value: float, digits: int = 3) -> str:
    text = f"{value:.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text.removeprefix("-")


def _mosaic(method: Method) -> str:
    row = method.of(PLACE)
    if row is None or row.level.mean is None:
        return "no mosaics"
    return (
        f"{100 * row.level.mean:.0f} % of the evidence in the right quarter of mosaics"
    )


def _randomised(method: Method) -> str:
    check = method.check(SANITY)
    if check is None or check.steps[-1].spearman.mean is None:
        return ""
    return (
        f"rank correlation {_number(check.steps[-1].spearman.mean, 2)} with maps of "
        f"random weights ({check.result})"
    )
