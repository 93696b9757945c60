"""An experiment's models are compared with twins that start from a finished run."""

from pathlib import Path

import pytest
import toy_run

from tessera import files, twins
from tessera.experiment import Cnn, Experiment, Hybrid, OwnTraining, Start
from tessera.models.rebuild import RunError
from tessera.record import RunFolder
from tessera.settings import ExperimentError


@pytest.fixture
def begun(toy: RunFolder) -> Experiment:
    return twins.beside(Experiment(models=(Hybrid(),)), toy.path)


def test_one_model_more_is_compared_and_says_where_it_starts(
    toy: RunFolder, begun: Experiment
) -> None:
    own, more = begun.models
    assert twins.beside(begun, None) is begun
    assert own == Hybrid()
    assert more.label == "hybrid-started"
    assert more.start == Start(run=str(toy.path), sha256=files.sha256(toy.weights))


def test_the_two_differ_in_nothing_but_the_start(toy: RunFolder) -> None:
    tuned = Hybrid(name="mine", training=OwnTraining(learning_rate=0.01))
    experiment = Experiment(models=(Cnn(), tuned))
    *_, more = twins.beside(experiment, toy.path).models
    assert more.label == "mine-started"
    alike = {"name": "mine", "start": None}
    assert more.model_copy(update=alike) == tuned


def test_every_model_of_the_runs_architecture_has_a_twin(toy: RunFolder) -> None:
    gentle = Hybrid(name="gentle", training=OwnTraining(learning_rate=1e-4))
    deep = Hybrid(name="deep", depth=1)
    experiment = Experiment(models=(Hybrid(), deep, gentle))
    labels = [model.label for model in twins.beside(experiment, toy.path).models]
    assert labels[3:] == ["hybrid-started", "gentle-started"]


def test_a_model_that_is_not_compared_otherwise_starts_without_its_runs_training(
    tmp_path: Path,
) -> None:
    tuned = Hybrid(training=OwnTraining(learning_rate=0.5))
    folder = RunFolder(tmp_path / "seed-0")
    toy_run.write_run(folder, toy_run.experiment([tuned]).runs()[0])
    *_, more = twins.beside(Experiment(models=(Cnn(),)), folder.path).models
    assert (more.label, more.training) == ("hybrid-started", None)


def test_a_study_means_its_recommended_run(tmp_path: Path) -> None:
    study = toy_run.write_study(tmp_path, toy_run.experiment([Hybrid()]))
    *_, more = twins.beside(Experiment(), study).models
    assert more.start is not None
    assert Path(more.start.run).name == "seed-0"


def test_regimes_that_nobody_chose_still_follow_the_data(begun: Experiment) -> None:
    assert "regimes" not in begun.model_fields_set


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected the folder of a finished run"):
        twins.beside(Experiment(), tmp_path)


def test_the_name_is_not_taken_from_another_model(toy: RunFolder) -> None:
    taken = Experiment(models=(Cnn(name="hybrid-started"),))
    with pytest.raises(ExperimentError, match="none that is called 'hybrid-started'"):
        twins.beside(taken, toy.path)
