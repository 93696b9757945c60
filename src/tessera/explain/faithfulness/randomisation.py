"""Draw a model's layers anew and see whether its maps notice (Adebayo et al. 2018).

A map that stays the same when the weights are random cannot show what was learned. The
weights are drawn by each layer's own initialisers, in a *copy* of the model, and every
copy is explained by a call of its own: a tool that swaps the weights under an explainer
already made may go on explaining the old ones.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels
from tessera.explain.faithfulness.answers import Mapper

STAGES = 8
"""Steps of a cascade at most; a deeper model loses several layers a step."""


def redrawn(net: keras.Model, *, seed: int) -> keras.Model:
    """A copy of the architecture with new initial weights and statistics.

    Every seed in the layers' settings is replaced: an initialiser that keeps its own
    would give the weights that training began with. What training does not learn (a
    frozen layer, filters or means computed from the images) is as it was.

    Args:
        net: A functional or sequential model; it is not touched.
        seed: Decides the new weights.
    """
    rng = np.random.default_rng(seed)

    def renew(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, clone_function=renew)
        return layer.__class__.from_config(_reseeded(layer.get_config(), rng))

    copy = keras.models.clone_model(net, clone_function=renew)
    _keep_fixed(net, copy)
    return copy


def _keep_fixed(net: keras.Model, copy: keras.Model) -> None:
    for layer, twin in zip(net.layers, copy.layers, strict=True):
        if isinstance(layer, keras.Model):
            _keep_fixed(layer, twin)
        elif layer.weights and not layer.trainable_weights and not _tracks(layer):
            twin.set_weights(layer.get_weights())


def _tracks(layer: keras.layers.Layer) -> bool:
    """Whether training changes the layer's statistics, though no gradient does."""
    return layer.trainable and isinstance(layer, keras.layers.BatchNormalization)


def _reseeded(value: Any, rng: np.random.Generator) -> Any:
    """The same settings with everything called `seed` drawn anew."""
    if isinstance(value, dict):
        return {
            key: int(rng.integers(2**31))
            if key == "seed" and isinstance(inner, int | None)
            else _reseeded(inner, rng)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_reseeded(inner, rng) for inner in value)
    return value


def weighted_layers(net: keras.Model) -> list[str]:
    """Layers with trainable weights, from the logits down."""
    return [layer.name for layer in reversed(net.layers) if layer.trainable_weights]


def randomised(net: keras.Model, layers: tuple[str, ...], *, seed: int) -> keras.Model:
    """A copy of the model in which some layers are drawn anew; the rest is learned.

    Args:
        net: The model; it is not touched.
        layers: Names of the layers to draw anew.
        seed: Decides the new weights.
    """
    copy = redrawn(net, seed=seed)
    for layer in net.layers:
        if layer.name not in layers and layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def cascade(net: keras.Model) -> list[tuple[str, ...]]:
    """The layers drawn anew at each step: the logits first, at last all trained."""
    names = weighted_layers(net)
    steps = min(STAGES, len(names))
    ends = np.unique(np.rint(np.linspace(0, len(names), steps + 1)[1:]).astype(int))
    return [tuple(names[:end]) for end in ends]


def independent(net: keras.Model) -> list[tuple[str, ...]]:
    """One step per layer (or group of them) of the cascade: it alone is drawn anew."""
    steps = cascade(net)
    before = [0, *(len(step) for step in steps[:-1])]
    return [step[start:] for step, start in zip(steps, before, strict=True)]


def explained(
    net: keras.Model,
    mapper: Mapper,
    images: NDArray[Any],
    targets: Labels,
    steps: list[tuple[str, ...]],
    *,
    seed: int,
) -> Iterator[tuple[tuple[str, ...], Heatmaps]]:
    """Maps of the same images and classes after each step.

    Args:
        net: The model.
        mapper: Called anew with every copy.
        images: [N, H, W, C].
        targets: The class explained, which does not follow the copies' answers.
        steps: Layers to draw anew, see `cascade` and `independent`.
        seed: Decides the weights, the same in every step.
    """
    for layers in steps:
        yield layers, mapper(randomised(net, layers, seed=seed), images, targets)
