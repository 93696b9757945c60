"""A run folder from a stranger: crafted model files are refused, and run nothing."""

import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import tessera
from proofs.conftest import Proof
from tessera.cli import app, errors
from tessera.models.rebuild import RunError
from tessera.record import Record, RunFolder


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that code in a model would write; it must never be there."""
    return tmp_path / "canary"


def program(canary: Path) -> keras.Model:
    """A model that writes a file as soon as it is built from its description."""
    place = str(canary)
    image = keras.Input((16, 16, 3))
    run = keras.layers.Lambda(lambda x: [open(place, "w").close(), x][1])
    return keras.Model(image, run(image))


def whole_model(path: Path, canary: Path) -> None:
    """A `.keras` file with code in a Lambda layer."""
    saved = path.with_name("any.keras")
    program(canary).save(saved)
    saved.replace(path)
    canary.unlink()


def old_whole_model(path: Path, canary: Path) -> None:
    """The same in the older format, in which the description is an HDF5 attribute."""
    saved = path.with_name("any.h5")
    program(canary).save(saved)
    saved.replace(path)
    canary.unlink()


def slip(path: Path, canary: Path) -> None:
    """A `.keras` archive whose members lie outside of it."""
    whole_model(path, canary)
    with zipfile.ZipFile(path, "a") as archive:
        for way in ("../", "../../", "assets/../../../"):
            archive.writestr(way + canary.name, b"written")
        archive.writestr(str(canary), b"written")


def link(path: Path, canary: Path) -> None:
    """HDF5 whose weights lie in another file."""
    with h5py.File(path, "w") as file:
        file["layers"] = h5py.ExternalLink(str(canary.with_name("secret")), "/")


def huge(path: Path, canary: Path) -> None:
    """HDF5 that promises terabytes."""
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/conv2d/vars/0", shape=(2**40,), dtype="f4")


def no_file(path: Path, canary: Path) -> None:
    """A folder where the weights belong."""
    path.unlink(missing_ok=True)
    path.mkdir()


CRAFTED = (whole_model, old_whole_model, slip, link, huge, no_file)
VERBS: dict[str, Callable[[Path, Path, Path], list[str]]] = {
    "predict": lambda run, picture, out: ["predict", str(run), str(picture)],
    "explain": lambda run, picture, out: [
        *("explain", str(run), str(picture), "--out", str(out)),
    ],
    "explain branches": lambda run, picture, out: [
        *("explain", str(run), str(picture), "--branches", "--out", str(out)),
    ],
    "faithfulness": lambda run, picture, out: ["faithfulness", str(run)],
    "export": lambda run, picture, out: [
        *("export", str(run), "--to", "keras", "--out", str(out)),
    ],
    "serve": lambda run, picture, out: ["serve", str(run)],
}


def said(arguments: list[str], monkeypatch, capsys) -> tuple[int, str]:
    """The exit status of a command in this process, and its error."""
    monkeypatch.setattr(sys, "argv", ["tessera", *arguments])
    try:
        code = errors.guarded(app.app)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, capsys.readouterr().err


@pytest.mark.proof
def test_no_command_runs_or_follows_a_crafted_model(
    toy: RunFolder, canary: Path, tmp_path: Path, proof: Proof, monkeypatch, capsys
) -> None:
    picture = tmp_path / "picture.png"
    keras.utils.save_img(picture, np.zeros((16, 16, 3)), scale=False)
    run = RunFolder(shutil.copytree(toy.path, tmp_path / "run"))
    met = 0
    for craft in CRAFTED:
        craft(run.weights, canary)
        # All commands read weights at one place: short, each file meets one of them.
        commands = VERBS if proof.whole or craft is whole_model else ["predict"]
        for verb in commands:
            arguments = VERBS[verb](run.path, picture, tmp_path / "out")
            code, error = said(arguments, monkeypatch, capsys)
            assert code == 2, (craft, arguments, error)
            assert "best.weights.h5: expected" in error
            assert not canary.exists() and not (tmp_path / "out").exists()
            met += 1
        with pytest.raises(RunError, match=r"best\.weights\.h5: expected"):
            tessera.predict(run.path, picture)
        assert not canary.exists()
        (run.weights.rmdir if run.weights.is_dir() else run.weights.unlink)()
    proof.record(
        "crafted_models",
        "A model file that holds code, leaves its archive, links elsewhere or promises "
        "terabytes is refused by every command that reads a run's weights, and from "
        "Python; a canary file stays untouched.",
        kinds_of_file=len(CRAFTED),
        commands=len(VERBS),
        refused=met,
        canary_touched=0,
    )


def test_a_program_in_the_place_of_the_saved_model_is_never_opened(
    toy: RunFolder, canary: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    picture = tmp_path / "picture.png"
    keras.utils.save_img(picture, np.zeros((16, 16, 3)), scale=False)
    run = RunFolder(shutil.copytree(toy.path, tmp_path / "run"))
    before = said(["predict", str(run.path), str(picture)], monkeypatch, capsys)
    whole_model(run.model, canary)
    after = said(["predict", str(run.path), str(picture)], monkeypatch, capsys)
    assert before == after == (0, after[1])
    assert not canary.exists()


@pytest.mark.filterwarnings("ignore")  # MLflow's own, on import and use
@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow"])
def test_trackers_hand_a_crafted_model_on_without_opening_it(
    toy: RunFolder, canary: Path, tmp_path: Path, tracker: str, monkeypatch, capsys
) -> None:
    run = RunFolder(shutil.copytree(toy.path, tmp_path / "run"))
    run.history.write_text("epoch,loss\n0,1.0\n", encoding="utf-8")
    record = Record.model_validate_json(run.record.read_bytes())
    out = tmp_path / "out"
    crafted = (whole_model, slip, link, huge)
    for day, craft in enumerate(crafted, 1):
        craft(run.weights, canary)
        craft(run.model, canary)
        another = record.model_copy(update={"finished_at": f"2026-01-0{day}T00:00:00Z"})
        run.record.write_text(another.model_dump_json())
        asked = ["track", str(run.path), "--to", tracker, "--out", str(out)]
        code, error = said(asked, monkeypatch, capsys)
        assert (code, out.exists()) == (0, True), error
        assert not canary.exists()
    # TensorBoard shows no model.
    handed = len(crafted) if tracker == "mlflow" else 0
    assert len(list(out.rglob(run.model.name))) == handed


def test_the_crafted_program_does_run_where_it_is_trusted(
    tmp_path: Path, canary: Path
) -> None:
    path = tmp_path / "model.keras"
    whole_model(path, canary)
    keras.saving.load_model(path, safe_mode=False, compile=False)
    assert canary.exists()
