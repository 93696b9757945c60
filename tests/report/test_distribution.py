import dataclasses
import re

from tessera.report.distribution import (
    _bars,
    _sentence,
    class_distribution,
    distinct_counts,
)
from tessera.report.style import drawing


def test_regimes_that_train_on_the_same_counts_share_a_bar(study):
    counts = distinct_counts(study)
    assert list(counts) == ["balanced", "imbalanced and weighted"]
    assert counts["imbalanced and weighted"][3:7] == (900, 900, 900, 4500)


def test_a_shared_bar_is_of_the_same_images_only_where_they_are_chosen_alike(study):
    assert "trained on the same images." in class_distribution(study).caption
    first, *others = study.record.experiment.regimes
    drawn = first.profile.model_copy(update={"selection": "reference"})
    regimes = (first.model_copy(update={"profile": drawn}), *others)
    experiment = study.record.experiment.model_copy(update={"regimes": regimes})
    record = study.record.model_copy(update={"experiment": experiment})
    told = class_distribution(dataclasses.replace(study, record=record)).caption
    assert "same images" not in told and "reference selection chooses" in told


def test_the_words_for_the_drawing_name_the_rare_classes(study):
    drawn = class_distribution(study)
    assert "rarer are cat, deer and dog" in drawn.alternative
    assert "4,500" in drawn.svg


def test_many_classes_leave_no_empty_rows_above_and_below():
    names = tuple(f"class {i}" for i in range(60))
    with drawing():
        drawn = _bars({"all": (5,) * 60}, names)
    height = float(drawn.split('viewBox="0 0 ')[1].split('"')[0].split()[1])
    rows = re.findall(r'y="([\d.]+)"[^>]*>class \d+<', drawn)
    places = [float(y) for y in rows]
    assert len(places) == 60
    assert max(places) - min(places) > 0.92 * height


def test_a_class_with_a_comma_in_its_name_stays_one_class():
    told = _sentence("plain", (9, 5, 7), ("cats", "dogs, old", "owls"))
    assert told.endswith('rarer are "dogs, old" and owls.')
