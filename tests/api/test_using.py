"""Scores, answers and heatmaps of a run that was never trained."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_run

import tessera
from tessera import doubts, files
from tessera.data.dataset import DataError
from tessera.ensembled import Ensemble
from tessera.export import parity
from tessera.export.errors import ExportError
from tessera.models.rebuild import RunError
from tessera.record import Record, RunFolder


def images(count: int) -> np.ndarray:
    return toy_run.digits().test.images[:count]


def test_a_run_is_evaluated_by_its_stored_predictions(toy: RunFolder) -> None:
    found = tessera.evaluate(toy.path)
    record = Record.model_validate_json(toy.record.read_bytes())
    assert found.scores == record.scores


def test_predicting_the_same_images_again_scores_the_same(toy: RunFolder) -> None:
    data = tessera.load_data("digits", image_size=toy_run.SIZE, verbose=False)
    again, stored = tessera.evaluate(toy.path, data), tessera.evaluate(toy.path)
    assert again.scores.accuracy == pytest.approx(stored.scores.accuracy, abs=0.01)
    assert "on the test images of Digits" in again.images


def test_images_that_the_model_was_not_made_for_are_refused(toy: RunFolder) -> None:
    data = tessera.load_data("digits", image_size=8, verbose=False)
    with pytest.raises(DataError, match=r"expected images of \[16, 16, 3\]"):
        tessera.evaluate(toy.path, data)


def test_a_prediction_is_the_class_of_the_largest_stored_logit(toy: RunFolder) -> None:
    found = tessera.predict(toy.path, images(5))
    stored = files.read_arrays(toy.predictions)["logits"][:5]
    assert found.classes == tuple(str(k) for k in stored.argmax(axis=1))
    assert found.probabilities.sum(axis=1) == pytest.approx(1.0)


def test_answers_say_on_how_many_images_they_are_calibrated(toy: RunFolder) -> None:
    found = tessera.predict(toy.path, images(1))
    said = "Probabilities are calibrated on 100 validation images (temperature "
    assert said in repr(found) and said in found._repr_html_()


def test_a_heatmap_explains_the_class_asked_for(toy: RunFolder) -> None:
    found = tessera.explain(toy.path, images(2), target="7")
    assert found.explanations.targets.tolist() == [7, 7]
    assert found.explanations.raw.shape == (2, 4, 4)
    predicted = tessera.explain(toy.path, images(2)).explanations
    assert (predicted.targets == predicted.predicted).all()


def test_a_class_that_the_model_does_not_know_is_an_error(toy: RunFolder) -> None:
    with pytest.raises(DataError, match=r"expected one of 0, 1, .* Received: 'cat'"):
        tessera.explain(toy.path, images(1), target="cat")


@pytest.mark.parametrize("verb", [tessera.predict, tessera.explain])
def test_what_is_no_model_is_named_by_its_type(verb) -> None:
    said = r"model: expected .* Received: NoneType.*`tessera\.explain\.explain`"
    with pytest.raises(RunError, match=said):
        verb(None, images(1))


def test_a_run_without_its_predictions_is_named_with_the_way_out(
    toy: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(toy.path, tmp_path / "run"))
    run.predictions.unlink()
    with pytest.raises(RunError, match=r"predictions\.npz: expected .* Train the run"):
        tessera.evaluate(run.path)


def test_data_to_evaluate_on_is_loaded_first(toy: RunFolder) -> None:
    with pytest.raises(DataError, match=r"data: expected .*load_data.*Received: str"):
        tessera.evaluate(toy.path, "digits")


def test_a_study_answers_with_the_mean_of_its_seeds(
    two_seeds: Path, pair: Ensemble
) -> None:
    found = tessera.predict(two_seeds, images(3), ensemble=True)
    apart = [member.probabilities(images(3)) for member in pair.members]
    np.testing.assert_allclose(found.probabilities, np.mean(apart, axis=0), atol=1e-5)
    assert (found.because, found.calibration) == (pair.because, pair.calibration)


def test_all_seeds_are_scored_together_on_their_own_images_and_on_others(
    two_seeds: Path, pair: Ensemble
) -> None:
    own = tessera.evaluate(two_seeds, ensemble=True)
    assert own.scores == pair.record.scores
    assert own.images == f"{pair.place} on their own test images"
    data = tessera.load_data("digits", image_size=toy_run.SIZE, verbose=False)
    again = tessera.evaluate(two_seeds, data, ensemble=True)
    assert again.scores.accuracy == pytest.approx(own.scores.accuracy, abs=0.01)
    assert again.images.startswith(f"{pair.place} on the test images of Digits")
    assert again.scores != tessera.evaluate(two_seeds, data).scores


def test_one_run_cannot_answer_as_an_ensemble(toy: RunFolder) -> None:
    with pytest.raises(RunError, match="Give the study's folder"):
        tessera.predict(toy.path, images(1), ensemble=True)


def test_a_model_is_exported_and_shows_how_equal_it_is(
    two_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "IMAGES", 40)
    out = tmp_path / "model"
    done = tessera.export(two_seeds, "onnx", out=out, licence="Ours.", ensemble=True)
    assert done.model == out / "model.onnx" and done.model.is_file()
    told = done.card.read_text(encoding="utf-8")
    assert "2 trainings, seeds 0 and 1" in told and "Ours." in told
    because, check, model, card = repr(done).splitlines()
    assert because.startswith("The study's report recommends no remedy beyond doubt.")
    assert check.startswith("Checked on 40 images, 40 of them test images")
    assert (model, card) == (f"Model: {done.model}", f"Card: {done.card}")
    assert done._repr_html_().count("<p>") == 4


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are(
    toy: RunFolder,
) -> None:
    with pytest.raises(ExportError, match=r"keras, onnx.*Received: 'tflite'"):
        tessera.export(toy.path, "tflite")


def test_labels_that_the_answers_contradict_are_those_of_the_command(
    in_folds: Path,
) -> None:
    found = tessera.labels(in_folds)
    assert found.rows == doubts.doubts(in_folds).rows
    with pytest.raises(RunError, match="expected the folder of a finished run or"):
        tessera.labels(in_folds / "runs")
