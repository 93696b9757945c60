"""A study with twins that start from a run -> the table of what the start brings.

python -m tessera.report.committed.started docs/findings.md results/start
"""

import sys
from collections.abc import Sequence

from tessera.report.committed import twins
from tessera.report.load import Study

HEADS = ("Weights drawn", "Started")


def table(study: Study) -> str:
    """A line for each pair, with what all of their runs say of the start."""
    found = twins.pairs(
        study.record, lambda m: m.start is not None, lambda m: (m.network, m.training)
    )
    (begun,) = {note for r in study.records for note in r.notes if _of_start(note)}
    return twins.table(study, list(found), HEADS, begun)


def _of_start(note: str) -> bool:
    return note.startswith("Starts from the weights")


def main(arguments: Sequence[str]) -> None:
    """Run from the command line, see `twins.write`."""
    twins.write(arguments, "started", table)


if __name__ == "__main__":
    main(sys.argv[1:])
