"""What to hand over after cross-validation: the drawings, and what the page says."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WAYS = ("told", "fold", "folds", "whole", "wholes")


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("folds")
    for name in ("folds", "measure"):
        sys.modules.pop(name, None)


def pictures(root: Path, each: int) -> Path:
    """A folder of five classes, whose files are none that could be opened."""
    for split in ("train", "test"):
        for name in "edcba":
            (root / split / name).mkdir(parents=True)
            for number in range(each):
                (root / split / name / f"{number:03}.jpg").write_text(split + name)
    return root


def test_the_page_says_what_the_record_says(folds: Any) -> None:
    record = json.loads(folds.RECORD.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert folds.table(record) in page


def test_both_studies_have_the_same_images_and_one_has_the_test_set_too(
    folds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "SIZES", (9, 7, 5, 3, 2))
    data = pictures(tmp_path / "data", 20)
    places = folds.draw(data, tmp_path / "to", 0)
    alone, tested = (
        {str(p.relative_to(root)) for p in root.rglob("*.jpg")}
        for root in (places["folds"], places["wholes"])
    )
    assert {f"train/{name}" for name in alone} == {n for n in tested if n[:2] == "tr"}
    for name, size in zip("abcde", (9, 7, 5, 3, 2), strict=True):
        assert sum(place.startswith(f"{name}/") for place in alone) == size
        assert sum(place.startswith(f"test/{name}/") for place in tested) == 20
    again = folds.draw(data, tmp_path / "again", 0)["folds"]
    other = folds.draw(data, tmp_path / "other", 1)["folds"]
    drawn = [{str(p.relative_to(r)) for p in r.rglob("*.jpg")} for r in (again, other)]
    assert drawn[0] == alone != drawn[1]


def test_ways_are_compared_drawing_by_drawing(folds: Any) -> None:
    machine = {"packages": {}, "python": "3", "processor": "one"}
    drawings = [
        dict(zip(WAYS, values, strict=True))
        for values in ((0.5, 0.5, 0.6, 0.5, 0.6), (0.4, 0.6, 0.8, 0.6, 0.6))
    ]
    told = folds.table({"machine": machine, "data": "D", "drawings": drawings})
    rows = [line.split(" | ") for line in told.splitlines() if line.startswith("| ")]
    # Gains of all folds 0.1 and 0.2: 0.15 -+ 12.7062 x 0.0707 / sqrt(2).
    assert rows[4][1:] == ["70.0 ± 14.1", "+15.0 [\N{MINUS SIGN}48.5, +78.5]", " |"]
    assert rows[3][2] == "" and "Over 2 drawings;" in told
