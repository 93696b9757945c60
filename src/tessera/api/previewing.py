"""Training images as a run will show them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tessera import choice, runtime
from tessera import study as studies
from tessera.api import arguments
from tessera.api.arguments import Source

if TYPE_CHECKING:
    from tessera.previewed import Preview


def preview(
    data: Source | None = None,
    *,
    model: str = "hybrid",
    regime: str = "weighted",
    seed: int = 0,
    epoch: int = 1,
    plan: str | Path | None = None,
    groups: str | None = None,
    change: str | Sequence[str] = (),
    verbose: bool = True,
) -> "Preview":
    """See training images as a run will show them, before it trains.

    The first images of each class in an epoch, as they are and as they are cropped,
    flipped, turned, recoloured and mixed: the very ones that `train` and `study` show
    for the same settings.

    Args:
        data: The images; None: those of the plan.
        model: One of the plan's models.
        regime: One of its regimes.
        seed: Of the run.
        epoch: Counted from 1.
        plan: An experiment file; None: the reference study's settings.
        groups: Images that are never parted, see `study`.
        change: Any other setting, or several, as the command line's `--set` takes them.
        verbose: Whether to show how images are read.

    Raises:
        ExperimentError: A setting is wrong, or the training has no such epoch.
        DataError: The data cannot be used.
        ProfileError, RemedyError: The regime does not fit the data.
    """
    asked = arguments.resolve(
        data,
        plan,
        epochs=None,
        seeds=None,
        groups=groups,
        change=change,
        verbose=verbose,
    )
    dataset = arguments.loaded(data, asked, verbose)
    asked = studies.adapted(asked, dataset)
    run = choice.find_run(asked, model, regime, seed, dashes="")
    runtime.prepare()
    runtime.load_backend()
    from tessera import previewed

    return previewed.preview(run, dataset, epoch=epoch)
