import dataclasses

import numpy as np

from tessera import files
from tessera.record import RunFolder
from tessera.report.mistakes import best_cell, looked_at


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


def test_without_predictions_nothing_is_looked_at(study, tmp_path):
    empty = dict.fromkeys(study.folders, RunFolder(tmp_path))
    assert looked_at(dataclasses.replace(study, folders=empty), images=True) == ()
