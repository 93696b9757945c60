"""A study may compare a model that starts from a finished run, if that is honest."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_run

from tessera import files, settings, starts, twins
from tessera.data.dataset import DataError, Dataset, Split, assemble
from tessera.experiment import (
    Experiment,
    Folder,
    Hybrid,
    HybridPlus,
)
from tessera.models.rebuild import RunError
from tessera.record import RunFolder
from tessera.settings import ExperimentError


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found before, by this code or another, answers no test."""
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "cache"))


def noise(seed: int, size: int = toy_run.SIZE) -> Split:
    drawn = np.random.default_rng(seed)
    images = drawn.integers(0, 256, (20, size, size, 3), np.uint8)
    return Split(images, np.arange(20, dtype=np.int32) % 2)


def made_up(train: Split, test: Split) -> Dataset:
    return assemble("made up", ("a", "b"), train=train, test=test)


@pytest.fixture
def fresh() -> Dataset:
    """Of the size of the toy run's digits, and none of them."""
    return made_up(noise(0), noise(1))


@pytest.fixture
def begun(toy: RunFolder) -> Experiment:
    return twins.beside(Experiment(models=(Hybrid(),)), toy.path)


def test_of_a_run_on_other_images_nothing_is_said(
    begun: Experiment, fresh: Dataset
) -> None:
    assert starts.notes(begun, fresh) == ()
    assert starts.notes(Experiment(), fresh) == ()


def test_a_run_of_another_architecture_is_refused(
    toy: RunFolder, begun: Experiment, fresh: Dataset
) -> None:
    start = begun.models[1].start
    for other in (HybridPlus(start=start), Hybrid(depth=1, start=start)):
        wrong = begun.model_copy(update={"models": (other,)})
        with pytest.raises(ExperimentError, match="expected a run of the model that"):
            starts.notes(wrong, fresh)


def test_weights_that_were_changed_since_are_refused_before_anything_is_trained(
    begun: Experiment, fresh: Dataset
) -> None:
    start = begun.models[1].start
    assert start is not None
    other = start.model_copy(update={"sha256": "0" * 64})
    changed = begun.model_copy(update={"models": (Hybrid(start=other),)})
    with pytest.raises(RunError, match=r"SHA-256 0{12}\)\. Received: [0-9a-f]{12}\."):
        starts.notes(changed, fresh)


def test_a_run_on_images_of_another_size_is_refused_with_the_size(
    begun: Experiment,
) -> None:
    larger = made_up(noise(0, 32), noise(1, 32))
    with pytest.raises(ExperimentError, match=r"`--set data\.image_size=16`"):
        starts.notes(begun, larger)


def test_a_run_that_has_learned_from_test_images_is_refused(
    begun: Experiment, fresh: Dataset
) -> None:
    digits = toy_run.digits()
    three = np.arange(3)
    held = Split(digits.train.images[three], np.zeros(3, np.int32))
    tested = made_up(fresh.train, held)
    said = r"hybrid-started: .* among whose training images are 3 of the 3 test images"
    with pytest.raises(DataError, match=said):
        starts.notes(begun, tested)


def test_what_it_was_only_tested_on_may_be_tested_on_again(
    begun: Experiment, fresh: Dataset
) -> None:
    test = toy_run.digits().test
    held = Split(test.images, test.labels % 2)
    assert starts.notes(begun, made_up(fresh.train, held)) == ()


def test_a_run_that_has_learned_from_what_is_validated_on_is_told(
    begun: Experiment, fresh: Dataset
) -> None:
    assert starts.notes(begun, fresh) == ()  # which is remembered of that data alone
    (said,) = starts.notes(begun, toy_run.digits())
    assert starts.notes(begun, toy_run.digits()) == (said,)
    assert "are 1,438 that are trained and validated on here" in said
    assert "what validation says of it flatters" in said


def test_images_that_a_run_was_validated_on_are_known_to_it_too(
    tmp_path: Path,
) -> None:
    data = assemble(
        "made up", ("a", "b"), train=noise(0), test=noise(1), validation=noise(2)
    )
    folder = RunFolder(tmp_path / "run")
    record = toy_run.write_run(folder, toy_run.experiment([Hybrid()]).runs()[0])
    theirs = record.model_copy(update={"data": data.summary()})
    files.write_text(folder.record, theirs.model_dump_json())
    begun = twins.beside(Experiment(models=(Hybrid(),)), folder.path)
    (said,) = starts.notes(begun, data)
    assert "are 40 that are trained and validated on here" in said


