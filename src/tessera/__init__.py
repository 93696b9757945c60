"""Tessera: the lab bench for small, imbalanced image datasets.

    import tessera

    result = tessera.study("photos", epochs=40, seeds=5)
    tessera.predict(result, "new-photos")

The verbs load what they need when they are first used: `import tessera` is instant.
`study`, `explain` and `export` are modules as well, so `tessera.study.survey` and
`tessera.study(...)` both work; a type checker that knows modules only is content with
`from tessera.api import study, explain, export`.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tessera.api import evaluate as evaluate
    from tessera.api import labels as labels
    from tessera.api import load_data as load_data
    from tessera.api import predict as predict
    from tessera.api import preview as preview
    from tessera.api import train as train

__version__ = "0.1.0"

VERBS = (
    *("evaluate", "explain", "export", "labels"),
    *("load_data", "predict", "preview", "study", "train"),
)
"""Functions of `tessera.api`."""

CALLABLE = ("explain", "export", "study")
"""Verbs that are modules of the same name."""


class _Verb(types.ModuleType):
    """A module that can be called as the verb of its name."""

    @property
    def _function(self) -> Any:
        api = importlib.import_module("tessera.api")
        return getattr(api, self.__name__.rpartition(".")[2])

    @property
    def __wrapped__(self) -> Any:
        """The function, for signatures."""
        return self._function

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        """The function's, for help, and then the module's own."""
        import inspect  # `import tessera` is instant

        own = inspect.cleandoc(vars(self)["__doc__"])
        return f"{inspect.getdoc(self._function)}\n\nThe module: {own}"

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._function(*args, **options)


class _Package(types.ModuleType):
    """This package: modules that are verbs become callable when they are loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in CALLABLE and isinstance(value, types.ModuleType):
            value.__class__ = _Verb
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "explain" and "keras" not in sys.modules:
        importlib.import_module("tessera.runtime").load_backend()  # it does so quietly
    if name in CALLABLE:
        return importlib.import_module(f"tessera.{name}")
    if name in VERBS:
        return getattr(importlib.import_module("tessera.api"), name)
    raise AttributeError(f"module 'tessera' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *VERBS})
