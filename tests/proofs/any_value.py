"""Any valid value of a settings or record class, as a Hypothesis strategy.

The strategy is read off the class's own fields and limits, so that a new field is
tried as soon as it exists.
"""

import functools
import types
import typing
from typing import Any

from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ValidationError

from tessera import catalogue

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Whatever UTF-8 can hold, control characters and quotes among it."""


@functools.cache
def any_value(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of a class; every field is drawn, or left at its default."""
    required, optional = {}, {}
    for name, field in kind.model_fields.items():
        drawn = _of(field.annotation, list(field.metadata))
        (required if field.is_required() else optional)[name] = drawn
    values = st.fixed_dictionaries(required, optional=optional)
    # What contradicts itself, such as two seeds that are the same, is no value.
    return values.map(lambda given: _made(kind, given)).filter(lambda v: v is not None)


def _made(kind: type[BaseModel], given: dict[str, Any]) -> BaseModel | None:
    try:
        return kind(**given)
    except ValidationError:
        return None


def _of(annotation: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    """Values of one annotation within its limits."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _of(arguments[0], [*arguments[1:], *limits])
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(_of(part, []) for part in arguments))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(_of(arguments[0], []), _of(arguments[1], []), max_size=3)
    if origin is tuple and arguments[-1] is ...:
        items = _of(arguments[0], [])
        return st.lists(
            items, min_size=_limit(limits, "min_length") or 0, max_size=3
        ).map(tuple)
    if origin is tuple:
        return st.tuples(*(_of(part, []) for part in arguments))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return st.deferred(lambda: any_value(annotation))
    return _plain(annotation, limits)


def _plain(annotation: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    """Numbers, text, truth values and None."""
    above, least = _limit(limits, "gt"), _limit(limits, "ge")
    below, most = _limit(limits, "lt"), _limit(limits, "le")
    if annotation is int:
        low = least if above is None else above + 1
        high = most if below is None else below - 1
        return st.integers(low, 2**60 if high is None else high)
    if annotation is float:
        return st.floats(
            least if above is None else above,
            most if below is None else below,
            exclude_min=above is not None,
            exclude_max=below is not None,
            allow_nan=False,
            allow_infinity=False,
        )
    if annotation is str:
        if any(isinstance(limit, AfterValidator) for limit in limits):
            return st.sampled_from([*catalogue.catalogue(), "all"])
        pattern = _limit(limits, "pattern")
        return TEXT if pattern is None else st.from_regex(pattern, fullmatch=True)
    return {bool: st.booleans(), type(None): st.none()}[annotation]


def _limit(limits: list[Any], name: str) -> Any:
    """A limit by its name, wherever pydantic keeps it."""
    found = [getattr(limit, name, None) for limit in _unpacked(limits)]
    return next((value for value in found if value is not None), None)


def _unpacked(limits: list[Any]) -> list[Any]:
    return [
        part for limit in limits for part in (limit, *getattr(limit, "metadata", ()))
    ]
