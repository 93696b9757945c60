import dataclasses
import html
import re
import shutil

import numpy as np
import pytest

from tessera import files
from tessera.record import RunFolder
from tessera.report.mistakes import best_cell, looked_at

from .folders import with_temperatures


def test_each_models_best_cell_is_looked_at(study, many):
    assert [x.title for x in looked_at(study, images=False)] == [
        f"{model}, weighted, seed 0" for model in ("cnn", "hybrid")
    ]
    assert best_cell(many.record, "cnn").regime == "remedy-0"


def test_without_remedies_the_best_mean_is_the_best_cell(study):
    record = study.record.model_copy(update={"rankings": ()})
    assert best_cell(record, "cnn").regime == "balanced"


def test_the_lists_name_label_answer_and_confidence(study):
    groups = looked_at(study, images=False)[0].groups
    assert groups[0].title == "The surest wrong answers"
    first = groups[0].rows[0]
    run = study.folders["cnn", "weighted", 0]
    stored = files.read_arrays(run.predictions)
    names = study.record.data.class_names
    assert first.label == names[stored["labels"][first.position]]
    assert first.said == names[stored["logits"][first.position].argmax()]
    # One-hot logits: e / (e + 9) for the class that was said.
    assert (
        first.confidence == np.e / (np.e + 9)
        or abs(first.confidence - np.e / (np.e + 9)) < 1e-6
    )


def test_lists_and_pictures_are_as_sure_as_the_cells_temperature_makes_them(study):
    looked = looked_at(with_temperatures(study), images=True)[0]
    # One-hot logits, T = 2: e^(1/2) / (e^(1/2) + 9) = 15 % for the class that was said.
    assert looked.groups[0].rows[0].confidence == pytest.approx(
        np.exp(0.5) / (np.exp(0.5) + 9)
    )
    assert "said deer, 15 %" in looked.drawing.svg
    assert looked.sure == "calibrated on validation images (temperature 2.00)"
    assert f"Percentages are {looked.sure}." in looked.drawing.caption


def two_wrong_planes(study, folder, **arrays):
    """The study with a run that errs twice, and with more arrays beside its pictures.

    At T = 1 its second answer is the surer (0.65, 0.62), at T = 4 its first (0.53,
    0.41).
    """
    run, copy = study.folders["cnn", "weighted", 0], RunFolder(folder)
    shutil.copytree(run.path, copy.path)
    stored = files.read_arrays(copy.predictions)
    logits = 99 * np.eye(10, dtype=np.float32)[stored["labels"]]
    logits[:2] = -99.0
    logits[0, 1:3] = 4.0, 3.5
    logits[1, 1:4] = 2.0, 0.7, 0.7
    files.write_arrays(copy.predictions, **(stored | {"logits": logits}))
    files.write_arrays(copy.mistakes, **files.read_arrays(copy.mistakes), **arrays)
    folders = {**study.folders, ("cnn", "weighted", 0): copy}
    warm = with_temperatures(study, *[4.0] * 6)
    return dataclasses.replace(warm, folders=folders)


def test_images_are_listed_by_the_temperature_that_they_were_chosen_at(study, tmp_path):
    def surest(folder, **arrays):
        changed = two_wrong_planes(study, tmp_path / folder, **arrays)
        rows = looked_at(changed, images=True)[0].groups[0].rows
        return [(row.position, round(row.confidence, 2)) for row in rows]

    # A file of before has no temperature: its images were chosen at T = 1.
    assert surest("before") == [(1, 0.41), (0, 0.53)]
    assert surest("now", temperature=np.array(4.0)) == [(0, 0.53), (1, 0.41)]


def test_the_commonest_confusions_are_counted(study):
    titles = [g.title for g in looked_at(study, images=False)[0].groups]
    # Reduced classes are found at 0.6: 8 of 20 images go to the next class.
    assert "cat taken for deer: 8, 40 % of the class" in titles


def test_pictures_are_drawn_where_they_are_stored_and_wanted(study):
    wanted = looked_at(study, images=True)[0].drawing
    assert wanted.images
    assert "<image " in wanted.svg
    assert "said deer" in wanted.svg
    assert looked_at(study, images=False)[0].drawing is None


def test_runs_without_stored_pictures_keep_their_lists(study, tmp_path):
    moved = {}
    for key, run in study.folders.items():
        moved[key] = RunFolder(tmp_path / "-".join(map(str, key)))
        stored = files.read_arrays(run.predictions)
        files.write_arrays(moved[key].predictions, **stored)
    found = looked_at(dataclasses.replace(study, folders=moved), images=True)[0]
    assert found.drawing is None
    assert found.groups


@pytest.fixture
def named(study, tmp_path):
    """The study with the files of one run's mistakes: `class/<b>NUMBER.jpg`."""
    run, copy = study.folders["cnn", "weighted", 0], RunFolder(tmp_path / "run")
    shutil.copytree(run.path, copy.path)
    stored = files.read_arrays(copy.mistakes)
    names = [f"{'long/' * 20}<b>{i}.jpg" for i in stored["indices"]]
    files.write_arrays(copy.mistakes, **stored, names=np.array(names))
    folders = {**study.folders, ("cnn", "weighted", 0): copy}
    return dataclasses.replace(study, folders=folders)


def test_the_file_of_every_image_is_told_where_it_is_known(named):
    found, other = looked_at(named, images=True)
    rows = [row for group in found.groups for row in group.rows]
    assert all(row.file.endswith(f"/<b>{row.position}.jpg") for row in rows)
    assert found.named and not other.named
    assert f"<title>{'long/' * 20}&lt;b&gt;{rows[0].position}.jpg" in found.drawing.svg
    assert not re.search(r">image \d+<", found.drawing.svg)
    assert re.search(r">image \d+<", other.drawing.svg)


def test_a_long_name_is_shortened_from_the_left_to_the_room_there_is(named):
    drawn = html.unescape(looked_at(named, images=True)[0].drawing.svg)
    shown = re.findall(r"</title>(.*?)</text>", drawn)
    assert shown
    for name in shown:
        assert name.startswith("\N{HORIZONTAL ELLIPSIS}") and name.endswith(".jpg")
        assert len(name) == 40


def test_a_report_without_pictures_names_no_file(named):
    found = looked_at(named, images=False)
    assert not any(looked.named for looked in found)
    assert not any(row.file for x in found for group in x.groups for row in group.rows)


def test_without_predictions_nothing_is_looked_at(study, tmp_path):
    empty = dict.fromkeys(study.folders, RunFolder(tmp_path))
    assert looked_at(dataclasses.replace(study, folders=empty), images=True) == ()
