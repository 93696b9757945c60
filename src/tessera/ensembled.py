"""Several runs of a cell -> one model that answers with their mean.

They are those of all its seeds, or of all folds too (`folded`). Its logits are the
logarithms of the members' mean probabilities, so that a softmax gives these back, and
whatever takes a trained model takes this one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tessera.arrays import Labels, Probabilities
from tessera.evaluation import health, scores
from tessera.evaluation.ensemble import mean_probabilities
from tessera.experiment import Folder
from tessera.meant import ChosenRun
from tessera.models import rebuild
from tessera.phrases import listed
from tessera.record import Record, Scores
from tessera.trained import Trained, of_run


@dataclass(frozen=True, eq=False)
class Ensemble(Trained):
    """Runs that answer together; `folder` and `run` are those of the best of them.

    Its temperature is 1: each member is calibrated for itself, inside.
    """

    members: tuple[Trained, ...] = ()
    """One for each seed, or for each seed and fold."""

    @property
    def seeds(self) -> str:
        """Of the members: `seeds 0, 1 and 2`."""
        return seeds(self.members)

    @property
    def titles(self) -> tuple[str, ...]:
        """Of each member: `seed 0`."""
        return tuple(map(title, self.members))

    @property
    def place(self) -> str:
        """The folder of the cell, and its seeds."""
        return f"{self.folder.path.parent}, {self.seeds}"

    @property
    def again(self) -> str:
        """What to do where a member's files are not what they were, a sentence."""
        return (
            f"Train these again: delete {self.members[0].folder.path.parent} and the "
            "like, and give the study's command again."
        )

    @property
    def calibration(self) -> str:
        """Which members are calibrated and on what, and that their mean is not."""
        if self.uncalibrated:
            return super().calibration
        images = f"{sum(self.record.validation_counts):,} validation images"
        return (
            f"Each run is calibrated for itself, on its own {images}: "
            f"{calibrated_each(self.members)}"
        )

    def stored(self) -> Probabilities:
        """The mean of the members' probabilities as training left them, [N, K].

        Raises:
            RunError: A member has none that can be read.
        """
        return mean_of_stored(self.members)


def seeds(members: Sequence[Trained]) -> str:
    """`seed 3`, or `seeds 0, 1 and 2`."""
    numbers = list(dict.fromkeys(str(member.run.seed) for member in members))
    return f"seed{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def title(member: Trained) -> str:
    """`seed 0`, or `seed 0, fold 2`."""
    fold = fold_of(member)
    return f"seed {member.run.seed}" + ("" if fold is None else f", fold {fold}")


def fold_of(member: Trained) -> int | None:
    """The fold that tested a run, from 1; None: its study has none."""
    data = member.run.data
    return data.fold if isinstance(data, Folder) else None


def _name(member: Trained) -> str:
    """As a layer is called: `seed-0-fold-2`."""
    return title(member).replace(",", "").replace(" ", "-")


def calibrated_each(seeds: Sequence[Trained]) -> str:
    """How each seed's answers are calibrated, and that the mean of them is not."""
    known = ", ".join(map(_calibrated, seeds))
    cold = any(one.uncalibrated for one in seeds)
    tends = "" if cold else ", and tends to be less sure than it is right"
    return f"{known}. Their mean is calibrated on none{tends}."


def _calibrated(member: Trained) -> str:
    if member.uncalibrated:
        return f"seed {member.run.seed} not ({member.uncalibrated})"
    return f"seed {member.run.seed} with temperature {member.temperature:.2f}"


def uncalibrated(members: Sequence[Trained]) -> str:
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
    members = [of_run(folder) for folder in taken.together]
    _, labels = rebuild.predictions(taken.folder.predictions)
    best = next(m for m in members if m.folder == taken.folder)
    told = f"These are {len(members)} trainings, {seeds(members)}, asked together."
    return Ensemble(
        best.folder,
        best.run,
        record(best.record, members, labels, mean_of_stored(members), told),
        together(members),
        temperature=1.0,
        because=taken.because,
        uncalibrated=uncalibrated(members),
        members=tuple(members),
    )


def together(members: Sequence[Trained]) -> Any:
    """The members' networks as one, see `models.ensemble`."""
    from tessera.models import ensemble as networks  # loads the framework

    nets = {_name(member): member.net for member in members}
    return networks.ensemble(nets, [member.temperature for member in members])


def record(
    best: Record,
    members: Sequence[Trained],
    labels: Labels,
    shares: Probabilities,
    told: str,
) -> Record:
    """One run's record with what differs of all: scores, sizes and notes.

    Args:
        best: That record.
        members: All runs.
        labels: Of the test images, [N].
        shares: What the runs answer to these, [N, K].
        told: What the runs are, in sentences: the first note.
    """
    found = scores.scores(labels, shares.argmax(axis=1), best.data.class_names)
    return best.model_copy(
        update={
            "scores": found,
            "parameters": sum(m.record.parameters for m in members),
            "multiply_adds": sum(m.record.multiply_adds for m in members),
            "notes": (told, *_notes(members, found)),
        }
    )


def _notes(members: Sequence[Trained], found: Scores) -> Iterator[str]:
    """What their answers lack, and what each one's notes say."""
    yield from health.of_answers(found)
    own = [_of_training(member.record) for member in members]
    shared = [note for note in own[0] if all(note in notes for notes in own)]
    yield from shared
    for member, notes in zip(members, own, strict=True):
        for note in notes:
            if note not in shared:
                yield f"{title(member).capitalize()}: {note}"


def _of_training(record: Record) -> list[str]:
    """A run's notes without those of its answers, which are not the ensemble's."""
    answers = list(health.of_answers(record.scores))
    return [note for note in record.notes if note not in answers]
