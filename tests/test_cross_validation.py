"""In folds every image is tested once, and all answers count as those of one run."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_run
from cli.inside import Ended, tessera
from sklearn import metrics
from unpainted import charts

from tessera import api, cross_validation, files, history, meant, study, trained
from tessera.cli import commands, faithfulness
from tessera.data import source
from tessera.experiment import Cnn, Digits, Experiment, Folder, Natural, Regime
from tessera.models.rebuild import RunError
from tessera.record import Record, RunFolder, StudyFolder, StudyRecord
from tessera.report import page
from tessera.report.load import StudyError, load
from tessera.report.mistakes import looked_at
from tessera.settings import ExperimentError

SIZES = {"blue": 9, "green": 6, "red": 4}
REGIME = 'regimes=[{name="as-is",profile={kind="natural"}}]'
ASKED = Experiment(
    models=(Cnn(),),
    regimes=(Regime(name="as-is", profile=Natural()),),
    seeds=(0, 1),
)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """19 noisy pictures, of which the rarest class has four."""
    return toy_run.write_images(tmp_path_factory.mktemp("images"), SIZES)


def command(images: Path, out: Path, *more: str) -> Ended:
    return tessera(
        *("study", "--data", images, "--out", out, "--jobs", "1", "--models", "cnn"),
        *("--epochs", "2", "--seeds", "2", "--set", "data.image_size=16"),
        *("--set", REGIME, *more),
    )


@pytest.fixture(scope="module")
def out(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three folds, one cell and two seeds."""
    folder = tmp_path_factory.mktemp("out") / "study"
    with charts():
        assert command(images, folder, "--folds", "3").returncode == 0
    return folder


def covered(out: Path) -> list[tuple[RunFolder, Record]]:
    """The runs of a study's record."""
    record = StudyRecord.model_validate_json(StudyFolder(out).study.read_bytes())
    folders = study.covered(record, out)
    return list(zip(folders, study.read(folders), strict=True))


def test_every_image_has_the_answer_of_the_fold_that_tested_it(
    images: Path, out: Path
) -> None:
    data = Folder(path=str(images), image_size=16, folds=3)
    for at, (folder, _) in enumerate(covered(out)):
        pooled = files.read_arrays(folder.predictions)
        begin, named = 0, []
        for number in (1, 2, 3):
            fold, _ = covered(out / f"fold-{number}")[at]
            own = files.read_arrays(fold.predictions)
            test = source.load(data.model_copy(update={"fold": number})).test
            end = begin + len(test)
            np.testing.assert_array_equal(pooled["logits"][begin:end], own["logits"])
            np.testing.assert_array_equal(pooled["labels"][begin:end], test.labels)
            named += test.names
            begin = end
        assert begin == len(pooled["labels"]) == sum(SIZES.values())
        assert sorted(named) == sorted(
            f"{name}/{n}.png" for name, size in SIZES.items() for n in range(size)
        )


def test_scores_are_of_all_answers_and_not_means_over_folds(out: Path) -> None:
    for folder, record in covered(out):
        found = files.read_arrays(folder.predictions)
        predicted = found["logits"].argmax(axis=1)
        wanted = metrics.f1_score(
            found["labels"], predicted, average="macro", zero_division=0
        )
        assert record.scores.macro_f1 == pytest.approx(wanted, abs=1e-12)
        assert tuple(row.support for row in record.scores.per_class) == (9, 6, 4)


def test_a_run_is_told_as_its_folds_together(out: Path) -> None:
    pooled = covered(out)
    assert [record.seed for _, record in pooled] == [0, 1]
    for at, (folder, record) in enumerate(pooled):
        folds = [covered(out / f"fold-{number}")[at] for number in (1, 2, 3)]
        seconds = sum(one.train_seconds for _, one in folds)
        assert record.train_seconds == pytest.approx(seconds)
        rows = [history.read(fold) for fold, _ in folds]
        mean = [np.mean([row[epoch]["loss"] for row in rows]) for epoch in (0, 1)]
        assert [row["loss"] for row in history.read(folder)] == pytest.approx(mean)
        marks = "".join(one.digest for _, one in folds)
        assert record.digest == hashlib.sha256(marks.encode()).hexdigest()
        assert len({record.digest, *(one.digest for _, one in folds)}) == 4


