"""Planted wrong labels: how they are laid, and how a list of them is counted."""

import importlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("labels")
    for name in ("labels", "folds", "measure"):
        sys.modules.pop(name, None)


def test_the_page_says_what_the_record_says(labels: Any) -> None:
    record = json.loads(labels.RECORD.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert labels.table(record) in page


def test_a_tenth_of_each_class_lies_in_folders_of_others(
    labels: Any, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for name in "abcde":
        (data / "train" / name).mkdir(parents=True)
        for number in range(220):
            (data / "train" / name / f"{number}.jpg").write_text(name)
    laid = labels.draw(data, tmp_path / "to", 0)
    wrong = Counter(own for own, folder in laid.values() if own != folder)
    assert wrong == {"a": 20, "b": 10, "c": 5, "d": 3, "e": 2}
    found = {str(p.relative_to(tmp_path / "to")) for p in tmp_path.rglob("to/*/*.jpg")}
    assert found == set(laid) and len(laid) == 400
    for place, (own, folder) in laid.items():
        assert place.startswith(f"{folder}/{own}-")
        assert (tmp_path / "to" / place).read_text() == own


def test_a_list_is_counted_by_hand(labels: Any) -> None:
    laid = {
        "b/1": ("a", "b"),
        "a/2": ("b", "a"),
        **{f"a/{n}": ("a", "a") for n in range(3, 9)},
    }
    listed = [("a/3", "b"), ("b/1", "a"), ("a/2", "c"), ("a/4", "b")]
    assert labels.told(laid, listed) == {
        "planted": 2 / 8,
        "listed": 4 / 8,
        "found": 1.0,
        "right": 2 / 4,
        "first": 1 / 2,
        "suggested": 1 / 2,
    }