def images_in(folder: Path, seed: int) -> Path:
    from PIL import Image

    for at, image in enumerate(noise(seed).images):
        place = folder / "train" / "ab"[at % 2] / f"{at}.png"
        test = folder / "test" / "ab"[at % 2] / f"{at}.png"
        for path, shown in ((place, image), (test, 255 - image)):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(shown).save(path)
    return folder


@pytest.fixture
def of_folder(tmp_path: Path) -> RunFolder:
    """A run that learned from the files of a folder, `images`."""
    from tessera.data import source

    data = Folder(path=str(images_in(tmp_path / "images", 5)), image_size=toy_run.SIZE)
    run = toy_run.experiment([Hybrid()]).runs()[0]
    folder = RunFolder(tmp_path / "run")
    record = toy_run.write_run(folder, run)
    theirs = run.model_copy(update={"data": data})
    files.write_text(folder.experiment, settings.dumps(theirs.experiment()))
    there = record.model_copy(update={"data": source.load(data).summary()})
    files.write_text(folder.record, there.model_dump_json())
    return folder


def test_images_that_are_gone_are_told_not_to_have_been_looked_at(
    of_folder: RunFolder, tmp_path: Path, fresh: Dataset
) -> None:
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    (said,) = starts.notes(begun, fresh)
    assert "could not be looked at" in said and f"{tmp_path / 'images'}" in said
    (tmp_path / "elsewhere").rename(tmp_path / "images")
    assert starts.notes(begun, fresh) == ()


def test_images_that_were_changed_are_told_not_to_have_been_looked_at(
    of_folder: RunFolder, tmp_path: Path, fresh: Dataset
) -> None:
    images_in(tmp_path / "images", 6)
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    (said,) = starts.notes(begun, fresh)
    assert "images is not what it was when that run was trained" in said


def test_test_images_that_are_nearly_ones_it_has_learned_from_are_told(
    of_folder: RunFolder, fresh: Dataset
) -> None:
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    names = tuple(map(str, range(20)))
    darker = replace(noise(5), images=noise(5).images // 2, names=names)
    others = replace(fresh.test, names=names)
    said = [starts.notes(begun, made_up(fresh.train, s)) for s in (darker, others)]
    assert said == [
        (
            "hybrid-started: 20 of the 20 test images are nearly the same as images "
            f"that {of_folder.path} has learned from. Where both show one picture, "
            "scores flatter.",
        ),
        (),
    ]


def test_drawn_digits_that_are_no_files_are_not_said_to_be_nearly_the_same(
    of_folder: RunFolder, fresh: Dataset
) -> None:
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    darker = replace(noise(5), images=noise(5).images // 2)
    assert starts.notes(begun, made_up(fresh.train, darker)) == ()


def test_the_run_before_the_run_is_looked_at_too(
    of_folder: RunFolder, tmp_path: Path, fresh: Dataset
) -> None:
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    child = RunFolder(tmp_path / "child")
    toy_run.write_run(child, toy_run.experiment([begun.models[1]]).runs()[0])
    grandchild = twins.beside(Experiment(models=(Hybrid(),)), child.path)
    tested = made_up(fresh.train, noise(5))
    with pytest.raises(
        DataError, match=r"/run, among whose training images are 20 of the 20"
    ):
        starts.notes(grandchild, tested)


def test_where_a_runs_images_are_gone_the_run_before_it_is_looked_at_all_the_same(
    of_folder: RunFolder, tmp_path: Path, fresh: Dataset
) -> None:
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    child = RunFolder(tmp_path / "child")
    run = toy_run.experiment([begun.models[1]]).runs()[0]
    toy_run.write_run(child, run)
    gone = Folder(path=str(tmp_path / "gone"), image_size=toy_run.SIZE)
    lost = run.model_copy(update={"data": gone})
    files.write_text(child.experiment, settings.dumps(lost.experiment()))
    grandchild = twins.beside(Experiment(models=(Hybrid(),)), child.path)
    tested = made_up(fresh.train, noise(5))
    with pytest.raises(
        DataError, match=r"/run, among whose training images are 20 of the 20"
    ):
        starts.notes(grandchild, tested)


def test_a_run_before_the_run_that_is_gone_is_told_not_to_have_been_looked_at(
    of_folder: RunFolder, tmp_path: Path, fresh: Dataset
) -> None:
    begun = twins.beside(Experiment(models=(Hybrid(),)), of_folder.path)
    child = RunFolder(tmp_path / "child")
    toy_run.write_run(child, toy_run.experiment([begun.models[1]]).runs()[0])
    of_folder.path.rename(tmp_path / "elsewhere")
    grandchild = twins.beside(Experiment(models=(Hybrid(),)), child.path)
    (said,) = starts.notes(grandchild, fresh)
    assert f"whether {of_folder.path} has learned" in said
    assert "no such folder" in said
