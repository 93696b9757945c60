"""`tessera data` prints what a folder holds; its exit status says whether to train."""

import json
import shlex

import numpy as np
import pytest
from PIL import Image

from cli.inside import tessera
from tessera import study
from tessera.cli.data import data
from tessera.columns import Columns
from tessera.data import source
from tessera.data.dataset import DataError
from tessera.experiment import Experiment, Folder
from tessera.imbalance.profiles import ProfileError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "pets"
    noise = np.random.default_rng(0)
    for label, number in (("cat", 8), ("dog[red]", 4)):
        (root / label).mkdir(parents=True)
        for n in range(number):
            image = noise.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(image).save(root / label / f"{n}.png")
    return root


def test_a_safe_folder_is_shown_with_its_classes_and_exits_with_0(
    folder, capsys
) -> None:
    assert data(folder) == 0
    shown = capsys.readouterr().out
    for part in ("0 cat", "1 dog[red]", "test (cut)", "8 x 8", "2.00", "Safe to train"):
        assert part in shown


def test_an_unsafe_folder_says_why_and_exits_with_1(folder, capsys) -> None:
    (folder / "cat" / "bad.png").write_text("no image")
    (folder / "cat" / "bad\x1b[31m.png").write_text("no image")
    assert data(folder) == 1
    shown = capsys.readouterr().out
    assert "Not safe to train on" in shown and "not a JPEG" in shown
    assert "control characters" in shown
    assert "\x1b" not in shown, "a file's name cannot colour the terminal"


def test_groups_are_told_and_what_is_no_rule_is_refused(folder) -> None:
    shown = tessera("data", folder, "--groups", r"^cat/([0-3])").stdout
    assert "Groups: 4, the largest of 1 image; 8 images of none" in shown
    ended = tessera("data", folder, "--groups", "(")
    assert ended.returncode == 2
    assert "data.groups: expected `folder`" in ended.stderr


def test_a_list_is_looked_at_like_a_folder_and_says_how_to_name_a_column(
    folder,
) -> None:
    rows = [f"{file.parent.name}/{file.stem}" for file in folder.glob("*/*.png")]
    listed = folder / "labels.csv"
    text = "\n".join(["image_id,label", *(f"{r},{r.partition('/')[0]}" for r in rows)])
    listed.write_text(text, encoding="utf-8")
    refused = tessera("data", listed)
    assert refused.returncode == 2
    assert "--set data.columns.file=NAME" in refused.stderr
    found = tessera("data", listed, "--set", "data.columns.file=image_id", "--json")
    assert found.returncode == 0
    told = json.loads(found.stdout)
    assert told["class_names"] == ["cat", "dog[red]"]
    assert told["folder"] == str(listed)


def test_what_is_no_folder_is_not_looked_at(folder) -> None:
    ended = tessera("data", folder, "--set", "data.kind=digits")
    assert ended.returncode == 2 and "data." in ended.stderr


def test_a_file_is_named_as_it_is_whatever_its_name_means_elsewhere(
    folder, capsys
) -> None:
    names = ("[bold]a.png", r"\[b]c.png", ":cat:.png", "[1] d.png")
    for name in names:
        (folder / "cat" / name).write_text("no image")
    assert data(folder) == 1
    shown = capsys.readouterr().out
    assert [name for name in names if f"cat/{name}: " not in shown] == []


def test_what_a_study_would_refuse_is_not_called_safe(folder, capsys) -> None:
    for file in sorted((folder / "dog[red]").iterdir())[2:]:
        file.unlink()
    assert data(folder) == 1
    shown = capsys.readouterr().out
    with pytest.raises(ProfileError) as refused:
        study.adapted(Experiment(), source.load(Folder(path=str(folder))))
    assert f"`tessera study` refuses it: {refused.value}" in shown
    assert "regime balanced" in shown and "dog[red]" in str(refused.value)
    assert "Safe to train on" not in shown


def test_images_are_compared_at_the_size_that_is_asked_for(folder) -> None:
    with Image.open(folder / "cat" / "0.png") as image:
        near = np.array(image.resize((64, 64), Image.Resampling.NEAREST))
    Image.fromarray(near).save(folder / "cat" / "far.png")
    near[0, 0] ^= 1  # of one pixel in 64 x 64: lost at smaller sizes
    Image.fromarray(near).save(folder / "dog[red]" / "far.png")
    assert tessera("data", folder, "--image-size", "64").returncode == 0
    seen = tessera("data", folder, "--image-size", "8")
    assert seen.returncode == 1
    assert "cat/far.png = dog[red]/far.png" in seen.stdout


def assert_shown_by_the_command_it_names(refusal: str) -> None:
    """Give the command of a refusal, and find there each problem that it told."""
    words = shlex.split(refusal.partition("\n`")[2].partition("`")[0])
    seen = tessera(*words[1:])
    assert (words[:2], seen.returncode) == (["tessera", "data"], 1)
    told = [line[2:] for line in refusal.splitlines() if line.startswith("- ")]
    assert told and [problem for problem in told if problem not in seen.stdout] == []


def test_what_one_fold_is_refused_for_is_shown_by_the_command_it_names(folder) -> None:
    root = folder.rename(folder.with_name("my pets"))
    for n in range(4):
        copy = (root / "cat" / f"{n}.png").read_bytes()
        (root / "cat" / f"{n} again.png").write_bytes(copy)
    with pytest.raises(DataError, match="test images are also training") as refused:
        source.load(Folder(path=str(root), folds=4, fold=1))
    assert_shown_by_the_command_it_names(str(refused.value))


def test_so_is_what_a_rule_for_groups_is_refused_for(folder) -> None:
    for split, count in (("test", 2), ("train", 3)):
        (folder / split).mkdir()
        for label in ("cat", "dog[red]"):
            (folder / split / label / "film (1)").mkdir(parents=True)
            for file in sorted((folder / label).glob("*.png"))[:count]:
                file.rename(folder / split / label / "film (1)" / file.name)
    asked = Folder(path=str(folder), groups=r"(film \(\d\))")
    with pytest.raises(DataError, match="groups") as refused:
        source.load(asked)
    assert_shown_by_the_command_it_names(str(refused.value))


def test_so_is_what_a_list_with_columns_of_other_names_is_refused_for(folder) -> None:
    files = sorted(file.relative_to(folder) for file in folder.glob("*/*.png"))
    rows = [f"{file},{file.parent},{n // 2}" for n, file in enumerate(files)]
    listed = folder / "labels.csv"
    text = "\n".join(["image,label,film", *rows, "none.png,cat,9"])
    listed.write_text(text, encoding="utf-8")
    columns = Columns(file="image", group="film")
    with pytest.raises(DataError, match=r"none\.png") as refused:
        source.load(Folder(path=str(listed), columns=columns, test=0.4))
    assert "test=0.4" in str(refused.value)
    assert_shown_by_the_command_it_names(str(refused.value))


def test_json_holds_all_of_it(folder, capsys) -> None:
    assert data(folder, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {"train": [6, 3], "test": [2, 1]}


def test_what_is_no_image_folder_is_an_error_and_exits_with_2(tmp_path, capsys) -> None:
    assert data(tmp_path / "none") == 2
    place = tmp_path / "none"
    assert capsys.readouterr().err == (
        f"tessera: {place}: expected a folder of images, or a CSV file (.csv) that "
        "lists some. Received: no folder, and no such file.\n"
    )
