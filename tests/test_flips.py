"""Two looks at each test image: what averages, and what the page says of it."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def flips(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("flips")
    for name in ("flips", "measure"):
        sys.modules.pop(name, None)


def test_the_page_says_what_the_record_says(flips: Any) -> None:
    record = json.loads(flips.RECORD.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "hybrid-plus.md").read_text(encoding="utf-8")
    assert flips.table(record) in page


def test_the_logits_of_both_views_are_averaged(flips: Any) -> None:
    labels = np.array([0, 0, 1])
    once = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])  # right, wrong, right
    mirrored = np.array([[0.0, 0.5], [2.0, 0.0], [3.0, 0.0]])  # 0, 0, 0 together
    assert flips.accuracies(once, mirrored, labels) == {
        "once": pytest.approx(2 / 3),
        "twice": pytest.approx(2 / 3),
    }
    weaker = mirrored * [[1.0], [1.0], [0.1]]
    assert flips.accuracies(once, weaker, labels)["twice"] == 1.0


def test_of_a_study_the_balanced_runs_of_hybrid_plus_are_taken(flips: Any) -> None:
    found = [place.name for _, place in flips.runs(ROOT / "results" / "plus-long")]
    assert found == ["seed-0", "seed-1", "seed-2"]
    assert not list(flips.runs(ROOT / "results" / "study"))
