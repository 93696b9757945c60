"""Options become an experiment; what a user mistyped is named."""

import io
from pathlib import Path

import pytest
import toy_run
from rich.console import Console

from cli.inside import tessera
from tessera import runtime, settings, study
from tessera.cli import commands
from tessera.experiment import Cnn, Digits
from tessera.record import RunFolder, StudyFolder


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the commands say on their console."""
    text = io.StringIO()
    monkeypatch.setattr(commands, "console", Console(file=text, width=200))
    return text


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_the_demo_is_the_whole_study_on_the_digits() -> None:
    demo = commands.demo_experiment()
    assert len({run.cell for run in demo.runs()}) == 9
    assert isinstance(demo.data, Digits) and len(demo.seeds) >= 2


@pytest.mark.parametrize("verb", ["study", "search"])
def test_refused_data_leaves_no_folder_behind(verb: str, tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()

    ended = tessera(verb, "--data", photos, "--out", out)

    assert ended.returncode == 2
    assert not out.exists()


@pytest.mark.parametrize(
    ("verb", "there"),
    [("study", None), ("train", None), ("study", "note.txt")],
)
def test_a_model_that_cannot_be_built_leaves_what_was_there_and_nothing_else(
    verb: str, there: str | None, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "out"
    if there:
        out.mkdir(parents=True)
        (out / there).write_text("mine")
    # Of 8 x 8 pixels the hybrid's map is a single token, as building it will say.
    model = ("--set", 'models=[{kind="hybrid",depth=1}]', "--set", "data.image_size=8")

    ended = tessera(verb, "--data", "digits", *model, "--out", out)

    assert ended.returncode == 2
    assert "tokens: expected at least 2" in ended.stderr
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left == ({"deep", "deep/out", f"deep/out/{there}"} if there else set())


@pytest.mark.parametrize("verb", ["study", "train", "search"])
def test_results_are_not_written_into_the_images(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)

    ended = tessera(verb, "--data", ".", "--epochs", "1")

    assert ended.returncode == 2
    assert f"outside the image folder {tmp_path.resolve()}" in ended.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"cat", "dog"}


def test_a_study_of_other_data_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    (tmp_path / "study.json").write_text("of another program")

    ended = tessera("study", "--data", "digits", "--out", tmp_path)

    assert ended.returncode == 2
    assert "If it is no study's" in ended.stderr and "--out" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


@pytest.mark.parametrize(
    ("epochs", "told"),
    [
        (0, "Nothing of the training is kept yet. The same command starts over:"),
        (1, "The training's last checkpoint is kept in {}. The same command goes on"),
    ],
    ids=["before the first epoch", "after it"],
)
def test_an_interrupted_training_ends_with_what_is_kept_and_its_command(
    epochs: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []

    def training(run, dataset, folder, *, report) -> None:
        folders.append(folder.path)
        if epochs:
            (folder.checkpoints / "step-000000001").mkdir(parents=True)
        report(0, 0, 10, None)
        raise KeyboardInterrupt

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    monkeypatch.setattr(commands, "console", console)
    monkeypatch.setattr("tessera.pipeline.execute", training)

    ended = tessera("train", "--data", "digits", "--out", tmp_path / "out")

    assert ended.returncode == 130
    first, last = screen.getvalue().splitlines()[-2:]
    assert f"Stopped. {told.format(*folders)}" in first
    assert last == f"  tessera train --data digits --out {tmp_path / 'out'}"


def test_a_finished_training_is_shown_again_before_a_framework_loads(
    tmp_path: Path, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = toy_run.experiment([Cnn()])
    (run,) = asked.runs()
    monkeypatch.chdir(tmp_path)
    out = StudyFolder(Path("runs/toy"))  # as of `study` without --out
    place = study.run_folder(out, run, toy_run.digits())
    toy_run.write_run(place, run)
    plan = tmp_path / "plan.toml"
    plan.write_text(settings.dumps(asked), encoding="utf-8")
    monkeypatch.setattr(runtime, "load_backend", lambda **_: pytest.fail("loaded"))

    ended = tessera("train", plan, "--model", "cnn", "--regime", "balanced")

    assert ended.returncode == 0, ended.stderr
    assert "Finished before, and so not trained again." in printed.getvalue()
    assert f"Run folder: {place.path}" in printed.getvalue()


def test_an_interrupted_study_says_how_many_runs_it_keeps(
    tmp_path: Path, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.estimate.speeds", lambda *_, **__: {})
    monkeypatch.setattr("tessera.cli.progress.follow", interrupted)

    ended = tessera("study", "--data", "digits", "--seeds", "1", "--out", tmp_path)

    assert ended.returncode == 130
    told = f"Stopped. 0 of 9 runs are finished and kept in {tmp_path}. The same command"
    assert told in printed.getvalue()
    assert printed.getvalue().endswith(
        f"study --data digits --seeds 1 --out {tmp_path}\n"
    )


def test_an_interrupted_export_says_that_there_is_none(
    toy: RunFolder, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.export.command.export", interrupted)

    ended = tessera("export", toy.path, "--to", "onnx")

    assert ended.returncode == 130
    assert "Stopped. Nothing was exported." in printed.getvalue()
    assert f"tessera export {toy.path} --to onnx" in printed.getvalue()


def test_an_interrupted_reading_of_images_says_that_nothing_is_kept(
    tmp_path: Path, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.data.source.load", interrupted)

    ended = tessera("study", "--data", "digits", "--out", tmp_path / "out")

    assert ended.returncode == 130
    assert "Stopped. The data was being read; nothing of it" in printed.getvalue()
    assert f"tessera study --data digits --out {tmp_path / 'out'}" in printed.getvalue()
    assert "before it was done" not in ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_command_with_nothing_to_keep_says_that_it_was_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "predict", interrupted)

    ended = tessera("predict", "run", "photos")

    assert ended.returncode == 130
    assert ended.stderr == "\ntessera: stopped before it was done.\n"
