"""`tessera faithfulness` chooses runs, prints what it found, judges a study anew."""

import io
from pathlib import Path

import pytest
from evaluation.checked import NOTHING, faithfulness, interval
from evaluation.studies import flat, record
from report.folders import write_study
from rich.console import Console

from cli.inside import tessera
from tessera.cli import faithfulness as command
from tessera.experiment import Cnn, Experiment, Regime
from tessera.record import RunFolder, StudyRecord

RUN = record("hybrid", Regime(name="balanced"), 0, flat(0.8, 0.7))
SMALL = Experiment(models=(Cnn(),), seeds=(3, 4))


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_study(tmp_path, SMALL, lambda m, r, s: flat(0.8, 0.6 + 0.01 * s))


def printed(found):
    console = Console(file=io.StringIO(), width=80)
    command.show(found, console)
    return console.file.getvalue()


def test_a_study_stands_for_the_first_seed_of_each_cell(folder):
    runs = command.runs_of(folder)
    assert [r.path.name for r in runs] == ["seed-3"] * 3
    assert len({r.path.parent for r in runs}) == 3


def test_a_run_stands_for_itself(tmp_path):
    assert command.runs_of(tmp_path) == [RunFolder(tmp_path)]


def test_the_study_is_judged_by_all_checks_that_fit_its_runs(folder):
    study = StudyRecord.model_validate_json((folder / "study.json").read_bytes())
    assert study.verdicts[3].verdict == "not decided"
    for cell in study.cells:
        run = RunFolder(folder / cell.folders[0])
        mine = record(cell.model, Regime(name=cell.regime), 3, flat(0.8, 0.63))
        run.faithfulness.write_text(faithfulness(mine).model_dump_json())
    command.judge_again(folder)
    after = StudyRecord.model_validate_json((folder / "study.json").read_bytes())
    assert after.verdicts[3].verdict == "supported"
    assert len(after.verdicts[3].evidence) == 3
    assert after.verdicts[:3] == study.verdicts[:3]


def test_the_table_fits_a_terminal_and_names_what_is_not_beaten():
    text = printed(faithfulness(RUN, worse={"road": ("Sobel edges",)}))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "0.400 [0.390, 0.410]" in text
    assert "Sobel" in text and "4 controls" in text
    assert "Blank or degenerate maps: 1 of 100; cat 1 constant." in text
    assert "A note." in text


def test_a_value_that_no_image_has_is_said():
    assert command.words(NOTHING) == "none"
    assert command.words(interval(0.5)) == "0.500 [0.490, 0.510]"


def test_a_list_of_controls_stays_short():
    assert command.names(()) == "none"
    assert command.names(("a", "b")) == "a, b"
    assert command.names(tuple("abcd")) == "4 controls"


def test_a_folder_without_a_run_is_refused_with_the_way_out(tmp_path):
    result = tessera("faithfulness", tmp_path)
    assert result.returncode == 2
    assert "expected the folder of a finished run" in result.stderr


@pytest.mark.slow
def test_a_trained_study_is_checked_from_the_command_line(tmp_path):
    """Train a cell, check it, read the verdict in the report, and check it again."""
    small = ("--set", 'models=[{kind="cnn"}]', "--set", 'regimes=[{name="balanced"}]')
    study = tmp_path / "study"
    train = (
        *("study", "--data", "digits", "--epochs", 2, "--seeds", 1, "--out", study),
        *small,
    )
    trained = tessera(*train)
    assert trained.returncode == 0, trained.stderr
    result = tessera("faithfulness", study, "--images", 20, "--steps", 4)
    assert result.returncode == 0, result.stderr
    (run,) = (study / "runs").glob("*/seed-0")
    assert {
        "faithfulness.json",
        "faithfulness.npz",
        "faithfulness-controls-grad-cam-cnn--balanced.svg",
        "faithfulness-curves-grad-cam-cnn--balanced.svg",
    } <= {p.name for p in run.iterdir()}
    text = (study / "report.html").read_text(encoding="utf-8")
    assert (
        "comparisons" in text.split('id="grad-cam-meaningful"')[1].split("</article")[0]
    )
    first = (run / "faithfulness.json").read_text().split('"seconds"')[0]
    stamp = (run / "faithfulness.json").stat().st_mtime_ns
    kept = tessera("faithfulness", run, "--images", 20, "--steps", 4)
    assert kept.returncode == 0 and "20 images" in kept.stdout
    assert (run / "faithfulness.json").stat().st_mtime_ns == stamp
    elsewhere = tmp_path / "again"
    again = tessera(
        *("faithfulness", run, "--images", 20, "--steps", 4, "--out", elsewhere)
    )
    assert again.returncode == 0
    repeated = (elsewhere / "faithfulness.json").read_text()
    assert repeated.split('"seconds"')[0] == first
    assert tessera(*train).returncode == 0  # concludes anew; the verdict stays
    assert "comparisons" in (study / "study.json").read_text()
