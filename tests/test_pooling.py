"""The folds' runs of a cell and seed count as one: their answers, files and notes."""

from pathlib import Path

import numpy as np
import toy_run

from tessera import artefacts, cross_validation, files, pooling
from tessera.data import source
from tessera.experiment import Experiment, Folder
from tessera.record import Record, RunFolder, StudyFolder, StudyRecord


def test_groups_of_all_folds_are_counted_and_kept_with_the_answers(
    tmp_path: Path,
) -> None:
    sizes = {"blue": 9, "green": 6, "red": 4}
    images = toy_run.write_images(tmp_path / "images", sizes)
    data = Folder(path=str(images), image_size=16, folds=2, groups="([0-9])[.]png")
    asked = Experiment(data=data)
    parts = cross_validation.parts(asked, tmp_path)
    datasets = [source.load(part.experiment.data) for part in parts]
    known = cross_validation._summary(asked, datasets)
    assert known.test_groups == (9, 6, 4)
    folders = [RunFolder(tmp_path / name) for name in ("one", "two", "both")]
    for number, (dataset, folder) in enumerate(zip(datasets, folders, strict=False)):
        test = dataset.test
        logits = np.full((len(test), 3), number, np.float32)
        artefacts.write_predictions(
            folder.predictions, logits, test, np.arange(len(test))
        )
    pooling._pool_answers(folders[:2], folders[2], "predictions")
    found = files.read_arrays(folders[2].predictions)
    assert found["indices"].tolist() == list(range(19))
    by_fold = [set(found["groups"][found["logits"][:, 0] == n]) for n in (0, 1)]
    assert not by_fold[0] & by_fold[1] and len(by_fold[0] | by_fold[1]) == 9


def test_what_all_folds_note_is_said_once_and_the_rest_with_its_fold() -> None:
    noted = (("Both.", "Mine."), ("Both.",), ("Both.", "Ours."))
    told = ("Both.", "Fold 1: Mine.", "Fold 3: Ours.")
    assert pooling.told_once(noted) == told


def test_a_pooled_runs_digest_changes_with_any_folds(in_folds: Path) -> None:
    study = StudyRecord.model_validate_json(StudyFolder(in_folds).study.read_bytes())
    runs = [f"fold-{k}/runs/cnn--balanced/seed-0" for k in (1, 2)]
    each = [
        Record.model_validate_json(RunFolder(in_folds / run).record.read_bytes())
        for run in runs
    ]
    pooled = RunFolder(in_folds / study.cells[0].folders[0])
    record = Record.model_validate_json(pooled.record.read_bytes())
    assert record.digest == pooling.digest_of(each)
    other = each[1].model_copy(update={"digest": "0" * 64})
    assert pooling.digest_of([each[0], other]) != record.digest
    assert pooling.digest_of(each[::-1]) != record.digest
