"""Key findings 2 to 4 of the reference study, restated so that numbers can decide.

The first is in `balanced_training`.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from tessera.evaluation import meaningful
from tessera.evaluation.comparison import measure
from tessera.evaluation.evidence import Claim, Finding, classes, compare
from tessera.evaluation.faithfulness import Faithfulness
from tessera.evaluation.roles import Imbalance, Roles
from tessera.experiment import Experiment
from tessera.phrases import listed, plural
from tessera.record import NO_HEATMAPS, Record, Verdict

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
    if not experiment.explain.examples:
        return GRAD_CAM.untested("No heatmap was computed (explain.examples = 0).")
    explained = [
        r for r in records if not any(n.startswith(NO_HEATMAPS) for n in r.notes)
    ]
    if not explained:
        return GRAD_CAM.untested(
            "No run left a heatmap: a map of too few cells cannot show a place."
        )
    each = plural(experiment.explain.examples, "correct and wrong test image")
    return GRAD_CAM.verdict(
        "not decided",
        "Pictures cannot confirm this: a map can look right for a model that uses "
        "other evidence (Adebayo et al. 2018, arXiv:1810.03292), and no region was "
        "hidden to see if the prediction depends on it.",
        [
            f"{plural(len(explained), 'run')} left Grad-CAM maps of up to {each} per "
            "class; they are shown, not measured."
        ],
    )
