import json

import pytest
from scipy import stats

from tessera.evaluation.differences import spread
from tessera.phrases import MINUS
from tessera.report.committed.frontier import (
    Point,
    beside_first,
    main,
    pareto,
    picture,
    points,
    read,
    table,
)


def point(model: str, training: float, *accuracies: float, seeds=()) -> Point:
    return Point(model, 8, 1000, 2_000_000, training, spread(accuracies), seeds)


CHEAP, DEAR, WORSE = point("a", 1e12, 0.6), point("b", 3e12, 0.8), point("c", 2e12, 0.5)


def test_the_frontier_leaves_out_what_costs_more_and_is_no_better():
    assert pareto([DEAR, WORSE, CHEAP]) == (CHEAP, DEAR)


def test_of_two_at_one_cost_the_better_stays():
    assert pareto([CHEAP, point("d", 1e12, 0.7)])[0].model == "d"


def test_a_training_costs_three_passes_of_every_image_in_every_epoch(study):
    found = {p.model: p for p in points(study.record)}
    cell = next(c for c in study.record.cells if c.regime == "balanced")
    images = sum(cell.train_counts) * 3
    assert set(found) == {"cnn", "hybrid"}
    expected = 3 * cell.multiply_adds * images
    assert found[cell.model].training == pytest.approx(expected)


def test_a_peers_record_is_a_point_like_any_other(tmp_path):
    record = {
        "machine": {"python": "3.11", "packages": {"keras": "3"}, "processor": "chip"},
        "data": "Dots",
        "model": "theirs",
        "epochs": 5,
        "images": 100,
        "parameters": 7,
        "forward": 1000,
        "accuracy": [0.5, 0.7],
    }
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    (found,), source = read(path)
    assert (found.model, found.epochs, found.parameters) == ("theirs", 5, 7)
    assert found.training == 3 * 1000 * 100 * 5
    assert found.accuracy.mean == pytest.approx(0.6)
    assert source.startswith("`theirs.json`: Dots. Python 3.11, keras 3; chip")


def test_rows_rise_with_the_cost_and_the_frontier_is_bold():
    rows = table([DEAR, WORSE, CHEAP]).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["**a**", "c", "**b**"]
    assert "| 60.0 |" in rows[0]


def test_models_of_the_same_seeds_are_compared_with_the_first_seed_by_seed():
    seeds = ("seed-0", "seed-1", "seed-2")
    first, second = (0.80, 0.82, 0.84), (0.79, 0.80, 0.81)
    (found,) = beside_first(
        [
            point("whole", 3e12, *first, seeds=seeds),
            point("part", 2e12, *second, seeds=seeds),
            point("of-other-seeds", 2e12, *second, seeds=(*seeds[:2], "seed-3")),
            point("a-peer", 2e12, *second),
        ]
    )
    test = stats.ttest_rel(second, first).confidence_interval(0.95)
    assert (round(100 * test.low, 1), round(100 * test.high, 1)) == (-4.5, 0.5)
    assert found.startswith(
        f"Test accuracy, part less whole: {MINUS}2.0 points "
        f"(95 % interval {MINUS}4.5 to +0.5, 3 seeds): undecided"
    )


def test_one_seed_is_no_comparison():
    one = ("seed-0",)
    assert not beside_first(
        [point("a", 1e12, 0.5, seeds=one), point("b", 1e12, 0.6, seeds=one)]
    )


def test_the_picture_names_every_model():
    text = picture([CHEAP, DEAR, WORSE])
    assert all(f"{name}, 8 epochs" in text for name in "abc")


def test_page_and_drawing_are_written(study_folder, tmp_path):
    page, drawing = tmp_path / "page.md", tmp_path / "frontier.svg"
    page.write_text("<!-- frontier:begin -->\n<!-- frontier:end -->\n")
    main([str(page), "frontier", str(drawing), str(study_folder)])
    assert "| Model | Epochs |" in page.read_text(encoding="utf-8")
    assert drawing.read_text(encoding="utf-8").startswith("<?xml")


def test_another_part_of_the_page_is_written_without_a_drawing(study_folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- long:begin -->\n<!-- long:end -->\n")
    main([str(page), "long", "-", str(study_folder)])
    text = page.read_text(encoding="utf-8")
    assert "| Model | Epochs |" in text
    assert "Test accuracy, hybrid less cnn: " in text
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".svg"] == []
