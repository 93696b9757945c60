import dataclasses
import re

import numpy as np
from evaluation.studies import NAMES, flat

from tessera import files
from tessera.evaluation.mistakes import drawn
from tessera.experiment import (
    CLASS_WEIGHTS,
    Cnn,
    Experiment,
    Hybrid,
    Reduced,
    Regime,
    Training,
)
from tessera.explain import examples
from tessera.report.load import load
from tessera.report.side_by_side import MOST_COLUMNS, side_by_side

from .conftest import MANY, SMALL, many_recalls, recalls
from .folders import heatmaps, with_temperatures, write_study

SIX = [
    (model, regime)
    for regime in ("balanced", "imbalanced", "weighted")
    for model in ("cnn", "hybrid")
]


def test_a_row_is_an_image_of_each_class_and_a_column_a_cell(study):
    drawing = side_by_side(study)
    assert drawing is not None and drawing.images
    assert headings(drawing.svg) == [model for model, _ in SIX]
    assert re.findall(r'">(balanced|imbalanced|weighted)<', drawing.svg) == [
        "balanced",
        "imbalanced",
        "weighted",
    ]
    rows = re.findall(r'font-weight="600">([a-z]+)<', drawing.svg)[6:]
    assert rows == list(NAMES)
    assert len(re.findall(r"(?:right|wrong), \d+ %", drawing.svg)) == 10 * 6


def test_the_image_of_a_class_is_the_first_in_the_draw_that_all_explained(tmp_path):
    study = load(write_study(tmp_path, SMALL, recalls))
    order = drawn(sum(study.record.data.test_counts), 0)
    # Of class 0 the CNN explained its first and fourth image in the draw, the hybrid
    # its second and fourth: the fourth is what they have in common.
    first, second, _, fourth = (int(i) for i in order[:4])
    for (model, _, seed), run in study.folders.items():
        own = second if model == "hybrid" else first
        arrays = heatmaps(np.random.default_rng(seed))
        arrays["indices"] = np.array([own, fourth, *(-i for i in range(1, 19))])
        arrays["images"][:] = 7
        arrays["images"][1] = 200
        files.write_arrays(run.heatmaps, **arrays)
        run.predictions.unlink()
    drawing = side_by_side(study)
    assert drawing is not None
    rows = re.findall(r'font-weight="600">([a-z]+)<', drawing.svg)[6:]
    assert rows == [NAMES[0]]
    # The stand-in answers of that place are wrong, see `heatmaps`.
    assert drawing.svg.count(f">{NAMES[1]}<") == 6 and "right," not in drawing.svg


def test_runs_of_one_seed_always_have_the_first_image_of_a_class_in_common():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 60).astype(np.int32)
    chosen = [
        examples.choose(
            labels, rng.integers(0, 3, 60).astype(np.int32), per_class=1, seed=4
        )
        for _ in range(8)
    ]
    order = drawn(60, 4)
    for label in range(3):
        first = order[labels[order] == label][0]
        assert all(first in one for one in chosen)


def test_a_blank_map_shows_its_reason(tmp_path):
    folder = write_study(tmp_path, SMALL, recalls)
    study = load(folder)
    arrays = heatmaps(np.random.default_rng(0))
    arrays["reasons"][:] = "no positive evidence"
    files.write_arrays(study.folders["hybrid", "weighted", 0].heatmaps, **arrays)
    drawing = side_by_side(study)
    assert drawing is not None
    # Ten of that cell, and one of each other where the last image is the first drawn.
    assert 10 <= drawing.svg.count("no map: no positive evidence") <= 15
    assert drawing.svg.count("<image ") + drawing.svg.count("no map") == 10 * 7


def test_percentages_are_calibrated_as_in_the_other_pictures(study):
    drawing = side_by_side(with_temperatures(study, 0.5))
    assert drawing is not None
    # Stored answers are one-hot logits of ten classes, and the stand-in maps speak for
    # other classes: 1 / (e^2 + 9) at T = 1/2, 1 / (e^0.5 + 9) at T = 2.
    first, second = re.findall(r"(?:right|wrong), (\d+) %", drawing.svg)[-6:-4]
    assert (first, second) == ("6", "9")


