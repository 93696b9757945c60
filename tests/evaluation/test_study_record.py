import pytest

from tessera.evaluation.study_record import study_record
from tessera.experiment import Experiment
from tessera.record import StudyRecord

from .studies import ENVIRONMENT, flat, folders, records

STUDY = Experiment()


def recalls(model, regime, seed):
    return flat(0.8, 0.5 + 0.01 * seed)


def test_a_study_record_turns_into_json_and_back_without_loss():
    study = study_record(STUDY, records(STUDY, recalls), ENVIRONMENT, folders(STUDY))
    assert StudyRecord.model_validate_json(study.model_dump_json()) == study
    assert (len(study.cells), len(study.verdicts)) == (9, 7)


def test_no_finished_run_is_an_error():
    with pytest.raises(ValueError, match="at least one finished run"):
        study_record(STUDY, [], ENVIRONMENT, [])


def test_runs_on_other_data_are_an_error():
    finished = records(STUDY, recalls)
    data = finished[0].data.model_copy(update={"fingerprint": "e" * 64})
    finished[0] = finished[0].model_copy(update={"data": data})
    with pytest.raises(ValueError, match="runs on the same data"):
        study_record(STUDY, finished, ENVIRONMENT, folders(STUDY))
