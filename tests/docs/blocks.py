"""The code blocks of the documents, and a folder in which they can be run."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markdown_it import MarkdownIt
from PIL import Image
from sklearn.datasets import load_digits

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SHELL = re.compile(r"(make|tessera|\.venv/bin/\w+) ")


@dataclass(frozen=True)
class Block:
    """A piece of code in a document."""

    document: Path
    line: int
    """Of its first line, counted from 1."""
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(document: Path) -> list[Block]:
    """Every fenced block, and every indented one that is a command."""
    found = []
    for token in MarkdownIt("commonmark").parse(document.read_text(encoding="utf-8")):
        indented = token.type == "code_block" and SHELL.match(token.content)
        if token.type == "fence" or indented:
            language = token.info.strip() if token.type == "fence" else "sh"
            line = (token.map or [0])[0] + 1
            found.append(Block(document, line, language, token.content))
    return found


def commands(block: Block) -> list[str]:
    """The commands of a shell block: joined lines, without remarks and prompts."""
    text = block.code.replace("\\\n", " ")
    lines = [re.sub(r"\s#.*$", "", line).strip() for line in text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line and line[0] != "#"]


def sandbox(folder: Path) -> Path:
    """What the documents call `photos`, `films`, `larger`, `new-photos` and `cat.jpg`.

    All are digits of 16 x 16 pixels. `photos` has three classes with 24, 16 and 8
    images: imbalanced as they come. `films` has the same, four to a folder; `larger`
    has three other classes.
    """
    digits = load_digits()
    names = {"cat": (0, 24), "dog": (1, 16), "owl": (2, 8)}
    for name, (label, count) in names.items():
        for i, image in enumerate(digits.images[digits.target == label][:count]):
            _write(folder / "photos" / name / f"{i}.png", image)
            _write(folder / "films" / name / f"{name}-{i // 4}" / f"{i}.png", image)
    for label in (3, 4, 5):
        for i, image in enumerate(digits.images[digits.target == label][:16]):
            _write(folder / "larger" / f"{label}" / f"{i}.png", image)
    for i, image in enumerate(digits.images[-3:]):
        _write(folder / "new-photos" / f"{i}.png", image)
    _write(folder / "cat.jpg", digits.images[0])
    return folder


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (image * 15.9).astype(np.uint8)
    Image.fromarray(pixels).resize((16, 16)).convert("RGB").save(path)
