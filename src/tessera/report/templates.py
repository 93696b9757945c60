"""The page's templates and drawings in SVG, which lie beside these modules."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from jinja2 import Environment, FunctionLoader, StrictUndefined

from tessera.report.style import BAND, INK, LINE, QUIET

Filters: TypeAlias = Mapping[str, Callable[..., Any]]


def source(name: str) -> str:
    """The text of a file of this package."""
    return resources.files("tessera.report").joinpath(name).read_text("utf-8")


def render(name: str, *, filters: Filters | None = None, **values: Any) -> str:
    """Fill in a template: values are escaped, and one that is missing is an error.

    It knows the inks by name besides. With the same functions as filters it is compiled
    once, which takes far longer than to fill it in.
    """
    template = _environment(tuple((filters or {}).items())).get_template(name)
    return template.render(**values)


@cache
def _environment(filters: tuple[tuple[str, Callable[..., Any]], ...]) -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(source),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    environment.globals.update(ink=INK, quiet=QUIET, line=LINE, band=BAND)
    return environment
