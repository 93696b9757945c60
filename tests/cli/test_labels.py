"""`tessera labels` as a user meets it: a list to work through, and what it is worth."""

import csv
import io
import json
from pathlib import Path

from cli.inside import tessera
from tessera import doubts
from tessera.cli import labels
from tessera.doubts import Doubt

ROW = Doubt("a,b/1.png", "cat", 0.1234567, "deer", 0.75)


def written(form: str) -> str:
    out = io.StringIO()
    labels.write([ROW], form, out)
    return out.getvalue()


def test_csv_and_json_lines_say_the_same() -> None:
    (row,) = csv.DictReader(io.StringIO(written("csv")))
    told = json.loads(written("jsonl"))
    assert {name: str(value) for name, value in told.items()} == row
    assert (told["image"], told["label"], told["suggested"]) == (
        *("a,b/1.png", "cat"),
        "deer",
    )
    assert told["probability"] == 0.123457


def test_the_table_holds_label_and_suggestion() -> None:
    head, row = written("table").splitlines()
    assert head.split() == ["label", "suggested", "image"]
    assert row.split() == ["cat", "12.3%", "deer", "75.0%", "a,b/1.png"]


def test_without_a_doubt_there_is_a_table_without_rows() -> None:
    out = io.StringIO()
    labels.write([], "table", out)
    assert out.getvalue().split() == ["label", "suggested", "image"]


def test_the_list_is_on_standard_output_and_what_it_is_worth_is_not(
    in_folds: Path,
) -> None:
    ended = tessera("labels", in_folds, "--format", "csv")
    assert ended.returncode == 0
    found = doubts.doubts(in_folds)
    assert len(list(csv.DictReader(io.StringIO(ended.stdout)))) == len(found.rows)
    assert found.summary in ended.stderr and found.said_by in ended.stderr


def test_a_format_that_there_is_not_is_refused(in_folds: Path) -> None:
    ended = tessera("labels", in_folds, "--format", "xml")
    assert ended.returncode == 2 and "table, jsonl, csv" in ended.stderr
