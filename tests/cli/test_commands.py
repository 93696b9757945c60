"""Options become an experiment; what a user mistyped is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.inside import tessera
from tessera.cli import commands
from tessera.experiment import Digits, Folder
from tessera.settings import ExperimentError


def resolve(**options: object) -> commands.Experiment:
    given = {"path": None, "data": None, "epochs": None, "seeds": None, "overrides": []}
    return commands.resolve(**(given | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1", (0,)), ("5", (0, 1, 2, 3, 4)), ("3,7", (3, 7)), ("7,", (7,))],
)
def test_seeds_are_a_count_or_a_list(text: str, seeds: tuple[int, ...]) -> None:
    assert commands.parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "text", ["0", "", "-1", "two", "1.5", "1000000000", "9" * 5000, "1," + "9" * 5000]
)
def test_other_seeds_are_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="--seeds: expected"):
        commands.parse_seeds(text)


def test_who_asks_for_no_seed_is_told_how_to_ask_for_seed_0() -> None:
    with pytest.raises(ExperimentError, match=r"Received: 0; the one seed 0 is `0,`"):
        commands.parse_seeds("0")
    assert commands.parse_seeds("0,") == (0,)


def test_data_keeps_the_files_image_size(tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        (tmp_path / "images" / name).mkdir(parents=True)
        pixels = np.zeros((4, 4, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / name / "1.png")
    file = tmp_path / "mine.toml"
    file.write_text('[data]\nkind = "digits"\nimage_size = 16\n')
    experiment = resolve(path=file, data=str(tmp_path / "images"))
    assert isinstance(experiment.data, Folder)
    assert experiment.data.image_size == 16


def test_settings_may_change_what_data_chose() -> None:
    experiment = resolve(data="digits", overrides=["data.validation=0.2"])
    assert experiment.data == Digits(validation=0.2)


def test_an_unknown_cell_lists_the_known_ones() -> None:
    with pytest.raises(ExperimentError, match="expected one of cnn, transformer, hyb"):
        commands.find_run(resolve(), "resnet", "weighted", 0)


def test_a_cell_is_found_by_model_and_regime() -> None:
    run = commands.find_run(resolve(), "hybrid", "imbalanced", 9)
    assert (run.cell, run.seed) == ("hybrid--imbalanced", 9)


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


def test_a_study_of_other_data_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    (tmp_path / "study.json").write_text("of another program")

    ended = tessera("study", "--data", "digits", "--out", tmp_path)

    assert ended.returncode == 2
    assert "would be replaced" in ended.stderr and "--out" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]
