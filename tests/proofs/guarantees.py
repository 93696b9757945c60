"""The committed records -> the table of docs/guarantees.md.

python tests/proofs/guarantees.py docs/guarantees.md
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).parent / "records"
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"


def figures(records: Path = RECORDS) -> str:
    """A row for each record: promise, figures, when and on what."""
    rows = [
        "| Promise | Last figures | Commit, date | Machine |",
        "| --- | --- | --- | --- |",
    ]
    for path in sorted(records.glob("*.json")):
        rows.append(_row(json.loads(path.read_text(encoding="utf-8"))))
    return "\n".join(rows)


def _row(record: dict[str, Any]) -> str:
    shown = "; ".join(
        f"{name.replace('_', ' ')}: {_number(value)}"
        for name, value in record["figures"].items()
    )
    commit = (record["commit"] or "none")[:12]
    return (
        f"| {record['promise']} | {shown} | `{commit}`, {record['date']} "
        f"| {record['machine']} |"
    )


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def filled(page: str, table: str) -> str:
    """The page with the table between its marks.

    Raises:
        ValueError: The page has no marks.
    """
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", flags=re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"expected {BEGIN} and {END} in the page. Received: neither.")
    return pattern.sub(lambda _: f"{BEGIN}\n{table}\n{END}", page)


def main(path: Path) -> None:
    text = filled(path.read_text(encoding="utf-8"), figures())
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
