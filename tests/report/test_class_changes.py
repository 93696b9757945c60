import re

from tessera.evaluation.differences import spread
from tessera.report.class_changes import class_changes

from .folders import ranked_by_one_seed, without_test_images

MINUS = "\N{MINUS SIGN}"


def test_every_cell_holds_its_change_in_points(many):
    (drawn,) = class_changes(many.record)
    numbers = re.findall(rf">([+{MINUS}]?\d+)</text>", drawn.svg)
    assert len(numbers) == 7 * 10
    # The best remedy: seven common classes lose 4 points, three reduced ones win 30.
    assert numbers[:7] == [f"{MINUS}4"] * 7
    assert set(numbers[7:10]) <= {"+30", "+31"}


def test_reduced_classes_stand_last_and_are_marked(many):
    (drawn,) = class_changes(many.record)
    names = re.findall(r">([a-z]+(?: \*)?)</text>", drawn.svg)
    assert names[7:10] == ["cat *", "deer *", "dog *"]


def test_every_ranking_has_its_table(study):
    keys = [d.key for d in class_changes(study.record)]
    assert keys == ["class-changes-cnn--imbalanced", "class-changes-hybrid--imbalanced"]


def test_a_class_without_test_images_has_no_change(many):
    (drawn,) = class_changes(without_test_images(many, 0, 3).record)
    numbers = re.findall(rf">([+{MINUS}]?\d+)</text>", drawn.svg)
    assert len(numbers) == 7 * 8
    assert "the class cat" not in drawn.alternative


def test_upright_names_have_room_above_the_table(many):
    data = many.record.data
    long = tuple(f"A name of twenty {i}" for i in range(10))
    renamed = [
        cell.model_copy(
            update={
                "per_class_recall": dict(
                    zip(long, cell.per_class_recall.values(), strict=True)
                )
            }
        )
        for cell in many.record.cells
    ]
    record = many.record.model_copy(
        update={
            "data": data.model_copy(update={"class_names": long}),
            "cells": tuple(renamed),
        }
    )
    heights = [
        float(re.search(r'height="([\d.]+)pt"', class_changes(r)[0].svg)[1])
        for r in (many.record, record)
    ]
    # 11 letters of 8 points more, each about half as wide as it is tall.
    assert heights[1] - heights[0] >= 11 * 8 * 0.5


def changed(study, to):
    """The study's first remedy, its recalls of every seed by class: plain + `to`."""
    (ranking,) = study.record.rankings
    first = ranking.remedies[0].regime
    plain = next(c for c in study.record.cells if c.regime == ranking.plain)
    recalls = {
        name: spread([v + change for v in plain.per_class_recall[name].values])
        for name, change in zip(study.record.data.class_names, to, strict=True)
    }
    cells = tuple(
        c.model_copy(update={"per_class_recall": recalls}) if c.regime == first else c
        for c in study.record.cells
    )
    alone = ranking.model_copy(update={"remedies": ranking.remedies[:1]})
    update = {"cells": cells, "rankings": (alone,)}
    (drawn,) = class_changes(study.record.model_copy(update=update))
    return drawn


def test_a_remedy_that_lowers_every_class_gains_none(many):
    words = changed(many, [-0.3, *[-0.2] * 8, -0.1]).alternative
    assert "gain" not in words
    assert f"highest for the class truck, {MINUS}10 points" in words
    assert f"lowest for plane, {MINUS}30 points" in words


def test_equal_changes_have_neither_a_highest_nor_a_lowest(many):
    found = changed(many, [0.0] * 10)
    assert found.alternative.endswith("every class changes by 0 points.")
    assert found.caption.endswith("the deepest colours are 1 point.")


def test_one_seed_has_no_mean(many):
    told = [
        class_changes(record)[0].caption
        for record in (many.record, ranked_by_one_seed(many.record))
    ]
    assert ["mean over seeds" in caption for caption in told] == [True, False]
