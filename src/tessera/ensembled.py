"""The runs of a cell, one for each seed -> one model that answers with their mean.

Its logits are the logarithms of the members' mean probabilities, so that a softmax
gives these back, and whatever takes a trained model takes this one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tessera.arrays import Probabilities
from tessera.evaluation import health, scores
from tessera.evaluation.ensemble import mean_probabilities
from tessera.models import rebuild
from tessera.phrases import listed
from tessera.record import Record, Scores
from tessera.trained import ChosenRun, Trained, of_run


@dataclass(frozen=True, eq=False)
class Ensemble(Trained):
    """Runs that answer together; `folder` and `run` are those of the best of them.

    Its temperature is 1: each member is calibrated for itself, inside.
    """

    members: tuple[Trained, ...] = ()
    """One for each seed."""

    @property
    def seeds(self) -> str:
        """Of the members: `seeds 0, 1 and 2`."""
        return seeds(self.members)

    @property
    def place(self) -> str:
        """The folder of the cell, and its seeds."""
        return f"{self.folder.path.parent}, {self.seeds}"

    @property
    def calibration(self) -> str:
        """Which members are calibrated and on what, and that their mean is not."""
        if self.uncalibrated:
            return super().calibration
        images = f"{sum(self.record.validation_counts):,} validation images"
        known = ", ".join(map(_calibrated, self.members))
        cold = any(member.uncalibrated for member in self.members)
        tends = "" if cold else ", and tends to be less sure than it is right"
        return (
            f"Each run is calibrated for itself, on its own {images}: {known}. Their "
            f"mean is calibrated on none{tends}."
        )

    def stored(self) -> Probabilities:
        """The mean of the members' probabilities as training left them, [N, K].

        Raises:
            RunError: A member has none that can be read.
        """
        return mean_of_stored(self.members)


def seeds(members: Sequence[Trained]) -> str:
    """`seed 3`, or `seeds 0, 1 and 2`."""
    numbers = [str(member.run.seed) for member in members]
    return f"seed{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def _calibrated(member: Trained) -> str:
    if member.uncalibrated:
        return f"seed {member.run.seed} not ({member.uncalibrated})"
    return f"seed {member.run.seed} with temperature {member.temperature:.2f}"


def _uncalibrated(members: Sequence[Trained]) -> str:
    """Why no member is calibrated; empty where one is."""
    reasons = [member.uncalibrated for member in members]
    return "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""


def mean_of_stored(members: Sequence[Trained]) -> Probabilities:
    """The mean of what runs answered to the test images in training, [N, K].

    Raises:
        RunError: One has no predictions that can be read.
    """
    logits = [rebuild.predictions(m.folder.predictions)[0] for m in members]
    return mean_probabilities(logits, [m.temperature for m in members])


def ensemble(taken: ChosenRun) -> Ensemble:
    """The model that the runs `taken.together` are.

    Raises:
        RunError: A file of one is missing or damaged.
        ExperimentError: An `experiment.toml` is not valid.
    """
    from tessera.models import ensemble as networks  # loads the framework

    members = [of_run(folder) for folder in taken.together]
    best = next(m for m in members if m.folder == taken.folder)
    nets = {member.run.seed: member.net for member in members}
    net = networks.ensemble(nets, [member.temperature for member in members])
    return Ensemble(
        best.folder,
        best.run,
        record(best.record, members),
        net,
        temperature=1.0,
        because=taken.because,
        uncalibrated=_uncalibrated(members),
        members=tuple(members),
    )


def record(best: Record, members: Sequence[Trained]) -> Record:
    """One member's record with what differs of all: scores, sizes and notes.

    Raises:
        RunError: A member has no test predictions that can be read.
    """
    _, labels = rebuild.predictions(members[0].folder.predictions)
    answers = mean_of_stored(members).argmax(axis=1)
    found = scores.scores(labels, answers, best.data.class_names)
    return best.model_copy(
        update={
            "scores": found,
            "parameters": sum(m.record.parameters for m in members),
            "multiply_adds": sum(m.record.multiply_adds for m in members),
            "notes": tuple(_notes(members, found)),
        }
    )


def _notes(members: Sequence[Trained], found: Scores) -> Iterator[str]:
    """That they are several, what their answers lack, and what each one's notes say."""
    yield f"These are {len(members)} trainings, {seeds(members)}, asked together."
    yield from health.of_answers(found)
    own = [_of_training(member.record) for member in members]
    shared = [note for note in own[0] if all(note in notes for notes in own)]
    yield from shared
    for member, notes in zip(members, own, strict=True):
        for note in notes:
            if note not in shared:
                yield f"Seed {member.run.seed}: {note}"


def _of_training(record: Record) -> list[str]:
    """A run's notes without those of its answers, which are not the ensemble's."""
    answers = list(health.of_answers(record.scores))
    return [note for note in record.notes if note not in answers]
