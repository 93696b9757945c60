"""What is said of an experiment's settings before anything is trained."""

import re

import numpy as np
import pytest

from tessera import beforehand, machine, runtime
from tessera.data.dataset import Dataset, Split, assemble
from tessera.experiment import (
    OWN_REGIMES,
    Cnn,
    Experiment,
    HybridPlus,
    Natural,
    Regime,
)
from tessera.remedies import Oversampling, Remedy

NATURAL = (Regime(name="natural", profile=Natural()),)


def dataset_with(*counts: int) -> Dataset:
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    split = Split(np.zeros((len(labels), 16, 16, 3), np.uint8), labels)
    names = tuple(f"class {index}" for index in range(len(counts)))
    return assemble("made up", names, train=split, test=split)


def told(experiment: Experiment, *counts: int) -> str:
    return " ".join(beforehand.notes(experiment, dataset_with(*counts)))


@pytest.mark.parametrize("processor", [True, False])
@pytest.mark.parametrize("lacks", [True, False])
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_16_bits_are_told_to_be_slow_on_a_processor_without_instructions_for_them(
    monkeypatch: pytest.MonkeyPatch, precision: str, lacks: bool, processor: bool
) -> None:
    monkeypatch.setattr(machine, "lacks_16_bits", lambda: lacks)
    monkeypatch.setattr(runtime, "on_processor", lambda: processor)
    experiment = Experiment(training={"precision": precision}, regimes=OWN_REGIMES)
    slow = beforehand.SLOW_16_BITS in told(experiment, 20, 20)
    assert slow == (precision == "bfloat16" and lacks and processor)


def test_a_model_that_alone_is_trained_in_16_bits_is_told_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "lacks_16_bits", lambda: True)
    monkeypatch.setattr(runtime, "on_processor", lambda: True)
    own = Cnn(name="short", training={"precision": "bfloat16"})
    experiment = Experiment(models=(Cnn(), own), regimes=OWN_REGIMES)
    assert "leave `precision` out of the training of short" in told(experiment, 20, 20)
    assert beforehand.SLOW_16_BITS in told(experiment, 20, 20)


def test_a_training_of_few_steps_is_told_with_its_steps_and_a_way_to_more() -> None:
    # 300 images, of which a tenth is held: three batches of 128 an epoch.
    short = Experiment(models=(Cnn(),), regimes=NATURAL)
    assert (
        "8 epochs in batches of 128 are 24 steps (cnn under natural), in "
        "which few models learn much. `--epochs 30 --set training.batch_size=16` gives "
        "500 or more."
    ) in told(short, 150, 150)


@pytest.mark.parametrize(("epochs", "short"), [(66, True), (67, False)])
def test_two_hundred_steps_are_not_called_few(epochs: int, short: bool) -> None:
    experiment = Experiment(
        models=(Cnn(),), regimes=NATURAL, training={"epochs": epochs}
    )
    assert ("few models learn" in told(experiment, 150, 150)) == short


def test_the_shortest_training_is_the_one_told() -> None:
    # Of 180 and 90 images the balanced regime keeps 90 + 90; larger batches are fewer.
    experiment = Experiment(models=(Cnn(), HybridPlus()), regimes=OWN_REGIMES)
    assert "8 epochs in batches of 256 are 8 steps (hybrid-plus under balanced)" in (
        told(experiment, 180, 90)
    )


def test_what_a_remedy_draws_in_an_epoch_counts() -> None:
    drawn = Regime(
        name="drawn", profile=Natural(), remedy=Remedy(sampling=Oversampling())
    )
    experiment = Experiment(
        models=(Cnn(),), regimes=(drawn,), training={"epochs": 1, "batch_size": 16}
    )
    # Both classes are drawn as often as the larger, of which 162 images are left.
    assert "1 epoch in batches of 16 is 21 steps (cnn under drawn)" in (
        told(experiment, 180, 90)
    )


def test_smaller_batches_are_no_way_where_they_are_small_or_the_models_own() -> None:
    small = Experiment(regimes=NATURAL, training={"batch_size": 16, "epochs": 1})
    own = Experiment(models=(HybridPlus(),), regimes=NATURAL)
    for experiment in (small, own):
        text = told(experiment, 150, 150)
        assert re.search(r"`--epochs \d+` gives 500 or more\.", text)
