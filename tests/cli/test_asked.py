"""Options become an experiment; what a user mistyped is named."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.inside import tessera
from tessera import settings
from tessera.cli import asked
from tessera.experiment import OWN_REGIMES, STUDY_REGIMES, Digits, Experiment, Folder
from tessera.settings import ExperimentError


def resolve(**options: object) -> Experiment:
    given = {"path": None, "data": None, "epochs": None, "seeds": None, "overrides": []}
    return asked.resolve(**(given | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1", (0,)), ("5", (0, 1, 2, 3, 4)), ("3,7", (3, 7)), ("7,", (7,))],
)
def test_seeds_are_a_count_or_a_list(text: str, seeds: tuple[int, ...]) -> None:
    assert asked.parse_seeds(text) == seeds


@pytest.mark.parametrize(
    "text", ["0", "", "-1", "two", "1.5", "1000000000", "9" * 5000, "1," + "9" * 5000]
)
def test_other_seeds_are_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="--seeds: expected"):
        asked.parse_seeds(text)


def test_who_asks_for_no_seed_is_told_how_to_ask_for_seed_0() -> None:
    with pytest.raises(ExperimentError, match=r"Received: 0; the one seed 0 is `0,`"):
        asked.parse_seeds("0")
    assert asked.parse_seeds("0,") == (0,)


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


def photos(root: Path, counts: dict[str, int]) -> Path:
    """A folder with so many images of noise in each class."""
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three times as many images of one class: a study compares them as they come."""
    return photos(tmp_path_factory.mktemp("uneven"), {"cat": 45, "dog": 15, "owl": 15})


def test_config_prints_the_regimes_that_a_study_of_the_folder_has(uneven: Path) -> None:
    printed = tessera("config", "--data", uneven).stdout
    experiment = settings.build(tomllib.loads(printed))
    assert experiment.regimes == OWN_REGIMES
    assert experiment.data == Folder(path=str(uneven))


def test_config_keeps_the_regimes_of_a_file(uneven: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[regimes]]\nname = "mine"\n')
    printed = tessera("config", file, "--data", uneven).stdout
    assert [regime["name"] for regime in tomllib.loads(printed)["regimes"]] == ["mine"]


def test_a_change_of_one_regime_leaves_those_that_suit_the_folder(uneven: Path) -> None:
    change = "regimes.2.remedy=balanced-softmax"
    changed = resolve(data=str(uneven), overrides=[change, "data.image_size=16"])
    assert changed.regimes[:2] == OWN_REGIMES[:2]
    assert changed.regimes[2].name == "weighted"
    assert changed.regimes[2].profile == OWN_REGIMES[2].profile
    assert changed.regimes[2].remedy.loss.kind == "balanced-softmax"
    assert changed.data.image_size == 16


def test_a_change_of_one_regime_of_balanced_classes_is_one_of_the_studys(
    tmp_path: Path,
) -> None:
    even = photos(tmp_path, dict.fromkeys("abcdef", 15))
    change = "regimes.1.profile.fraction=0.5"
    regimes = resolve(data=str(even), overrides=[change]).regimes
    assert (regimes[0], regimes[2]) == (STUDY_REGIMES[0], STUDY_REGIMES[2])
    assert regimes[1].profile.fraction == 0.5  # type: ignore[union-attr]


def test_groups_of_data_that_has_none_are_told_what_they_need() -> None:
    with pytest.raises(ExperimentError, match="expected as data an image folder"):
        resolve(data="cifar10", groups="folder")
