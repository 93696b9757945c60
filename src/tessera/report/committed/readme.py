r"""Committed results -> the tables between a README's two marker lines.

    python -m tessera.report.committed.readme README.md results/cifar10 results/digits
    python -m tessera.report.committed.readme README.md results/cifar10 \
        --also results/context

Of a study after `--also` only the verdicts are told that those before left untested.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tessera.evaluation.length import still_learning
from tessera.record import StudyFolder, StudyRecord
from tessera.report import provenance, tables
from tessera.report.committed import marked
from tessera.report.committed.published import beside_published
from tessera.report.load import Study, load

ALSO = "--also"


def write_readme_table(readme: Path, *studies: Path, also: Sequence[Path] = ()) -> None:
    """Replace what stands between the `results` markers by the studies' tables.

    Args:
        readme: A Markdown file with markers, see `marked.replace`.
        studies: Folders that hold a `study.json`.
        also: Others, for the verdicts that a study leaves untested.

    Raises:
        ValueError: A marker is missing, doubled or out of order.
        OSError: A `study.json` of `also` cannot be read.
        StudyError: One of `studies` cannot be.
    """
    others = {folder.name: _record(folder) for folder in also}
    parts = [_tables(load(folder), others) for folder in studies]
    sources = [f"`{k}`: {provenance.line(r)}\n" for k, r in others.items()]
    marked.replace(readme, "results", "\n".join([*parts, *sources]))


def _record(folder: Path) -> StudyRecord:
    text = StudyFolder(folder).study.read_text(encoding="utf-8")
    return StudyRecord.model_validate_json(text)


def _tables(study: Study, others: Mapping[str, StudyRecord]) -> str:
    record = study.record
    short = still_learning(record.experiment, study.records)
    above, below = (
        (tables.rankings(record), beside_published(record))
        if tables.has_ranking(record)
        else (tables.results(record), tables.verdicts(record, others))
    )
    return "\n".join(filter(None, (above, short and f"{short}\n", below)))


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a README, then the studies' folders."""
    before, after = _halves(arguments)
    if len(before) < 2:
        raise SystemExit(
            "usage: python -m tessera.report.committed.readme README.md STUDY... "
            "[--also STUDY...]"
        )
    readme, *studies = map(Path, before)
    write_readme_table(readme, *studies, also=[Path(folder) for folder in after])


def _halves(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before `--also` and after it."""
    if ALSO not in arguments:
        return arguments, ()
    at = arguments.index(ALSO)
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    main(sys.argv[1:])
