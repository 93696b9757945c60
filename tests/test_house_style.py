"""Small modules, small functions, a docstring and a test file for each module."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tessera"
MODULES = sorted(PACKAGE.rglob("*.py"))

MODULE_LINES = 300
FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 12

WITHOUT_TESTS = {
    "cli/options.py": "declarations; tried by every verb's tests",
    "arrays.py": "type aliases, which mypy checks",
    "columns.py": "a frozen value without behaviour",
    "report/drawing.py": "a frozen value without behaviour",
}
LONGER_MODULES = {
    "experiment.py": "one value; each setting stands beside what it means",
    "remedies.py": "the same of a remedy, and each new one has a class here",
}


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, the docstring left out."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _lengths() -> list[tuple[str, int]]:
    return [
        (f"{_name(path)} {function.name}", _lines(function))
        for path in MODULES
        for function in _functions(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_every_module_says_what_it_is_for() -> None:
    trees = {_name(p): ast.parse(p.read_text(encoding="utf-8")) for p in MODULES}
    assert [name for name, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_every_module_fits_in_one_reading() -> None:
    lines = {_name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    long = {name: n for name, n in lines.items() if n > MODULE_LINES}
    assert {name: n for name, n in long.items() if name not in LONGER_MODULES} == {}


def test_every_function_fits_on_one_screen() -> None:
    assert [(name, n) for name, n in _lengths() if n > FUNCTION_LINES] == []


def test_most_functions_are_small() -> None:
    assert statistics.median(n for _, n in _lengths()) <= MEDIAN_FUNCTION_LINES


def test_every_module_has_a_test_file_at_the_mirrored_place() -> None:
    """`src/tessera/data/splits.py` is tested by `tests/data/test_splits.py`."""
    names = [_name(path) for path in MODULES if not path.stem.startswith("__")]
    missing = [name for name in names if not _mirror(name).exists()]
    assert [name for name in missing if name not in WITHOUT_TESTS] == []


def _mirror(name: str) -> Path:
    path = ROOT / "tests" / name
    return path.with_name(f"test_{path.stem.lstrip('_')}.py")
