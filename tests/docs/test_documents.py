"""The code of the documents is right: commands parse, settings hold, Python runs."""

import ast
import contextlib
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from glob import glob
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import typer
from cli.inside import tessera
from unpainted import charts

from docs import small
from docs.blocks import DOCUMENTS, ROOT, Block, blocks, commands, sandbox
from tessera import settings
from tessera.cli.app import app
from tessera.explain.faithfulness import planted

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
LANGUAGES = {"python", "sh", "console", "toml", "json", "text"}
TESSERA = re.compile(r"^(\.venv/bin/)?tessera\b")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

RUN = (ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md")))
"""Documents whose commands are run one after the other, in a folder with `photos`."""

UNBOUNDED = {"demo": "CI runs it by itself", "serve": "it waits for visitors"}
"""Verbs that are parsed and not run."""

SHORT = {
    "study": "--epochs 1 --models cnn --jobs 1",
    "train": "--epochs 1",
    "faithfulness": "--images 10 --steps 2",
}
"""Options that make a verb short, in place of those that a document gives."""

ONE_REGIME = f"--set '{small.REGIME}'"
"""The same of a study that names neither regimes nor remedies."""


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def test_the_documents_have_blocks_to_check() -> None:
    assert {block.language for block in BLOCKS} >= {"python", "sh", "toml"}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_what_it_is(block: Block) -> None:
    directive = re.fullmatch(r"\{[a-z-]+\}", block.language)
    assert directive or block.language in LANGUAGES


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.code, str(block), "exec")


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_settings_make_an_experiment(block: Block) -> None:
    assert settings.build(tomllib.loads(block.code)).runs()


@pytest.mark.parametrize("block", of("sh", "console"), ids=str)
def test_commands_exist_and_their_options_too(block: Block) -> None:
    for command in commands(block):
        words = shlex.split(command)
        if TESSERA.match(command):
            check_tessera(words[1:])
        elif words[0] == "make":
            names = [word for word in words[1:] if "=" not in word]
            for name in names:
                assert re.search(rf"^{name}:", MAKEFILE, re.MULTILINE), command
        elif words[0].endswith("python") and words[1].endswith(".py"):
            assert (ROOT / words[1]).is_file(), command


def check_tessera(words: list[str]) -> None:
    """Parse a command line as the program does, without doing anything."""
    group: Any = typer.main.get_command(app)
    if words[0].startswith("-"):
        assert words[0] in ("--help", "--version")
    else:
        before = [word for word in words if word not in ("|", ">")]
        group.commands[words[0]].make_context(words[0], before[1:]).close()


