"""Compact convolutional transformer, CCT-2/3x2 at its defaults.

Hassani et al. 2021, "Escaping the Big Data Paradigm with Compact Transformers",
arXiv:2104.05704; details as in the authors' code (SHI-Labs/Compact-Transformers).
"""

from typing import Any

import keras
from keras import initializers, layers

from tessera.experiment import Transformer
from tessera.models.blocks import dense, encoder, pixels, stream
from tessera.models.logits import logits_layer


def transformer(
    model: Transformer,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    seed: int,
    cosine: float | None = None,
) -> Any:
    """Convolutional tokenizer, transformer encoder, sequence pooling.

    283,723 parameters for 32 x 32 x 3 and 10 classes.

    Args:
        model: The settings.
        image_shape: (H, W, C).
        classes: Number of classes K.
        seed: Decides every initial weight and every dropout mask.
        cosine: See `build.build`.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to logits [B, K].

    Raises:
        ModelError: `heads` does not divide `width`, or the map is a single token.
    """
    raw, scaled = pixels(image_shape)
    features = tokenizer(scaled, model.convolutions, model.width, seed=seed)
    _, height, width, channels = features.shape
    tokens = layers.Reshape((height * width, channels), name="tokens")(features)
    tokens = encoder(tokens, model.depth, heads=model.heads, seed=seed)
    logits = logits_layer(classes, seed=seed, cosine=cosine, normal=0.02)
    return keras.Model(raw, logits(pooled(tokens, seed=seed)), name="transformer")


def tokenizer(x: Any, convolutions: int, width: int, *, seed: int) -> Any:
    """Convolution, ReLU, max-pool; each halves the map, rounding up.

    64 filters in all but the last convolution, which has `width`. The result is the
    output of the layer `features`.
    """
    for index in range(1, convolutions + 1):
        last = index == convolutions
        name = f"conv{index}"
        x = layers.Conv2D(
            width if last else 64,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=initializers.VarianceScaling(
                2.0, "fan_in", "untruncated_normal", seed=stream(seed, name)
            ),
            name=name,
        )(x)
        x = _pool(x, name=f"pool{index}")
        x = layers.ReLU(name="features" if last else f"relu{index}")(x)
    return x


def _pool(x: Any, *, name: str) -> Any:
    """Maximum over 3 x 3, stride 2, one cell of padding left and above, as PyTorch.

    Zeros pad as well as minus infinity would, because a ReLU follows.
    """
    _, height, width, _ = x.shape
    padding = ((1, height % 2), (1, width % 2))
    x = layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)
    return layers.MaxPooling2D(3, 2, name=name)(x)


def pooled(tokens: Any, *, seed: int) -> Any:
    """Sequence pooling: a learned softmax-weighted mean, [B, T, D] -> [B, D]."""
    scores = dense(1, name="pool_scores", seed=seed, normal=0.02)(tokens)
    weights = layers.Softmax(axis=1, name="pool_weights")(scores)
    mean = layers.Dot(axes=1, name="pool_mean")([weights, tokens])
    return layers.Reshape((tokens.shape[-1],), name="pool")(mean)
