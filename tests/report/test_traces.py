import dataclasses
import re

import numpy as np
import pytest

from tessera.record import RunFolder
from tessera.report import traces


@pytest.fixture(scope="module")
def answered(study):
    return traces.answers(study)


def test_every_model_has_a_panel_per_class(drawn):
    found = drawn.precision_recall
    assert [d.key for d in found] == ["precision-recall-cnn", "precision-recall-hybrid"]
    for name in ("plane", "cat", "truck"):
        assert f">{name}</text>" in found[0].svg


def test_the_areas_in_words_are_those_of_the_records(study, drawn):
    (first, _) = drawn.roc
    area = study.record.cells[0].scores["macro_auc"].values[0]
    assert f"balanced: mean area {area:.3f}" in first.alternative


def test_lines_differ_by_dash_as_well_as_by_colour(drawn):
    (first, _) = drawn.roc
    dashes = set(re.findall(r"stroke-dasharray: ([^;\"]+)", first.svg))
    assert len(dashes) >= 2


def test_risk_at_full_coverage_is_the_error_rate(study, drawn):
    area = study.record.cells[0].scores["aurc"].values[0]
    assert f"cnn, balanced: {100 * area:.1f} %" in drawn.risk_coverage.alternative


def test_thinning_keeps_the_ends_and_the_shape():
    x = np.linspace(0, 1, 5000)
    kept_x, kept_y = traces._thinned(x, x**3)
    assert len(kept_x) <= 60
    assert (kept_x[0], kept_x[-1]) == (0, 1)
    assert kept_y == pytest.approx(kept_x**3)


def test_without_predictions_there_are_no_curves(study, tmp_path):
    empty = dict.fromkeys(study.folders, RunFolder(tmp_path))
    bare = traces.answers(dataclasses.replace(study, folders=empty))
    assert traces.class_curves(study, bare, "roc") == ()
    assert traces.risk_coverage(study, bare) is None


def test_curves_of_a_first_class_without_test_images_still_have_a_legend(study):
    shares = np.full((40, 10), 0.1)
    labels = np.repeat(np.arange(1, 5), 10)
    found = {("cnn", "balanced"): (shares, labels)}
    (drawn,) = traces.class_curves(study, found, "roc")
    assert ">balanced</text>" in drawn.svg


@pytest.mark.parametrize("kind", ["roc", "precision-recall"])
def test_classes_without_test_images_have_no_panel_and_are_named(study, kind):
    labels = np.repeat([0, 1, 2, 3, 5, 6], 10)
    found = {("cnn", "balanced"): (np.full((60, 10), 0.1), labels)}
    (drawn,) = traces.class_curves(study, found, kind)
    names = study.record.data.class_names
    panels = re.findall(rf">({'|'.join(names)})</text>", drawn.svg)
    assert panels == [names[k] for k in (0, 1, 2, 3, 5, 6)]
    without = f"{names[4]}, {names[7]}, {names[8]} and 1 more"
    assert f" Without test images, so not shown: {without}." in drawn.caption
    assert "Shown are" not in drawn.caption


def test_the_panels_left_go_to_classes_with_test_images(own, monkeypatch):
    monkeypatch.setattr(traces, "SHOWN_CLASSES", 3)
    shares, labels = traces.answers(own)["cnn", "as-is"]
    kept = labels != 4
    found = {("cnn", "as-is"): (shares[kept], labels[kept])}
    (drawn,) = traces.class_curves(own, found, "roc")
    titles = re.findall(r">(plane|car|bird|cat|deer|dog|frog)</text>", drawn.svg)
    assert len(titles) == 3 and "deer" not in titles
    assert "Shown are the 3 classes" in drawn.caption


def test_a_test_set_of_one_class_has_no_curves(study):
    found = {("cnn", "balanced"): (np.full((9, 10), 0.1), np.zeros(9, int))}
    assert traces.class_curves(study, found, "roc") == ()


def test_a_regime_has_one_colour_in_every_panel_of_risk(study, answered):
    green = "#009e73"
    part = {key: a for key, a in answered.items() if key != ("cnn", "imbalanced")}
    whole, rest = (traces.risk_coverage(study, a).svg for a in (answered, part))
    assert rest.count(green) == whole.count(green)


def test_the_rarest_classes_are_shown_where_a_regime_levels_all(own, monkeypatch):
    monkeypatch.setattr(traces, "SHOWN_CLASSES", 3)
    (drawn,) = traces.class_curves(own, traces.answers(own), "roc")
    titles = re.findall(r">(plane|car|bird|cat|deer|dog|frog)</text>", drawn.svg)
    assert titles == ["cat", "deer", "dog"]
    assert "Shown are the 3 classes with the fewest training images." in drawn.caption
