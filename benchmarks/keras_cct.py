"""Retrain the compact transformer of Keras' examples on the images that we train on.

    python benchmarks/keras_cct.py IMAGES --out runs/keras-cct

What keras.io/examples/vision/cct describes, with Keras' own layers and `fit`: two
convolutions, two encoder blocks of two heads, each as wide as a token, AdamW at 0.001,
label smoothing 0.1, batches of 128, 30 epochs, the epoch best on validation images. Its
random crop is of the images' own size and so crops nothing; flips remain. Training and
validation images are those of a Tessera run of the same seed.

An interrupted training goes on with its last whole epoch. The record holds the point
that it is on the frontier of docs/hybrid-plus.md.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import numpy as np

from tessera import files, runtime

EPOCHS, BATCH, WIDTH, HEADS, BLOCKS, DROPOUT = 30, 128, 128, 2, 2, 0.1
NAME = "Keras' example"


def model(image_shape: tuple[int, int, int], classes: int) -> Any:
    """The example's model, from pixels 0..255 to logits."""
    import keras
    from keras import layers

    from tessera.models.attention import PositionEmbedding
    from tessera.models.transformer import pooled

    class Position(PositionEmbedding):
        """As `keras.layers.Embedding` starts."""

        def build(self, input_shape: Any) -> None:
            uniform = keras.initializers.RandomUniform(-0.05, 0.05)
            shape = tuple(input_shape[1:])
            self.position = self.add_weight(shape=shape, initializer=uniform)

    raw = keras.Input(image_shape)
    x = layers.RandomFlip("horizontal")(layers.Rescaling(1 / 255)(raw))
    for filters in (64, WIDTH):
        x = layers.Conv2D(
            filters,
            3,
            use_bias=False,
            activation="relu",
            kernel_initializer="he_normal",
        )(x)
        x = layers.MaxPooling2D(3, 2, "same")(layers.ZeroPadding2D(1)(x))
    tokens = Position()(layers.Reshape((-1, WIDTH))(x))
    for drop in np.linspace(0, 0.1, BLOCKS):
        tokens = block(tokens, float(drop))
    tokens = layers.LayerNormalization(epsilon=1e-5)(tokens)
    return keras.Model(raw, layers.Dense(classes)(pooled(tokens, seed=0)))


def block(tokens: Any, drop: float) -> Any:
    """Attention and a perceptron, each after a normalisation and with a skip."""
    from keras import layers

    def skip(stay: Any, branch: Any) -> Any:
        branch = layers.Dropout(drop, noise_shape=(None, 1, 1))(branch)
        return layers.Add()([stay, branch])

    normed = layers.LayerNormalization(epsilon=1e-5)(tokens)
    attention = layers.MultiHeadAttention(HEADS, WIDTH, dropout=DROPOUT)
    tokens = skip(tokens, attention(normed, normed))
    hidden = layers.LayerNormalization(epsilon=1e-5)(tokens)
    for _ in range(2):
        hidden = layers.Dense(WIDTH, activation="gelu")(hidden)
        hidden = layers.Dropout(DROPOUT)(hidden)
    return skip(tokens, hidden)


def train(folder: str, out: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Train with one seed; its test accuracy, and what the model is."""
    import keras

    from tessera.data import source, splits
    from tessera.models import cost

    keras.utils.set_random_seed(seed)
    dataset = source.load(source.from_argument(folder))
    classes = len(dataset.class_names)
    images, labels = dataset.train.images, dataset.train.labels
    inner, outer = splits.stratified(labels, 0.1, seed=seed)
    one_hot = keras.utils.to_categorical(labels, classes)
    net = model(dataset.image_shape, classes)
    net.compile(
        keras.optimizers.AdamW(1e-3, weight_decay=1e-4),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy"],
    )
    kept = out / f"s{seed}"
    every = kept / "{val_accuracy:.5f}-{epoch:03d}.weights.h5"
    net.fit(
        images[inner],
        one_hot[inner],
        validation_data=(images[outer], one_hot[outer]),
        batch_size=BATCH,
        epochs=epochs,
        callbacks=[
            keras.callbacks.BackupAndRestore(kept / "backup"),
            keras.callbacks.ModelCheckpoint(every, save_weights_only=True),
        ],
        verbose=2,
    )
    best = max(kept.glob("*.weights.h5"))
    net.load_weights(best)
    answers = net.predict(dataset.test.images, batch_size=500, verbose=0).argmax(axis=1)
    return {
        "accuracy": float((answers == dataset.test.labels).mean()),
        "best_epoch": int(best.name.split("-")[1][:3]),
        "parameters": net.count_params(),
        "forward": cost.multiply_adds(net),
        "images": len(inner),
    }


def once(kept: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a finished training gave, or else what it gives now."""
    if not kept.exists():
        files.write_json(kept, work())
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="an image folder with train/ and test/")
    parser.add_argument("--out", type=Path, required=True, help="what a stop must keep")
    parser.add_argument("--name", required=True, help="of the images, for the record")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    asked = parser.parse_args()
    machine = measure.machine()
    runtime.prepare(1)
    runtime.load_backend()
    began = time.perf_counter()
    found = [
        once(
            asked.out / f"s{seed}.json",
            lambda seed=seed: train(asked.folder, asked.out, seed, asked.epochs),
        )
        for seed in range(asked.seeds)
    ]
    same = {name: found[0][name] for name in ("parameters", "forward", "images")}
    measure.write(
        "keras_cct",
        {
            "machine": machine,
            "seconds": round(time.perf_counter() - began),
            "data": asked.name,
            "model": NAME,
            "epochs": asked.epochs,
            **same,
            "accuracy": [one["accuracy"] for one in found],
            "best_epoch": [one["best_epoch"] for one in found],
        },
    )


if __name__ == "__main__":
    main()
