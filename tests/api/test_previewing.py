"""`tessera.preview`: the same images as on the command line."""

import numpy as np
import pytest

import tessera
from tessera import previewed
from tessera.settings import ExperimentError


def test_the_images_are_those_that_training_with_these_arguments_shows() -> None:
    digits = tessera.load_data("digits", image_size=16, verbose=False)
    found = tessera.preview(
        digits, regime="imbalanced", seed=5, epoch=2, change="training.rotation=20"
    )
    assert found.title == "hybrid, imbalanced, seed 5, epoch 2"
    assert found.rows[0].after.shape == (previewed.EACH, 16, 16, 3)
    counts = [row.count for row in found.rows]
    assert max(counts[3:6]) < min(counts[:3]) / 4
    still = ["training.flip=false", "training.crop_padding=0"]
    first = tessera.preview(digits, change=still).rows[7]
    np.testing.assert_array_equal(first.before, first.after)


def test_what_is_not_there_is_named_as_in_python() -> None:
    with pytest.raises(ExperimentError, match=r"^model: expected one of"):
        tessera.preview("digits", model="resnet", verbose=False)
    with pytest.raises(ExperimentError, match=r"^epoch: expected 1 to 8"):
        tessera.preview("digits", epoch=9, verbose=False)
