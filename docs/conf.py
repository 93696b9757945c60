"""The documentation site: the repository's own texts, and a reference from docstrings.

    make site

Nothing is fetched while it is built or read: fonts are the reader's own, and the files
of the theme are copied into the site.
"""

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform

import tessera
from tessera import runtime

ROOT = Path(__file__).parents[1]

# Loaded here, as a program would: autodoc pretends to be a type checker while it
# imports, and pydantic's models do not bear that.
runtime.prepare()
runtime.load_backend(alone=True)
for found in pkgutil.walk_packages(tessera.__path__, "tessera."):
    if "__main__" not in found.name:
        importlib.import_module(found.name)

project = "Tessera"
author = "the Tessera contributors"
release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "version"
]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.apidoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["reference/modules.rst"]
default_role = "code"
# A short name that stands in several modules (`Pixels`) is left without a link.
suppress_warnings = ["myst.xref_missing", "ref.python"]

myst_heading_anchors = 4
# The margin lists a package's modules; thousands of names beside them would hide these.
toc_object_entries = False
apidoc_modules = [
    {
        "path": "../src/tessera",
        "destination": "reference",
        "exclude_patterns": ["../src/tessera/cli", "../src/tessera/__main__.py"],
        "separate_modules": False,
        "module_first": True,
        "no_headings": False,
        "automodule_options": {"members", "show-inheritance"},
    }
]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"Tessera {release}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["wide.css"]

PAGES = {
    "index": "README.md",
    "contributing": "CONTRIBUTING.md",
    "changelog": "CHANGELOG.md",
}
"""Pages that are texts of the repository's root: what stands in docs/ comes after."""

MOVED = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def from_root(text: str) -> str:
    """A text of the repository's root with its links as they are inside of docs/.

    A link to what the site does not hold, a folder of code say, becomes its words.
    """

    def rewritten(match: re.Match[str]) -> str:
        mark, words, target = match.groups()
        if target.startswith(("http://", "https://", "#")):
            return match[0]
        place, hash_, part = target.partition("#")
        if place.startswith("docs/") or place in MOVED:
            place = MOVED.get(place, place.removeprefix("docs/"))
            return f"{mark}[{words}]({place}{hash_}{part})"
        return words

    return LINK.sub(rewritten, text)


def read_root(app: Any, page: str, source: list[str]) -> None:
    """Put the text of the root before what the page itself says."""
    if page in PAGES:
        text = (ROOT / PAGES[page]).read_text(encoding="utf-8")
        source[0] = f"{from_root(text)}\n\n{source[0]}"


def to_rest(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings are plain text with `code` and, by four columns, blocks of code."""
    written: list[str] = []
    prose: list[str] = []
    for i, line in enumerate(lines):
        if is_code(lines, i):
            if prose:
                written += [*plain("\n".join(prose)).split("\n"), "::", ""]
                prose = []
            written.append(line)
        else:
            prose.append(line)
    lines[:] = [*written, *plain("\n".join(prose)).split("\n")]


def skip(
    app: Any, what: str, name: str, thing: Any, skipped: bool, options: Any
) -> bool | None:
    """Leave out what scikit-learn adds to every class of its own accord."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def is_code(lines: list[str], i: int) -> bool:
    """Whether a line belongs to a block: indented, after an empty line after prose.

    The lines of `Args:` and its like are indented too, right below their heading.
    """
    if not lines[i].strip():
        return False
    while lines[i].startswith("    ") or not lines[i]:
        if i == 0:
            return False
        i -= 1
        if not lines[i] and not lines[i + 1].startswith("    "):
            return False
        if lines[i] and not lines[i].startswith("    "):
            return not lines[i + 1]
    return False


def plain(text: str) -> str:
    """Prose in which no character has a meaning of its own, `code` apart."""
    parts = re.split(r"(`[^`]+`)", text)
    for i, part in enumerate(parts):
        escaped = re.sub(r"([*|\\`]|_(?!\w))", r"\\\1", part)
        parts[i] = f"`{part}`" if i % 2 else escaped
    return "".join(parts)


class OthersNames(SphinxPostTransform):
    """Types of other libraries are words at once.

    Sphinx looks for the end of each such name among all of ours: a quarter of its time.
    """

    default_priority = 5  # before names are looked for

    def run(self, **_: Any) -> None:
        """Take what none of our names ends in for no reference."""
        ours = {last(name) for name in self.env.domains.python_domain.objects}
        for node in list(self.document.findall(pending_xref)):
            if node["refdomain"] == "py" and last(node["reftarget"]) not in ours:
                node.replace_self(node.children)


def last(name: str) -> str:
    """`Any` of `typing.Any`."""
    return name.rpartition(".")[2]


def setup(app: Any) -> None:
    """Connect the functions above."""
    app.add_post_transform(OthersNames)
    app.connect("source-read", read_root)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", to_rest, priority=400)
