"""What a validation found wrong with settings -> a sentence for each fault."""

import difflib
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tessera.frozen import Setting

Table = dict[str, Any]

WORDS = {
    "bool_type": "true or false, in small letters and without quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "greater_than_equal": "a number of at least {ge}",
    "greater_than": "a number above {gt}",
    "less_than_equal": "a number of at most {le}",
    "less_than": "a number below {lt}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
}
"""For what a validator says in the words of Python, with its limits."""

NO_SECTION = (
    "union_tag_not_found",
    "dict_type",
    "model_type",
    "model_attributes_type",
)
"""Faults of a value that stands where a section must."""


def faults(error: ValidationError, table: Table, kind: type[Setting]) -> list[str]:
    """One sentence or two per fault: `path: expected ... Received: ...`.

    Args:
        error: Of the table's validation.
        table: What was to become a value of `kind`.
        kind: The settings.
    """
    details = [d for d in error.errors() if not _follows(d, error.errors())]
    return [_fault(detail, table, kind) for detail in details]


def _fault(detail: ErrorDetails, table: Table, kind: type[Setting]) -> str:
    path = _visible_path(detail["loc"], table)
    dotted = ".".join(path) or "experiment"
    received = detail["input"]
    match detail["type"]:
        case "extra_forbidden" if _is_of_images_in_files(path):
            return (
                f"{dotted}: expected as data an image folder, or a CSV file that lists "
                f"images; only these have `{path[1]}`. Received: data of kind "
                f"{table['data'].get('kind')!r}. Name the folder or the file as the "
                f"data, or leave `{path[1]}` out."
            )
        case "extra_forbidden":
            hint = _suggestion(path, table, kind)
            return f"{dotted}: unknown key{hint}. Received: {received!r}."
        case "missing":
            return f"{dotted}: expected a value. Received: nothing."
        case "union_tag_invalid":
            allowed, received = detail["ctx"]["expected_tags"], detail["ctx"]["tag"]
            return f"{dotted}.kind: expected one of {allowed}. Received: {received!r}."
        case "value_error" if "Received" in detail["msg"]:
            return ".".join([*path, detail["msg"].removeprefix("Value error, ")]) + "."
    return f"{dotted}: expected {expected(detail, path)}. Received: {received!r}."


def _is_of_images_in_files(path: list[str]) -> bool:
    """Whether a setting of the data is one that only folders and lists have."""
    from tessera.experiment import Folder

    return len(path) == 2 and path[0] == "data" and path[1] in Folder.model_fields


def expected(detail: ErrorDetails, path: list[str]) -> str:
    """What would have been right, in the words of an experiment file.

    Args:
        detail: A fault that a validation found.
        path: Of the setting, key by key; empty for a value by itself.
    """
    limits = detail.get("ctx", {})
    match detail["type"]:
        case kind if kind in NO_SECTION:
            return _section(path)
        case "string_pattern_mismatch" if "{64}" in limits["pattern"]:
            return "64 of the digits 0 to 9 and a to f"
        case "string_pattern_mismatch":
            letters = "letters" if "A-Z" in limits["pattern"] else "small letters"
            return (
                f"{letters}, digits, dots, dashes and underscores, none of the last "
                "three in front"
            )
        case kind if kind in WORDS:
            return WORDS[kind].format(**limits)
    message = detail["msg"].removeprefix("Value error, ")
    return message.removeprefix("Input should be ")


def _section(path: list[str]) -> str:
    """A table, with the kinds that it may be of where there are several."""
    names = [part for part in path if not part.isdecimal()]
    fields = [
        setting.model_fields.get(names[-1] if names else "")
        for setting in _all_settings()
    ]
    held = [s for field in fields if field for s in _settings_in(field.annotation)]
    kinds = [kind for setting in held if (kind := _kind_of(setting))]
    if not kinds:
        return "a section of settings"
    listed = ", ".join(dict.fromkeys(kinds))
    return f'a section such as {{kind = "{kinds[0]}"}}, its kind one of {listed}'


def _settings_in(annotation: Any) -> list[type[BaseModel]]:
    """The classes of settings that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [s for part in typing.get_args(annotation) for s in _settings_in(part)]


def _kind_of(setting: type[BaseModel]) -> str | None:
    """What its section says it is; None for one that has no kind."""
    kind = setting.model_fields.get("kind")
    return kind.default if kind else None


def _follows(detail: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """Whether a list is only too short because its items have faults of their own."""
    place = detail["loc"]
    inner = [o for o in others if o["loc"][: len(place)] == place and o != detail]
    return detail["type"] == "too_short" and bool(inner)


def _visible_path(loc: tuple[int | str, ...], table: Table) -> list[str]:
    """The path as written in the file: without the tags of chosen kinds."""
    path: list[str] = []
    node: Any = table
    tag = False
    for part in loc:
        # After its tag a section may have a key of the same name: power, fractions.
        tag = isinstance(node, dict) and part == node.get("kind") and not tag
        if tag:
            continue
        path.append(str(part))
        if isinstance(node, dict):
            node = node.get(part)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            node = None
    return path


def _suggestion(path: list[str], table: Table, kind: type[Setting]) -> str:
    """The keys that would have been right, closest first."""
    known = _known_keys(path[:-1], table, kind)
    close = difflib.get_close_matches(path[-1], known, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (expected one of {', '.join(known)})" if known else ""


def _known_keys(path: list[str], table: Table, root: type[Setting]) -> list[str]:
    """Keys of the section at `path`, read off the settings that it would build."""
    found: list[type[BaseModel]] = [root]
    node: Any = table
    for part in path:
        if isinstance(node, list):
            node = node[int(part)]
            continue
        fields = [s.model_fields[part] for s in found if part in s.model_fields]
        found = [s for field in fields for s in _settings_in(field.annotation)]
        node = node[part]
    kind = node.get("kind") if isinstance(node, dict) else None
    fitting = [s for s in found if _kind_of(s) in (kind, None)]
    return list(dict.fromkeys(key for s in fitting for key in s.model_fields))


def _all_settings() -> list[type[BaseModel]]:
    """Every class of settings."""
    from tessera import experiment, remedies

    return [
        value
        for module in (experiment, remedies)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModel)
    ]
