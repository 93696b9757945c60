"""Small models whose maps are known, on 8x8 images of one channel unless said."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from evaluation import studies
from keras import layers

from explain import nets
from tessera import files, settings
from tessera.data import digits
from tessera.experiment import Digits, Experiment
from tessera.models import build
from tessera.record import RunFolder

Build = Callable[..., keras.Model]


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Ten 8x8 RGB images; nothing can write into them."""
    drawn = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
    drawn.setflags(write=False)
    return drawn


@pytest.fixture(scope="session")
def linear() -> Build:
    """Pixels -> 1x1 convolution `features` -> global average -> `logits`.

    With kernel [[a], [b], ...] of channel factors and head weights W the logit is
    mean(pixels) * (factors @ W) + bias: everything about it is known on paper.
    """

    def build(factors: list[float], head: list[list[float]]) -> keras.Model:
        pixels = keras.Input((8, 8, 1))
        maps = layers.Conv2D(len(factors), 1, name="features")(pixels)
        pooled = layers.GlobalAveragePooling2D()(maps)
        net = keras.Model(pixels, layers.Dense(len(head[0]), name="logits")(pooled))
        net.get_layer("features").set_weights(
            [np.array(factors, "float32").reshape(1, 1, 1, -1), np.zeros(len(factors))]
        )
        net.get_layer("logits").set_weights([np.array(head), np.zeros(len(head[0]))])
        return net

    return build


@pytest.fixture(scope="session")
def hybrid() -> Build:
    """Two branches on one map, with attention in one: a small hybrid of 5 classes."""

    def build(*, seed: int = 0) -> keras.Model:
        keras.utils.set_random_seed(seed)
        pixels = keras.Input((8, 8, 3))
        scaled = layers.Rescaling(1 / 255)(pixels)
        maps = layers.Conv2D(6, 3, padding="same", activation="relu", name="features")(
            scaled
        )
        u = layers.GlobalAveragePooling2D(name="u")(layers.BatchNormalization()(maps))
        tokens = layers.Dense(4)(layers.Reshape((64, 6))(maps))
        tokens = layers.MultiHeadAttention(2, 4)(tokens, tokens)
        v = layers.GlobalAveragePooling1D(name="v")(tokens)
        fused = layers.Dropout(0.3)(layers.Concatenate()([u, v]))
        return keras.Model(pixels, layers.Dense(5, name="logits")(fused))

    return build


@pytest.fixture(scope="session")
def nonlinear() -> Build:
    return nets.nonlinear


@pytest.fixture(scope="session")
def finished() -> Callable[..., RunFolder]:
    """Writes what a finished run on 16x16 digits leaves, with initial weights."""

    def write(
        folder: Path, model: object, *, seed: int = 0, reduced: tuple[int, ...] = (3,)
    ) -> RunFolder:
        run = RunFolder(folder)
        dataset = digits.load(16)
        experiment = Experiment(
            data=Digits(image_size=16),
            models=(model,),
            regimes=Experiment().regimes[:1],
            seeds=(0,),
        )
        record = studies.record(
            model.label,
            experiment.regimes[0],
            0,
            studies.flat(0, 0),
            data=dataset.summary(),
            reduced_classes=reduced,
        )
        files.write_text(run.experiment, settings.dumps(experiment))
        files.write_text(run.record, record.model_dump_json())
        files.write_json(run.manifest, {"indices": {"validation": list(range(20))}})
        net = build.build(model, (16, 16, 3), 10, seed=seed)
        net.save_weights(run.weights)
        files.write_arrays(
            run.validation_predictions,
            logits=np.eye(10, dtype=np.float32),
            labels=np.arange(10),
        )
        return run

    return write
