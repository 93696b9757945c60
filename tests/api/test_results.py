"""Results show what they hold."""

from pathlib import Path

import numpy as np
import pytest
import toy_run

from tessera import trained
from tessera.answers import Answer, Refused
from tessera.api.results import Data, Model, Predictions, Study, scores_table
from tessera.evaluation import scores
from tessera.experiment import Cnn, Digits
from tessera.record import RunFolder, StudyRecord


def test_data_shows_the_counts_of_every_class() -> None:
    data = toy_run.digits()
    shown = Data(Digits(image_size=16), data)._repr_html_()
    for count in data.train.counts(10):
        assert f"<td>{count:,}</td>" in shown
    assert shown.count("<img") == 10


def test_scores_are_shown_with_wilsons_interval() -> None:
    labels = np.array([0] * 10 + [1] * 5)
    predicted = np.array([0] * 9 + [1] * 6)
    shown = scores_table(scores.scores(labels, predicted, ("cat", "deer")))
    # 9 of 10: Wilson 1927 gives 0.596 to 0.982.
    assert "<td>90.0 %</td><td>60 to 98 %</td>" in shown
    assert "accuracy 93.3 %" in shown


def test_a_model_shows_its_scores_and_where_it_lies(toy: RunFolder) -> None:
    model = Model(trained.load(toy.path))
    assert model.path == toy.path
    assert str(toy.path) in model._repr_html_()
    assert "balanced accuracy" in model._repr_html_()


def test_predictions_are_classes_probabilities_and_a_table() -> None:
    answer = Answer(Path("a.png"), "deer", 0.75, "cat", 0.25, (0.25, 0.75))
    found = Predictions((answer, Refused(Path("b.png"), "an empty file")), ("cat", "d"))
    assert found.classes == ("deer", None)
    np.testing.assert_array_equal(found.probabilities, [[0.25, 0.75]])
    assert "75.0 %" in found._repr_html_() and "an empty file" in found._repr_html_()


def test_a_long_result_says_how_much_is_left_out() -> None:
    answer = Answer(Path("a.png"), "deer", 0.75, "cat", 0.25, (0.25, 0.75))
    shown = Predictions((answer,) * 1030, ("cat", "deer"))._repr_html_()
    assert shown.count("a.png") == 24 and "… and 1,006 more" in shown


def test_a_study_shows_every_cell_and_verdict(tmp_path: Path) -> None:
    toy_run.write_study(tmp_path, toy_run.experiment([Cnn()]))
    record = StudyRecord.model_validate_json((tmp_path / "study.json").read_bytes())
    found = Study(tmp_path, record)
    shown = found._repr_html_()
    assert "cnn, balanced" in shown and record.verdicts[0].verdict in shown
    assert pytest.approx(record.cells[0].scores["accuracy"].mean) == (
        found.recommended().scores.accuracy
    )
