"""docs/scaling.md: its numbers are the record's, and follow from it as it says."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def scaling() -> ModuleType:
    place = ROOT / "benchmarks" / "scaling.py"
    spec = importlib.util.spec_from_file_location("scaling", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def record(scaling: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scaling.RECORD.read_text(encoding="utf-8"))
    return found


def test_the_document_says_what_the_record_says(
    scaling: ModuleType, record: dict[str, Any]
) -> None:
    document = scaling.DOCUMENT.read_text(encoding="utf-8")
    assert scaling.written(document, record) == document, (
        "docs/scaling.md is old: python benchmarks/scaling.py --write docs/scaling.md"
    )


def test_a_thousand_runs_on_eight_hundred_cores_take_two_waves_and_the_costs(
    scaling: ModuleType, record: dict[str, Any]
) -> None:
    costs = {
        "ray_first_seconds": 25.0,
        "ray_next_seconds": 5.0,
        "seconds_per_collected_run": 0.1,
    }
    # 2 x 600 s; a start of 20 s, 50 x 184.32 MB at 125 MB/s, 1,000 x 0.1 s of files.
    waves, ideal, whole = scaling.wall(record | costs, 600.0)
    assert (waves, ideal) == (2, 1200.0)
    assert whole == pytest.approx(1200.0 + 20.0 + 73.728 + 100.0)
    (line,) = scaling.limits(record | costs | {"notes_per_second": 3000.0})
    assert "10 runs a second" in line
    assert "less than 80 s" in line
    assert "from 6,000 runs at a time" in line
    assert "full at 3,000 runs at a time" in line
