"""Parts the models share: seeds per layer, a transformer encoder over tokens.

Everything that a built-in Keras layer can do is one; `attention` has the other two.
"""

import hashlib
from typing import Any

import keras
from keras import initializers, layers

from tessera.models.attention import Attention, PositionEmbedding

# What Compact-Transformers sets and the settings do not offer to change.
ATTENTION_DROPOUT = 0.1
STOCHASTIC_DEPTH = 0.1
EPSILON = 1e-5
"""Added to the variance in layer normalisation: PyTorch's default, not Keras'."""


class ModelError(ValueError):
    """The settings and the images make no model; the message says why."""


def stream(seed: int, name: str) -> int:
    """The seed of one layer: a hash of the model's seed and the layer's name.

    It depends on nothing else, so adding a layer, or whatever ran before in the
    process, leaves the other layers' weights as they were.

    Args:
        seed: The model's seed.
        name: The layer's name, unique within the model.

    Returns:
        An integer from 0 to 2**31 - 1.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def dense(
    units: int, *, name: str, seed: int, normal: float | None = None, **more: Any
) -> Any:
    """A dense layer on the last axis, its kernel drawn from the layer's own stream.

    Args:
        units: Outputs.
        name: The layer's name.
        seed: The model's seed.
        normal: Standard deviation of a normal kernel; None: Glorot's uniform
            (Glorot and Bengio 2010), Keras' default and so the reference study's.
        **more: Passed on to `keras.layers.Dense`.
    """
    own = stream(seed, name)
    kernel = (
        initializers.GlorotUniform(own)
        if normal is None
        else initializers.RandomNormal(stddev=normal, seed=own)
    )
    return layers.Dense(units, kernel_initializer=kernel, name=name, **more)


def pixels(image_shape: tuple[int, int, int]) -> tuple[Any, Any]:
    """The input layer, raw pixels 0..255, and the same scaled to [0, 1]."""
    raw = keras.Input(image_shape, dtype="float32", name="pixels")
    return raw, layers.Rescaling(1.0 / 255.0, name="rescale")(raw)


def encoder(tokens: Any, depth: int, *, heads: int, seed: int) -> Any:
    """Position embedding, `depth` transformer blocks and a layer normalisation.

    Hassani et al. 2021, arXiv:2104.05704, in the form of the authors' code
    (SHI-Labs/Compact-Transformers, `utils/transformers.py`).

    Args:
        tokens: [B, T, D].
        depth: Number of blocks, at least 1.
        heads: Attention heads; must divide D.
        seed: The model's seed.

    Returns:
        Tokens [B, T, D].

    Raises:
        ModelError: D is not a multiple of `heads`, or T is 1.
    """
    _check(tokens.shape[1], tokens.shape[2], heads)
    name = "position"
    tokens = PositionEmbedding(stream(seed, name), name=name)(tokens)
    for index in range(depth):
        rate = STOCHASTIC_DEPTH * index / max(depth - 1, 1)
        tokens = _block(tokens, heads, drop=rate, name=f"block{index + 1}", seed=seed)
    return layers.LayerNormalization(epsilon=EPSILON, name="encoder_norm")(tokens)


def _check(tokens: int, width: int, heads: int) -> None:
    if width % heads:
        raise ModelError(
            f"heads: expected a number that divides the width {width}. Received: "
            f"{heads}. Change `heads` or `width`."
        )
    if tokens < 2:
        raise ModelError(
            "tokens: expected at least 2, for attention lets them look at one "
            f"another. Received: {tokens}. Set a larger `data.image_size` or, for the "
            "hybrid, a smaller `patch` or `depth = 0`."
        )


def _block(tokens: Any, heads: int, *, drop: float, name: str, seed: int) -> Any:
    """Attention, then a two-layer perceptron of ratio 1, each with a skip.

    Not the textbook's pre-norm block: the sum after attention is itself normalised,
    and the second skip starts there.
    """
    attended = _attend(tokens, heads, name=f"{name}_attention", seed=seed)
    tokens = _skip(tokens, attended, drop=drop, name=f"{name}_attention", seed=seed)
    tokens = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(tokens)
    hidden = _dense(tokens.shape[-1], f"{name}_mlp1", seed)(tokens)
    hidden = layers.Activation("gelu", name=f"{name}_gelu")(hidden)
    hidden = _dense(tokens.shape[-1], f"{name}_mlp2", seed)(hidden)
    return _skip(tokens, hidden, drop=drop, name=f"{name}_mlp", seed=seed)


def _attend(tokens: Any, heads: int, *, name: str, seed: int) -> Any:
    width = tokens.shape[-1]
    normed = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(tokens)
    qkv = _dense(3 * width, f"{name}_qkv", seed, use_bias=False)(normed)
    own = stream(seed, name)
    mixed = Attention(heads, ATTENTION_DROPOUT, own, name=name)(qkv)
    return _dense(width, f"{name}_projection", seed)(mixed)


def _skip(stay: Any, branch: Any, *, drop: float, name: str, seed: int) -> Any:
    """Add the branch; stochastic depth (Huang et al. 2016) drops it per image."""
    if drop:
        own = stream(seed, f"{name}_drop")
        branch = layers.Dropout(
            drop, noise_shape=(None, 1, 1), seed=own, name=f"{name}_drop"
        )(branch)
    return layers.Add(name=f"{name}_add")([stay, branch])


def _dense(units: int, name: str, seed: int, **more: Any) -> Any:
    # Compact-Transformers draws every linear layer with deviation 0.02.
    return dense(units, name=name, seed=seed, normal=0.02, **more)
