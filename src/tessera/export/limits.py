"""When not to trust an exported model, for its card."""

from collections.abc import Sequence

from tessera.ensembled import Ensemble
from tessera.export.words import escaped, percent
from tessera.phrases import in_list
from tessera.trained import Trained

WEAK_RECALL = 0.5
"""A class with a recall below this is named among the limits."""

FEW_IMAGES = 30
"""Fewer test images of a class than this say little about it."""


def limits(trained: Trained, *, heatmap: bool, rounded: bool = False) -> Sequence[str]:
    """When not to trust the model, in sentences.

    Args:
        trained: The original.
        heatmap: Whether the model gives one.
        rounded: Whether it is compared with the original by a test.
    """
    record = trained.record
    per_class = record.scores.per_class
    weak = [c for c in per_class if c.support and c.recall < WEAK_RECALL]
    few = [c for c in per_class if c.support < FEW_IMAGES]
    found = [
        "It always names one of its classes, also for a picture of something else.",
        "Scores and calibration are for pictures like the data's; another camera, "
        "place or time may make both worse.",
        _of_calibration(trained),
        _of_training(trained),
    ]
    if weak:
        told = ", ".join(
            f"{in_list(escaped(c.name))} ({percent(c.recall)})" for c in weak
        )
        found.insert(0, f"It misses more than half of the images of: {told}.")
    if few:
        told = ", ".join(f"{in_list(escaped(c.name))} ({c.support})" for c in few)
        found.append(
            f"Fewer than {FEW_IMAGES} test images, so little is known: {told}."
        )
    if record.data.test_groups is not None:
        test = ", and McNemar's test p too small," if rounded else ""
        found.append(
            "Test images are of groups, and each is taken for itself: the intervals "
            f"are too short{test} where the images of a group resemble each other."
        )
    if heatmap:
        found.append(
            "The heatmap shows where evidence lies, to first order; it proves no cause."
        )
    return (*map(escaped, record.notes), *found)


def _of_calibration(trained: Trained) -> str:
    if trained.uncalibrated:
        return (
            "Probabilities are not calibrated: they order answers, and are not shares "
            "of right ones."
        )
    if isinstance(trained, Ensemble):
        return (
            "Probabilities are a mean, which is calibrated on no images: they order "
            "answers, and are not quite shares of right ones; where classes occur "
            "otherwise than in training they are off further."
        )
    return (
        "Probabilities are calibrated on validation images, which follow the class "
        "frequencies of training; where classes occur otherwise they are off."
    )


def _of_training(trained: Trained) -> str:
    if isinstance(trained, Ensemble):
        return (
            f"{len(trained.members)} trainings ({trained.seeds}): as many others would "
            "err on other images."
        )
    return "One training with one seed: another would err on other images."
