"""docs/performance.md says what the committed records of the benchmarks say."""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tessera.evaluation.differences import spread

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a script of `benchmarks/` by its name, for one test."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = [path.stem for path in BENCHMARKS.glob("*.py")]
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def test_the_page_is_what_the_records_make_it(benchmark: Any) -> None:
    performance = benchmark("performance")
    assert performance.PAGE.read_text(encoding="utf-8") == performance.page()


def test_every_record_belongs_to_a_section(benchmark: Any) -> None:
    recorded = {path.stem for path in (BENCHMARKS / "records").rglob("*.json")}
    # Of docs/scaling.md, docs/hybrid-plus.md and docs/findings.md.
    recorded -= {"scaling", "keras_cct", "flips", "folds", "labels"}
    assert recorded
    assert recorded <= set(benchmark("performance").SECTIONS)


def test_ratios_are_to_the_fastest_peer(benchmark: Any) -> None:
    times = {"tessera": [40.0, 50.0, 99.0], "keras": [75.0], "torch": [100.0]}
    ways = {
        way: {"processor_ms": ms, "clock_ms": [2 * value for value in ms]}
        for way, ms in times.items()
    }
    rows = benchmark("train").table({"cores": 1, "ways": ways}).splitlines()[2:]
    assert [row.split("|")[2:-1] for row in rows] == [
        [" 50.0 ", " 2,560 ", " 1.50 ", " 100.0 ", " 1.50 "],
        [" 75.0 ", " 1,707 ", " 1.00 ", " 150.0 ", " 1.00 "],
        [" 100.0 ", " 1,280 ", " 0.75 ", " 200.0 ", " 0.75 "],
    ]


def test_what_multiplies_coarser_is_compared_with_its_like(benchmark: Any) -> None:
    times = {"tessera": 40.0, "tessera-16": 20.0, "keras": 60.0, "keras-16": 30.0}
    ways = {way: {"processor_ms": [ms], "clock_ms": [ms]} for way, ms in times.items()}
    told = benchmark("train").table({"cores": 1, "ways": ways})
    rows = [row.split("|")[4].strip() for row in told.splitlines()[2:6]]
    assert rows == ["1.50", "1.50", "1.00", "1.00"]
    assert "2.00 times as fast as its own in 32, and 3.00 times as fast as" in told


def test_accuracies_of_two_precisions_are_compared_seed_by_seed(benchmark: Any) -> None:
    def cell(model: str, *values: float, seeds: tuple[int, ...] = (0, 1)) -> Any:
        scores = {"accuracy": spread(values)}
        return SimpleNamespace(model=model, seeds=seeds, scores=scores)

    row = benchmark("precision")._row
    found = row(cell("cnn", 0.5, 0.6), cell("cnn-16", 0.51, 0.6))
    assert found[:3] == ["cnn", "2", "55.0 \N{PLUS-MINUS SIGN} 7.1"]
    assert found[4].startswith("+0.5 points")
    with pytest.raises(ValueError, match="expected the same seeds"):
        row(cell("cnn", 0.5, 0.6), cell("cnn-16", 0.5, 0.6, seeds=(0, 2)))


def test_a_runtimes_ratio_is_to_keras_predict_and_a_missing_one_is_left_empty(
    benchmark: Any,
) -> None:
    speeds = {"Keras predict": [10.0, 20.0, 90.0], "LiteRT": [50.0]}
    more = {"Keras predict": [1000.0], "ONNX Runtime": [1500.0, 2000.0, 9000.0]}
    columns = [
        {"model": "cnn", "batch": 1, "multiply_adds": 10**7, "images_per_second": one}
        | {"batch": batch}
        for batch, one in ((1, speeds), (512, more))
    ]
    rounded = {
        "model": "cnn",
        "run": "cnn--balanced, 8 epochs",
        "data": "Toys",
        "images": 10_000,
        "same_answers": 9_876,
        "balanced_accuracy": 0.51,
        "balanced_accuracy_whole": 0.52,
        "p": 0.0123,
        "bytes": 100_400,
        "bytes_whole": 400_000,
    }
    record = {"measurements": columns, "product_gflops": 99.6, "rounded": [rounded]}
    rows = benchmark("inference").table(record).splitlines()
    assert rows[0] == "| images/s | cnn, 1 | cnn, 512 |"
    assert rows[2:5] == [
        "| Keras predict | 20 (1.0) | 1,000 (1.0) |",
        "| LiteRT | 50 (2.5) |  |",
        "| ONNX Runtime |  | 2,000 (2.0) |",
    ]
    assert "ONNX Runtime did 40 of the cnn;" in rows[6]
    assert "ran at 100 on the same core" in rows[6]
    assert rows[-1] == "The test images are those of Toys."
    assert rows[-3] == (
        "| cnn | cnn--balanced, 8 epochs | 100 (of 400) | 98.8 % | "
        "51.0 % (of 52.0 %) | 0.012 |"
    )


@pytest.mark.parametrize(
    "name,expected",
    [
        ("a/conv2/Relu:_MklNativeFusedConv2D", "convolutions, forward"),
        ("t/pool1/MaxPoolGrad:_MklNativeMaxPoolGrad", "max pooling, gradient"),
        ("t/relu1/ReluGrad:ReluGrad", "ReLU and its gradient"),
        ("adam/Sub_3:Sub", "everything else (loss, Adam, dropout, averages)"),
        ("EagerLocalExecute: __inference_step_7", ""),
        ("ExecutorState::Process", ""),
    ],
)
def test_an_operation_is_counted_once_and_what_contains_others_is_not(
    benchmark: Any, name: str, expected: str
) -> None:
    assert benchmark("operations").kind(name) == expected


def test_a_record_holds_the_machine_that_it_was_measured_on(benchmark: Any) -> None:
    for name in benchmark("performance").SECTIONS:
        path = BENCHMARKS / "records" / f"{name}.json"
        if not path.exists():
            continue
        machine = json.loads(path.read_text(encoding="utf-8"))["machine"]
        assert machine.keys() >= {"processor", "cores", "load_before", "load_after"}
