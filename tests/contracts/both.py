"""What the backends must compute alike, each of it a function of the same files.

    python both.py FOLDER

Leaves, for every part, PART.npz in the folder: its arrays, or the error it met.
"""

import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from tessera import experiment, runtime

if __name__ == "__main__":
    runtime.prepare()
    runtime.load_backend(alone=True)

import keras
import numpy as np
from explain.nets import nonlinear
from models import plain

from contracts import one_step
from tessera.experiment import Hybrid, Transformer
from tessera.explain import branches, gradients, maps, methods, shares
from tessera.imbalance.losses import cross_entropy
from tessera.models.build import build

Arrays: TypeAlias = dict[str, np.ndarray]

ONE_BLOCK = {"transformer": Transformer(depth=1), "hybrid": Hybrid(depth=1)}
MODELS = tuple(ONE_BLOCK.get(model.kind, model) for model in experiment.MODELS)
SHAPE = (32, 32, 3)


def prepare(folder: Path) -> None:
    """Write the images, and weights that differ everywhere, as after a training."""
    random = np.random.default_rng(0)
    given: Arrays = {"images": random.integers(0, 256, (6, *SHAPE), np.uint8)}
    for model in MODELS:
        for index, w in enumerate(build(model, SHAPE, 10, seed=3).get_weights()):
            noise = random.normal(0, 0.02, w.shape)
            given[f"{model.label}/{index}"] = (w + noise).astype(np.float32)
    np.savez(folder / "given.npz", **given)
    nonlinear().save(folder / "net.keras")


def models(folder: Path) -> Arrays:
    """Every model's logits and losses."""
    given, found = dict(np.load(folder / "given.npz")), {}
    labels = np.arange(len(given["images"]))
    for model in MODELS:
        net = build(model, SHAPE, 10, seed=0)
        net.set_weights([given[f"{model.label}/{i}"] for i in range(len(net.weights))])
        logits = net(given["images"])
        found[f"{model.label}: logits"] = keras.ops.convert_to_numpy(logits)
        losses = cross_entropy(labels, logits)
        found[f"{model.label}: losses"] = keras.ops.convert_to_numpy(losses)
    return found


def formulations(folder: Path) -> Arrays:
    """Nothing; raises where a model is not the study's as it is written down.

    On a map that patches do not tile, where most could go wrong, and on ties. The
    hybrid's backbone is the CNN's.
    """
    shape, odd = plain.SHAPES[-1], Hybrid(patch=3)
    plain.assert_same(build(odd, shape, 10, seed=0), plain.hybrid(odd, shape, 10))
    net = build(Hybrid(), SHAPE, 10, seed=0)
    plain.assert_same(net, plain.hybrid(Hybrid(), SHAPE, 10), plain.of_one_colour())
    return {}


def steps(folder: Path) -> Arrays:
    """One training step of every phase of every remedy."""
    return {
        f"{key}/{index}": weights
        for key, arrays in one_step.every_step()
        for index, weights in enumerate(arrays)
    }


def heatmaps(folder: Path) -> Arrays:
    """Every method's maps, the branches', and those after a change of the weights."""
    net = keras.models.load_model(folder / "net.keras")
    images = np.load(folder / "given.npz")["images"][:, :8, :8]
    found: Arrays = {}
    for kind in methods.METHODS:
        grid = (8, 8) if kind is methods.AttentionRollout else None
        found[kind.name] = maps.compute(
            net, images, method=kind(), target=1, grid=grid
        ).raw
    found["branches"] = branches.explain(net, images, target=1).raw
    found["shares"] = shares.split(net, images, reference=images).parts
    cut = gradients.cut(net, "features")
    before = maps.compute(cut, images, target=1, batch_size=4)
    head = net.get_layer("logits")
    head.set_weights([2 * weights for weights in head.get_weights()])
    doubled = maps.compute(cut, images, target=1, batch_size=4)
    np.testing.assert_allclose(doubled.raw, 2 * before.raw, rtol=1e-5, atol=1e-9)
    return found | {"logits": before.logits}


PARTS: Mapping[str, Callable[[Path], Arrays]] = {
    part.__name__: part for part in (models, formulations, steps, heatmaps)
}


def main(folder: Path) -> None:
    for name, part in PARTS.items():
        try:
            found = part(folder)
        except Exception:
            found = {"error": np.array(traceback.format_exc())}
        backend = np.array(keras.backend.backend())
        np.savez(folder / f"{name}.npz", backend=backend, **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
