"""The arguments of a call become an experiment and its data."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_run

import tessera
from tessera.api import arguments
from tessera.data.dataset import Split
from tessera.experiment import OWN_REGIMES, Cnn, Folder
from tessera.notebook.data import Data
from tessera.settings import ExperimentError

EXPERIMENT = toy_run.experiment([Cnn()], seeds=(0, 1))


def test_data_that_was_loaded_keeps_its_size_in_the_experiment() -> None:
    data = tessera.load_data("digits", image_size=16, verbose=False)
    asked = arguments.resolve(data, None, epochs=3, seeds=[4, 7], change=())
    assert asked.data.image_size == 16
    assert (asked.training.epochs, asked.seeds) == (3, (4, 7))


def test_data_that_was_loaded_is_what_a_plan_with_another_size_trains_on(
    tmp_path: Path,
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("[data]\nimage_size = 24\nvalidation = 0.2\n", encoding="utf-8")
    data = tessera.load_data("digits", image_size=16, verbose=False)
    asked, other = (
        arguments.resolve(data, plan, epochs=None, seeds=None, change=change)
        for change in ((), "data.image_size=8")
    )
    assert (asked.data.image_size, asked.data.validation) == (16, 0.2)
    assert other.data.image_size == 8


def test_a_path_keeps_what_the_plan_says_about_data(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[data]\nkind = "digits"\nimage_size = 24\n', encoding="utf-8")
    asked = arguments.resolve(tmp_path, plan, epochs=None, seeds=2, change=())
    assert asked.data == Folder(path=str(tmp_path), image_size=24)
    assert asked.seeds == (0, 1)


def test_loaded_data_is_read_again_where_a_change_reads_it_otherwise() -> None:
    data = tessera.load_data("digits", image_size=16, verbose=False)
    asked, other = (
        arguments.resolve(data, None, epochs=None, seeds=None, change=change)
        for change in ("training.epochs=3", "data.image_size=8")
    )
    assert arguments.loaded(data, asked, verbose=False) is data.dataset
    assert arguments.loaded(data, other, verbose=False).image_shape == (8, 8, 3)


def test_a_change_of_one_regime_leaves_those_that_suit_the_data() -> None:
    digits = toy_run.digits()
    cut = np.flatnonzero(
        (digits.train.labels > 0) | (np.arange(len(digits.train)) < 200)
    )
    few = Split(digits.train.images[cut], digits.train.labels[cut])
    data = Data(EXPERIMENT.data, replace(digits, train=few))
    change = ["regimes.2.name=mine"]
    asked = arguments.resolve(data, None, epochs=1, seeds=1, change=change)
    assert asked.regimes[:2] == OWN_REGIMES[:2]
    assert asked.regimes[2] == OWN_REGIMES[2].model_copy(update={"name": "mine"})


def test_one_change_needs_no_list() -> None:
    change = "training.flip=false"
    asked = arguments.resolve("digits", None, epochs=1, seeds=1, change=change)
    assert not asked.training.flip


def test_changes_may_come_one_by_one() -> None:
    changes = (f"training.{one}=false" for one in ("flip", "alternating_flip"))
    asked = arguments.resolve("digits", None, epochs=1, seeds=1, change=changes)  # type: ignore[arg-type]
    assert not asked.training.flip


@pytest.mark.parametrize("change", [3, None, [3], [("training.flip", False)]])
def test_what_is_no_change_is_named_and_an_example_given(change: Any) -> None:
    with pytest.raises(ExperimentError, match=r'^change: .*"training\.flip=false"'):
        arguments.resolve("digits", None, epochs=1, seeds=1, change=change)
