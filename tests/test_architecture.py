"""The layers of docs/design.md and the limits on size, read from the source text.

Nothing is imported: an import is a line of source, and it happens when its module
loads, when a function is called, or (under TYPE_CHECKING) never.
"""

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tessera"
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")

FRAMEWORKS = {"jax", "jaxlib", "keras", "tensorflow", "torch"}


def _said(to: str) -> tuple[str, ...]:
    """The modules that a sentence of the design says something of."""
    found = re.search(rf"((?:`[\w.]+`,?\s(?:and\s)?)+){to}", DESIGN)
    assert found, f"docs/design.md: no modules before {to!r}"
    return tuple(re.findall(r"`([\w.]+)`", found[1]))


FRAMEWORK_FREE = _said(r"never\simport Keras")
MAY_CALL_KERAS = ("data.cifar10",)  # to download, when asked to
MAY_NAME_A_BACKEND = _said("name a backend")
LIGHT = {*sys.stdlib_module_names, "typer", "rich", "click"}

When = Literal["load", "call", "never"]


@dataclass(frozen=True)
class Import:
    """A line of `module` that imports `name`; both without the leading `tessera.`."""

    module: str
    name: str
    ours: bool
    line: int
    when: When

    def __str__(self) -> str:
        """Where it stands, for a message."""
        return f"{self.module or 'tessera'}:{self.line} imports {self.name}"


@dataclass(frozen=True)
class Tree:
    """The modules of a package by name (`data.cifar10`; the root is ``)."""

    sources: dict[str, ast.Module]
    packages: frozenset[str]

    @cached_property
    def imports(self) -> dict[str, list[Import]]:
        """Module -> its imports."""
        return {
            module: [
                self._import(module, name, node.lineno, when)
                for node, when in _statements(source, "load")
                for name in self._names(module, node)
            ]
            for module, source in self.sources.items()
        }

    def every_import(self) -> Iterator[Import]:
        """The imports of all modules."""
        return itertools.chain.from_iterable(self.imports.values())

    def _import(self, module: str, name: str, line: int, when: When) -> Import:
        ours = name.split(".")[0] == "tessera"
        short = name.removeprefix("tessera").lstrip(".") if ours else name
        return Import(module, short, ours, line, when)

    def _names(self, module: str, node: ast.Import | ast.ImportFrom) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        base = node.module or ""
        if node.level:
            parts = ["tessera", *module.split(".")] if module else ["tessera"]
            drop = node.level - (module in self.packages)
            base = ".".join([*parts[: len(parts) - drop], *([base] if base else [])])
        candidates = [f"{base}.{alias.name}" for alias in node.names]
        return [c if self._is_module(c) else base for c in candidates]

    def _is_module(self, dotted: str) -> bool:
        return dotted.removeprefix("tessera.") in self.sources

    def loaded_with(self, module: str) -> set[str]:
        """Foreign packages and our modules that loading `module` loads as well."""
        loaded: set[str] = set()
        waiting = [module]
        while waiting:
            current = waiting.pop()
            if current in loaded:
                continue
            loaded.add(current)
            waiting += _parents(current)
            for found in self.imports.get(current, []):
                if found.when == "load" and found.ours:
                    waiting.append(found.name)
                elif found.when == "load":
                    loaded.add("import " + found.name.split(".")[0])
        return loaded


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return ["", *(".".join(parts[:n]) for n in range(1, len(parts)))]


