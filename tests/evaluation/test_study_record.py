import numpy as np
import pytest

from evaluation.checked import faithfulness
from tessera import files
from tessera.evaluation.study_record import study_record
from tessera.experiment import Cnn, Experiment, Regime
from tessera.record import RunFolder, StudyRecord

from .studies import ENVIRONMENT, flat, folders, of_one_class, records

STUDY = Experiment()


def recalls(model, regime, seed):
    return flat(0.8, 0.5 + 0.01 * seed)


def test_a_study_record_turns_into_json_and_back_without_loss():
    study = study_record(STUDY, records(STUDY, recalls), ENVIRONMENT, folders(STUDY))
    assert StudyRecord.model_validate_json(study.model_dump_json()) == study
    assert (len(study.cells), len(study.verdicts)) == (9, 7)


def test_a_study_tested_on_one_class_has_no_score_that_is_no_number():
    one = Experiment(models=(Cnn(),), regimes=(Regime(name="balanced"),))
    found = [of_one_class(record) for record in records(one, recalls)]
    study = study_record(one, found, ENVIRONMENT, folders(one))
    assert StudyRecord.model_validate_json(study.model_dump_json()) == study
    assert "accuracy" in study.cells[0].scores
    assert "chance_adjusted" not in study.cells[0].scores


def test_no_finished_run_is_an_error():
    with pytest.raises(ValueError, match="at least one finished run"):
        study_record(STUDY, [], ENVIRONMENT, [])


def test_runs_on_other_data_are_an_error():
    finished = records(STUDY, recalls)
    data = finished[0].data.model_copy(update={"fingerprint": "e" * 64})
    finished[0] = finished[0].model_copy(update={"data": data})
    named = "runs on the same data. Received fingerprints: e{12}, f{12}. "
    with pytest.raises(ValueError, match=named):
        study_record(STUDY, finished, ENVIRONMENT, folders(STUDY))


def test_a_study_says_what_its_runs_were_computed_with():
    finished = records(STUDY, recalls)
    later = ENVIRONMENT.model_copy(update={"commit": "0" * 40})
    finished[-1] = finished[-1].model_copy(update={"provenance": later})

    study = study_record(STUDY, finished, later, folders(STUDY))

    others = len(finished) - 1
    assert [(t.environment, t.runs) for t in study.trained] == [
        (ENVIRONMENT, others),
        (later, 1),
    ]
    assert study.environment == later  # that of the process which writes it


def test_a_study_keeps_its_rankings_and_what_a_model_must_beat():
    study = study_record(STUDY, records(STUDY, recalls), ENVIRONMENT, folders(STUDY))
    assert [r.model for r in study.rankings] == ["cnn", "transformer", "hybrid"]
    assert [b.regimes for b in study.baselines] == [
        ("balanced",),
        ("balanced",),
        ("imbalanced", "weighted"),
        ("imbalanced", "weighted"),
    ]
    # Three of ten classes have 900 images and seven 4,500: 34,200 in all.
    _, _, majority, guesses = (b.scores for b in study.baselines)
    assert (majority["accuracy"], majority["reduced_recall"]) == (0.1, 0)
    assert guesses["worst_class_recall"] == pytest.approx(900 / 34_200)
    assert guesses["reduced_recall"] == pytest.approx(900 / 34_200)


def test_what_a_model_must_beat_is_measured_on_the_test_images():
    finished = records(STUDY, recalls)
    counts = {"test_counts": (2000, *[1000] * 9)}
    data = finished[0].data.model_copy(update=counts)
    every = [record.model_copy(update={"data": data}) for record in finished]
    study = study_record(STUDY, every, ENVIRONMENT, folders(STUDY))
    # Of the seven most common classes one has 2 of 11 test images and six have 1.
    majority = study.baselines[2].scores
    assert majority["accuracy"] == pytest.approx((2 + 6) / 11 / 7)


def test_checks_of_explanations_reach_the_verdict():
    finished = records(STUDY, recalls)
    every = [faithfulness(record) for record in finished]
    place = folders(STUDY)
    study = study_record(STUDY, finished, ENVIRONMENT, place, faithfulness=every)
    assert study.verdicts[3].verdict == "supported"


def test_predictions_are_read_from_the_studys_folder(tmp_path):
    one = Experiment(models=(Cnn(),), seeds=(0,))
    places = folders(one)
    labels = np.repeat(np.arange(10), 3)
    logits = np.eye(10, dtype=np.float32)[labels]
    for place in places:
        path = RunFolder(tmp_path / place).predictions
        files.write_arrays(path, logits=logits, labels=labels)
    found = records(one, recalls)
    study = study_record(one, found, ENVIRONMENT, places, tmp_path)
    # Of the right class e / (e + 9), so the NLL is ln(e + 9) - 1.
    expected = np.log(np.e + 9) - 1
    assert study.cells[0].scores["nll"].mean == pytest.approx(expected, abs=1e-6)


def test_baselines_are_measured_on_the_classes_of_the_cells_beside_them():
    finished = [
        run.model_copy(
            update={
                "reduced_classes": (0,),
                "train_counts": (900, *[4500] * 9),
            }
        )
        if run.regime == "weighted"
        else run
        for run in records(STUDY, recalls)
    ]
    study = study_record(STUDY, finished, ENVIRONMENT, folders(STUDY))
    guesses = {
        row.regimes: row.scores["reduced_recall"] for row in study.baselines[1::2]
    }
    assert guesses["balanced",] == pytest.approx(0.1)
    # Of class 0 alone, and of classes 3, 4 and 5 alone.
    assert guesses["weighted",] == pytest.approx(900 / (900 + 9 * 4500))
    assert guesses["imbalanced",] == pytest.approx(900 / (3 * 900 + 7 * 4500))
