"""Experiment files: TOML and `--set section.key=value` -> `Experiment`, and back."""

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError

from tessera import faults, files
from tessera.experiment import Compare, Experiment, Regime
from tessera.frozen import Setting
from tessera.record import RunFolder
from tessera.remedies import Remedy

Table = dict[str, Any]
_S = TypeVar("_S", bound=Setting)

MOST_BYTES = 2**20
"""Of an experiment file; one of ten thousand regimes has fewer."""

REPLACED = {"remedy": (), "profile": ("selection",)}
"""Sections that another kind replaces, with what every kind has and keeps."""

ABSENT = "\0" * 100
"""Stands for None until that is a comment; no path or name is this, and no table with
it is short enough to be written on one line."""


class ExperimentError(ValueError):
    """The settings do not make an experiment; the message says what to change."""


def read(
    path: Path | None,
    overrides: Iterable[str] = (),
    *,
    data: Table | None = None,
    suited: Callable[[Experiment], Iterable[Regime]] | None = None,
    option: str = "--set",
) -> Experiment:
    """Read an experiment file, apply overrides, and validate.

    Args:
        path: A TOML file; None starts from the defaults, the reference study's.
        overrides: Texts such as `training.epochs=40` or `models.2.depth=1`.
        data: Another dataset; image size and validation share stay the file's.
        suited: The regimes that suit an experiment's data; asked where an override
            changes one, and the file names none. None: the reference
            study's.
        option: What the user calls an override.

    Raises:
        ExperimentError: The file cannot be read, or a key or a value is wrong.
    """
    table = {} if path is None else read_table(path)
    if data is not None:
        kept = {"image_size", "validation"} & table.get("data", {}).keys()
        table["data"] = data | {key: table["data"][key] for key in kept}
    source = str(path) if path else "settings"
    for text in sorted(overrides, key=_rank):
        unnamed = not {"regimes", "compare"} & table.keys()
        if suited is not None and unnamed and _changes_a_regime(text):
            regimes = suited(build(table, source=source))
            table["regimes"] = [_table(regime) for regime in regimes]
        table = override(table, text, option)
    return build(table, source=source)


def _changes_a_regime(text: str) -> bool:
    return text.strip().startswith("regimes.")


def _rank(text: str) -> tuple[bool, bool]:
    """Regimes need all other settings, and parts of a remedy or profile its kind."""
    key = text.partition("=")[0].strip()
    parts = [key.partition(f".{name}.")[2] for name in REPLACED]
    return _changes_a_regime(text), any(part not in ("", "kind") for part in parts)


