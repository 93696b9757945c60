"""The page's templates and drawings in SVG, which lie beside these modules."""

from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


def source(name: str) -> str:
    """The text of a file of this package."""
    return resources.files("tessera.report").joinpath(name).read_text("utf-8")


def render(name: str, *, filters: dict[str, Any] | None = None, **values: Any) -> str:
    """Fill in a template: values are escaped, and one that is missing is an error."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(source),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template(name).render(**values)
