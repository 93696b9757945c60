"""An experiment and its records -> a verdict on each claim of the reference study."""

from collections.abc import Sequence

from tessera.evaluation.balanced_training import balanced_training
from tessera.evaluation.comparative import (
    cnn_lacks_context,
    hybrid_wins,
    transformers_need_data,
)
from tessera.evaluation.faithfulness import Faithfulness
from tessera.evaluation.findings import (
    class_weights_help,
    grad_cam_meaningful,
    imbalance_costs_recall,
)
from tessera.evaluation.roles import roles
from tessera.experiment import Experiment
from tessera.record import Record, Verdict


def verdicts(
    experiment: Experiment,
    records: Sequence[Record],
    faithfulness: Sequence[Faithfulness] = (),
) -> tuple[Verdict, ...]:
    """Judge the four key findings and the three comparative results, in that order.

    Args:
        experiment: What was asked for: which model and regime plays which part.
        records: The runs that are finished, in any order; cells may be missing.
        faithfulness: Checks of their explanations, as far as there are any.

    Returns:
        Seven verdicts. A claim whose cells the experiment lacks is `not tested`, one
        that these seeds leave open `not decided`; both say what is missing.
    """
    found = roles(experiment, records)
    return (
        balanced_training(found),
        imbalance_costs_recall(found),
        class_weights_help(found),
        grad_cam_meaningful(experiment, records, faithfulness),
        cnn_lacks_context(found),
        transformers_need_data(found),
        hybrid_wins(found),
    )