def _statements(
    node: ast.AST, when: When
) -> Iterator[tuple[ast.Import | ast.ImportFrom, When]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, when
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        when = "call" if when == "load" else when
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        when = "never"
    for child in ast.iter_child_nodes(node):
        yield from _statements(child, when)


def read(package: Path) -> Tree:
    """Parse every module of a package."""
    sources, packages = {}, set()
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
            packages.add(".".join(parts))
        sources[".".join(parts)] = ast.parse(path.read_text(encoding="utf-8"))
    return Tree(sources, frozenset(packages))


def layers(design: str) -> dict[str, int]:
    """The table of docs/design.md: part -> layer."""
    rows = re.findall(r"^\| (\d) \| (.*?) \|", design, flags=re.MULTILINE)
    return {part: int(n) for n, cell in rows for part in re.findall(r"`(\w+)`", cell)}


def may_import(importer: str, imported: str, layer: dict[str, int]) -> bool:
    """What the table's last column says about two parts."""
    if imported in ("", importer) or importer in ("cli", "__main__"):
        return True
    if importer == "":
        return imported == "api"
    if importer == "api" or (importer, imported) == ("notebook", "report"):
        return True
    low, high = layer[imported], layer[importer]
    if importer == "report":
        return low == 0 or imported in ("evaluation", "imbalance")
    return low < high or (low == high and high in (0, 3))


def violations(package: Path, design: str = DESIGN) -> list[str]:
    """Every import that the design forbids, in a sentence each."""
    tree = read(package)
    return [*_layer_violations(tree, layers(design)), *_framework_violations(tree)]


def _layer_violations(tree: Tree, layer: dict[str, int]) -> Iterator[str]:
    parts = {module.split(".")[0] for module in tree.sources} - {"", "__main__"}
    for part in sorted(parts - layer.keys()):
        yield f"{part}: expected a row in the table of docs/design.md"
    for found in tree.every_import():
        importer, imported = (n.split(".")[0] for n in (found.module, found.name))
        known = {importer, imported} <= layer.keys() | {"", "__main__"}
        if found.ours and known and not may_import(importer, imported, layer):
            yield f"{found}: {imported} is not below {importer or 'tessera'}"
    if "cli" in tree.sources:
        for name in sorted(tree.loaded_with("cli")):
            if name.startswith("import "):
                heavy = name.removeprefix("import ") not in LIGHT
            else:
                heavy = name.split(".")[0] not in ("", "cli")
            if heavy:
                yield f"cli: loading it loads {name}; import it inside the command"


def _framework_violations(tree: Tree) -> Iterator[str]:
    for module in tree.sources:
        if _within(module, FRAMEWORK_FREE):
            names = {name.removeprefix("import ") for name in tree.loaded_with(module)}
            for framework in sorted(names & FRAMEWORKS):
                yield f"{module}: loading it loads {framework}"
    for found in tree.every_import():
        name = found.name.split(".")[0]
        if found.ours or name not in FRAMEWORKS or found.when == "never":
            continue
        if _within(found.module, MAY_CALL_KERAS) and name == "keras":
            continue
        if _within(found.module, FRAMEWORK_FREE):
            yield f"{found}: {found.module} works without a framework"
        elif name != "keras" and not _within(found.module, MAY_NAME_A_BACKEND):
            yield f"{found}: only {', '.join(MAY_NAME_A_BACKEND)} name a backend"


def _within(module: str, parts: tuple[str, ...]) -> bool:
    return any(module == part or module.startswith(part + ".") for part in parts)


def test_every_import_points_down_the_layers_of_the_design() -> None:
    assert violations(PACKAGE) == []


def test_the_design_lists_only_parts_that_the_tests_know_how_to_place() -> None:
    assert set(layers(DESIGN).values()) == {0, 1, 2, 3, 4}


PLANTED = {
    "a lower layer importing a higher one": (
        {"data/splits.py": "from tessera.training import fit", "training/fit.py": ""},
        "training is not below data",
    ),
    "one sibling importing another": (
        {"models/build.py": "from tessera import evaluation", "evaluation.py": ""},
        "evaluation is not below models",
    ),
    "the same, relative and inside a function": (
        {"explain/a.py": "def f():\n from ..training import f", "training/f.py": ""},
        "training is not below explain",
    ),
    "a report that trains": (
        {"report/page.py": "import tessera.models.build", "models/build.py": ""},
        "models is not below report",
    ),
    "statistics on Keras": (
        {"evaluation/scores.py": "def f():\n import keras"},
        "evaluation.scores works without a framework",
    ),
    "a package whose __init__ loads Keras for all its modules": (
        {"imbalance/profiles.py": "", "imbalance/__init__.py": "import keras"},
        "imbalance.profiles: loading it loads keras",
    ),
    "the CIFAR-10 reader loading Keras when it is loaded itself": (
        {"data/cifar10.py": "import keras"},
        "data.cifar10: loading it loads keras",
    ),
    "a model written for one backend": (
        {"models/cnn.py": "import tensorflow as tf"},
        "explain.gradients name a backend",
    ),
    "a command line that loads NumPy to say --help": (
        {"cli/__init__.py": "from tessera.cli import a", "cli/a.py": "import numpy"},
        "cli: loading it loads import numpy",
    ),
    "a command line that loads the experiment to say --help": (
        {"cli/__init__.py": "from tessera import experiment", "experiment.py": ""},
        "cli: loading it loads experiment",
    ),
    "a part that the design does not know": (
        {"extras/a.py": ""},
        "extras: expected a row in the table",
    ),
}


@pytest.mark.parametrize(("files", "expected"), PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_caught(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    _plant(tmp_path, files)
    found = violations(tmp_path)
    assert len(found) >= 1
    assert any(expected in sentence for sentence in found)


def test_what_the_design_allows_is_no_violation(tmp_path: Path) -> None:
    files = {
        "data/cifar10.py": "import numpy\ndef f():\n import keras",
        "models/build.py": "import keras\nfrom tessera.experiment import Model",
        "experiment.py": "from . import __version__",
        "pipeline.py": "from tessera.data import cifar10\nimport tessera.models.build",
        "study.py": "from tessera import pipeline",
        "cli/__init__.py": "import typer\ndef f():\n from tessera import study",
        "explain/gradients.py": "def f():\n import tensorflow\n import jax",
    }
    _plant(tmp_path, files)
    assert violations(tmp_path) == []


def _plant(package: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")


IMPORT = "import tessera"
HELP = """
import sys
from tessera.cli import main
sys.argv = ["tessera", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize("program", [IMPORT, HELP], ids=["import tessera", "--help"])
def test_no_framework_is_imported_by(program: str) -> None:
    heavy = {*FRAMEWORKS, "numpy", "scipy", "sklearn", "matplotlib", "PIL"}
    report = f"{program}\nimport sys\nprint('LOADED', *{heavy} & {{*sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "LOADED"
