"""A study's state lies in its folders: what is finished is kept."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import filelock
import pytest
from cli import inside
from evaluation.studies import record
from unpainted import charts

from tessera import checkpoint, files, machine, runtime, study
from tessera.data import source
from tessera.data.dataset import Dataset, Split, assemble
from tessera.experiment import (
    OWN_REGIMES,
    STUDY_REGIMES,
    Cnn,
    Digits,
    Experiment,
    Natural,
    Reduced,
    Regime,
    Training,
)
from tessera.imbalance.profiles import ProfileError
from tessera.record import StudyFolder, StudyRecord

TINY = [
    *("--data", "digits", "--epochs", "1", "--seeds", "1", "--jobs", "1"),
    *("--set", "data.image_size=8", "--set", 'models=[{kind="cnn"}]'),
    *("--set", "explain.examples=0", "--set", "training.batch_size=2048"),
]


def tessera(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tessera", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def records(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*/record.json")}


def wait_for_a_record(
    out: Path, process: "subprocess.Popen[str]", besides: Collection[Path] = ()
) -> None:
    while process.poll() is None:
        if records(out).keys() - besides:
            return
        time.sleep(0.05)
    pytest.fail(f"the study ended early: {process.communicate()[0]}")


def dataset_with(counts: list[int]) -> Dataset:
    import numpy as np

    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    images = np.zeros((len(labels), 16, 16, 3), np.uint8)
    split = Split(images, labels)
    names = tuple(f"class {index}" for index in range(len(counts)))
    return assemble("made up", names, train=split, test=split)


@dataclass(frozen=True)
class Interrupted:
    """A study of three runs that was ended by Ctrl-C after the first."""

    out: Path
    returncode: int
    output: str


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    out = tmp_path_factory.mktemp("interrupted") / "study"
    process = tessera("study", *TINY, "--out", str(out))
    wait_for_a_record(out, process)
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    return Interrupted(out, process.returncode, output)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_says_what_is_kept_and_how_to_go_on(interrupted: Interrupted) -> None:
    assert interrupted.returncode == 130
    assert "The same command does the rest" in interrupted.output
    assert "Traceback" not in interrupted.output
    assert not list(interrupted.out.rglob(".partial-*"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_study_goes_on_and_never_repeats_a_finished_run(
    interrupted: Interrupted, tmp_path: Path
) -> None:
    out = shutil.copytree(interrupted.out, tmp_path / "study")
    kept = records(out)
    first = tessera("study", *TINY, "--out", str(out))
    wait_for_a_record(out, first, besides=kept)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert {path: records(out)[path] for path in kept} == kept
    kept = records(out)
    assert not (out / "study.json").exists()

    with charts():
        second = inside.tessera("study", *TINY, "--out", str(out))
    assert second.returncode == 0, second.stderr
    after = records(out)
    assert len(after) == 3
    assert {path: after[path] for path in kept} == kept
    whole = StudyRecord.model_validate_json((out / "study.json").read_bytes())
    assert [cell.seeds for cell in whole.cells] == [(0,)] * 3
    assert (out / "report.html").stat().st_size > 10_000

    with charts():
        again = inside.tessera("study", *TINY, "--out", str(out))
    assert "3 finished, 0 to do" in again.stdout
    assert records(out) == after


def test_a_folder_in_use_by_another_command_is_refused(tmp_path: Path) -> None:
    with filelock.FileLock(tmp_path / ".lock"):
        other = inside.tessera("study", *TINY, "--out", str(tmp_path))
    assert other.returncode == 2
    assert "another tessera command is working in this folder" in other.stderr


def test_an_empty_folder_has_every_run_to_do(tmp_path: Path) -> None:
    experiment = Experiment(data=Digits(image_size=16), models=(Cnn(),))
    progress = study.survey(experiment, source.load(experiment.data), tmp_path)
    assert (len(progress.finished), len(progress.missing)) == (0, 6)


def test_a_damaged_record_is_work_to_do(tmp_path: Path) -> None:
    experiment = Experiment(data=Digits(image_size=16), models=(Cnn(),))
    dataset = source.load(experiment.data)
    run = experiment.runs()[0]
    folder = study.run_folder(StudyFolder(tmp_path), run, dataset)
    folder.path.mkdir(parents=True)
    folder.record.write_text('{"schema_version": 1, "dig')
    assert len(study.survey(experiment, dataset, tmp_path).missing) == 6


def test_a_study_concluded_knows_its_data_as_it_is_and_leaves_no_checkpoints(
    tmp_path: Path,
) -> None:
    asked = Experiment(
        data=Digits(image_size=16), models=(Cnn(),), regimes=(Regime(name="balanced"),)
    )
    dataset = dataset_with([20] * 10)
    noted = replace(dataset, notes=("One file is left out.",))
    for task in study.survey(asked, dataset, tmp_path).missing:
        digest, data = task.run.digest(dataset.fingerprint), dataset.summary()
        found = record("cnn", task.run.regime, task.run.seed, [0.5] * 10)
        found = found.model_copy(update={"digest": digest, "data": data})
        files.write_text(task.folder.record, found.model_dump_json())
    killed = task.folder.checkpoints
    checkpoint.save(killed, 1, {}, {}, digest="any")
    study.conclude(asked, noted, tmp_path, threads=1)
    assert not killed.exists()
    written = StudyRecord.model_validate_json((tmp_path / "study.json").read_bytes())
    assert written.data.notes == ("One file is left out.",)


def concluded(out: Path, dataset: Dataset) -> Path:
    """Leave a study.json without cells in a new folder."""
    record = StudyRecord(
        experiment=Experiment(),
        data=dataset.summary(),
        environment=runtime.environment(1),
        cells=(),
        verdicts=(),
    )
    files.write_text(StudyFolder(out).study, record.model_dump_json())
    return out


def test_a_study_does_not_take_the_place_of_one_of_other_data(tmp_path: Path) -> None:
    two, photos = dataset_with([20, 20]), dataset_with([30, 20])
    out = concluded(tmp_path / "study", replace(two, name="two"))
    with pytest.raises(study.StudyError) as refused:
        study.refuse_other_data(replace(photos, name="my photos"), out)
    said = str(refused.value)
    assert f"Received: that of two ({two.fingerprint[:12]})" in said
    assert f"the study of my photos ({photos.fingerprint[:12]})" in said
    assert said.endswith(f"--out {tmp_path / 'my-photos'}")


def test_data_that_grew_in_a_folder_of_its_name_is_sent_to_a_second(
    tmp_path: Path,
) -> None:
    out = concluded(tmp_path / "photos", dataset_with([20, 20]))
    with pytest.raises(study.StudyError, match=r"--out \S+/photos-2$"):
        study.refuse_other_data(replace(dataset_with([20, 21]), name="photos"), out)


@pytest.mark.parametrize(
    "text,way",
    [
        ('{"mine": 1}', "Delete it and give the study's command again: finished runs"),
        ('{"schema_version": 99}', "of a later Tessera .* Use that Tessera"),
    ],
)
def test_a_study_json_that_cannot_be_read_is_not_replaced_and_both_ways_out_are_said(
    tmp_path: Path, text: str, way: str
) -> None:
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(study.StudyError, match=f"{way}.* folder of its own: --out "):
        study.refuse_other_data(dataset_with([20, 20]), tmp_path)
    assert (tmp_path / "study.json").read_text() == text


def test_the_same_data_goes_on_in_its_folder_and_a_new_folder_is_free(
    tmp_path: Path,
) -> None:
    same = dataset_with([20, 20])
    study.refuse_other_data(same, concluded(tmp_path / "study", same))
    study.refuse_other_data(same, tmp_path / "none yet")


def test_balanced_data_of_ten_classes_gets_the_studys_regimes() -> None:
    experiment = study.adapted(Experiment(), dataset_with([20] * 10))
    assert experiment.regimes == Experiment().regimes


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_of_too_few_classes_for_the_studys_profile_the_last_is_made_rare(
    classes: int,
) -> None:
    experiment = study.adapted(Experiment(), dataset_with([20] * classes))
    plain, cut, weighted = experiment.regimes
    assert (plain, weighted.remedy) == (STUDY_REGIMES[0], STUDY_REGIMES[2].remedy)
    assert cut.profile == weighted.profile == Reduced(classes=(classes - 1,))
    assert study.adapted(Experiment(), dataset_with([20] * 6)).regimes == STUDY_REGIMES


def test_data_that_is_imbalanced_by_nature_is_compared_as_it_is() -> None:
    experiment = study.adapted(Experiment(), dataset_with([40] * 9 + [20]))
    assert experiment.regimes == OWN_REGIMES


def test_regimes_that_the_user_named_are_kept() -> None:
    regimes = (Regime(name="mine"),)
    experiment = Experiment(regimes=regimes, training=Training(epochs=1))
    assert study.adapted(experiment, dataset_with([40, 20])).regimes == regimes


def test_a_refusal_names_the_regime_and_the_class_that_is_too_small() -> None:
    fault = "^regime balanced: .* one of each class, for .*: class 2"
    with pytest.raises(ProfileError, match=fault):
        study.adapted(Experiment(), dataset_with([16, 8, 1]))
    unlevelled = Experiment(regimes=(Regime(name="as-is", profile=Natural()),))
    assert study.adapted(unlevelled, dataset_with([16, 8, 1])) == unlevelled


def test_a_profile_that_does_not_fit_is_an_error_before_training() -> None:
    regimes = (Regime(name="cut", profile=Reduced(classes=("no such class",))),)
    with pytest.raises(ProfileError, match="no such class"):
        study.adapted(Experiment(regimes=regimes), dataset_with([20] * 10))


def test_a_profile_that_leaves_none_to_validate_with_is_an_error_before_training() -> (
    None
):
    scarce = dataset_with([20, 9, 1])  # balanced, one of each
    with pytest.raises(ProfileError, match="two images of at least one class"):
        study.adapted(Experiment(), scarce)
    own = replace(scarce, validation=scarce.test)
    assert study.adapted(Experiment(), own).regimes == OWN_REGIMES


def test_no_more_runs_side_by_side_than_are_missing_unless_the_user_says_so() -> None:
    assert study.jobs_at_once(None, missing=1) == 1
    assert study.jobs_at_once(3, missing=100) == 3


def test_every_core_gets_a_run_as_far_as_memory_allows_and_an_accelerator_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 8)
    monkeypatch.setattr(machine, "memory", lambda: 100 * 2**30)
    assert study.jobs_at_once(None, missing=100) == 8
    assert study.jobs_at_once(None, missing=100, threads=3) == 2
    assert study.jobs_at_once(None, missing=100, threads=9) == 1
    assert study.jobs_at_once(5, missing=100, threads=3) == 5
    monkeypatch.setattr(machine, "memory", lambda: 7 * 2**30)
    assert study.jobs_at_once(None, missing=100) == 3
    monkeypatch.setattr(machine, "memory", lambda: 2**30)
    assert study.jobs_at_once(None, missing=100) == 1
    monkeypatch.setattr(runtime, "on_processor", lambda: False)
    monkeypatch.setattr(machine, "memory", lambda: 100 * 2**30)
    assert study.jobs_at_once(None, missing=100) == 1
