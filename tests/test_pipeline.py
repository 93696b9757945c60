"""One run, start to finish, on real digits: what it leaves, and that it repeats."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from tessera import checkpoint, files, pipeline, runtime, settings
from tessera.data import source
from tessera.data.dataset import Dataset
from tessera.evaluation.probabilities import fitted_temperature
from tessera.experiment import (
    Cnn,
    Digits,
    Experiment,
    Fractions,
    Regime,
    Run,
    Training,
)
from tessera.record import Record, RunFolder
from tessera.selection import choose
from tessera.training import resume

EXPERIMENT = Experiment(
    data=Digits(image_size=16),
    models=(Cnn(),),
    training=Training(epochs=4, batch_size=20, flip=False, crop_padding=1),
)


@pytest.fixture(scope="module", autouse=True)
def _framework() -> None:
    runtime.prepare(threads=1)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Digits, as if every test image were a file."""
    digits = source.load(EXPERIMENT.data)
    names = tuple(f"digit/{i}.png" for i in range(len(digits.test)))
    return replace(digits, test=replace(digits.test, names=names))


@pytest.fixture(scope="module")
def run() -> Run:
    return next(r for r in EXPERIMENT.runs() if r.regime.name == "weighted")


@pytest.fixture(scope="module")
def folder(
    run: Run, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    pipeline.execute(run, dataset, folder)
    return folder


@pytest.fixture(scope="module")
def record(folder: RunFolder) -> Record:
    return Record.model_validate_json(folder.record.read_bytes())


def test_a_run_leaves_every_file_and_nothing_half_written(folder: RunFolder) -> None:
    names = {path.name for path in folder.path.iterdir()}
    assert names == {
        "experiment.toml",
        "manifest.json",
        "history.csv",
        "best.weights.h5",
        "model.keras",
        "predictions.npz",
        "validation_predictions.npz",
        "heatmaps.npz",
        "mistakes.npz",
        "record.json",
    }


def test_the_scores_can_be_computed_again_from_the_stored_predictions(
    folder: RunFolder, record: Record
) -> None:
    stored = files.read_arrays(folder.predictions)
    labels, predicted = stored["labels"], stored["logits"].argmax(axis=1)
    scores = record.scores
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert scores.macro_f1 == pytest.approx(
        metrics.f1_score(labels, predicted, average="macro")
    )
    np.testing.assert_array_equal(
        scores.confusion_matrix, metrics.confusion_matrix(labels, predicted)
    )


def test_mistakes_name_the_files_of_the_test_set(folder: RunFolder) -> None:
    found = files.read_arrays(folder.mistakes)
    assert found["names"].tolist() == [f"digit/{i}.png" for i in found["indices"]]


def test_stored_pictures_show_the_temperature_that_validation_tells(
    folder: RunFolder,
) -> None:
    held = files.read_arrays(folder.validation_predictions)
    fitted = fitted_temperature(held["logits"], held["labels"])
    assert fitted != 1.0
    for path in (folder.heatmaps, folder.mistakes):
        found, test = files.read_arrays(path), files.read_arrays(folder.predictions)
        shares = special.softmax(test["logits"][found["indices"]] / fitted, axis=1)
        said = shares[np.arange(len(shares)), found["targets"]]
        assert found["temperature"] == fitted
        assert found["probabilities"] == pytest.approx(said, abs=1e-5)


def test_the_run_learned_something(record: Record) -> None:
    assert record.scores.accuracy > 0.3  # guessing gives 0.1


def test_the_stored_experiment_is_the_run(folder: RunFolder, run: Run) -> None:
    assert settings.read(folder.experiment).runs() == (run,)


def test_the_study_profile_keeps_a_fifth_of_three_classes_and_a_tenth_validates(
    folder: RunFolder, dataset: Dataset, record: Record
) -> None:
    kept = np.add(record.train_counts, record.validation_counts)
    whole = dataset.train.counts(10)
    expected = np.where(np.isin(np.arange(10), [3, 4, 5]), np.round(0.2 * whole), whole)
    np.testing.assert_array_equal(kept, expected)
    assert record.reduced_classes == (3, 4, 5)
    share = np.sum(record.validation_counts) / np.sum(kept)
    assert share == pytest.approx(0.1, abs=0.005)


def test_training_and_validation_images_are_disjoint(folder: RunFolder) -> None:
    indices = json.loads(folder.manifest.read_text())["indices"]
    assert not set(indices["train"]) & set(indices["validation"])


def test_the_saved_model_takes_raw_pixels_and_gives_the_stored_answers(
    folder: RunFolder, dataset: Dataset
) -> None:
    import keras

    model = keras.saving.load_model(folder.model, compile=False)
    probabilities = model.predict_on_batch(dataset.test.images.astype(np.float32))
    logits = files.read_arrays(folder.predictions)["logits"].astype(np.float64)
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = exponents / exponents.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_the_best_epoch_is_the_one_with_the_best_monitored_score(
    folder: RunFolder, record: Record
) -> None:
    rows = np.genfromtxt(folder.history, delimiter=",", names=True)
    column = rows[EXPERIMENT.training.monitor]
    assert record.best_epoch == 1 + int(np.argmax(column))
    stored = files.read_arrays(folder.validation_predictions)
    best = metrics.balanced_accuracy_score(
        stored["labels"], stored["logits"].argmax(axis=1)
    )
    assert best == pytest.approx(column.max())


def test_right_answers_have_one_map_and_wrong_ones_another_for_the_truth(
    folder: RunFolder,
) -> None:
    maps = files.read_arrays(folder.heatmaps)
    right = maps["labels"] == maps["predicted"]
    same = (maps["raw"] == maps["raw_true"]).all(axis=(1, 2))
    assert same[right].all() and not same[~right].any()
    assert (~right).any()


def test_the_same_seed_gives_bit_equal_predictions(
    run: Run, dataset: Dataset, folder: RunFolder, tmp_path: Path
) -> None:
    again = RunFolder(tmp_path)
    pipeline.execute(run, dataset, again)
    for name in ("predictions", "validation_predictions", "heatmaps"):
        first, second = getattr(folder, name), getattr(again, name)
        assert first.read_bytes() == second.read_bytes(), name


def test_another_seed_gives_other_images_and_other_predictions(
    run: Run, dataset: Dataset, folder: RunFolder, tmp_path: Path
) -> None:
    other = RunFolder(tmp_path)
    pipeline.execute(run.model_copy(update={"seed": 1}), dataset, other)
    first = files.read_arrays(folder.predictions)["logits"]
    assert not np.array_equal(first, files.read_arrays(other.predictions)["logits"])
    manifests = [json.loads(f.manifest.read_text())["sha256"] for f in (folder, other)]
    assert manifests[0] != manifests[1]


def test_a_run_notes_the_classes_that_it_was_not_validated_with(
    dataset: Dataset, tmp_path: Path
) -> None:
    labels = dataset.train.labels
    groups = tuple(f"film {n % 2}" if k == 9 else str(n) for n, k in enumerate(labels))
    grouped = replace(dataset, train=replace(dataset.train, groups=groups))
    profile = Fractions(fractions=dict.fromkeys(map(str, range(9)), 0.1) | {"9": 0.02})
    shown = EXPERIMENT.model_copy(
        update={
            "regimes": (Regime(name="few", profile=profile),),
            "seeds": tuple(range(12)),
            "training": Training(epochs=1),
        }
    )
    run = next(
        one for one in shown.runs() if not choose(one, grouped).validation.counts(10)[9]
    )
    record = pipeline.execute(run, grouped, RunFolder(tmp_path))
    assert record.validation_counts[9] == 0
    told = f"No validation images of: 9 (seed {run.seed}); profiles draw single"
    assert record.notes[0].startswith(told)


def test_a_checkpoint_that_is_passed_over_is_told_at_once_and_noted(
    run: Run, dataset: Dataset, tmp_path: Path, monkeypatch, capsys
) -> None:
    folder = RunFolder(tmp_path)
    checkpoint.save(folder.checkpoints, 1, {}, {}, digest="of another experiment")
    monkeypatch.setattr(pipeline.fit, "fit", lambda job: resume.resumed(job.store))
    rest = {"donor": None, "report": lambda *_: None, "fitted": None}
    chosen = pipeline.choose(run, dataset)
    state, notes = pipeline.trained(run, None, dataset, chosen, folder, **rest)
    why = "this checkpoint is not used: it belongs to other settings, data or versions."
    assert state.history == []
    assert notes == (f"checkpoints/step-000000001: {why}",)
    assert capsys.readouterr().err == (
        f"tessera: {folder.checkpoints}/step-000000001: {why}\n"
    )


class BrokenOff(Exception):
    """Stands for the end of the process."""


def test_who_trains_a_finished_run_again_and_is_broken_off_leaves_none(
    run: Run, dataset: Dataset, folder: RunFolder, tmp_path: Path
) -> None:
    """Its weights are others by then."""
    again = RunFolder(shutil.copytree(folder.path, tmp_path / "again"))

    def broken_off(*_: object) -> None:
        raise BrokenOff

    with pytest.raises(BrokenOff):
        pipeline.execute(run, dataset, again, report=broken_off)
    assert not again.record.exists()
