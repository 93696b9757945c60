"""Batches made on the device are the ordinary ones. JAX only.

`test_seeds` runs this file in a process of its own where TensorFlow is in use.
"""

from typing import Any

import keras
import numpy as np
import pytest

from tessera import remedies
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.imbalance.plan import Phase
from tessera.training.batches import Epoch, Material

if keras.backend.backend() != "jax":
    pytest.skip("needs the JAX backend", allow_module_level=True)

import jax

from tessera.training import device_batches

RNG = np.random.default_rng(0)
LABELS = RNG.choice(3, 60, p=[0.6, 0.3, 0.1]).astype(np.int32)
SPLIT = Split(RNG.integers(0, 256, (60, 7, 9, 3), dtype=np.uint8), LABELS)
INDICES = np.arange(0, 60, 2)
MIXINGS = (
    remedies.Mixup(),
    remedies.CutMix(),
    remedies.Remix(),
    remedies.TailOnHead(),
)


def epoch_of(training: Training, mixing: remedies.Mixing | None, epoch: int) -> Epoch:
    return Epoch(
        Material(SPLIT, INDICES, SPLIT),
        training,
        Phase(mixing=mixing),
        np.bincount(LABELS[INDICES]),
        seed=5,
        epoch=epoch,
    )


def assert_same(training: Training, mixing: remedies.Mixing | None) -> None:
    """Every batch of two epochs: bytes are equal, blended images to rounding."""
    images = device_batches.resident(SPLIT, training)
    for number in range(2):
        epoch = epoch_of(training, mixing, number)
        table, start = device_batches.table(epoch), 0
        for pixels, targets in epoch:
            rows = slice(start, start := start + len(targets))
            drawn = jax.tree.map(lambda array, rows=rows: array[rows], table)
            found, labels = map(np.asarray, device_batches.made(images, drawn))
            assert (found.dtype, labels.dtype) == (pixels.dtype, targets.dtype)
            if mixing is None:
                np.testing.assert_array_equal(found, pixels)
            np.testing.assert_allclose(found, pixels, atol=1e-4)
            np.testing.assert_array_equal(labels, targets)
        assert start == len(INDICES)


@pytest.mark.parametrize(
    "more",
    [
        {"crop_padding": 0},
        {"crop_padding": 3, "alternating_flip": True},
        {"crop_padding": 2, "crop_fill": "mirror"},
        {"crop_padding": 0, "flip": False, "cutout": 4},
        {"rotation": 30.0, "zoom": 0.3},
        {"colour": 0.5, "cutout": 3},
    ],
    ids=str,
)
def test_crops_flips_squares_and_variations_give_the_very_bytes(
    more: dict[str, Any],
) -> None:
    assert_same(Training.model_validate({"batch_size": 8} | more), None)


@pytest.mark.parametrize("cutout", [0, 3])
@pytest.mark.parametrize("mixing", MIXINGS, ids=lambda mixing: mixing.kind)
def test_every_way_of_mixing_gives_the_same_images_and_targets(
    mixing: remedies.Mixing, cutout: int
) -> None:
    assert_same(Training(batch_size=8, cutout=cutout), mixing)


@pytest.mark.parametrize("mixing", MIXINGS, ids=lambda mixing: mixing.kind)
def test_varied_images_are_mixed_alike(mixing: remedies.Mixing) -> None:
    assert_same(Training(batch_size=8, rotation=20.0, colour=0.3), mixing)


@pytest.mark.parametrize("mixing", [None, *MIXINGS], ids=str)
def test_every_epoch_has_a_table_of_the_same_form(
    mixing: remedies.Mixing | None,
) -> None:
    """Seeds are stacked, whether or not by chance a seed's batches stay unmixed."""
    training = Training(batch_size=15, cutout=3, zoom=0.2)  # two batches
    tables = [device_batches.table(epoch_of(training, mixing, e)) for e in range(20)]
    forms = [jax.tree.map(lambda array: (array.shape, array.dtype), t) for t in tables]
    assert all(form == forms[0] for form in forms)


def test_what_is_fetched_first_is_the_first_batch() -> None:
    training = Training(batch_size=8)
    epoch = epoch_of(training, None, 0)
    images = device_batches.resident(SPLIT, training)
    found = device_batches.first(images, epoch, 8)
    for here, there in zip(found, next(iter(epoch)), strict=True):
        np.testing.assert_array_equal(here, there)
    assert (images.height, images.width) == (7, 9)
    np.testing.assert_array_equal(images.labels, LABELS)
