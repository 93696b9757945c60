"""What a run's record says in words of how it was trained."""

from tessera import files, run_notes
from tessera.experiment import Cnn, Experiment, Hybrid, OwnTraining, Run, Start
from tessera.record import RunFolder


def run_of(model: Cnn | Hybrid) -> Run:
    return Experiment(models=(model,)).runs()[0]


def test_a_model_with_training_of_its_own_says_so() -> None:
    own = OwnTraining(learning_rate=0.002, batch_size=64, origin="Found by a search.")
    assert run_notes.training(run_of(Cnn(training=own))) == (
        "Trained with settings of its own (learning_rate 0.002, batch_size 64). "
        "Found by a search.",
    )
    assert run_notes.training(run_of(Cnn())) == ()


def test_flips_that_alternate_are_not_told_where_there_are_none() -> None:
    model = Cnn(training=OwnTraining(alternating_flip=True))
    without = Experiment(models=(model,), training={"flip": False})
    assert run_notes.training(run_of(model)) != ()
    assert run_notes.training(without.runs()[0]) == ()


def test_a_start_is_told_with_what_the_weights_have_learned_from(
    toy: RunFolder,
) -> None:
    start = Start(run=str(toy.path), sha256=files.sha256(toy.weights))
    (said,) = run_notes.starting(run_of(Hybrid(start=start)))
    assert said == (
        "Starts from the weights of hybrid under balanced with seed 0, which learned "
        "from 1,000 images of Digits (scikit-learn, 16x16) (0, 1, 2, 3, 4, 5, 6, 7, 8, "
        "9); its last layer is new."
    )
    assert run_notes.starting(run_of(Hybrid())) == ()
