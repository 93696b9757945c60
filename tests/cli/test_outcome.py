"""Scores and notes of runs are told where the command ends."""

import io
import re
from pathlib import Path

from evaluation.studies import NAMES, records
from rich.console import Console

from tessera.cli import outcome
from tessera.experiment import Experiment
from tessera.record import Record, RunFolder

NOTE = "Constant prediction: every test image was answered with cat."


def found() -> list[Record]:
    return records(Experiment(), lambda model, regime, seed: [0.5] * len(NAMES))


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def text(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


def test_a_runs_classes_scores_and_notes_are_shown() -> None:
    record = found()[0].model_copy(update={"notes": (NOTE, "Another.")})
    shown = console()
    outcome.show(shown, record)
    assert all(name in text(shown) for name in NAMES)
    assert "accuracy 0.500, balanced accuracy 0.500" in text(shown)
    assert text(shown).endswith(f"note: {NOTE}\nnote: Another.\n")


def test_a_runs_scores_stand_on_one_line_of_a_file_however_narrow() -> None:
    shown = Console(file=io.StringIO(), width=40)
    outcome.show(shown, found()[0])
    (line,) = (one for one in text(shown).splitlines() if one.startswith("accuracy"))
    assert line.endswith("images/s")


def test_a_class_that_was_never_predicted_has_no_precision() -> None:
    record, shown = found()[0], console()
    scores = record.scores.model_copy(update={"never_predicted": (NAMES[0],)})
    outcome.show(shown, record.model_copy(update={"scores": scores}))
    cells = [re.findall(r"[^\s│]+", line) for line in text(shown).splitlines()]
    precision = {row[0]: row[1] for row in cells if row and row[0] in NAMES}
    assert precision[NAMES[0]] == "\N{EN DASH}"
    assert set(precision) == set(NAMES)
    assert float(precision[NAMES[1]]) > 0


def test_of_a_study_the_runs_with_notes_are_counted_and_one_is_told() -> None:
    first, second, *others = found()
    noted = second.model_copy(update={"notes": (NOTE,)})
    shown = console()
    outcome.remark(shown, [first, noted, *others])
    cell = f"{second.model}, {second.regime}, seed {second.seed}"
    assert text(shown) == (
        f"note: 1 of {len(others) + 2} runs have notes, say {cell}: {NOTE} "
        "The report lists all under Provenance.\n"
    )


def test_a_study_without_notes_says_nothing_of_them() -> None:
    shown = console()
    outcome.remark(shown, found())
    assert text(shown) == ""


def test_a_study_that_was_still_learning_is_told_which_option_trains_longer() -> None:
    wavering, late = console(), console()
    outcome.short(wavering, Experiment(), found())
    runs = [run.model_copy(update={"best_epoch": 8}) for run in found()]
    outcome.short(late, Experiment(), runs)
    assert text(wavering) == ""
    assert text(late).startswith("note: Still learning: the last of 8 epochs was the ")
    assert text(late).endswith("leads. `tessera study --epochs N` trains longer.\n")


def test_finished_runs_that_the_report_leaves_out_are_counted(tmp_path: Path) -> None:
    mine, other, third = (
        RunFolder(tmp_path / "runs" / name / "seed-0") for name in ("a", "b", "c")
    )
    for run in (mine, other):
        run.path.mkdir(parents=True)
        run.record.write_text("{}")
    (third.path / "checkpoints").mkdir(parents=True)  # not finished

    shown = console()
    outcome.beside(shown, tmp_path, [mine, other])
    assert text(shown) == ""
    outcome.beside(shown, tmp_path, [mine])
    assert "covers this command's runs" in text(shown)
    assert "lies 1 other finished run:" in text(shown)
