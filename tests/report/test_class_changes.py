import re

from tessera.report.class_changes import class_changes

from .folders import without_test_images

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
