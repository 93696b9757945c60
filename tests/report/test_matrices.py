import re

import numpy as np
from evaluation.studies import record

from tessera.evaluation.scores import from_confusion
from tessera.experiment import Regime
from tessera.report.matrices import _confusion


def test_every_cell_has_counts_of_all_seeds_and_shares(drawn):
    assert len(drawn.confusion) == 6
    # Two seeds of 1,000 cats; 0.400 and 0.415 of them are hit under imbalance.
    imbalanced = next(
        d for d in drawn.confusion if d.key == "confusion-cnn--imbalanced"
    )
    assert ">815<" in imbalanced.svg
    assert ">41<" in imbalanced.svg


def test_the_words_for_the_drawing_name_the_commonest_error(drawn):
    assert "59 % of cat are taken for deer" in drawn.confusion[1].alternative


def test_perfect_predictions_have_no_error_to_name():
    run = record("cnn", Regime(name="balanced"), 0, [1.0] * 10)
    drawn = _confusion("cnn", "balanced", [run])
    assert "No test image is misclassified" in drawn.alternative


def test_many_classes_are_drawn_without_numbers():
    run = record("cnn", Regime(name="balanced"), 0, [1.0] * 10)
    names = [f"class {i}" for i in range(30)]
    scores = from_confusion(7 * np.eye(30, dtype=np.int64), names)
    drawn = _confusion("cnn", "b", [run.model_copy(update={"scores": scores})])
    assert ">7<" not in drawn.svg
    # Counts without numbers would look like the shares, whose colours they have.
    assert drawn.svg.count(">class 29<") == 2 and ">test images<" not in drawn.svg
    assert len(drawn.svg) < 300_000


def test_names_below_the_columns_end_at_them_however_wide_their_letters(drawn):
    below = re.findall(
        r"text-anchor: (\w+)[^>]*rotate\(-90 [^>]*>truck<", drawn.confusion[0].svg
    )
    assert below == ["end", "end"]


def confused(*rows):
    run = record("cnn", Regime(name="balanced"), 0, [1.0] * 10)
    scores = from_confusion(np.array(rows), ["a", "b", "c"])
    return _confusion("cnn", "b", [run.model_copy(update={"scores": scores})])


def test_an_error_of_a_small_class_is_not_called_the_commonest():
    small = confused([80, 20, 0], [0, 100, 0], [2, 0, 1])
    told = "The error that takes most of a class: 67 % of c are taken for a."
    assert small.alternative.endswith(told) and small.caption.startswith(told)
    large = confused([20, 80, 0], [0, 100, 0], [2, 0, 1])
    assert "The commonest error: 80 % of a are taken for b." in large.alternative


def test_an_error_is_never_told_as_none():
    rare = confused([999, 1, 0], [0, 1000, 0], [0, 0, 1000])
    assert "<1 % of a are taken for b" in rare.caption


def test_the_images_of_one_seed_are_not_added_up(drawn):
    assert "test images of seed 0;" in confused([1, 1, 0], [0, 2, 0], [0, 0, 2]).caption
    assert "test images of 2 seeds together;" in drawn.confusion[0].caption
