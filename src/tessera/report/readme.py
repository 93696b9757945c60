"""Committed results -> the tables between a README's two marker lines.

python -m tessera.report.readme README.md results/cifar10 results/digits
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tessera.record import StudyFolder, StudyRecord
from tessera.report import marked, tables
from tessera.report.published import beside_published


def write_readme_table(readme: Path, *studies: Path) -> None:
    """Replace what stands between the `results` markers by the studies' tables.

    Args:
        readme: A Markdown file with markers, see `marked.replace`.
        studies: Folders that hold a `study.json`.

    Raises:
        ValueError: A marker is missing, doubled or out of order.
        OSError: A `study.json` cannot be read.
    """
    body = "\n".join(_tables(folder) for folder in studies)
    marked.replace(readme, "results", body)


def _tables(folder: Path) -> str:
    text = StudyFolder(folder).study.read_text(encoding="utf-8")
    record = StudyRecord.model_validate_json(text)
    if tables.has_ranking(record):
        return "\n".join(
            filter(None, (tables.rankings(record), beside_published(record)))
        )
    return f"{tables.results(record)}\n{tables.verdicts(record)}"


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a README, then the studies' folders."""
    if len(arguments) < 2:
        raise SystemExit("usage: python -m tessera.report.readme README.md STUDY...")
    readme, *studies = map(Path, arguments)
    write_readme_table(readme, *studies)


if __name__ == "__main__":
    main(sys.argv[1:])
