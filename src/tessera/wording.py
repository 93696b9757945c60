"""A setting in words: what its class says of itself, and the values it holds."""

from typing import Any

from tessera.frozen import Setting
from tessera.remedies import Remedy

_NOT_TOLD = frozenset({"kind", "name", "training", "start"})
_PLAIN_VALUES = {
    "deferred": "{:g} of the epochs pass before weights and sampling set in",
    "drop": "{:g} times the learning rate once they have set in",
    "sharpness": "{:g}, the rho of sharpness-aware minimisation (Foret et al. 2021)",
    "stacked": "corrections that double one another are allowed",
}
"""Of the parts of a remedy that are no settings of their own."""


def told(setting: Setting) -> str:
    """The first line of its class's docstring, without Markdown and full stop."""
    line = (type(setting).__doc__ or "").splitlines()[0]
    return line.removesuffix(".").replace("`", "")


def values(setting: Setting) -> str:
    """What it holds, defaults included: `gamma 2, form softmax`; perhaps nothing.

    Its kind, its name, a model's own training and start, and what is None are left out.
    """
    held = ((name, getattr(setting, name)) for name in type(setting).model_fields)
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in held
        if name not in _NOT_TOLD and value is not None
    )


def parts(remedy: Remedy) -> dict[str, str]:
    """What a remedy changes, part by part, in its own words and with its values."""
    changed = remedy.model_dump(exclude_defaults=True)
    return {key: _part(key, getattr(remedy, key)) for key in changed}


def whole(setting: Setting) -> str:
    """What it is and what it holds: `Images blended in pairs (...); alpha 1, ...`."""
    return "; ".join(filter(None, (told(setting), values(setting))))


def _part(key: str, value: Any) -> str:
    if isinstance(value, Setting):
        return whole(value)
    return _PLAIN_VALUES[key].format(value)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:g}"
        case tuple():
            return " and ".join(map(_value, value))
        case Setting():
            inner = values(value)
            kind: str = getattr(value, "kind", "")
            return f"{kind} ({inner})" if inner else kind
        case _:
            return str(value)
