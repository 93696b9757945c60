import dataclasses

import numpy as np
from evaluation.studies import record

from tessera import files
from tessera.evaluation.scores import from_confusion
from tessera.experiment import Regime
from tessera.record import RunFolder
from tessera.report.gallery import galleries, hardest, overlay, thumbnail

from .folders import with_temperatures


def test_every_cell_shows_its_first_seed(study):
    drawn = galleries(study)
    assert [d.key for d in drawn][:2] == [
        "gradcam-cnn--balanced",
        "gradcam-cnn--imbalanced",
    ]
    assert all("Seed 0" in d.caption and d.images for d in drawn)


def test_every_class_has_a_correct_and_a_wrong_example(study):
    picture = galleries(study)[0].svg
    assert picture.count("said so") == 10
    assert picture.count("said cat") == 1
    assert picture.count("<image ") == 2 * 20 - 1


def test_answers_are_as_sure_as_the_cells_temperature_makes_them(study):
    first, second = galleries(with_temperatures(study, 0.5, 1.0))[:2]
    assert "Percentages are calibrated on validation images (temperature 0.50)." in (
        first.caption
    )
    # The first answer is right; its logits are one-hot: e^2 / (e^2 + 9) at T = 1/2.
    assert "said so, 45 %" in first.svg
    assert "Percentages are not calibrated: too few" in second.caption


def test_without_answers_the_stored_percentages_are_shown(study, tmp_path):
    moved = {}
    for key, run in study.folders.items():
        moved[key] = RunFolder(tmp_path / "-".join(map(str, key)))
        stored = files.read_arrays(run.heatmaps) | {"probabilities": np.full(20, 0.37)}
        files.write_arrays(moved[key].heatmaps, **stored)
    run = moved["cnn", "imbalanced", 0]
    stored = files.read_arrays(run.heatmaps)
    files.write_arrays(run.heatmaps, **stored, temperature=np.array(3.0))
    old, new = galleries(dataclasses.replace(study, folders=moved))[:2]
    assert "said so, 37 %" in old.svg and "before temperature scaling" in old.caption
    assert "said so, 37 %" in new.svg and "(temperature 3.00)" in new.caption


def test_a_blank_map_shows_its_reason(study):
    drawn = galleries(study)[0]
    assert "no map: no positive evidence" in drawn.svg
    assert "1 shown without a map" in drawn.caption


def test_the_caption_repeats_the_cautions_of_the_maps(study):
    assert galleries(study)[0].caption.endswith("Few cells.")


def test_the_parts_hold_what_the_whole_holds(study):
    drawn = galleries(study)[0]
    parts = sum(part.count("<image ") for part in drawn.parts)
    assert parts == drawn.svg.count("<image ")


def test_evidence_against_is_shown_like_none():
    with_negative = np.array([[1.0, -5.0], [0.0, 0.5]], np.float32)
    without = np.maximum(with_negative, 0)
    first, second = overlay(with_negative, (8, 8)), overlay(without, (8, 8))
    assert np.array_equal(np.asarray(first), np.asarray(second))


def test_maps_are_scaled_to_their_own_maximum():
    raw = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    first, second = overlay(raw, (8, 8)), overlay(1000 * raw, (8, 8))
    assert np.array_equal(np.asarray(first), np.asarray(second))


def test_the_strongest_cell_is_the_most_opaque_and_where_it_belongs():
    raw = np.zeros((4, 4), np.float32)
    raw[0, 3] = 1
    alpha = np.asarray(overlay(raw, (32, 32)))[..., 3]
    row, column = np.unravel_index(alpha.argmax(), alpha.shape)
    assert (row // 8, column // 8) == (0, 3)


def test_large_images_are_made_small_and_keep_their_shape():
    assert thumbnail(np.zeros((200, 400, 3), np.uint8)).size == (96, 48)


def test_small_and_grey_images_stay_as_they_are():
    assert thumbnail(np.zeros((32, 24, 1), np.uint8)).size == (24, 32)


def test_of_many_classes_the_hardest_are_shown_in_their_order():
    run = record("cnn", Regime(name="balanced"), 0, [0.5] * 10)
    # Class i has i + 1 of 30 images right, so the first twenty are the hardest.
    matrix = np.diag(np.arange(1, 31)) + np.roll(np.diag(np.arange(29, -1, -1)), 1, 1)
    scores = from_confusion(matrix, [f"class {i}" for i in range(30)])
    assert hardest(run.model_copy(update={"scores": scores})) == list(range(20))


def test_the_words_count_what_is_pictured(study, tmp_path):
    assert galleries(study)[0].alternative == (
        "20 test images of 10 classes, 10 answered correctly and 10 wrongly by cnn "
        "(balanced), each beside its Grad-CAM map."
    )
    run = RunFolder(tmp_path)
    stored = files.read_arrays(study.folders["cnn", "balanced", 0].heatmaps)
    right = {
        name: values[:2:2] if len(np.shape(values)) and len(values) == 20 else values
        for name, values in stored.items()
    }
    files.write_arrays(run.heatmaps, **right)
    there = dict(study.folders) | {("cnn", "balanced", 0): run}
    (first, *_) = galleries(dataclasses.replace(study, folders=there))
    assert first.alternative.startswith(
        "1 test image of 1 class, 1 answered correctly and 0 wrongly by cnn"
    )
    assert first.svg.count("none among the test images") == 1


def test_a_second_example_that_is_missing_does_not_deny_the_first(study, tmp_path):
    run = RunFolder(tmp_path)
    stored = files.read_arrays(study.folders["cnn", "balanced", 0].heatmaps)
    stored["labels"][:] = 0
    stored["predicted"][:] = [0, 1, *[0] * 18]
    files.write_arrays(run.heatmaps, **stored)
    there = dict(study.folders) | {("cnn", "balanced", 0): run}
    (first, *_) = galleries(dataclasses.replace(study, folders=there))
    # Two correct answers and one wrong one are shown.
    assert "no other among the test images" in first.parts[1]
    assert "none among" not in first.svg


def test_classes_without_test_images_do_not_make_the_others_the_hardest(study):
    key = "cnn", "balanced"
    run = study.cells[key][0]
    matrix = np.array(run.scores.confusion_matrix)
    matrix[3:] = 0
    scores = from_confusion(matrix, [c.name for c in run.scores.per_class])
    untested = run.model_copy(update={"scores": scores})
    cells = dict(study.cells) | {key: (untested, *study.cells[key][1:])}
    (first, *_) = galleries(dataclasses.replace(study, cells=cells))
    assert "lowest recall" not in first.caption
