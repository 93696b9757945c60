"""A study's finished runs -> the `StudyRecord` that `study.json` holds."""

from collections.abc import Sequence

from tessera.evaluation.comparison import summarise
from tessera.evaluation.faithfulness import Faithfulness
from tessera.evaluation.hypotheses import verdicts
from tessera.experiment import Experiment
from tessera.record import Environment, Record, StudyRecord


def study_record(
    experiment: Experiment,
    records: Sequence[Record],
    environment: Environment,
    folders: Sequence[str],
    faithfulness: Sequence[Faithfulness] = (),
) -> StudyRecord:
    """Reduce a study to its comparison and its verdicts.

    Args:
        experiment: What was asked for.
        records: Finished runs, in any order; at least one.
        environment: Of the process that writes the study.
        folders: The folder of each record, relative to the study's, same order.
        faithfulness: Checks of their explanations, as far as there are any.

    Raises:
        ValueError: No run is finished, or the runs saw different data.
    """
    if not records:
        raise ValueError("records: expected at least one finished run. Received: none.")
    prints = sorted({r.data.fingerprint for r in records})
    if len(prints) > 1:
        raise ValueError(
            "records: expected runs on the same data. Received fingerprints: "
            f"{', '.join(p[:12] for p in prints)}. Give the changed data its own "
            "output folder."
        )
    return StudyRecord(
        experiment=experiment,
        data=records[0].data,
        environment=environment,
        cells=summarise(experiment, records, folders),
        verdicts=verdicts(experiment, records, faithfulness),
    )
