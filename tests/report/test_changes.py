import dataclasses

from tessera.experiment import Cnn, Experiment, Regime, Training
from tessera.report.changes import changes
from tessera.report.load import load

from .conftest import recalls
from .folders import write_study


def test_cost_gain_and_price_have_a_panel_each(drawn):
    words = drawn.changes.alternative
    assert "Reduced classes' recall, imbalanced minus balanced." in words
    assert "Other classes' recall, weighted minus imbalanced." in words
    assert "cnn: \N{MINUS SIGN}30.0 points" in words


def test_a_study_without_pairs_has_no_such_drawing(tmp_path):
    one = Experiment(
        models=(Cnn(),),
        regimes=(Regime(name="balanced"),),
        seeds=(0,),
        training=Training(epochs=1),
    )
    assert changes(load(write_study(tmp_path, one, recalls))) is None


def test_the_caption_says_where_nothing_was_made_rare(own, drawn):
    assert "Nothing was made rare here" in changes(own).caption
    assert "Nothing was made rare" not in drawn.changes.caption


def test_models_that_lack_different_runs_keep_rows_of_their_own(study):
    there = {
        cell: runs
        for cell, runs in study.cells.items()
        if cell not in (("cnn", "balanced"), ("hybrid", "weighted"))
    }
    drawing = changes(dataclasses.replace(study, cells=there))
    assert "imbalanced minus balanced. hybrid:" in drawing.alternative
    assert "weighted minus imbalanced. cnn:" in drawing.alternative
    assert drawing.svg.index(">cnn<") < drawing.svg.index(">hybrid<")


def test_a_model_without_weighted_runs_is_drawn_beside_one_that_has_them(study):
    there = {c: r for c, r in study.cells.items() if c != ("cnn", "weighted")}
    drawing = changes(dataclasses.replace(study, cells=there))
    assert drawing.alternative.count("cnn:") == 1
    assert drawing.alternative.count("hybrid:") == 3


def without(study, regime):
    cells = {k: runs for k, runs in study.cells.items() if k[1] != regime}
    return dataclasses.replace(study, cells=cells)


def test_the_title_names_the_comparisons_that_there_are(study, drawn):
    assert drawn.changes.title == "What imbalance costs, what class weights win back"
    assert changes(without(study, "weighted")).title == "What imbalance costs"
    assert changes(without(study, "balanced")).title == "What class weights win back"


def test_one_seed_is_told_to_have_no_interval(study, drawn):
    one = study.record.experiment.model_copy(update={"seeds": (0,)})
    record = study.record.model_copy(update={"experiment": one})
    caption = changes(dataclasses.replace(study, record=record)).caption
    assert "one seed, which gives them no interval" in caption
    assert "bars" not in caption and "bars" in drawn.changes.caption
