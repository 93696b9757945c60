"""What a run's record says in words of how it was trained."""

from pathlib import Path

from tessera.experiment import Run
from tessera.imbalance import guards
from tessera.models import rebuild
from tessera.phrases import in_row, plural
from tessera.record import RunFolder
from tessera.selection import Chosen


def before(run: Run, chosen: Chosen) -> tuple[str, ...]:
    """What is known of a training before it begins.

    Raises:
        RunError: The run that it starts from is gone.
        RemedyError: The remedy cannot be used on these images.
    """
    found = guards.check(run.regime.remedy, chosen.counts, epochs=run.training.epochs)
    return (*training(run), *starting(run), *found)


def training(run: Run) -> tuple[str, ...]:
    """What a reader should know of the model's training, if it has its own settings."""
    own = run.model.own
    if not run.training.flip:
        own.pop("alternating_flip", None)  # there are none to alternate
    if not own:
        return ()
    named = ", ".join(f"{key} {value}" for key, value in own.items())
    origin = run.model.origin or ""
    return (f"Trained with settings of its own ({named}). {origin}".strip(),)


def starting(run: Run) -> tuple[str, ...]:
    """What a reader should know of the weights that the training starts from, if any.

    Raises:
        RunError: Their run is gone.
    """
    start = run.model.start
    if start is None:
        return ()
    record = rebuild.read_record(RunFolder(Path(start.run)))
    images = plural(sum(record.train_counts), "image")
    return (
        f"Starts from the weights of {record.model} under {record.regime} with seed "
        f"{record.seed}, which learned from {images} of {record.data.name} "
        f"({in_row(record.data.class_names)}); its last layer is new.",
    )
