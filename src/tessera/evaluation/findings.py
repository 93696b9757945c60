"""The seed study's four key findings, each restated so that numbers can decide it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from tessera.evaluation import meaningful
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
from tessera.evaluation.evidence import (
    Claim,
    Finding,
    Outcome,
    classes,
    compare,
    listed,
    plural,
)
from tessera.evaluation.faithfulness import Faithfulness
from tessera.evaluation.roles import Imbalance, Roles
from tessera.experiment import Experiment
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
    "errors that guessing makes (high). The study names no bar; these two are ours, "
    "and hold for any number of classes.",
)
IMBALANCE = Claim(
    "imbalance-costs-recall",
    "Imbalanced training without class weighting results in poor minority-class "
    "recall.",
    "For every model, the mean recall of the reduced classes is lower after imbalanced "
    "than after balanced training with the same seeds.",
)
BY_NATURE = replace(
    IMBALANCE,
    hypothesis="For every model, the mean recall of the rare classes is lower after "
    "training on the data as they come than after balanced training with the same "
    "seeds. (Nothing is made rare here: balanced training leaves images of the common "
    "classes out, so that it has fewer images as well.)",
)
WEIGHTS = Claim(
    "class-weights-help",
    "Applying class weights significantly improves F1-score and recall of minority "
    "classes.",
    "For every model, both the mean F1 and the mean recall of the reduced classes are "
    "higher with class weights than without, on the same images with the same seeds.",
)
WEIGHTS_BY_NATURE = replace(
    WEIGHTS, hypothesis=WEIGHTS.hypothesis.replace("reduced", "rare")
)
GRAD_CAM = Claim(
    "grad-cam-meaningful",
    "Grad-CAM confirms that the model focuses on meaningful object regions.",
    "Hiding the regions that Grad-CAM marks changes the prediction more than hiding "
    "as large a region chosen without the model.",
)


def balanced_training(roles: Roles) -> Verdict:
    """Key finding 1: spread and height of the accuracy under balance."""
    if roles.balanced is None:
        return BALANCED.untested("No finished run has balanced classes and no remedy.")
    found = [(m, runs) for m in roles.models if (runs := _runs(roles, m))]
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
    if bounds is None or accuracy.deviation is None:
        sway = f"({seeds}, so the spread is not known)"
    else:
        most = min(bounds[1], largest_deviation(len(runs)))
        sway = (
            f"with a standard deviation of {100 * accuracy.deviation:.1f} points over "
            f"{seeds} (at most {100 * most:.1f} at 95 % confidence)"
        )
    level = spread([_above_guessing(r) for r in runs]).mean
    return (
        f"{model}: accuracy {100 * accuracy.mean:.1f} % {sway}; it avoids "
        f"{100 * level:.0f} % of the errors that guessing makes."
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
        return "How stable and how high training is takes more seeds to say."
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


def imbalance_costs_recall(roles: Roles) -> Verdict:
    """Key finding 2: what imbalance costs the reduced classes."""
    claim = BY_NATURE if roles.natural else IMBALANCE
    if roles.balanced is None or not roles.imbalances:
        return claim.untested(
            _no_rare_class(roles)
            or "It needs a balanced and an imbalanced regime, both without a remedy."
        )
    findings = [
        compare(
            roles,
            (model, imbalance.regime),
            (model, roles.balanced),
            measure("reduced_recall", imbalance.reduced),
            subject=f"{model}: recall of {classes(roles, imbalance.reduced)}, "
            f"{imbalance.regime} minus {roles.balanced}",
        )
        for imbalance, model in product(roles.imbalances, roles.models)
    ]
    return claim.judged(findings, "below")


def class_weights_help(roles: Roles) -> Verdict:
    """Key finding 3: what class weights win back, and at what price."""
    claim = WEIGHTS_BY_NATURE if roles.natural else WEIGHTS
    pairs = [i for i in roles.imbalances if i.weighted]
    if not pairs:
        return claim.untested(
            _no_rare_class(roles)
            or "It needs two regimes of one imbalanced profile: without a remedy and "
            "with class weights."
        )
    both = list(product(pairs, roles.models))
    gains = [
        _weighting(roles, imbalance, model, score)
        for imbalance, model in both
        for score in ("reduced_recall", "reduced_f1")
    ]
    price = [
        _weighting(roles, imbalance, model, score).sentence()
        for imbalance, model in both
        for score in ("common_recall", "accuracy")
    ]
    return claim.judged(gains, "above", also=[f"The price. {p}" for p in price])


def _no_rare_class(roles: Roles) -> str:
    """Why a claim of rare classes is not tested; empty where it is another reason."""
    if roles.imbalances or not roles.mild:
        return ""
    names = listed([i.regime for i in roles.mild])
    return (
        f"No class counts as rare under {names}: each has at least half of the images "
        "of the most common one. The ranking of remedies needs no rare class; to see "
        "what rarity costs, cut a class with a profile."
    )


def _weighting(roles: Roles, imbalance: Imbalance, model: str, score: str) -> Finding:
    rare = classes(roles, imbalance.reduced)
    what = {
        "reduced_recall": f"recall of {rare}",
        "reduced_f1": f"F1 of {rare}",
        "common_recall": "recall of the other classes",
        "accuracy": "accuracy",
    }[score]
    return compare(
        roles,
        (model, imbalance.weighted or ""),
        (model, imbalance.regime),
        measure(score, imbalance.reduced),
        subject=f"{model}: {what}, {imbalance.weighted} minus {imbalance.regime}",
    )


def grad_cam_meaningful(
    experiment: Experiment,
    records: Sequence[Record],
    faithfulness: Sequence[Faithfulness] = (),
) -> Verdict:
    """Key finding 4: what checks of the maps say, or what pictures alone can say."""
    if faithfulness:
        return meaningful.judged(GRAD_CAM, faithfulness)
    if not experiment.explain.examples or not records:
        return GRAD_CAM.untested("No heatmap was computed (explain.examples = 0).")
    each = plural(experiment.explain.examples, "correct and wrong test image")
    return GRAD_CAM.verdict(
        "not decided",
        "Pictures cannot confirm this: a map can look right for a model that uses "
        "other evidence (Adebayo et al. 2018, arXiv:1810.03292), and no region was "
        "hidden to see if the prediction depends on it.",
        [
            f"{plural(len(records), 'run')} left Grad-CAM maps of up to {each} per "
            "class; they are shown, not measured."
        ],
    )
