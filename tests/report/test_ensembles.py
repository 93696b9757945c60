"""What the report says of a cell's seeds, asked together."""

from dataclasses import replace

import pytest
from evaluation.studies import flat

from tessera.experiment import Folder, Reduced, Regime
from tessera.report import ensembles
from tessera.report.load import load
from tessera.report.page import page
from tessera.results import Interval

from .conftest import SMALL, unpainted
from .folders import write_study


def test_every_cell_has_a_row_with_the_gain_of_its_ensemble(study):
    found = ensembles.values(study)
    assert [(row.model, row.regime, row.seeds) for row in found["ensembles"]] == [
        (cell.model, cell.regime, 2) for cell in study.record.cells
    ]
    cell = study.record.cells[0]
    expected = cell.ensemble.scores["macro_f1"] - cell.scores["macro_f1"].mean
    assert ensembles.gain(cell, "macro_f1") == pytest.approx(expected)


def test_a_gain_is_in_points_with_its_interval_where_it_has_one(study):
    cell = study.record.cells[0]

    def told(low, high):
        gains = {"accuracy": Interval(low=low, high=high)}
        scores = {"accuracy": cell.scores["accuracy"].mean + 0.023}
        other = cell.ensemble.model_copy(update={"gains": gains, "scores": scores})
        return ensembles.gain_in_words(
            cell.model_copy(update={"ensemble": other}), "accuracy"
        )

    assert told(0.011, 0.034) == "+2.3 [+1.1, +3.4]"
    assert told(None, None) == "+2.3"


def test_regimes_whose_seeds_learn_from_other_images_are_named(study, tmp_path):
    # 5,000 images of each class, of which the profile keeps a fifth of three.
    assert ensembles.other_images(study) == ["imbalanced", "weighted"]
    same = Regime(name="imbalanced", profile=Reduced(selection="reference"))
    experiment = SMALL.model_copy(update={"regimes": (same,)})
    folder = write_study(tmp_path, experiment, lambda *_: flat(0.8, 0.4))
    assert ensembles.other_images(load(folder)) == []


def test_images_of_another_fold_are_not_taken_for_cut(study):
    # Of 5,000 images a third is tested; 3,333 are left, 333 of them validate.
    folder = Folder(path="photos", folds=3)
    experiment = study.record.experiment.model_copy(update={"data": folder})
    record = study.record.model_copy(update={"experiment": experiment})
    run = study.records[0]
    whole, cut = (
        run.model_copy(
            update={"train_counts": (n,) * 10, "validation_counts": (333,) * 10}
        )
        for n in (3000, 2000)
    )
    for one, expected in ((whole, []), (cut, ["balanced"])):
        cells = {(run.model, run.regime): (one,)}
        pooled = replace(study, record=record, cells=cells)
        assert ensembles.other_images(pooled) == expected


def test_the_page_says_what_it_gains_and_how_it_is_used(study):
    text = page(study, unpainted(study))
    section = text.split('id="ensembles"')[1].split("</details>")[0]
    assert "--ensemble" in section and "Under imbalanced and weighted every" in section
    assert section.count("<tr><th scope=") == 1 + len(study.record.cells)
    bare = [c.model_copy(update={"ensemble": None}) for c in study.record.cells]
    record = study.record.model_copy(update={"cells": tuple(bare)})
    alone = replace(study, record=record)
    assert 'id="ensembles"' not in page(alone, unpainted(alone))
