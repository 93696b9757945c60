"""Committed results -> the tables between a README's two marker lines.

python -m tessera.report.readme README.md results/cifar10 results/digits
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tessera import files
from tessera.record import StudyFolder, StudyRecord
from tessera.report import tables
from tessera.report.published import beside_published

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"


def write_readme_table(readme: Path, *studies: Path) -> None:
    """Replace what stands between the markers by the studies' tables.

    Args:
        readme: A Markdown file that holds each marker once, in order.
        studies: Folders that hold a `study.json`.

    Raises:
        ValueError: A marker is missing, doubled or out of order.
        OSError: A `study.json` cannot be read.
    """
    text = readme.read_text(encoding="utf-8")
    if (
        text.count(BEGIN) != 1
        or text.count(END) != 1
        or text.find(BEGIN) > text.find(END)
    ):
        raise ValueError(
            f"{readme}: expected one line `{BEGIN}` and, after it, one line `{END}`. "
            f"Received: {text.count(BEGIN)} and {text.count(END)} of them. Put both "
            "where the tables belong."
        )
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    body = "\n".join(_tables(folder) for folder in studies)
    files.write_text(readme, f"{before}{BEGIN}\n{body}{END}{after}")


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
