"""A study's finished runs -> the `StudyRecord` that `study.json` holds."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tessera.evaluation.baselines import baselines
from tessera.evaluation.comparison import (
    cells,
    reduced_classes,
    regimes_by_counts,
    summarise,
)
from tessera.evaluation.faithfulness import Faithfulness
from tessera.evaluation.hypotheses import verdicts
from tessera.evaluation.outcomes import Outcome, read
from tessera.evaluation.ranking import rankings
from tessera.experiment import Experiment
from tessera.record import ComputedWith, Environment, Record, RunFolder, StudyRecord
from tessera.results import Baseline


def study_record(
    experiment: Experiment,
    records: Sequence[Record],
    environment: Environment,
    folders: Sequence[str],
    root: Path | None = None,
    faithfulness: Sequence[Faithfulness] = (),
) -> StudyRecord:
    """Reduce a study to its comparison and its verdicts.

    Args:
        experiment: What was asked for.
        records: Finished runs, in any order; at least one.
        environment: Of the process that writes the study.
        folders: The folder of each record, relative to the study's, same order.
        root: The study's folder; given, the stored predictions add calibration,
            curves and bootstrap intervals.
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
        trained=trained(records),
        cells=summarise(experiment, records, folders, _reader(root)),
        verdicts=verdicts(experiment, records, faithfulness),
        rankings=rankings(experiment, records),
        baselines=_baselines(experiment, records),
    )


def trained(records: Sequence[Record]) -> tuple[ComputedWith, ...]:
    """What the runs were computed with, as their records say, most runs first."""
    found = Counter(record.provenance.model_dump_json() for record in records)
    return tuple(
        ComputedWith(environment=Environment.model_validate_json(text), runs=runs)
        for text, runs in found.most_common()
    )


def _reader(root: Path | None) -> Callable[[str], Outcome | None]:
    return lambda folder: read(RunFolder(root / folder)) if root else None


def _baselines(
    experiment: Experiment, records: Sequence[Record]
) -> tuple[Baseline, ...]:
    """Both baselines for every distinct training distribution, in order."""
    known = regimes_by_counts(cells(experiment, records))
    tested, everywhere = records[0].data.test_counts, reduced_classes(records)
    own = {record.regime: record.reduced_classes for record in records}
    return tuple(
        row
        for counts, names in known.items()
        for row in baselines(
            # Of the classes that the cells beside them are measured on.
            counts,
            tested,
            reduced=own[names[0]] or everywhere,
            regimes=names,
        )
    )
