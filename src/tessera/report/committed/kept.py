"""A study with twins that keep their last epoch -> the table of what that brings.

python -m tessera.report.committed.kept docs/findings.md results/last-epoch
"""

import sys
from collections.abc import Sequence

from tessera.experiment import Model
from tessera.report.committed import twins
from tessera.report.load import Study

HEADS = ("Best kept", "Last kept")


def table(study: Study) -> str:
    """A line for each pair."""
    found = twins.pairs(study.record, _keeps_last, _without_monitor)
    return twins.table(study, list(found), HEADS)


def _keeps_last(model: Model) -> bool:
    return model.own.get("monitor") == "last_epoch"


def _without_monitor(model: Model) -> object:
    return model.network, {k: v for k, v in model.own.items() if k != "monitor"}


def main(arguments: Sequence[str]) -> None:
    """Run from the command line, see `twins.write`."""
    twins.write(arguments, "kept", table)


if __name__ == "__main__":
    main(sys.argv[1:])
