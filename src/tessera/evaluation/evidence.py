"""Paired differences -> sentences a reader can check, and a verdict over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tessera.evaluation.comparison import Measure, contrast
from tessera.evaluation.differences import MOST_SEEDS, Decision, Difference
from tessera.evaluation.roles import Roles
from tessera.phrases import in_list, listed, plural, points
from tessera.record import Verdict

Outcome = Literal["supported", "not supported", "not decided", "not tested"]

NAMED = 2
"""Comparisons without an interval that a reason names; the evidence has them all."""


@dataclass(frozen=True)
class Finding:
    """One comparison that bears on a hypothesis."""

    subject: str
    """What is compared, as the start of a sentence."""
    difference: Difference | None
    """None when no seed is finished in both cells."""

    def sentence(self) -> str:
        """The comparison in words and numbers."""
        if self.difference is None:
            return f"{self.subject}: no seed is finished in both cells."
        return f"{self.subject}: {describe(self.difference)}."


def compare(
    roles: Roles,
    first: tuple[str, str],
    second: tuple[str, str],
    score: Measure,
    *,
    subject: str,
) -> Finding:
    """Compare two (model, regime) cells seed by seed: first - second."""
    return Finding(subject, contrast(roles.runs(*first), roles.runs(*second), score))


def describe(difference: Difference) -> str:
    """Mean, interval, seeds and decision of a difference."""
    mean = f"{points(difference.mean)} points"
    seeds = plural(difference.n, "seed")
    if difference.n == 1:
        return f"{mean} ({seeds}, so no interval): undecided"
    if difference.low is None or difference.high is None:
        return f"{mean} (the same for all {seeds}, so no interval): undecided"
    interval = f"{points(difference.low)} to {points(difference.high)}"
    return f"{mean} (95 % interval {interval}, {seeds}): {_decided(difference)}"


def _decided(difference: Difference) -> str:
    if difference.decision != "undecided":
        return f"{difference.decision} zero"
    if difference.seeds_to_decide is None:
        return f"undecided; more than {MOST_SEEDS:,} seeds would be needed"
    return (
        f"undecided; about {difference.seeds_to_decide} seeds would probably decide it"
    )


def classes(roles: Roles, indices: Sequence[int]) -> str:
    """The classes' names, or how many they are when the list would be long."""
    if len(indices) > 4:
        return f"the {len(indices)} {roles.rare} classes"
    names = [in_list(roles.class_names[i]) for i in indices]
    numbered = any(name.isdecimal() for name in names)
    return f"{'classes ' if numbered else ''}{listed(names)}"


def judge(findings: Sequence[Finding], wanted: Decision) -> Outcome:
    """Decide a claim that every finding must bear out.

    Supported: every interval lies on the wanted side (an intersection-union test, so
    no correction for several comparisons is due; Berger 1982). Not supported: some
    interval lies wholly on the other side.
    """
    sides = [f.difference.decision if f.difference else None for f in findings]
    if all(side == wanted for side in sides):
        return "supported"
    if any(side not in (wanted, "undecided", None) for side in sides):
        return "not supported"
    return "not decided"


def because(findings: Sequence[Finding], wanted: Decision) -> str:
    """Why `judge` says what it says, in one or two sentences."""
    met = [f for f in findings if f.difference and f.difference.decision == wanted]
    open_ = [f for f in findings if not f.difference or _is_open(f.difference)]
    against = len(findings) - len(met) - len(open_)
    without = [f for f in findings if not f.difference or f.difference.low is None]
    known = len(findings) - len(without)
    if not known:
        return f"No difference here has an interval. {_ways_on(open_)}"
    count = f"{len(met)} of {plural(known, 'interval')}"
    verb = "lies" if 1 in (len(met), known) else "lie"
    text = f"{count} {verb} {wanted} zero, as the hypothesis needs"
    if against:
        text += f"; {against} {'lies' if against == 1 else 'lie'} on the other side"
    return f"{text}{_lacking(without)}. {_ways_on(open_)}".strip()


def _lacking(without: Sequence[Finding]) -> str:
    """Which comparisons have no interval, after a semicolon."""
    if not without:
        return ""
    more = f"; {len(without) - NAMED} more" if len(without) > NAMED else ""
    named = "; ".join(f.subject for f in without[:NAMED]) + more
    verb = "has" if len(without) == 1 else "have"
    return f"; {plural(len(without), 'comparison')} {verb} none ({named})"


def _is_open(difference: Difference) -> bool:
    return difference.decision == "undecided"


def _ways_on(undecided: Sequence[Finding]) -> str:
    """What it would take to decide the comparisons that are still open."""
    found = [f.difference for f in undecided if f.difference]
    if len(found) < len(undecided):
        return "Some comparisons have no seed that is finished in both cells yet."
    if any(d.low is None for d in found):
        return "Without an interval nothing can be decided: add seeds."
    needed = [d.seeds_to_decide for d in found]
    known = [n for n in needed if n is not None]
    if not known:
        return "" if not needed else f"More than {MOST_SEEDS:,} seeds would be needed."
    if len(known) < len(needed):
        return (
            f"About {max(known)} seeds would probably decide all but "
            f"{len(needed) - len(known)} of the open ones."
        )
    return f"About {max(known)} seeds would probably decide the open ones."


@dataclass(frozen=True)
class Claim:
    """A sentence of the reference study and the hypothesis it is restated as."""

    key: str
    sentence: str
    hypothesis: str

    def untested(self, reason: str, evidence: Sequence[str] = ()) -> Verdict:
        """The verdict when the experiment lacks what the hypothesis needs."""
        return self.verdict("not tested", reason, evidence)

    def judged(
        self, findings: Sequence[Finding], wanted: Decision, *, also: Sequence[str] = ()
    ) -> Verdict:
        """The verdict over findings that must all lie on the wanted side."""
        return self.verdict(
            judge(findings, wanted),
            because(findings, wanted),
            (*(f.sentence() for f in findings), *also),
        )

    def verdict(
        self, outcome: Outcome, reason: str, evidence: Sequence[str]
    ) -> Verdict:
        """The verdict in the record's form."""
        return Verdict(
            key=self.key,
            claim=self.sentence,
            hypothesis=self.hypothesis,
            evidence=tuple(evidence),
            verdict=outcome,
            because=reason,
        )
