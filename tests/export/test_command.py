"""An export is there whole, or not at all with the reason."""

import errno
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tessera import locks
from tessera.data.dataset import DataError, Dataset
from tessera.experiment import Folder
from tessera.export import command, formats
from tessera.export.errors import ExportError
from tessera.export.formats import Output
from tessera.export.parity import Parity
from tessera.files import CannotWrite
from tessera.record import RunFolder
from tessera.trained import Trained


@pytest.mark.slow
def test_an_export_leaves_the_model_its_labels_and_its_card(
    toy: RunFolder, tmp_path: Path
) -> None:
    done = command.export(toy.path, "onnx", out=tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"model.onnx", "labels.txt", "card.md"}
    assert (done.folder / "labels.txt").read_text().split() == list("0123456789")
    assert (done.check.images, done.check.tested) == (1000, 359)
    assert done.check.heatmap is not None
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_different_model_leaves_nothing(
    model: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object):
        return lambda pixels: Output(np.full((len(pixels), 10), 0.1, "f4"), None)

    monkeypatch.setattr(formats, "read", read)
    with pytest.raises(ExportError, match="Nothing was exported"):
        command.write(model, "onnx", tmp_path / "out", dataset)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("few")
def test_an_export_that_is_stopped_was_never_in_its_place_and_leaves_nothing(
    model: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def stopped(*_: object, **__: object) -> str:
        (beside,) = tmp_path.iterdir()
        assert beside != out and (beside / "labels.txt").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(command.card, "card", stopped)
    with pytest.raises(KeyboardInterrupt):
        command.write(model, "keras", out, dataset)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_never_touched(
    model: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(ExportError, match="expected a folder that is not there yet"):
        command.write(model, "keras", tmp_path, dataset)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_taken_folder_is_refused_before_the_data_is_read(
    toy: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precious").touch()
    read: list[object] = []
    monkeypatch.setattr(command.source, "load", read.append)
    with pytest.raises(ExportError, match="expected a folder that is not there yet"):
        command.export(toy.path, "keras", out=tmp_path)
    assert not read


@pytest.mark.usefixtures("few")
def test_an_empty_folder_that_is_there_is_filled_and_stays_the_same_folder(
    model: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's volume, say: no other folder can take its place."""
    out, link = tmp_path / "out", tmp_path / "link"
    (out / ".partial-of-one-killed").mkdir(parents=True)
    link.symlink_to(out)
    monkeypatch.chdir(out)
    before = out.stat().st_ino
    command.write(model, "keras", link, dataset)
    left = {path.name for path in Path().iterdir()}
    assert left == {"model.keras", "labels.txt", "card.md", ".partial-of-one-killed"}
    assert out.stat().st_ino == before


def killed(model: Trained, out: Path, dataset: Dataset, patch: pytest.MonkeyPatch):
    """The folder that an export leaves whose process is gone in its midst."""
    before = set(out.parent.rglob(".partial-*"))
    with patch.context() as gone:
        gone.setattr(command.card, "card", lambda *_, **__: 1 / 0)
        gone.setattr(command.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(ZeroDivisionError):
            command.write(model, "keras", out, dataset)
    (left,) = set(out.parent.rglob(".partial-*")) - before
    assert (left / "model.keras").exists()
    return left


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("there", [False, True], ids=["beside it", "in it"])
def test_what_an_export_left_that_was_killed_goes_with_the_next_to_its_place(
    there: bool,
    model: Trained,
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    if there:
        out.mkdir()
    mine = killed(model, out, dataset, monkeypatch)
    out.mkdir(exist_ok=True)  # another may have made it meanwhile
    others = killed(model, tmp_path / "other", dataset, monkeypatch)
    (tmp_path / ".partial-abcdefgh").mkdir()
    (tmp_path / "precious").mkdir()
    link = mine.with_name(f"{mine.name}-link")
    link.symlink_to(tmp_path / "precious")
    at_work = mine.with_name(f"{mine.name}-at-work")
    with locks.held(at_work):
        (at_work / "model.keras").touch()
        command.write(model, "keras", out, dataset)
        assert not mine.exists()
        assert (at_work / "model.keras").exists()
    assert others.exists() and link.is_symlink()
    assert {path.name for path in tmp_path.iterdir()} >= {".partial-abcdefgh"}
    assert {path.name for path in out.iterdir() if path.is_file()} == {
        *("model.keras", "labels.txt", "card.md")
    }


@pytest.mark.usefixtures("few")
def test_of_two_exports_into_one_folder_the_second_is_refused(
    model: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def other(*_: object, **__: object) -> str:
        out.mkdir()
        (out / "card.md").write_text("the other's")
        return "mine"

    monkeypatch.setattr(command.card, "card", other)
    with pytest.raises(ExportError, match="holds something"):
        command.write(model, "keras", out, dataset)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "card.md").read_text() == "the other's"


def test_a_full_disk_is_named_with_the_file_that_has_no_room(
    model: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(formats, "write", full)
    file = re.escape(str(tmp_path / "out" / "model.onnx"))
    with pytest.raises(CannotWrite, match=f"^{file}: .* No space left on device"):
        command.write(model, "onnx", tmp_path / "out", dataset)
    assert list(tmp_path.iterdir()) == []


def test_a_place_below_a_file_is_refused_with_the_reason(
    model: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="A file stands where a folder must be"):
        command.write(model, "keras", tmp_path / "file" / "out", dataset)


def test_a_model_is_not_written_among_the_folders_of_its_classes(
    toy: RunFolder, tmp_path: Path
) -> None:
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
    with pytest.raises(DataError, match="outside the image folder"):
        command.export(toy.path, "keras", out=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_an_unknown_format_lists_the_known_ones(toy: RunFolder) -> None:
    with pytest.raises(
        ExportError, match="one of keras, onnx, onnx-int8, litert, saved-model"
    ):
        command.export(toy.path, "pickle")


def test_moved_data_is_found_where_the_user_says(
    model: Trained, tmp_path: Path
) -> None:
    found = command.data_of(model, "digits")
    assert found.fingerprint == model.record.data.fingerprint
    shutil.rmtree(tmp_path)


def test_data_that_is_not_where_it_lay_is_asked_for(model: Trained) -> None:
    moved = model.run.model_copy(update={"data": Folder(path="photos/of/yore")})
    with pytest.raises(ExportError, match=r"data at photos/of/yore.*with --data"):
        command.data_of(replace(model, run=moved), None)


@pytest.mark.usefixtures("few")
def test_an_ensemble_is_named_after_its_cell_and_not_after_a_seed(
    two_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command.export(two_seeds, "onnx", ensemble=True)
    assert done.folder == Path("hybrid--balanced-ensemble-onnx")
    assert done.check.heatmap is None
    assert done.because.startswith("The study's report recommends no remedy")
    assert "The runs used are all 2 of hybrid, balanced" in done.because


@pytest.mark.usefixtures("few")
def test_all_folds_of_a_study_are_exported_as_one_model(
    in_folds: Path, tmp_path: Path
) -> None:
    done = command.export(in_folds, "onnx", out=tmp_path / "out", ensemble=True)
    check = done.check
    assert isinstance(check, Parity) and (check.images, check.tested) == (40, 24)
    told = done.card.read_text(encoding="utf-8")
    assert "4 trainings, 2 folds of seeds 0 and 1, are in it" in told
    assert "by the 2 that have not learned from it" in told
    assert "Counts of training and validation are those of the first fold" in told
    assert "Seed 1, fold 2: Tessera " in told
    assert "| blue | 12 |" in told and "One training" not in told


def test_what_rounding_costs_cannot_be_measured_of_all_folds_together(
    in_folds: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExportError) as error:
        command.export(in_folds, "onnx-int8", out=tmp_path / "out", ensemble=True)
    assert str(error.value) == (
        "onnx-int8: expected a model with test images of its own, on which what "
        "rounding costs is measured. Received: 2 folds of seeds 0 and 1, which have "
        "learned from every image together. Export to onnx."
    )
    assert not (tmp_path / "out").exists()
