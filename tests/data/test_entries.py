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


def test_names_that_would_steer_a_terminal_are_shown_with_escapes() -> None:
    assert entries.shown("猫/a b.png") == "猫/a b.png"
    assert entries.shown("a\n\x1b[2J") == "a\\n\\x1b[2J"
    assert entries.shown(os.fsdecode(b"caf\xe9")) == "caf\\udce9"
