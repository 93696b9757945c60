"""`tessera faithfulness` chooses runs, prints what it found, judges a study anew."""

import io
from pathlib import Path

import numpy as np
import pytest
import toy_run
from evaluation.checked import faithfulness
from evaluation.studies import flat, record
from report.folders import heatmaps, write_history, write_study
from rich.console import Console
from unpainted import charts

from cli.inside import tessera
from docs import small
from tessera import files, study
from tessera.cli import commands
from tessera.cli import faithfulness as command
from tessera.evaluation.faithfulness import Faithfulness
from tessera.experiment import Cnn, Experiment, Regime
from tessera.explain.faithfulness import planted
from tessera.explain.graph import ExplainError
from tessera.record import Record, RunFolder, StudyFolder, StudyRecord
from tessera.report import page

SMALL = Experiment(models=(Cnn(),), seeds=(3, 4))


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_study(tmp_path, SMALL, lambda m, r, s: flat(0.8, 0.6 + 0.01 * s))


def test_a_study_stands_for_the_first_seed_of_each_cell(folder):
    runs = command.runs_of(folder)
    assert [r.path.name for r in runs] == ["seed-3"] * 3
    assert len({r.path.parent for r in runs}) == 3


def test_a_run_stands_for_itself(tmp_path):
    assert command.runs_of(tmp_path) == [RunFolder(tmp_path)]


def test_the_study_is_judged_by_all_checks_that_fit_its_runs(folder):
    before = StudyRecord.model_validate_json((folder / "study.json").read_bytes())
    assert before.verdicts[3].verdict == "not decided"
    for cell in before.cells:
        run = RunFolder(folder / cell.folders[0])
        mine = record(cell.model, Regime(name=cell.regime), 3, flat(0.8, 0.63))
        run.faithfulness.write_text(faithfulness(mine).model_dump_json())
    command.judge_again(folder)
    after = StudyRecord.model_validate_json((folder / "study.json").read_bytes())
    assert after.verdicts[3].verdict == "supported"
    assert len(after.verdicts[3].evidence) == 3
    assert after.verdicts[:3] == before.verdicts[:3]


def test_methods_are_read_in_their_order_each_once():
    assert command.names_of(" hirescam, gradcam,hirescam") == ("hirescam", "gradcam")


def test_a_folder_without_a_run_is_refused_with_the_way_out(tmp_path):
    result = tessera("faithfulness", tmp_path)
    assert result.returncode == 2
    assert "expected the folder of a finished run or study" in result.stderr


@pytest.mark.parametrize("name", ["study.json", "record.json"])
def test_a_damaged_study_is_refused_before_anything_is_checked(folder, name):
    next(iter(sorted(folder.rglob(name)))).write_text("{")
    result = tessera("faithfulness", folder)
    assert result.returncode == 2
    assert f"Received: a damaged {name}. Delete it" in result.stderr
    assert result.stdout == ""


@pytest.fixture
def reported(monkeypatch) -> list[Path]:
    """The studies whose report would be written; the last test here writes one."""
    asked: list[Path] = []

    def write_report(folder: Path) -> Path:
        asked.append(folder)
        return folder / "report.html"

    monkeypatch.setattr(page, "write_report", write_report)
    return asked


def test_a_study_ends_with_its_verdict_and_its_report(folder, reported):
    console = Console(file=io.StringIO(), width=80)
    command.conclude(folder, console)
    text = console.file.getvalue()
    assert "The study's verdict: not decided." in text
    assert text.endswith(f"Report: {folder / 'report.html'}\n")
    assert reported == [folder]


def test_after_ctrl_c_it_is_said_what_the_same_command_finds_again():
    assert "1 of 9 runs checked and kept. The same" in command.kept(1, 9, None)
    elsewhere = command.kept(2, 9, Path("out"))
    assert "in out. The same command checks all again" in elsewhere
    assert "starts over" in command.kept(0, 1, None)


def checked(run: RunFolder, *_: object, **__: object) -> Faithfulness:
    """What a check of a run would find; a run without its weights is refused."""
    if run.weights.with_name("gone").exists():
        raise ExplainError(f"{run.weights}: expected the weights of a run.")
    known = Record.model_validate_json(run.record.read_bytes())
    return faithfulness(known)


def asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The exit code, and what is printed, where checks cost nothing."""
    text = io.StringIO()
    monkeypatch.setattr(commands, "console", Console(file=text, width=300))
    monkeypatch.setattr(command, "_checked", checked)
    monkeypatch.setattr("tessera.explain.faithfulness.method.glyphs", lambda **_: 0)
    return tessera("faithfulness", folder).returncode, text.getvalue()


def test_runs_of_a_study_that_cannot_be_checked_are_left_out_and_told_at_the_end(
    folder, reported, monkeypatch
):
    first, second, third = command.runs_of(folder)
    (second.path / "gone").touch()
    status, text = asked(folder, monkeypatch)
    assert status == 1
    report, left = text.split("\nReport: ")[1].split("\nLeft out, 1 of 3 runs:\n")
    assert report.startswith(str(folder / "report.html"))
    assert left == f"  {second.weights}: expected the weights of a run.\n"
    for run in (first, third):
        assert f"Table, values and charts: {run.path}\n" in text
        assert list(run.path.glob("*.svg"))
    assert not list(second.path.glob("*.svg"))
    assert reported == [folder]


def test_a_study_of_which_no_run_can_be_checked_is_refused(folder, monkeypatch):
    for run in command.runs_of(folder):
        (run.path / "gone").touch()
    status, text = asked(folder, monkeypatch)
    assert status == 2 and "Report: " not in text


def test_with_nothing_left_out_nothing_is_said_of_it():
    text = io.StringIO()
    assert command.leave_out([], 3, Console(file=text)) == 0
    assert text.getvalue() == ""


def test_a_run_counts_as_kept_while_its_charts_are_drawn(folder, monkeypatch):
    drawn = []

    def draw(_: Faithfulness, run: RunFolder) -> Path:
        drawn.append(run)
        if len(drawn) == 2:
            raise KeyboardInterrupt
        return run.path

    monkeypatch.setattr(command, "_write_charts", draw)
    status, text = asked(folder, monkeypatch)
    assert status == 130
    assert "Stopped. 2 of 3 runs checked and kept. The same command does the" in text


TOY = toy_run.experiment([Cnn()])


def conclude(folder: Path) -> None:
    study.conclude(TOY, toy_run.digits(), folder, threads=1)


def finished(folder: Path) -> None:
    """A study of one run that is as good as trained."""
    (run,), data = TOY.runs(), toy_run.digits()
    place = study.run_folder(StudyFolder(folder), run, data)
    toy_run.write_run(place, run)
    rng = np.random.default_rng(0)
    write_history(place.history, 0.5, 1, rng)
    files.write_arrays(place.heatmaps, **heatmaps(rng))
    conclude(folder)


@pytest.mark.slow
@charts()
def test_a_finished_study_is_checked_from_the_command_line(tmp_path, monkeypatch):
    """Read its verdict in the report, and keep it when the study is concluded anew."""
    monkeypatch.setattr(planted, "trained_reader", small.reader)
    folder = tmp_path / "study"
    finished(folder)
    result = tessera("faithfulness", folder, "--images", 10, "--steps", 2)
    assert result.returncode == 0, result.stderr
    assert "Left out" not in result.stdout
    (run,) = (folder / "runs").glob("*/seed-0")
    assert {
        "faithfulness.json",
        "faithfulness.npz",
        "faithfulness-controls-grad-cam-cnn--balanced.svg",
        "faithfulness-curves-grad-cam-cnn--balanced.svg",
    } <= {p.name for p in run.iterdir()}
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert (
        "comparisons" in text.split('id="grad-cam-meaningful"')[1].split("</article")[0]
    )
    stamp = (run / "faithfulness.json").stat().st_mtime_ns
    kept = tessera("faithfulness", run, "--images", 10, "--steps", 2)
    assert kept.returncode == 0 and "10 images" in kept.stdout
    apart = tmp_path / "apart"
    few = tessera(*("faithfulness", run, "--images", 12, "--steps", 2, "--out", apart))
    assert few.returncode == 0 and (apart / "faithfulness.json").exists()
    assert (run / "faithfulness.json").stat().st_mtime_ns == stamp
    (folder / "study.json").unlink()
    conclude(folder)
    assert "comparisons" in (folder / "study.json").read_text()
