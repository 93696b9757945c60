"""The options of a command line -> the experiment that they ask for."""

import json
from pathlib import Path

from tessera import settings
from tessera.experiment import Experiment, Folder, Regime


def resolve(
    path: Path | None,
    data: str | None,
    epochs: int | None,
    seeds: str | None,
    overrides: list[str],
    groups: str | None = None,
) -> Experiment:
    """The experiment that a command line asks for; its options win over the file.

    Raises:
        ExperimentError: A setting is wrong.
        DataError: `--data` names nothing.
    """
    texts = list(overrides)
    if epochs is not None:
        texts.append(f"training.epochs={epochs}")
    if groups is not None:
        texts.append(f"data.groups={json.dumps(groups)}")
    if seeds is not None:
        texts.append(f"seeds={list(parse_seeds(seeds))}")
    if data is None:
        return settings.read(path, texts, suited=suited)
    from tessera.data import source

    chosen = source.from_argument(data)
    return settings.read(
        path,
        texts,
        data=chosen.model_dump(exclude_defaults=True) | {"kind": chosen.kind},
        suited=suited,
    )


def suited(experiment: Experiment) -> tuple[Regime, ...]:
    """The regimes of an experiment: where it names none, those that suit its folder.

    Raises:
        DataError: The folder cannot be used.
    """
    from tessera import cross_validation
    from tessera import study as studies
    from tessera.cli import commands

    if not isinstance(experiment.data, Folder):
        return experiment.regimes  # the other data is balanced
    folds = cross_validation.parts(experiment, Path())
    loaded = commands.load(folds[0].experiment if folds else experiment)
    return studies.adapted(experiment, loaded).regimes


def parse_seeds(text: str) -> tuple[int, ...]:
    """`3` -> (0, 1, 2); `3,7` -> (3, 7).

    Raises:
        ExperimentError: It is neither.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(p.isdecimal() and len(p) <= 10 for p in parts):
        raise settings.ExperimentError(
            "--seeds: expected a count such as 5, or a list such as 3,7,11 "
            f"(`7,` for the one seed 7). Received: {text[:40]!r}."
        )
    numbers = tuple(int(part) for part in parts)
    if "," in text:
        return numbers
    if not 1 <= numbers[0] <= 10_000:
        raise settings.ExperimentError(
            f"--seeds: expected a count from 1 to 10000. Received: {text.strip()}; the "
            f"one seed {numbers[0]} is `{numbers[0]},`."
        )
    return tuple(range(numbers[0]))
