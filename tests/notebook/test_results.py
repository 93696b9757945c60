"""Studies, runs and evaluations show their own numbers."""

from html import escape
from pathlib import Path

import numpy as np
from evaluation.studies import ENVIRONMENT, NAMES, folders, records

from tessera.evaluation.scores import scores
from tessera.evaluation.study_record import study_record
from tessera.experiment import Experiment
from tessera.notebook.results import Evaluation, FinishedRun, Study, per_class

EXPERIMENT = Experiment()


def half(model: str, regime: str, seed: int) -> list[float]:
    """Every class is found half of the time."""
    return [0.5] * len(NAMES)


def study() -> Study:
    found = records(EXPERIMENT, half)
    record = study_record(EXPERIMENT, found, ENVIRONMENT, folders(EXPERIMENT))
    return Study(record, Path("out"))


def test_a_study_has_a_row_for_each_model_and_regime() -> None:
    rows = study().rows()
    assert len(rows) == 9
    assert {row["regime"] for row in rows} == {"balanced", "imbalanced", "weighted"}
    assert all(abs(float(row["accuracy"]) - 0.5) < 1e-9 for row in rows)


def test_a_study_shows_its_table_verdicts_and_report() -> None:
    shown = study()
    page = shown._repr_html_()
    assert page.count("<tr>") == 1 + 9
    assert "mean and standard deviation over 2 seeds" in page
    first = shown.record.rankings[0].recommendation[0]
    assert page.index(escape(first)) < page.index("<table>")
    assert page.count("not supported") + page.count("not decided") >= 1
    assert "Report: out/report.html" in page
    assert repr(shown).endswith("Report: out/report.html")
    assert len(shown.runs()) == 18


def test_a_run_shows_its_scores_and_what_it_was_trained_on() -> None:
    record = records(EXPERIMENT, half)[0]
    run = FinishedRun(record, Path("out/run"))
    assert "balanced accuracy 50.0%" in repr(run)
    assert run.model == Path("out/run/model.keras")
    assert "trained on" in run._repr_html_()


def test_an_evaluation_names_classes_that_are_never_predicted() -> None:
    labels, predicted = np.array([0, 0, 1]), np.array([0, 0, 0])
    found = Evaluation(scores(labels, predicted, ["cat", "dog"]), "three images")
    assert repr(found) == (
        "three images\naccuracy 66.7%, balanced accuracy 50.0%, macro-F1 40.0%, "
        "worst class's recall 0.0%; never predicted: dog"
    )
    assert "<td>dog</td><td>1</td><td>0</td>" in found._repr_html_()
    found = Evaluation(scores(labels, predicted, ["cat", "dog, old"]), "three images")
    assert repr(found).endswith('never predicted: "dog, old"')


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    labels, predicted = np.array([0, 0, 1]), np.array([0, 0, 0])
    found = per_class("", scores(labels, predicted, ["cat", "dog"]))
    # Cat: 2 of 3 answers are right. Dog: 0 of 0, and 0 of its 1 image is found.
    assert "<td>cat</td><td>66.7%</td><td>100.0%</td>" in found
    assert "<td>dog</td><td>\N{EN DASH}</td><td>0.0%</td>" in found


def test_a_class_without_test_images_has_no_score() -> None:
    labels, predicted = np.array([0, 0, 2]), np.array([0, 1, 2])
    found = per_class("", scores(labels, predicted, ["cat", "dog", "eel"]))
    dash = "<td>\N{EN DASH}</td>"
    assert f"<td>dog</td>{dash * 3}<td>0</td>" in found
    assert "<td>cat</td><td>100.0%</td><td>50.0%</td>" in found
