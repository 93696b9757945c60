"""The site's settings: links of the root's texts, and docstrings as reST."""

import ast
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def functions() -> dict[str, Any]:
    """The functions of docs/conf.py, without the imports that a build needs."""
    source = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    wanted = (ast.FunctionDef, ast.Assign)
    kept = [
        node
        for node in ast.parse(source).body
        if isinstance(node, wanted)
        and "ROOT = " not in ast.unparse(node)
        and "release" not in ast.unparse(node)
    ]
    names: dict[str, Any] = {"re": __import__("re"), "Any": Any, "ROOT": ROOT}
    exec(compile(ast.Module(kept, []), "conf.py", "exec"), names)
    return names


CONF = functions()


def rest(*lines: str) -> list[str]:
    found = list(lines)
    CONF["to_rest"](None, "function", "f", None, None, found)
    return found


def test_links_to_documents_lead_to_their_pages() -> None:
    text = "[a](docs/methods.md#x) [b](CONTRIBUTING.md) ![c](docs/images/report.png)"
    expected = "[a](methods.md#x) [b](contributing.md) ![c](images/report.png)"
    assert CONF["from_root"](text) == expected


def test_links_to_what_the_site_does_not_hold_become_words() -> None:
    assert CONF["from_root"]("see [examples](examples) now") == "see examples now"


def test_links_elsewhere_stay() -> None:
    text = "[a](https://example.org/a_b) [b](#results)"
    assert CONF["from_root"](text) == text


def test_characters_of_prose_have_no_meaning_and_code_stays_code() -> None:
    assert rest("|w| * 2, a_ and `b_ *`") == [r"\|w\| \* 2, a\_ and ``b_ *``"]


def test_a_block_of_code_is_said_to_be_one() -> None:
    found = rest("Title.", "", "    a * b", "", "More.")
    assert found == ["Title.", "", "::", "", "    a * b", "", "More."]


def test_the_lines_of_a_section_are_no_code() -> None:
    text = ("Title.", "", "Args:", "    a: One.", "", "    b: Two.", "", "End.")
    assert rest(*text) == list(text)


def test_every_document_has_its_place_in_the_navigation() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines()
    pages = [
        path.relative_to(ROOT / "docs").with_suffix("").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
    ]
    assert {page for page in pages if page not in index} == {"index"}
