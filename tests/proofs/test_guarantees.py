"""The page of guarantees shows the committed records, and commands that exist."""

import json
import re
from pathlib import Path

import pytest

from proofs import guarantees

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guarantees.md"


def test_the_figures_on_the_page_are_those_of_the_records() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert guarantees.filled(page, guarantees.figures()) == page


def test_every_command_on_the_page_names_tests_that_exist() -> None:
    named = set(re.findall(r"tests/[\w/]+\.py", PAGE.read_text(encoding="utf-8")))
    assert len(named) >= 8
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_a_record_becomes_a_row(tmp_path: Path) -> None:
    record = {
        "promise": "It holds.",
        "figures": {"files_read": 1000, "equal": True, "share": 0.5},
        "commit": "0123456789abcdef",
        "date": "2026-01-02",
        "machine": "a processor",
    }
    (tmp_path / "a.json").write_text(json.dumps(record))
    assert guarantees.figures(tmp_path).splitlines()[-1] == (
        "| It holds. | files read: 1,000; equal: yes; share: 0.5 "
        "| `0123456789ab`, 2026-01-02 | a processor |"
    )


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="figures:begin"):
        guarantees.filled("no marks", "table")
