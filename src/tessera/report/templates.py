"""The page's templates and drawings in SVG, which lie beside these modules."""

from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from tessera.report.style import BAND, INK, LINE, QUIET


def source(name: str) -> str:
    """The text of a file of this package."""
    return resources.files("tessera.report").joinpath(name).read_text("utf-8")


def render(name: str, *, filters: dict[str, Any] | None = None, **values: Any) -> str:
    """Fill in a template: values are escaped, and one that is missing is an error.

    It knows the inks by name besides.
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(source),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    environment.globals.update(ink=INK, quiet=QUIET, line=LINE, band=BAND)
    return environment.get_template(name).render(**values)
