"""A folder's entries come in order; links and names are judged without surprises."""

import os

import pytest

from tessera.data import entries
from tessera.data.dataset import DataError


def test_entries_come_by_name_and_without_the_hidden(tmp_path) -> None:
    for name in ("b", "a", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "c").write_text("x")
    (tmp_path / "d").symlink_to(tmp_path / "a")
    assert [e.name for e in entries.visible(tmp_path)] == ["a", "b", "c", "d"]
    assert [e.name for e in entries.folders(tmp_path)] == ["a", "b"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"none: expected a folder that can be listed"):
        entries.visible(tmp_path / "none")


def test_only_a_link_to_a_file_below_the_folder_leads_inside(tmp_path) -> None:
    root = tmp_path.resolve() / "root"
    (root / "folder").mkdir(parents=True)
    (root / "file").write_text("x")
    (tmp_path / "outside").write_text("x")
    targets = {"in": "file", "out": "../outside", "over": "folder", "gone": "none"}
    for name, target in {**targets, "self": "self"}.items():
        (root / name).symlink_to(target)
    inside = [
        name for name in (*targets, "self") if entries.is_inside(root / name, root)
    ]
    assert inside == ["in"]


def test_what_speaks_against_an_entry_is_said_in_words(tmp_path) -> None:
    root = tmp_path.resolve() / "root"
    (root / "folder").mkdir(parents=True)
    (root / "file.png").write_text("x")
    (root / "in.png").symlink_to("file.png")
    (root / "out.png").symlink_to(tmp_path)
    (root / "new\nline").write_text("x")
    found = {e.name: entries.fault(e, root, 1) for e in entries.listed(root)}
    assert found.pop("new\nline").startswith("a name that is no text")
    assert found.pop("out.png") == "a link to a folder, to nothing or out of the root"
    assert set(found) == {"folder", "file.png", "in.png"}
    assert set(found.values()) == {None}
    (folder,) = entries.folders(root)
    assert entries.fault(folder, root, 64) is None
    assert entries.fault(folder, root, 65) == "more than 64 folders deep"


def test_a_note_is_a_file_with_the_suffix_of_one(tmp_path) -> None:
    (tmp_path / "a.json").mkdir()
    for name in ("b.JSON", "c.txt", "d.png"):
        (tmp_path / name).write_text("x")
    notes = [e.name for e in entries.listed(tmp_path) if entries.is_note(e)]
    assert notes == ["b.JSON", "c.txt"]


def test_names_that_would_steer_a_terminal_are_shown_with_escapes() -> None:
    assert entries.shown("猫/a b.png") == "猫/a b.png"
    assert entries.shown("a\n\x1b[2J") == "a\\n\\x1b[2J"
    assert entries.shown(os.fsdecode(b"caf\xe9")) == "caf\\udce9"