def test_the_data_of_all_folds_are_every_image_under_a_mark_of_their_own(
    out: Path,
) -> None:
    told = StudyRecord.model_validate_json(StudyFolder(out).study.read_bytes())
    assert told.data.test_counts == told.data.train_counts == (9, 6, 4)
    assert told.data.notes[0].startswith(
        "Cross-validation in 3 folds: each of the 19 images is tested once"
    )
    marks = {record.data.fingerprint for _, record in covered(out)}
    for number in (1, 2, 3):
        for _, record in covered(out / f"fold-{number}"):
            assert record.data.fingerprint not in marks
    assert len(marks) == 1 and told.data.fingerprint in marks
    assert sum(one.runs for one in told.trained) == 6
    report = StudyFolder(out).report.read_text(encoding="utf-8")
    assert "Cross-validation in 3 folds" in report


@charts()
def test_the_same_command_trains_nothing_again(images: Path, out: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.glob("fold-*/runs/*/*/r*")}
    again = command(images, out, "--folds", "3")
    assert again.stdout.count("finished, 0 to do") == 1
    assert "x 2 seeds x 3 folds = 6 runs of 2 epochs; 6 finished, 0" in again.stdout
    assert "Fold 1 of" not in again.stdout and again.stdout.count("Report: ") == 1
    assert again.stdout.endswith(f"\nReport: {out / 'report.html'}\n")
    assert len(before) == 6
    for path, changed in before.items():
        assert path.stat().st_mtime_ns == changed, path


def test_the_same_study_in_python_is_the_commands(
    images: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Path] = []
    monkeypatch.setattr(page, "write_report", lambda folder: reported.append(folder))
    before = {path: path.stat().st_mtime_ns for path in out.glob("fold-*/runs/*/*/r*")}
    found = api.study(
        images,
        folds=3,
        epochs=2,
        seeds=2,
        models=["cnn"],
        change=[REGIME, "data.image_size=16"],
        out=out,
        verbose=False,
    )
    assert found.runs() == tuple(folder.path for folder, _ in covered(out))
    assert reported == [*(out / f"fold-{number}" for number in (1, 2, 3)), out]
    for path, changed in before.items():
        assert path.stat().st_mtime_ns == changed, path


@pytest.mark.parametrize("more", [(), ("--folds", "2")], ids=["one split", "two folds"])
def test_other_divisions_of_the_same_images_do_not_take_its_place(
    more: tuple[str, ...],
    images: Path,
    out: Path,
) -> None:
    refused = command(images, out, *more)
    assert refused.returncode == 2 and "which would be replaced" in refused.stderr
    assert f"that of {images.name} in 3 folds (" in refused.stderr


def test_a_model_is_looked_for_in_a_fold(out: Path) -> None:
    with pytest.raises(
        RunError, match=r"Give the study of one, such as .*fold-1\. Or ask"
    ):
        meant.choose(out)
    with pytest.raises(StudyError, match=r"Give the study of one, such as .*fold-1$"):
        faithfulness.runs_of(out)
    assert meant.choose(out / "fold-1").folder.weights.exists()