def test_it_needs_two_cells_of_one_seed(study):
    cells = study.record.cells
    alone = study.record.model_copy(update={"cells": cells[:1]})
    assert side_by_side(dataclasses.replace(study, record=alone)) is None
    other = cells[1].model_copy(update={"seeds": (1,)})
    apart = study.record.model_copy(update={"cells": (cells[0], other)})
    runs = {k: v[1:] if k[1] == other.regime else v for k, v in study.cells.items()}
    seeds = dataclasses.replace(study, record=apart, cells=runs)
    assert side_by_side(seeds) is None


def test_a_first_cell_whose_first_seed_is_missing_does_not_hide_the_others(study):
    first = study.record.cells[0]
    key = first.model, first.regime
    late = first.model_copy(update={"seeds": (1,)})
    record = study.record.model_copy(update={"cells": (late, *study.record.cells[1:])})
    runs = study.cells | {key: study.cells[key][1:]}
    drawing = side_by_side(dataclasses.replace(study, record=record, cells=runs))
    assert drawing is not None and drawing.caption.startswith("Seed 0;")
    assert len(headings(drawing.svg)) == 5
    assert "1 other cell is not shown here." in drawing.caption


def test_names_of_regimes_do_not_run_into_each_other(tmp_path):
    names = ("class-balanced-focal", "label-aware-smoothing", "progressive-sampling")
    regimes = tuple(
        Regime(name=name, profile=Reduced(), remedy=CLASS_WEIGHTS) for name in names
    )
    for models, letters in (((Hybrid(),), 15), ((Cnn(), Hybrid()), 30)):
        experiment = Experiment(
            name="long", models=models, regimes=regimes, training=Training(), seeds=(0,)
        )
        folder = tmp_path / str(letters)
        drawing = side_by_side(
            load(write_study(folder, experiment, lambda *_: flat(0.8, 0.5)))
        )
        assert drawing is not None
        told = re.findall(r'y="14"[^>]*>([^<]+)<', drawing.svg)
        assert len(told) == len(set(told)) == 3
        # Six units a letter, a hundred a column.
        assert all(6 * len(name) <= 100 * len(models) for name in told)
        assert (told == list(names)) is (letters > max(map(len, names)))


def test_without_an_image_in_common_there_is_no_figure(tmp_path):
    study = load(write_study(tmp_path, SMALL, recalls))
    for at, run in enumerate(study.folders.values()):
        arrays = heatmaps(np.random.default_rng(0))
        arrays["indices"] += 20 * at
        files.write_arrays(run.heatmaps, **arrays)
        run.predictions.unlink()
    assert side_by_side(study) is None


def test_of_many_cells_those_of_the_first_regimes_are_shown(tmp_path):
    study = load(write_study(tmp_path, MANY, many_recalls))
    drawing = side_by_side(study)
    assert drawing is not None
    # One model: as many regimes as any figure draws, six of nine.
    assert len(headings(drawing.svg)) == 6 <= MOST_COLUMNS
    assert "3 other cells are not shown here." in drawing.caption


def headings(svg: str) -> list[str]:
    return re.findall(r'y="30"[^>]*>([a-z]+)<', svg)


def test_the_words_count_the_images_and_claim_no_lowest_recall_of_a_few(tmp_path):
    study = load(write_study(tmp_path, SMALL, recalls))
    whole = side_by_side(study)
    assert whole is not None
    assert whole.alternative.startswith("10 test images, no two of one class")
    for run in study.folders.values():
        arrays = heatmaps(np.random.default_rng(0))
        arrays["indices"][1:] = -np.arange(1, 20)
        files.write_arrays(run.heatmaps, **arrays)
        run.predictions.unlink()
    one = side_by_side(study)
    assert one is not None
    assert one.alternative.startswith("1 test image, no two")
    assert "lowest recall" not in one.caption
