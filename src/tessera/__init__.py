"""Tessera: the lab bench for small, imbalanced image datasets.

In Python and in notebooks:

    import tessera

    data = tessera.load_data("photos")
    study = tessera.study(data, epochs=40, seeds=5)
    tessera.predict(study.recommended(), "new-photos")

`tessera.study` and `tessera.explain` are packages too; called, they are the verbs.
"""

import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_FUNCTIONS = ("load_data", "train", "evaluate", "predict", "TesseraClassifier")
_BOTH = ("study", "explain")
"""Names of modules that are verbs as well."""

__all__ = [*_FUNCTIONS, *_BOTH]


class _Verb(ModuleType):
    """A module that can be called: the verb of its name."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from tessera import api

        return getattr(api, self.__name__.rpartition(".")[2])(*arguments, **options)


class _Package(ModuleType):
    """This package: loads the verbs when they are asked for, and no sooner."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing tessera.study sets the attribute `study` of this package.
        if name in _BOTH and isinstance(value, ModuleType):
            value.__class__ = _Verb
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in _FUNCTIONS:
            from tessera import api

            return getattr(api, name)
        if name in _BOTH:
            import importlib

            return importlib.import_module(f"tessera.{name}")
        raise AttributeError(f"module 'tessera' has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
