"""An experiment and its data -> what to know of the settings before training."""

import math
from collections.abc import Iterator

from tessera import machine, runtime, selection, starts, tested
from tessera.data.dataset import Dataset
from tessera.experiment import Digits, Experiment
from tessera.imbalance import guards, profiles, sampling
from tessera.phrases import in_row, plural

SLOW_16_BITS = (
    "This processor has no instructions for bfloat16: a training step in 16 bits gains "
    "nothing here, and may take many times as long as in 32"
)

FEW = 200
"""Steps below which a training is told to be short: a rule of thumb."""

MORE = 500
"""Steps that the way out gives at least."""

SMALL = 16
"""Images in a batch of that way, where batches are larger."""


def notes(experiment: Experiment, dataset: Dataset) -> tuple[str, ...]:
    """What to know of the settings before training, of remedies as `regime: note`.

    Raises:
        ProfileError: A profile does not fit the data.
        RemedyError: A remedy contradicts itself, the data or the epochs.
        ExperimentError, RunError, DataError: A model cannot start from the weights
            that it should, or not honestly; see `starts.notes`.
    """
    found: list[str] = []
    if machine.lacks_16_bits() and runtime.on_processor():
        found += _slow(experiment)
    if isinstance(experiment.data, Digits) and experiment.training.flip:
        found.append(
            "A mirrored digit is another sign: `--set training.flip=false` trains "
            "without flips."
        )
    for regime in experiment.regimes:
        try:
            counts, _ = selection.planned(
                regime.profile, experiment.data.validation, dataset
            )
            tested.check(regime.profile, counts, dataset)
            epochs = experiment.training.epochs
            remarks = guards.check(regime.remedy, counts, epochs=epochs)
        except (profiles.ProfileError, guards.RemedyError) as error:
            raise type(error)(f"regime {regime.name}: {error}") from error
        found += [f"{regime.name}: {remark}" for remark in remarks]
    found += starts.notes(experiment, dataset)
    found += _too_short(experiment, dataset)
    return (*found, *selection.all_unvalidated(experiment, dataset))


def _slow(experiment: Experiment) -> Iterator[str]:
    """Tell of models that are trained in 16 bits."""
    training = experiment.training
    if training.precision != "float32":
        yield f"{SLOW_16_BITS} (`--set training.precision=float32`)."
        return
    used = {m.label: m.trained(training).precision for m in experiment.models}
    if own := [label for label, precision in used.items() if precision != "float32"]:
        where = in_row(own)
        yield f"{SLOW_16_BITS} (leave `precision` out of the training of {where})."


def _too_short(experiment: Experiment, dataset: Dataset) -> Iterator[str]:
    """Tell of the shortest training if it has fewer steps than `FEW`.

    Raises:
        ProfileError: A profile does not fit the data.
    """
    epochs = experiment.training.epochs
    batches, images, batch, cell = min(_lengths(experiment, dataset))
    if epochs * batches >= FEW:
        return
    steps = plural(epochs * batches, "step")
    way = ""
    if batch == experiment.training.batch_size > SMALL:
        batches, way = math.ceil(images / SMALL), f" --set training.batch_size={SMALL}"
    yield (
        f"{plural(epochs, 'epoch')} in batches of {batch} "
        f"{'is' if epochs == 1 else 'are'} {steps} ({cell}), in which few models learn "
        f"much. `--epochs {math.ceil(MORE / batches)}{way}` gives {MORE} or more."
    )


def _lengths(
    experiment: Experiment, dataset: Dataset
) -> Iterator[tuple[int, int, int, str]]:
    """Batches and images of an epoch, the size of a batch, and the cell: of each."""
    share, epochs = experiment.data.validation, experiment.training.epochs
    for regime in experiment.regimes:
        counts, _ = selection.planned(regime.profile, share, dataset)
        images = math.ceil(sum(sampling.lengths(regime.remedy, counts, epochs=epochs)))
        for model in experiment.models:
            batch = model.trained(experiment.training).batch_size
            cell = f"{model.label} under {regime.name}"
            yield math.ceil(images / batch), images, batch, cell
