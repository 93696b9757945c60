"""The command line answers at once, teaches, and names what is wrong."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.inside import tessera
from tessera import experiment, settings
from tessera.cli import options
from tessera.experiment import Experiment

VERBS = (
    *("demo", "study", "train", "report", "explain", "faithfulness", "predict", "data"),
    *("export", "serve", "track", "search", "remedies", "config", "labels"),
    "preview",
)


def started(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tessera", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_help_lists_every_verb() -> None:
    result = started("--help")
    assert result.returncode == 0
    for verb in VERBS:
        assert f"\n  {verb} " in result.stdout


def test_the_command_line_takes_the_seeds_that_an_experiment_takes() -> None:
    assert options.LARGEST_SEED == experiment.LARGEST_SEED
    assert options.MOST_FOLDS == experiment.MOST_FOLDS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = tessera(verb, "--help")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 5


def test_the_help_of_a_study_names_the_engines_and_their_options() -> None:
    told = tessera("study", "--help").stdout
    for option in ("--engine", "--gpus", "--seeds-together"):
        assert option in told


def test_config_prints_the_defaults_as_an_experiment_file() -> None:
    result = tessera("config")
    assert settings.build(tomllib.loads(result.stdout)) == Experiment()


def test_config_shows_what_options_change() -> None:
    result = tessera("config", "--epochs", "40", "--seeds", "3,7", "--set", "name=x")
    experiment = settings.build(tomllib.loads(result.stdout))
    assert experiment.training.epochs == 40
    assert experiment.seeds == (3, 7)


@pytest.mark.parametrize("verb", ["study", "train", "search", "config"])
def test_every_verb_that_plans_a_training_takes_groups(verb: str) -> None:
    ended = tessera(verb, "--data", "digits", "--groups", "folder")
    assert ended.returncode == 2
    assert "only these have `groups`. Received: data of kind 'digits'" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["config", "--set", "training.epoch=3"], "did you mean 'epochs'?"),
        (["config", "--seeds", "none"], "--seeds: expected a count such as 5"),
        (["config", "--data", "no-such-folder"], "no-such-folder"),
        (["config", "absent.toml"], "expected a readable experiment file"),
        (["study", "--jobs", "many"], "--jobs: expected auto or a number"),
        (["report", "no-such-study"], "no-such-study"),
        (["explain", "no-such-run", "x.png"], "no-such-run"),
        (["predict", "no-such-run", "x.png"], "no-such-run: expected the folder of a"),
        (["export", "no-such-run", "--to", "onnx"], "no-such-run: expected the folder"),
        (["export", "no-such-run", "--to", "pickle"], "expected one of keras, onnx"),
    ],
)
def test_a_mistake_gets_one_message_and_no_traceback(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = tessera(*arguments, TESSERA_CACHE=str(tmp_path))
    assert result.returncode == 2
    assert message in result.stderr


def test_a_mistake_in_a_program_of_its_own_leaves_no_traceback() -> None:
    result = started("config", "--seeds", "none")
    assert result.returncode == 2
    assert result.stderr.startswith("tessera: --seeds: expected a count")
    assert len(result.stderr.splitlines()) == 1


def test_a_backend_that_is_not_installed_is_named_with_the_way_out() -> None:
    result = tessera("study", KERAS_BACKEND="mxnet")
    assert result.returncode == 2
    assert "KERAS_BACKEND: expected an installed framework" in result.stderr
    assert "pip install" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_cell_can_be_trained_and_then_explained(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    out = tmp_path / "study"
    options = ["--epochs", "1", "--set", "data.image_size=16"]
    trained = started("train", "--model", "cnn", *options, "--out", str(out))
    assert trained.returncode == 0, trained.stderr
    (run,) = out.glob("runs/*/seed-0")
    before = (run / "record.json").read_bytes()
    again = started("train", "--model", "cnn", *options, "--out", str(out))
    assert again.returncode == 0, again.stderr
    assert "Finished before, and so not trained again." in again.stdout
    assert (run / "record.json").read_bytes() == before

    from PIL import Image

    digit = load_digits().images[0] * 15
    Image.fromarray(digit.astype("uint8")).save(tmp_path / "zero.png")
    pictures = tmp_path / "pictures"
    explained = tessera("explain", run, tmp_path / "zero.png", "--out", pictures)
    assert explained.returncode == 0, explained.stderr
    assert "zero.png" in explained.stdout
    assert {path.suffix for path in pictures.iterdir()} == {".png", ".npz"}


def test_the_help_says_what_is_taken_where_nothing_is_said() -> None:
    told = " ".join(tessera("study", "--help").stdout.split())
    for default in ("`digits`", "8", "2"):  # what `tessera config` prints
        assert f"Default: the experiment file's, else {default}." in told
    moved = " ".join(tessera("faithfulness", "--help").stdout.split())
    assert "--data PATH Where the run's data lies now" in moved
