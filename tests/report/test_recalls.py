import dataclasses
import re

from evaluation.studies import NAMES

from tessera.record import Spread
from tessera.report.recalls import per_class_recall, score_overview

from .folders import without_test_images


def test_every_model_has_a_panel_and_every_regime_a_marker(drawn):
    for name in ("cnn", "hybrid", "balanced", "imbalanced", "weighted", "cat"):
        assert f">{name}<" in drawn.recall.svg


def test_the_words_name_each_cells_lowest_class(drawn):
    # Seeds at 0.400 and 0.415.
    assert "cnn, imbalanced: lowest for cat and 2 others, 41 %" in (
        drawn.recall.alternative
    )


def test_the_overview_tells_the_two_scores_of_every_cell(drawn):
    alternative = drawn.overview.alternative
    assert "recall of the reduced classes 40.8 %" in alternative
    assert alternative.count("macro-F1") == 6


def test_classes_that_are_rare_by_nature_are_not_called_reduced(own):
    overview, recall = score_overview(own), per_class_recall(own)
    for drawing in (overview, recall):
        text = f"{drawing.caption} {drawing.alternative} {drawing.svg}"
        assert "reduce" not in text
    assert "recall of the rare classes 40.8 %" in overview.alternative
    assert "leaves images of the common classes out" in overview.caption
    assert (
        "Shaded: the classes that are rare in the data as they come" in recall.caption
    )


def test_unequal_classes_stand_from_the_most_common_to_the_rarest(own, drawn):
    def rows(drawing):
        found = re.findall(r">([a-z]+)(?: \(([0-9,]+)\))?</text>", drawing.svg)
        return [row for row in found if row[0] in NAMES]

    common = [(name, "4,500") for k, name in enumerate(NAMES) if k not in (3, 4, 5)]
    rare = [(name, "900") for name in NAMES[3:6]]
    assert rows(per_class_recall(own)) == common + rare
    assert "Classes from the most common" in per_class_recall(own).caption
    assert rows(drawn.recall)[: len(NAMES)] == [(name, "") for name in NAMES]
    assert "most common" not in drawn.recall.caption


def test_classes_that_a_profile_makes_rare_keep_their_order(study):
    # Digits: a few images more of some classes than of others, and three cut.
    counts = tuple(140 + k for k in range(len(NAMES)))
    data = study.record.data.model_copy(update={"train_counts": counts})
    record = study.record.model_copy(update={"data": data})
    found = per_class_recall(dataclasses.replace(study, record=record))
    assert [n for n in re.findall(r">([a-z]+)</text>", found.svg) if n in NAMES][
        : len(NAMES)
    ] == list(NAMES)
    assert "most common" not in found.caption


def test_classes_that_a_profile_cut_are_called_reduced(drawn):
    assert "Shaded: the classes that the profile reduces." in drawn.recall.caption
    assert "falls under imbalance" in drawn.overview.caption


def test_a_class_without_test_images_has_no_marker_and_is_never_the_lowest(study):
    whole, part = (
        per_class_recall(s) for s in (study, without_test_images(study, 3, 4))
    )
    # A marker per class, model and regime: two classes less in each of six cells.
    markers = [d.svg.count("<use ") for d in (whole, part)]
    assert markers[0] - markers[1] >= 2 * 6
    assert "lowest for cat" in whole.alternative
    assert "lowest for cat" not in part.alternative
    assert "cnn, imbalanced: lowest for dog, 41 %" in part.alternative


def test_one_seed_has_no_spread_to_explain(study, drawn):
    one = study.record.experiment.model_copy(update={"seeds": (0,)})
    record = study.record.model_copy(update={"experiment": one})
    found = score_overview(dataclasses.replace(study, record=record))
    assert "lines reach" in drawn.overview.caption
    assert "lines reach" not in found.caption and "of one seed" in found.caption


def test_a_single_regime_has_no_fall_to_look_for(study):
    cells = tuple(c for c in study.record.cells if c.regime == "balanced")
    record = study.record.model_copy(update={"cells": cells})
    found = score_overview(dataclasses.replace(study, record=record))
    assert "Look for" not in found.caption


def test_a_regime_keeps_its_colour_where_another_ones_runs_are_missing(study):
    orange, green = "#d55e00", "#009e73"
    cells = tuple(
        c for c in study.record.cells if (c.model, c.regime) != ("cnn", "imbalanced")
    )
    record = study.record.model_copy(update={"cells": cells})
    whole, part = (
        per_class_recall(s).svg
        for s in (study, dataclasses.replace(study, record=record))
    )
    assert part.count(green) == whole.count(green)
    assert part.count(orange) < whole.count(orange)


def seen(study, *regimes):
    cells = {k: runs for k, runs in study.cells.items() if k[1] in regimes}
    there = tuple(c for c in study.record.cells if c.regime in regimes)
    record = study.record.model_copy(update={"cells": there})
    kept = dataclasses.replace(study, cells=cells, record=record)
    return score_overview(kept).caption


def test_only_what_the_study_compares_is_to_be_looked_for(study, own, many):
    assert seen(study, "balanced", "imbalanced").endswith("falls under imbalance.")
    assert seen(study, "imbalanced", "weighted").endswith(
        "Look for what a remedy changes on the same images."
    )
    assert "of that the remedy brings back." in score_overview(study).caption
    assert "of that a remedy brings back." in score_overview(many).caption
    assert "leaves images" not in seen(own, "as-is", "weighted")
    assert seen(own, "balanced", "as-is").endswith("against the data as they come.")


def test_classes_that_share_the_lowest_recall_are_counted(study):
    def alike(level, others):
        spread = Spread(mean=level, deviation=0.0, values=(level, level))
        higher = Spread(mean=others, deviation=0.0, values=(others, others))
        cells = tuple(
            c.model_copy(
                update={
                    "per_class_recall": {
                        name: spread if i < 3 else higher
                        for i, name in enumerate(c.per_class_recall)
                    }
                }
            )
            for c in study.record.cells
        )
        record = study.record.model_copy(update={"cells": cells})
        return per_class_recall(dataclasses.replace(study, record=record)).alternative

    assert "cnn, balanced: lowest for plane and 2 others, 0 %." in alike(0.0, 0.5)
    assert "cnn, balanced: 100 % for every class." in alike(1.0, 1.0)