def read_table(path: Path) -> Table:
    """Parse a TOML file.

    Raises:
        ExperimentError: It is missing, unreadable or not TOML.
    """
    try:
        with path.open("rb") as file:  # which may be a device without end
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise OSError(f"more than {MOST_BYTES:,} bytes")
        return tomllib.loads(content.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(
            f"{path}: expected a readable experiment file (TOML). Received: "
            f"{_received(path, error)}. {_way_out(path)}"
        ) from error
    # Numbers of thousands of digits, and lists in lists without end, are TOML too.
    except (ValueError, RecursionError) as error:
        raise ExperimentError(f"{path}: expected TOML. Received: {error}.") from error


def _received(path: Path, error: Exception) -> str:
    """What is there in place of a file that can be read."""
    if path.is_dir():
        return "a folder"
    return "no such file" if isinstance(error, FileNotFoundError) else str(error)


def _way_out(path: Path) -> str:
    """Name the file inside, the option for images, or where a file comes from."""
    inside = path / "experiment.toml"
    if inside.is_file():
        return f"There is {inside}."
    if path.is_dir() or (path.suffix != ".toml" and not path.exists()):
        return f"Images are given as `--data {shlex.quote(str(path))}`."
    return "`tessera config` prints one to start from."


def build(table: Table, *, source: str = "settings") -> Experiment:
    """Validate a table of settings.

    Raises:
        ExperimentError: One line per fault, each with path, expectation and value.
    """
    table = _pinned(expanded(table, source=source), source)
    return _validated(Experiment, table, source)


def _pinned(table: Table, source: str) -> Table:
    """The table with the hash of the weights that each of its models starts from.

    Raises:
        ExperimentError: A run that a model starts from has none.
    """
    models = table.get("models")
    if not isinstance(models, list):
        return table
    found = [
        model | {"start": _hashed(model["start"], f"{source}: models.{at}.start.run")}
        if isinstance(model, dict) and isinstance(model.get("start"), dict)
        else model
        for at, model in enumerate(models)
    ]
    return table | {"models": found}


def _hashed(start: Table, where: str) -> Table:
    """A table of `Start` that says which weights it means."""
    run = start.get("run")
    if "sha256" in start or not isinstance(run, str):
        return start
    try:
        return start | {"sha256": files.sha256(RunFolder(Path(run)).weights)}
    except (OSError, ValueError) as error:  # a null character is no OSError
        raise ExperimentError(
            f"{where}: expected the folder of a finished run, with its weights. "
            f"Received: {run!r}, {_received(RunFolder(Path(run)).weights, error)}."
        ) from error


def expanded(table: Table, *, source: str = "settings") -> Table:
    """The table with regimes in the place of what `compare` is short for.

    Raises:
        ExperimentError: A comparison is not valid, two have regimes of one name that
            differ, or there are regimes as well.
    """
    if "compare" not in table:
        return table
    if "regimes" in table:
        raise ExperimentError(
            f"{source}: expected either compare or regimes. Received: both. `compare` "
            "is short for regimes; write all of them, or none."
        )
    regimes: dict[str, Any] = {}
    tables = table["compare"]
    for compare in tables if isinstance(tables, list) else [tables]:
        found = _validated(Compare, compare, source, prefix="compare.")
        for regime in found.regimes():
            entry = regime.model_dump(mode="json")
            if regimes.setdefault(regime.name, entry) != entry:
                raise ExperimentError(
                    f"{source}: compare: expected one profile for each name. Received "
                    f"two for the regime {regime.name!r}. Give each comparison a "
                    '`prefix` of its own, such as `prefix = "mild-"`.'
                )
    rest = {key: value for key, value in table.items() if key != "compare"}
    return rest | {"regimes": list(regimes.values())}


def _validated(kind: type[_S], table: Any, source: str, prefix: str = "") -> _S:
    try:
        # JSON mode is strict about types and still takes lists for tuples.
        return kind.model_validate_json(json.dumps(table, default=str))
    except RecursionError as error:
        raise ExperimentError(
            f"{source}: expected sections within sections, a few deep. Received: "
            "thousands."
        ) from error
    except ValidationError as error:
        found = [f"  {prefix}{fault}" for fault in faults.faults(error, table, kind)]
        raise ExperimentError("\n".join([f"{source}:", *found])) from error


def override(table: Table, text: str, option: str = "--set") -> Table:
    """Set one value, given as `section.key=value`; the value is TOML, or else text.

    A section that the table lacks starts from its defaults, so that
    `regimes.1.profile.fraction=0.1` works without a file.
    """
    path, separator, value = text.partition("=")
    keys = path.strip().split(".")
    if not separator or not all(keys):
        raise ExperimentError(
            f"{option}: expected section.key=value. Received: {text!r}. "
            "Example: training.epochs=40"
        )
    defaults = _table(Experiment())
    if len(keys) == 1:
        return table | {keys[0]: _value(value)}
    where = f"{option} {path}"
    section = table.get(keys[0], defaults.get(keys[0], {}))
    return table | {keys[0]: _with(section, keys[1:], _value(value), where)}


def dumps(experiment: Experiment) -> str:
    """The experiment as TOML, every default spelled out; absent options left away."""
    return tomli_w.dumps(_table(experiment))


def listed(experiment: Experiment) -> str:
    """The same with absent options as comments, since TOML has no value for them."""
    return _listed(experiment.model_dump(mode="json"))


def listed_remedy(remedy: Remedy) -> str:
    """The parts in which a remedy differs from plain training, as those of a regime."""
    whole = remedy.model_dump(mode="json")
    changed = {part: whole[part] for part in remedy.model_dump(exclude_defaults=True)}
    return _listed({"regimes": {"remedy": changed}})


def _listed(table: Table) -> str:
    text = tomli_w.dumps(_marked(table))
    return re.sub(r'^(\w+) = "(\\u0000)+"$', r"# \1 = (none)", text, flags=re.MULTILINE)


def _marked(node: Any) -> Any:
    """A copy of tables and lists with `ABSENT` in the place of every None."""
    if isinstance(node, dict):
        return {key: _marked(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_marked(value) for value in node]
    return ABSENT if node is None else node


def _table(setting: Setting) -> Table:
    return setting.model_dump(mode="json", exclude_none=True)


def _with(node: Any, keys: list[str], value: Any, where: str) -> Any:
    """A copy of a nested table or list with one entry replaced."""
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
        if key not in map(str, range(len(node))):
            raise ExperimentError(
                f"{where}: expected an index from 0 to {len(node) - 1}. "
                f"Received: {key!r}."
            )
        copy = list(node)
        copy[int(key)] = _with(copy[int(key)], rest, value, where) if rest else value
        return copy
    if not isinstance(node, dict):
        raise ExperimentError(
            f"{where}: expected a section before {key!r}. Received: {node!r}."
        )
    if key in REPLACED and rest == ["kind"]:
        # Parts that stand there, defaults too, would replace its own, or be none of it.
        before = node.get(key, {})
        kept = {part: before[part] for part in REPLACED[key] if part in before}
        return node | {key: kept | {"kind": value}}
    inner = _with(node.get(key, {}), rest, value, where) if rest else value
    return node | {key: inner}


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text.strip()