def test_a_pooled_run_names_the_run_of_the_first_fold_that_has_a_model(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, (folder, _) in enumerate(covered(out)):
        first, _ = covered(out / "fold-1")[at]
        with pytest.raises(RunError, match="what those of 3 folds answered") as told:
            trained.load(folder.path)
        assert str(told.value).endswith(f"Give that of a fold: {first.path}")
        assert trained.load(first.path).run.seed == at
    # It is told before the reader of planted glyphs is trained.
    monkeypatch.delattr("tessera.explain.faithfulness.planted.trained_reader")
    monkeypatch.chdir(folder.path)
    shown = tessera("faithfulness", ".", "--images", "10")
    assert shown.returncode == 2 and str(first.path) in shown.stderr


def test_a_pooled_run_without_its_folds_says_where_they_would_be(
    out: Path, tmp_path: Path
) -> None:
    (folder, _), *_ = covered(out)
    alone = tmp_path / "moved"
    shutil.copytree(folder.path, alone)
    with pytest.raises(RunError, match=r"Give that of a fold: .*fold-1$"):
        trained.load(alone)


def test_a_fold_that_is_not_finished_is_named(images: Path, tmp_path: Path) -> None:
    asked = cross_validation.divided(
        ASKED.model_copy(update={"data": Folder(path=str(images))}), 3
    )
    folds = cross_validation.parts(asked, tmp_path)
    first = source.load(folds[0].experiment.data)
    with pytest.raises(study.StudyError, match=r"fold-1: expected the finished study"):
        cross_validation.conclude(asked, [first], tmp_path, threads=1)


def test_data_with_a_test_set_of_its_own_is_not_divided() -> None:
    with pytest.raises(ExperimentError, match=r"--folds: expected an image folder"):
        cross_validation.divided(Experiment(data=Digits()), 3, "--folds")


def test_only_folds_that_are_asked_for_are_parts(tmp_path: Path) -> None:
    data = Folder(path="photos")
    one = data.model_copy(update={"folds": 3, "fold": 2})
    for alone in (Digits(), data, one):
        assert not cross_validation.parts(Experiment(data=alone), tmp_path)
    asked = cross_validation.divided(Experiment(data=one), 3)
    parts = cross_validation.parts(asked, tmp_path)
    assert [part.experiment.data.fold for part in parts] == [1, 2, 3]
    assert [part.folder.name for part in parts] == ["fold-1", "fold-2", "fold-3"]


def test_a_later_fold_that_will_not_do_is_told_before_the_first_is_trained(
    images: Path, tmp_path: Path
) -> None:
    data = Folder(path=str(images), image_size=16, folds=3)
    second, third = (
        source.load(data.model_copy(update={"fold": number})).test for number in (2, 3)
    )
    copied, at = tmp_path / "images", third.labels.tolist().index(second.labels[0])
    shutil.copytree(images, copied)
    assert second.names and third.names
    shutil.copyfile(copied / second.names[0], copied / third.names[at])
    source.load(data.model_copy(update={"path": str(copied), "fold": 1}))
    refused = command(copied, tmp_path / "out", "--folds", "3")
    assert refused.returncode == 2 and "are also training" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_a_fold_in_anothers_place_is_refused_with_a_folder_beside_the_study(
    images: Path, out: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(out / "fold-2", moved / "fold-1")
    refused = command(images, moved, "--folds", "3")
    assert refused.returncode == 2 and "moved/fold-1: expected" in refused.stderr
    assert f"--out {tmp_path / images.name}" in refused.stderr
    assert not (moved / "fold-2").exists()


def test_what_ctrl_c_leaves_is_counted_over_all_folds(images: Path, out: Path) -> None:
    told = StudyRecord.model_validate_json(StudyFolder(out).study.read_bytes())
    folds = cross_validation.parts(told.experiment, out)
    datasets = [source.load(fold.experiment.data) for fold in folds]
    here = commands.finished(folds, datasets, out)
    assert here.startswith(f"6 of 6 runs in 3 folds are finished and kept in {out}.")
    moved = [replace(fold, folder=out / "none") for fold in folds[1:]]
    assert commands.finished([folds[0], *moved], datasets, out).startswith("2 of 6")


def test_every_answer_and_every_mistake_is_told_with_its_file(
    images: Path, out: Path
) -> None:
    data = Folder(path=str(images), image_size=16, folds=3)
    tests = [
        source.load(data.model_copy(update={"fold": number})).test
        for number in (1, 2, 3)
    ]
    names = [name for test in tests for name in test.names or ()]
    pixels = np.concatenate([test.images for test in tests])
    for folder, _ in covered(out):
        assert files.read_arrays(folder.predictions)["names"].tolist() == names
        shown = files.read_arrays(folder.mistakes)
        assert shown["indices"].max() >= len(tests[0])
        np.testing.assert_array_equal(shown["images"], pixels[shown["indices"]])
        assert shown["names"].tolist() == [names[i] for i in shown["indices"]]
    (looked,) = looked_at(load(out), images=True)
    rows = [row for group in looked.groups for row in group.rows]
    assert rows and all(row.file == names[row.position] for row in rows)


def test_a_pooled_report_says_nothing_that_holds_for_one_split_alone(
    out: Path,
) -> None:
    pooled, fold = (
        " ".join(StudyFolder(one).report.read_text(encoding="utf-8").split())
        for one in (out, out / "fold-1")
    )
    for one_split in (
        "One test set, used once",
        "with this study&#39;s folder",
        "training and 19 test images",
        "Whole training set",
        "dots mark the epochs",
        "training time is the mean over seeds",
    ):
        plain = one_split.replace("19", "7").replace("&#39;", "'")
        assert one_split not in pooled and plain in fold.replace("&#39;", "'")
    assert "1 regime &times; 2 seeds &times; 3 folds" in pooled
    assert "19 images, in 3 folds, of 16" in pooled
    assert "with the folder of a fold, such as fold-1" in pooled
    assert "--ensemble</code> take all of the recommended cell as one model" in pooled
    assert "of all folds together, which no image is left to test" in pooled