def test_what_contributing_says_to_change_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|html))`", text))
    assert len(named) > 10
    places = [p.as_posix() for p in ROOT.glob("[st]*/**/*.*")]
    assert {n for n in named if not any(p.endswith(f"/{n}") for p in places)} == set()


SOURCE = ROOT / "src" / "tessera"
DESIGN, METHODS = ROOT / "docs" / "design.md", ROOT / "docs" / "methods.md"
DOTTED = re.compile(r"`(?:tessera\.)?([a-z_]+(?:\.\w+)+)(?:\(([^`)]*)\)[^`]*)?`")
"""A name in a module, as a document writes it, perhaps with what it takes."""


def names() -> dict[str, list[str]]:
    """Every module, and what stands in it -> the parameters of functions."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        found[module.removesuffix(".__init__")] = list[str]()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                of = node.args
                takes = [a.arg for a in (*of.posonlyargs, *of.args, *of.kwonlyargs)]
                found[f"{module}.{node.name}"] = takes
            elif isinstance(node, ast.ClassDef):
                found[f"{module}.{node.name}"] = []
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = (
                    node.targets if isinstance(node, ast.Assign) else [node.target]
                )
                found |= {f"{module}.{ast.unparse(one)}": [] for one in targets}
    return found


KNOWN = names()
PARTS = {part for name in KNOWN for part in name.split(".")[:-1]}
ELSEWHERE = re.compile(r"(training|data)\.[a-z_]+$|.*\.(json|csv|npz|h5|toml|keras)$")
"""Settings, and files that a run leaves."""


@pytest.mark.parametrize("document", [DESIGN, METHODS], ids=lambda path: path.stem)
def test_what_a_document_names_is_there_and_takes_what_it_says(document: Path) -> None:
    found = DOTTED.findall(document.read_text(encoding="utf-8"))
    said = [(name, given) for name, given in found if name.split(".")[0] in PARTS]
    assert len(said) > 20
    for name, given in said:
        there = [k for k in KNOWN if k == name or k.endswith(f".{name}")]
        assert there or ELSEWHERE.match(name), name
        takes = {one.strip().rstrip("=") for one in given.split(",")} - {""}
        assert not takes or any(takes <= set(KNOWN[k]) for k in there), (name, given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where all is run, small: no chart is painted, no reader of glyphs is trained."""
    with charts(), mock.patch.object(planted, "trained_reader", small.reader):
        yield sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.mark.docs
@pytest.mark.slow
@pytest.mark.parametrize("document", RUN, ids=lambda path: path.stem)
def test_the_commands_of_a_guide_run_one_after_the_other(
    document: Path, folder: Path
) -> None:
    for block in blocks(document):
        if block.language not in ("sh", "console"):
            continue
        for command in filter(TESSERA.match, commands(block)):
            verb = shlex.split(command)[1]
            if verb not in UNBOUNDED and "--remedies all" not in command:
                carry_out(shortened(verb, command), folder)


def shortened(verb: str, command: str) -> str:
    options = " ".join(shorter(verb, command))
    for name in re.findall(r"--(?!set)[a-z]+", options):
        command = re.sub(rf" {name} \S+", "", command)
    return f"{command.removeprefix('.venv/bin/')} {options}"


def shorter(verb: str, command: str) -> Iterator[str]:
    yield SHORT.get(verb, "")
    if verb == "study":  # one that is to have several is asked for all of them later
        yield f"--seeds {2 if '--seeds' in command else 1}"
    if "--folds" in command:
        yield "--folds 2"
    if verb == "study" and not re.search(r"--remedies|[.]toml", command):
        yield ONE_REGIME


@cache
def carry_out(command: str, folder: Path) -> None:
    """Run a command in the folder: by a shell where it needs one, else in here.

    What two guides say alike is run for the first.
    """
    with contextlib.chdir(folder):
        if re.search("[|<>;&]", command):
            line = TESSERA.sub(f"{sys.executable} -m tessera", command)
            ended: Any = subprocess.run(
                ["sh", "-c", line], capture_output=True, text=True, check=False
            )
        else:
            words = shlex.split(command)[1:]
            ended = tessera(*(one for word in words for one in glob(word) or [word]))
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


GIVEN = """
import numpy
from tessera import runtime
from tessera.experiment import Cnn
runtime.prepare()
from tessera.models import build
net = model = build.build(Cnn(), (32, 32, 3), 10, seed=0)
images = numpy.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), numpy.uint8)
"""
"""What a document takes as given: a Keras model and images."""

WITH_PYTHON = sorted({block.document for block in of("python")})
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.docs
@pytest.mark.slow
@pytest.mark.parametrize("document", WITH_PYTHON, ids=lambda path: path.stem)
def test_the_python_of_a_document_runs_from_top_to_bottom(
    document: Path, folder: Path
) -> None:
    code = [block.code for block in blocks(document) if block.language == "python"]
    script = folder / f"{document.stem}.py"
    script.write_text("\n".join([GIVEN, *code]), encoding="utf-8")
    small.script(script, folder)


@pytest.mark.docs
@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_takes_ten_lines(example: Path, folder: Path) -> None:
    source = example.read_text(encoding="utf-8")
    statements = [line for line in source.split('"""')[2].splitlines() if line]
    assert len(statements) <= 10
    assert "macro-F1" in small.script(example, folder)
