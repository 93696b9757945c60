import json

import pytest

from tessera.record import Spread
from tessera.report.frontier import Point, main, pareto, picture, points, read, table


def point(model: str, training: float, accuracy: float) -> Point:
    spread = Spread(mean=accuracy, deviation=None, values=(accuracy,))
    return Point(model, 8, 1000, 2_000_000, training, spread)


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
    assert "| Model | Epochs |" in page.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".svg"] == []
