"""Files become answers, one each and in order; broken ones become reasons."""

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import toy_run
from PIL import Image

from tessera import answers, trained
from tessera.answers import Answer, Refused
from tessera.data import decode
from tessera.data.entries import DEEPEST


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven digits in two folders, one broken file, a note and a hidden file."""
    root = tmp_path_factory.mktemp("images")
    (root / "more").mkdir()
    for index, image in enumerate(toy_run.digits().test.images[:7]):
        place = root / "more" if index > 3 else root
        Image.fromarray(image).save(place / f"{index}.png")
    (root / "2-broken.jpg").write_text("no image")
    (root / "notes.txt").write_text("a list")
    (root / ".hidden.png").write_text("x")
    return root


def test_a_folder_is_answered_file_by_file_in_order(
    model: trained.Trained, folder: Path
) -> None:
    found = list(answers.answers(model, [folder], batch=3))
    names = [str(item.path.relative_to(folder)) for item in found]
    assert names == [
        *("0.png", "1.png", "2-broken.jpg", "2.png", "3.png"),
        *("more/4.png", "more/5.png", "more/6.png"),
    ]
    assert [type(item) for item in found].count(Refused) == 1


def test_large_pictures_are_decoded_one_at_a_time(
    model: trained.Trained, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, at_once, most = decode._decode, threading.Semaphore(1), []

    def counted(image: Image.Image, size: int) -> decode.Picture:
        most.append(at_once.acquire(blocking=False))
        time.sleep(0.01)
        at_once.release()
        return whole(image, size)

    monkeypatch.setattr(decode, "_decode", counted)
    monkeypatch.setattr(decode, "LARGE", 3)
    assert len(list(answers.answers(model, [folder]))) == 8
    assert most == [True] * 7


def test_an_answer_is_the_models_own(model: trained.Trained, folder: Path) -> None:
    images = toy_run.digits().test.images[:7]
    shares = model.probabilities(images)
    found = [a for a in answers.answers(model, [folder]) if isinstance(a, Answer)]
    for answer, row in zip(found, shares, strict=True):
        np.testing.assert_allclose(answer.probabilities, row, atol=1e-6)
        second, first = np.argsort(row)[-2:]
        assert (answer.class_name, answer.runner_up) == (str(first), str(second))
        assert answer.probability == pytest.approx(row[first])
        assert answer.runner_up_probability == pytest.approx(row[second])


def test_a_missing_file_and_a_broken_one_have_reasons(
    model: trained.Trained, folder: Path
) -> None:
    paths = [folder / "absent.png", folder / "2-broken.jpg", folder / "0.png"]
    missing, broken, good = answers.answers(model, paths)
    assert missing == Refused(paths[0], "no such file")
    assert broken == Refused(paths[1], "not a JPEG, PNG, WebP, BMP or GIF image")
    assert isinstance(good, Answer)


def test_a_folder_without_an_image_is_named_and_the_rest_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("a list")
    (tmp_path / ".hidden.png").write_text("x")
    found = list(answers.files_of([tmp_path, folder / "0.png"]))
    assert found == [Refused(tmp_path, "a folder without an image"), folder / "0.png"]


def test_links_out_of_a_folder_are_refused_and_links_within_are_read(
    folder: Path, tmp_path: Path
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.png").write_bytes((folder / "0.png").read_bytes())
    (inside / "b.png").symlink_to(inside / "a.png")
    (inside / "c.png").symlink_to(folder / "0.png")
    found = list(answers.files_of([inside]))
    assert found[:2] == [inside / "a.png", inside / "b.png"]
    assert isinstance(found[2], Refused) and "out of the root" in found[2].reason


@pytest.mark.skipif(sys.platform != "linux", reason="other systems demand Unicode")
def test_names_that_are_no_text_are_refused_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    names = ("a\nb.png", os.fsdecode(b"caf\xe9"))
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(b"x")
    (tmp_path / os.fsdecode(b"gar\xe7on.png")).write_bytes(b"x")
    (tmp_path / "z.png").write_bytes(b"x")
    *refused, last = answers.files_of([tmp_path])
    assert last == tmp_path / "z.png"
    assert len(refused) == 3
    for item in refused:
        assert isinstance(item, Refused)
        assert item.reason.startswith("a name that is no text: bytes outside UTF-8")


def test_a_folder_with_the_name_of_a_list_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "photos.json").mkdir()
    (tmp_path / "photos.json" / "a.png").write_bytes(b"x")
    (tmp_path / "photos.json" / "b.json").write_text("{}")
    assert list(answers.files_of([tmp_path])) == [tmp_path / "photos.json" / "a.png"]


def test_folders_without_end_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "z.png").touch()
    deep = tmp_path.joinpath(*["a"] * (DEEPEST + 2))
    deep.mkdir(parents=True)
    first, last = answers.files_of([tmp_path])
    assert isinstance(first, answers.Refused) and "folders deep" in first.reason
    assert last == tmp_path / "z.png"


def test_a_link_in_a_circle_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "photo.png").write_bytes(b"x")
    refused, photo = answers.files_of([tmp_path])
    assert refused == Refused(
        tmp_path / "loop.png", "a link to a folder, to nothing or out of the root"
    )
    assert photo == tmp_path / "photo.png"


def test_no_more_than_a_batch_is_read_ahead(
    model: trained.Trained, folder: Path
) -> None:
    asked = 0

    def endless():
        nonlocal asked
        while True:
            asked += 1
            yield folder / "0.png"

    stream = answers.answers(model, endless(), batch=5)
    next(stream)
    assert asked == 5


def test_every_image_gets_a_picture_under_a_name_of_its_own(
    model: trained.Trained, folder: Path, tmp_path: Path
) -> None:
    paths = [folder / "0.png", folder / "0.png", folder / "2-broken.jpg"]
    found = list(answers.answers(model, paths, heatmaps=tmp_path))
    assert [getattr(item, "heatmap", None) for item in found] == [
        tmp_path / "0.png",
        tmp_path / "0-2.png",
        None,
    ]
    with Image.open(tmp_path / "0-2.png") as picture:
        assert picture.size == (960, 390)


def test_of_equal_probabilities_the_first_class_is_named_first() -> None:
    found = answers.answer(Path("x"), np.array([0.2, 0.4, 0.4]), ("a", "b", "c"))
    assert (found.class_name, found.runner_up) == ("b", "c")
