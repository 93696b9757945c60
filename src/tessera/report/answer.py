"""A study -> the paragraph that opens its report: what came out, in plain words."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from tessera.evaluation.baselines import GUESSES, MAJORITY
from tessera.evaluation.comparison import contrast, measure, shared
from tessera.evaluation.differences import Difference
from tessera.evaluation.evidence import classes
from tessera.evaluation.length import still_learning
from tessera.evaluation.roles import Imbalance, Roles, roles
from tessera.phrases import listed, plural, points
from tessera.record import CellSummary, Record, StudyRecord
from tessera.report.load import Study
from tessera.results import Ranking

_ORDER = ("supported", "not supported", "not decided", "not tested")

_BLIND = {
    "accuracy": (MAJORITY, "always answering the most common class"),
    "macro_f1": (GUESSES, GUESSES),
}
"""What looks at no image and does best by a score, and what it is called here."""


def answer(study: Study) -> tuple[str, ...]:
    """Sentences on the best model, the price of imbalance, the remedy and the claims.

    Where several remedies were tried, the recommendation comes first. Of data that are
    imbalanced by nature the regimes that keep every image speak, not the levelled one.

    Every number comes from the records; a sentence whose cells are missing is left
    out.
    """
    found = roles(study.record.experiment, study.records)
    sentences = [*_recommended(study.record, found), _best(study.record, found)]
    for imbalance in found.imbalances:
        cost = (_levelling if imbalance.natural else _cost)(found, imbalance)
        sentences += cost
        if len(imbalance.remedies) == 1:
            sentences += _gain(study.record, found, imbalance, again=bool(cost))
    short = still_learning(study.record.experiment, study.records)
    return (*sentences, *filter(None, [short]), _tally(study.record))


def _recommended(record: StudyRecord, found: Roles) -> list[str]:
    """Whole for one ranking; the opening of each of several.

    One remedy alone has a sentence of its own below, unless no class counts as rare.
    """
    mild = {imbalance.regime for imbalance in found.mild}
    several = [r for r in record.rankings if len(r.remedies) > 1 or r.plain in mild]
    if len(several) == 1:
        return list(several[0].recommendation)
    return [_opening(ranking) for ranking in several]


def _opening(ranking: Ranking) -> str:
    """Its first sentence; where there is nothing to take, also what is nearest."""
    open_ = ranking.pick is None and any(len(r.seeds) > 1 for r in ranking.tested)
    return " ".join(ranking.recommendation[: 1 + open_])


def _best(record: StudyRecord, found: Roles) -> str:
    regime = _leading(record, found)
    rivals = [c for c in record.cells if c.regime == regime]
    ranked = sorted(rivals, key=lambda c: -c.scores["macro_f1"].mean)
    top = ranked[0]
    text = (
        f"On {record.data.name}, over {plural(len(top.seeds), 'seed')}, {top.model} "
        f"reaches {_level(top, 'accuracy')} test accuracy under the {regime} regime"
        f"{_trivial(record, top, 'accuracy')}"
    )
    blind = _trivial(record, top, "macro_f1")
    if len(ranked) == 1:
        return f"{text} (macro-F1 {_level(top, 'macro_f1')}{blind})."
    text += f"; its macro-F1 of {_level(top, 'macro_f1')}{blind and f'{blind},'}"
    best = top.scores["macro_f1"].mean
    level = [c for c in ranked[1:] if math.isclose(c.scores["macro_f1"].mean, best)]
    if level:
        return f"{text} is also that of {listed([c.model for c in level])}."
    rest = listed([f"{c.model} at {_level(c, 'macro_f1')}" for c in ranked[1:]])
    return f"{text} leads {rest}{_lead(found, regime, ranked)}."


def _leading(record: StudyRecord, found: Roles) -> str:
    """The regime that the models are compared under.

    Of data that are imbalanced by nature the best recommended remedy or, where none is,
    plain training; else balanced training.
    """
    if not found.natural:
        return found.balanced or found.regimes[0]
    plain = found.natural[0].regime
    picks = [
        row
        for ranking in record.rankings
        for row in ranking.remedies
        if ranking.plain == plain and row.regime == ranking.pick
    ]
    best = max(picks, key=lambda row: row.macro_f1.mean, default=None)
    return best.regime if best else plain


def _trivial(record: StudyRecord, top: CellSummary, score: str) -> str:
    """A reservation where looking at the images raises a score by nothing."""
    name, what = _BLIND[score]
    known = [b.scores[score] for b in record.baselines if b.name == name]
    best = max(known, default=-1.0)
    ahead = round(top.scores[score].mean - best, 9)
    if ahead > 0:
        return ""
    return f", {'below' if ahead else 'no more than'} the {100 * best:.1f} % of {what}"


def _level(cell: CellSummary, score: str) -> str:
    return f"{100 * cell.scores[score].mean:.1f} %"


def _lead(found: Roles, regime: str, ranked: Sequence[CellSummary]) -> str:
    """Whether the lead over the next model may be chance."""
    first, second = (found.runs(c.model, regime) for c in ranked[:2])
    lead = contrast(first, second, measure("macro_f1"))
    if lead is not None and lead.decision == "above":
        return ", a lead over the next that is beyond chance"
    return ", though the lead over the next is within what other seeds could undo"


def _cost(found: Roles, imbalance: Imbalance) -> list[str]:
    if found.balanced is None:
        return []
    balanced = found.balanced
    before, after, changes = _change(
        found, balanced, imbalance.regime, "reduced_recall", imbalance
    )
    if not changes:
        return []
    rare = classes(found, imbalance.reduced)
    whose = "its" if len(imbalance.reduced) == 1 else "their mean"
    return [
        f"Making {rare} rare ({imbalance.regime}) takes {whose} recall from "
        f"{before} to {after} ({_range(changes)}{_sureness(changes)})."
    ]


def _levelling(found: Roles, imbalance: Imbalance) -> list[str]:
    """What leaving images out brings data that are imbalanced by nature."""
    balanced, plain = found.balanced, imbalance.regime
    if balanced is None:
        return []
    before, after, changes = _change(
        found, plain, balanced, "reduced_recall", imbalance
    )
    price = _change(found, plain, balanced, "common_recall", imbalance)[2]
    if not changes:
        return []
    return [
        f"Levelling the classes ({balanced}) by leaving images of the common ones out "
        f"takes {_recall(found, imbalance)} from {before} to {after} "
        f"({_range(changes)}{_sureness(changes)}), while the other classes' recall "
        f"changes by {_range(price)}; the levelled runs see {found.images(balanced):,} "
        f"of {found.images(plain):,} training images."
    ]


def _recall(found: Roles, imbalance: Imbalance) -> str:
    mean = "" if len(imbalance.reduced) == 1 else "mean "
    return f"the {mean}recall of {classes(found, imbalance.reduced)}"


def _gain(
    record: StudyRecord, found: Roles, imbalance: Imbalance, *, again: bool
) -> list[str]:
    weighted = imbalance.weighted
    if weighted is None:
        return []
    before, after, changes = _change(
        found, imbalance.regime, weighted, "reduced_recall", imbalance
    )
    price = _change(found, imbalance.regime, weighted, "common_recall", imbalance)[2]
    if not changes:
        return []
    what = "that recall" if again else _recall(found, imbalance)
    return [
        f"Class weights take {what} from {before} to {after} ({_range(changes)}"
        f"{_sureness(changes)}), while the other classes' recall changes by "
        f"{_range(price)}.{_worth(record, imbalance)}"
    ]


def _worth(record: StudyRecord, imbalance: Imbalance) -> str:
    """For which models class weights are recommended, after a space."""
    ranked = [r for r in record.rankings if r.plain == imbalance.regime and r.tested]
    if not ranked:
        return ""
    won = [r.model for r in ranked if r.pick == imbalance.weighted]
    if all(row.change.decision == "below" for r in ranked for row in r.tested):
        whom = " for every model" if len(ranked) > 1 else ""
        return f" By macro-F1 they are worse than plain training beyond chance{whom}."
    lost = [r.model for r in ranked if r.model not in won]
    whom = ""
    if won and lost:
        whom = f" for {listed(won)}, not for {listed(lost)}"
    elif len(ranked) > 1:
        whom = " for every model" if won else " for any model"
    verb = "beat" if won else "do not beat"
    return f" By macro-F1 they {verb} plain training beyond chance{whom}."


def _change(
    found: Roles, first: str, second: str, score: str, imbalance: Imbalance
) -> tuple[str, str, list[Difference]]:
    """Mean level before and after over the models, and each model's difference.

    All of them over the seeds that both cells finished.
    """
    read = measure(score, imbalance.reduced)
    both = [
        (shared(runs, others), shared(others, runs))
        for m in found.models
        if (runs := found.runs(m, first)) and (others := found.runs(m, second))
    ]
    changes = [d for a, b in both if (d := contrast(b, a, read)) is not None]

    def level(sides: Sequence[Sequence[Record]]) -> str:
        values = [read(r.scores) for runs in sides for r in runs]
        return f"{100 * fmean(values):.0f} %" if values else ""

    return level([a for a, _ in both]), level([b for _, b in both]), changes


def _range(changes: Sequence[Difference]) -> str:
    low, high = (points(f(d.mean for d in changes)) for f in (min, max))
    if low == high:
        return f"{low} points"
    return f"{low} to {high} points, depending on the model"


def _sureness(changes: Sequence[Difference]) -> str:
    open_ = sum(d.decision == "undecided" for d in changes)
    if not open_:
        return "; beyond chance for every model" if len(changes) > 1 else ""
    if open_ == len(changes):
        alone = all(len(d.values) == 1 for d in changes)
        return f"; {'one seed does' if alone else 'these seeds alone do'} not settle it"
    return f"; settled for {len(changes) - open_} of {len(changes)} models"


def _tally(record: StudyRecord) -> str:
    counts = Counter[str](v.verdict for v in record.verdicts)
    parts = [f"{counts[kind]} {kind}" for kind in _ORDER if counts[kind]]
    # Not every open claim is one of seeds: pictures stay undecided with any number.
    seeds = any(
        v.verdict == "not decided" and "seeds would" in v.because
        for v in record.verdicts
    )
    return (
        f"Of the {len(record.verdicts)} claims of the reference study: "
        f"{listed(parts)}. The verdicts below say why"
        f"{', and how many seeds it would take' * seeds}."
    )
