import numpy as np

from tessera import files
from tessera.report.contrasts import contrasts, diverging
from tessera.report.load import load

from .conftest import SMALL, recalls
from .folders import heatmaps, write_study


def with_truth(tmp_path):
    """A study whose first cell stored the maps of the true classes as well."""
    folder = write_study(tmp_path, SMALL, recalls)
    study = load(folder)
    path = study.folders["cnn", "balanced", 0].heatmaps
    arrays = heatmaps(np.random.default_rng(0))
    arrays["raw"][-1] = 1
    files.write_arrays(path, **arrays, raw_true=np.zeros_like(arrays["raw"]))
    return load(folder)


def test_only_runs_that_stored_both_maps_are_shown(tmp_path, study):
    assert contrasts(study) == ()
    assert [d.key for d in contrasts(with_truth(tmp_path))] == [
        "contrast-cnn--balanced"
    ]


def test_each_class_shows_a_wrong_answer_with_three_maps(tmp_path):
    (drawn,) = contrasts(with_truth(tmp_path))
    assert drawn.images
    assert drawn.svg.count("said ") == 10
    assert drawn.svg.count("<image ") == 10 * 4
    assert sum(part.count("<image ") for part in drawn.parts) == 40


def test_the_difference_has_a_colour_for_each_sign_and_none_for_zero():
    raw = np.float32([[1, 0], [0, -1]])
    colours = np.asarray(diverging(raw, (2, 2)))
    orange, clear, violet = colours[0, 0], colours[0, 1], colours[1, 1]
    assert orange[0] > orange[2] and violet[2] > violet[0]
    assert clear[3] == 0 and orange[3] == violet[3] > 200


def test_the_difference_of_equal_maps_is_clear():
    assert not np.asarray(diverging(np.zeros((4, 4), np.float32), (8, 8)))[..., 3].any()


def test_the_words_count_the_wrong_answers(tmp_path):
    study = with_truth(tmp_path)
    assert contrasts(study)[0].alternative.startswith("10 wrong answers by cnn")
    path = study.folders["cnn", "balanced", 0].heatmaps
    arrays = files.read_arrays(path)
    arrays["predicted"][3:] = arrays["labels"][3:]
    files.write_arrays(path, **arrays)
    assert contrasts(study)[0].alternative.startswith(
        "1 wrong answer by cnn (balanced)"
    )
