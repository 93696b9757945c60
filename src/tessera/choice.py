"""What a user names of an experiment: models, remedies, one run, its folder."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tessera import settings
from tessera.catalogue import catalogue
from tessera.experiment import LARGEST_SEED, Experiment, Run


def remedies(text: str | None, *, option: str = "--remedies") -> tuple[str, ...]:
    """`all`, or `a,b` -> names of the catalogue; nothing -> no names.

    Args:
        text: What the user gave.
        option: Where.

    Raises:
        ExperimentError: A name is not in the catalogue.
    """
    if not text:
        return ()
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        require(option, name, [*catalogue(), "all"])
    return names


def study_folder(out: str | Path | None, experiment: Experiment) -> Path:
    """Where a study goes: the folder given, or that of its name."""
    return Path("runs") / experiment.name if out is None else Path(out)


def narrowed(
    experiment: Experiment,
    models: str | None,
    *,
    alone: bool,
    option: str = "--models",
) -> Experiment:
    """The experiment with only the models asked for.

    Args:
        experiment: Has them, unless they are called by a kind's name.
        models: Their labels, or kinds such as `hybrid-plus`: `a,b`.
        alone: Whether without models the hybrid stands alone, or all of them stay.
        option: Where the user gave them.

    Raises:
        ExperimentError: Neither has it such a model, nor is it a kind of model; or one
            is asked for twice.
    """
    if not models and not alone:
        return experiment
    wanted = [name.strip() for name in (models or "hybrid").split(",")]
    known = experiment.named_models()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise settings.ExperimentError(
            f"{option}: expected some of {', '.join(known)}. Received: {models!r}."
        )
    if len(set(wanted)) < len(wanted):
        raise settings.ExperimentError(
            f"{option}: expected every model once. Received: {models!r}."
        )
    chosen = tuple(known[name] for name in wanted)
    return experiment.model_copy(update={"models": chosen})


def require_kept(
    before: Experiment,
    after: Experiment,
    changes: Iterable[str],
    option: str = "--set",
) -> None:
    """Refuse to change a model that is then left out, which nobody would hear of.

    Args:
        before: With all models, as the changes found and left them.
        after: With those that were asked for.
        changes: Texts such as `models.0.depth=2`.
        option: What the user calls them.

    Raises:
        ExperimentError: One changes a model that is not compared.
    """
    kept = [model.label for model in after.models]
    for text in changes:
        index = re.match(r"\s*models\.(\d+)\.", text)
        if index and (label := before.models[int(index[1])].label) not in kept:
            raise settings.ExperimentError(
                f"{option} {text.strip()}: expected to change one of the models that "
                f"are compared, {', '.join(kept)}. Received: a change of {label}, "
                'which is left out. `models=[{kind = "...", ...}]` gives models '
                "with settings of their own."
            )


def find_run(
    experiment: Experiment, model: str, regime: str, seed: int, dashes: str = "--"
) -> Run:
    """The run of the named cell.

    Args:
        experiment: Has the regime, and the model unless that is a kind's name.
        model: The label of a model, or a kind such as `hybrid-plus`.
        regime: The name of a regime.
        seed: Of the run.
        dashes: What stands before an option's name where the user gave it.

    Raises:
        ExperimentError: There is no such model or regime, or the seed is no seed.
    """
    models = experiment.named_models()
    for option, name, known in (
        ("model", model, list(models)),
        ("regime", regime, [r.name for r in experiment.regimes]),
    ):
        require(f"{dashes}{option}", name, known)
    if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
        raise settings.ExperimentError(
            f"{dashes}seed: expected a whole number from 0 to {LARGEST_SEED}. "
            f"Received: {seed!r}."
        )
    chosen = {"models": (models[model],), "seeds": (seed,)}
    runs = experiment.model_copy(update=chosen).runs()
    return next(run for run in runs if run.regime.name == regime)


def require(option: str, name: str, known: Sequence[str]) -> None:
    """Refuse a name that is none of the known ones.

    Raises:
        ExperimentError: It is not; the message lists them.
    """
    if name not in known:
        raise settings.ExperimentError(
            f"{option}: expected one of {', '.join(known)}. Received: {name!r}."
        )


def picture(path: Path, option: str) -> Path:
    """A picture's file, as it was given.

    Raises:
        ExperimentError: Its name is not that of a PNG file.
    """
    if path.suffix.lower() != ".png":
        raise settings.ExperimentError(
            f"{option}: expected a file ending in .png. Received: {str(path)!r}."
        )
    return path
