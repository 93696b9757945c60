"""Sanity checks: do the maps depend on what the model learned, and on the data?

Passed, failed or open; never a score. The bar of 0.5 is ours: the map of a random model
must share less than half of its order with the map of the trained one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Images, Labels
from tessera.evaluation.faithfulness import Check, Interval, Step
from tessera.explain.faithfulness import (
    controls,
    fitting,
    intervals,
    randomisation,
    similarity,
)
from tessera.explain.faithfulness.answers import Mapper
from tessera.explain.faithfulness.sampling import Sample

BAR = 0.5
SAME = 0.99
ENOUGH = 0.95
"""Training accuracy on shuffled labels from which the check says something."""
MEMORISED = 512
"""Training images whose shuffled labels are learned by heart."""

ADEBAYO = "Adebayo et al. 2018, NeurIPS, arXiv:1810.03292"
_PRIOR = (
    "Maps of convolutional nets stay somewhat alike even then, since the architecture "
    "itself draws edges and blobs (Binder et al. 2023, CVPR, arXiv:2211.12486)."
)


def parameters(
    net: keras.Model, mapper: Mapper, sample: Sample, before: Heatmaps, *, seed: int
) -> Iterator[Check]:
    """Both parameter randomisations and their positive control.

    Args:
        net: The trained model; it is not touched.
        mapper: Called anew with every copy.
        sample: Images, explained for the class that the trained model predicts.
        before: Their maps with the trained model.
        seed: Decides the new weights and the intervals.
    """
    cascade = randomisation.cascade(net)
    yield Check(
        key="cascade",
        name="layers drawn anew, from the logits down",
        expects="after the last step the maps are unlike those of the trained model",
        steps=(steps := tuple(_steps(net, mapper, sample, before, cascade, seed=seed))),
        bar=BAR,
        passed=unlike(steps[-1]),
        source=ADEBAYO,
        caveat=_PRIOR,
    )
    alone = randomisation.independent(net)
    yield Check(
        key="independent",
        name="one layer drawn anew at a time",
        expects="nothing fixed: a layer that may be drawn anew unseen is suspect",
        steps=tuple(_steps(net, mapper, sample, before, alone, seed=seed)),
        bar=BAR,
        passed=None,
        source=ADEBAYO,
        caveat=_PRIOR,
    )
    yield positive_control(net, sample, before.shape[1:], seed=seed)


def positive_control(
    net: keras.Model, sample: Sample, grid: tuple[int, ...], *, seed: int
) -> Check:
    """An edge map, which no weight can change, through the same randomisation."""

    def edges(_: keras.Model, images: NDArray[Any], __: Labels) -> Heatmaps:
        return controls.edges(images, controls.Grid(*grid))

    before = edges(net, sample.images, sample.targets)
    everything = randomisation.cascade(net)[-1:]
    steps = tuple(_steps(net, edges, sample, before, everything, seed=seed))
    low = steps[-1].spearman.low
    return Check(
        key="edges",
        name="an edge map, all layers drawn anew",
        expects="likeness 1: the comparison can tell a map that ignores the model",
        steps=steps,
        bar=SAME,
        passed=None if low is None else low > SAME,
        source=ADEBAYO,
        caveat="A control of the check itself, not of the method.",
    )


def _steps(
    net: keras.Model,
    mapper: Mapper,
    sample: Sample,
    before: Heatmaps,
    plan: list[tuple[str, ...]],
    *,
    seed: int,
) -> Iterator[Step]:
    found = randomisation.explained(
        net, mapper, sample.images, sample.targets, plan, seed=seed
    )
    for layers, after in found:
        yield compared(layers, before, after, seed=seed)


def other_seed(
    net: keras.Model, mapper: Mapper, sample: Sample, before: Heatmaps, *, seed: int
) -> Check:
    """The same recipe trained with another seed: how alike maps are at best."""
    after = mapper(net, sample.images, sample.targets)
    return Check(
        key="other_seed",
        name="the same recipe, another seed",
        expects="nothing fixed: how alike maps are between two equally good models",
        steps=(compared((), before, after, seed=seed),),
        bar=BAR,
        passed=None,
        source=ADEBAYO,
        caveat="Maps that differ between seeds explain one model, not the task.",
    )


@dataclass(frozen=True, eq=False)
class Memorised:
    """A model's architecture that has learned shuffled labels by heart, or tried to."""

    net: keras.Model
    images: int
    epochs: int
    """At most so many passes."""
    reached: float
    """Training accuracy."""


def memorised(
    net: keras.Model, images: Images, labels: Labels, *, epochs: int, seed: int
) -> Memorised:
    """Fit a copy with new weights to shuffled labels; it serves all methods.

    Args:
        net: The trained model; it is not touched.
        images: Training images; `MEMORISED` of them are drawn.
        labels: Their classes.
        epochs: At most this many passes to learn them by heart.
        seed: Decides the draw, the shuffle, the weights and the order.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(labels))[:MEMORISED])
    shuffled = rng.permutation(labels[chosen])
    copy = randomisation.redrawn(net, seed=seed)
    reached = fitting.memorise(
        copy, images[chosen], shuffled, seed=seed, epochs=epochs, enough=0.99
    )
    return Memorised(copy, len(chosen), epochs, reached)


def shuffled_labels(
    found: Memorised, mapper: Mapper, sample: Sample, before: Heatmaps, *, seed: int
) -> Check:
    """Data randomisation: maps of the same architecture fitted to shuffled labels.

    Args:
        found: That model.
        mapper: The method.
        sample: Images to explain.
        before: Their maps with the trained model.
        seed: Decides the intervals.
    """
    after = mapper(found.net, sample.images, sample.targets)
    step = compared(("all layers",), before, after, seed=seed)
    learned = found.reached >= ENOUGH
    return Check(
        key="shuffled_labels",
        name="trained on shuffled labels",
        expects="maps unlike those of the model trained on the true labels",
        steps=(step,),
        bar=BAR,
        passed=unlike(step) if learned else None,
        source=ADEBAYO,
        caveat=f"{found.images} images, learned to {100 * found.reached:.0f} % in at "
        f"most {found.epochs} epochs"
        + ("." if learned else ": too little for the check to say anything."),
    )


def compared(
    layers: tuple[str, ...], before: Heatmaps, after: Heatmaps, *, seed: int
) -> Step:
    """Likeness of two sets of maps of the same images."""
    return Step(
        layers=layers,
        spearman=intervals.interval(similarity.spearman(before, after), seed=seed),
        absolute=intervals.interval(
            similarity.spearman(np.abs(before), np.abs(after)), seed=seed
        ),
        ssim=intervals.interval(similarity.ssim(before, after), seed=seed),
    )


def unlike(step: Step) -> bool | None:
    """Whether both rank correlations are below the bar beyond doubt.

    False where one surely is not, None where an interval holds the bar.
    """
    sides = [_below(step.spearman), _below(step.absolute)]
    if False in sides:
        return False
    return None if None in sides else True


def _below(interval: Interval) -> bool | None:
    if interval.low is None or interval.high is None:
        return None
    if interval.high < BAR:
        return True
    return False if interval.low >= BAR else None
