"""Labels that a study's answers contradict: which, of which images, and by whom."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from tessera import doubts, files, folded
from tessera.experiment import Folder
from tessera.models import rebuild
from tessera.models.rebuild import RunError
from tessera.record import RunFolder

TRUE = np.repeat([0, 1, 2], [12, 8, 4])


def pooled(study: Path) -> list[RunFolder]:
    (cell,) = study.glob("runs/*")
    return [RunFolder(cell / f"seed-{seed}") for seed in (0, 1)]


def answering(study: Path, to: Path, logits: list[np.ndarray]) -> Path:
    """A copy of the study in folds whose seeds have answered so."""
    place = Path(shutil.copytree(study, to))
    for run, own in zip(pooled(place), logits, strict=True):
        held = files.read_arrays(run.predictions)
        more = {"logits": own[held["labels"].argsort(kind="stable").argsort()]}
        files.write_arrays(run.predictions, **(held | more))
    return place


def sure(*wrong: tuple[int, int], by: float = 4.0) -> np.ndarray:
    """Logits that name the true class of images sorted by class, but for some."""
    logits = by * np.eye(3)[TRUE]
    for image, said in wrong:
        logits[image] = by * np.eye(3)[said]
    return logits.astype(np.float32)


def test_an_image_that_both_seeds_take_for_another_class_is_listed_with_its_file(
    in_folds: Path, tmp_path: Path
) -> None:
    place = answering(in_folds, tmp_path / "s", [sure((20, 1)), sure((20, 1))])
    found = doubts.doubts(place)
    share = special.softmax([4.0, 0.0, 0.0])
    (row,) = found.rows
    assert (row.label, row.suggested) == ("red", "green")
    assert (row.probability, row.suggested_probability) == pytest.approx(share[1::-1])
    held = files.read_arrays(pooled(place)[0].predictions)
    assert row.image == held["names"][held["labels"].argsort(kind="stable")[20]]
    assert row.image.startswith("red/")


def test_all_seeds_are_asked_together(in_folds: Path, tmp_path: Path) -> None:
    # One seed takes image 20 for green, and the other, far surer, knows it for red.
    both = [sure((20, 1), by=1.0), sure(by=6.0)]
    assert doubts.doubts(answering(in_folds, tmp_path / "s", both)).rows == ()
    alone = doubts.doubts(pooled(tmp_path / "s")[0].path)
    assert [row.suggested for row in alone.rows] == ["green"]
    assert alone.said_by == ""


def test_the_most_contradicted_come_first(in_folds: Path, tmp_path: Path) -> None:
    logits = sure((20, 1), (3, 2))
    logits[3] *= 2
    found = doubts.doubts(answering(in_folds, tmp_path / "s", [logits, logits]))
    assert [(row.label, row.suggested) for row in found.rows] == [
        ("blue", "red"),
        ("red", "green"),
    ]


def test_of_folds_every_image_is_looked_at_and_it_is_said(in_folds: Path) -> None:
    found = doubts.doubts(in_folds)
    assert found.images == 24
    assert found.scope == (
        "Each was answered by models that had not learned from it, those of one of 2 "
        "folds."
    )
    assert found.said_by.startswith("The study's report recommends no remedy")
    assert "The runs used are all 4 of cnn, balanced (2 folds of 2 seeds)" in (
        found.said_by
    )
    some = "label" if len(found.rows) == 1 else "labels"
    assert found.summary.startswith(f"{len(found.rows)} {some} of 24 images to look at")


def test_of_a_study_with_a_test_set_only_that_is_looked_at_and_the_way_out_is_told(
    two_seeds: Path,
) -> None:
    found = doubts.doubts(two_seeds)
    record = rebuild.read_record(RunFolder(two_seeds / "runs/hybrid--balanced/seed-0"))
    assert found.images == sum(record.data.test_counts)
    assert found.scope == (
        "These are the test images: the models have learned from the 1,438 others or "
        "chosen their epoch by them. A study with --folds tests all. Numbers are "
        "places among the test images, from 0."
    )


def test_images_that_are_no_files_are_named_by_their_place(toy: RunFolder) -> None:
    found = doubts.doubts(toy.path)
    assert found.rows
    assert all(0 <= int(row.image) < found.images for row in found.rows)


def test_files_are_named_as_the_data_names_them(in_folds: Path) -> None:
    run = pooled(in_folds)[0]
    asked = rebuild.asked(run).data
    assert isinstance(asked, Folder)
    named = files.read_arrays(run.predictions)["names"].tolist()
    assert len(set(named)) == len(folded.data(asked).test) == 24


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected the folder of a finished run or"):
        doubts.doubts(tmp_path)
