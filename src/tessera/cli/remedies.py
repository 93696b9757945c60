"""`--remedies`, `--models` and the list of what there is to choose from."""

from rich.console import Console
from rich.table import Table

from tessera import settings
from tessera.catalogue import catalogue
from tessera.experiment import Experiment
from tessera.remedies import Remedy


def parse(text: str | None) -> tuple[str, ...]:
    """`all`, or `a,b` -> names of the catalogue; None -> no names.

    Raises:
        ExperimentError: A name is not in the catalogue.
    """
    if text is None:
        return ()
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    settings.build({"compare": {"remedies": names}})
    return names


def narrowed(
    experiment: Experiment,
    models: str | None,
    *,
    alone: object,
    option: str = "--models",
) -> Experiment:
    """The experiment with only the models asked for; `alone`: the hybrid by default.

    Raises:
        ExperimentError: Neither has it such a model, nor is it a kind of model.
    """
    if models is None and not alone:
        return experiment
    wanted = [name.strip() for name in (models or "hybrid").split(",")]
    known = experiment.named_models()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise settings.ExperimentError(
            f"{option}: expected some of {', '.join(known)}. Received: {models!r}."
        )
    chosen = tuple(known[name] for name in wanted)
    return experiment.model_copy(update={"models": chosen})


def show(console: Console) -> None:
    """Print the catalogue, a line each."""
    table = Table("name", "what differs from plain training", box=None)
    for name, remedy in catalogue().items():
        table.add_row(name, describe(remedy))
    console.print(table)
    console.print(
        "\nUse them with `tessera study --remedies all` or `--remedies a,b`, or in an "
        'experiment file: `remedy = "ldam-drw"`. docs/methods.md has the formulas.'
    )


def describe(remedy: Remedy) -> str:
    """What a remedy changes, part by part, in its own words."""
    changed = remedy.model_dump(exclude_defaults=True)
    parts = []
    for key in changed:
        part = getattr(remedy, key)
        told = (part.__doc__ or "").splitlines()[0] if hasattr(part, "kind") else part
        parts.append(f"{key}: {told}")
    return "\n".join(parts) or "nothing"
