"""A study with twins that vary their images -> the tables of what that brings.

python -m tessera.report.committed.varied docs/findings.md results/variation
"""

import sys
from collections.abc import Iterator, Sequence

from tessera.experiment import Model
from tessera.record import StudyRecord
from tessera.report.committed import twins
from tessera.report.load import Study

VARIES = {"rotation", "zoom", "colour"}
"""Settings of a training that vary its images."""

HEADS = ("As they are", "All varied")
RARER_HEADS = ("Alike", "Rarer classes varied more")


def tables(study: Study) -> str:
    """A line for each model and its twin, then one for each remedy and its twin."""
    models = twins.pairs(study.record, _varies, _without)
    parts = (models, HEADS), (remedies(study.record), RARER_HEADS)
    return "\n".join(twins.table(study, list(pairs), heads) for pairs, heads in parts)


def _varies(model: Model) -> bool:
    return bool(VARIES & model.own.keys())


def _without(model: Model) -> object:
    own = {key: value for key, value in model.own.items() if key not in VARIES}
    return model.network, own


def remedies(record: StudyRecord) -> Iterator[twins.Pair]:
    """Each model under a remedy beside itself under the same with a variation."""
    cells = {(cell.model, cell.regime): cell for cell in record.cells}
    regimes = record.experiment.regimes
    for varied in (r for r in regimes if r.remedy.variation is not None):
        bare = varied.remedy.model_copy(update={"variation": None})
        like = next(
            r for r in regimes if (r.remedy, r.profile) == (bare, varied.profile)
        )
        for model in record.experiment.models:
            yield twins.Pair(
                *(cells[model.label, regime.name] for regime in (like, varied))
            )


def main(arguments: Sequence[str]) -> None:
    """Run from the command line, see `twins.write`."""
    twins.write(arguments, "varied", tables)


if __name__ == "__main__":
    main(sys.argv[1:])
