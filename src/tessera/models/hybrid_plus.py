"""A stronger hybrid of no more parameters: residual stages, then tokens.

    pixels -> whitened patches -> two stages -> map -> maximum over the map   -> logits
                                                    -> tokens, attention, pool ->

Its ingredients come from the literature; docs/hybrid-plus.md tables what each
contributes and says which were not tested one by one.
"""

from typing import Any

import keras
from keras import initializers, layers

from tessera.experiment import HybridPlus
from tessera.models.blocks import encoder, pixels, stream
from tessera.models.logits import logits_layer
from tessera.models.transformer import pooled
from tessera.models.whitening import whiten

MOMENTUM = 0.9
"""Of the statistics that batch normalisation keeps for use: few steps are enough."""


def hybrid_plus(
    model: HybridPlus,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    seed: int,
    cosine: float | None = None,
) -> Any:
    """Whitened patches, two residual stages, a maximum and attention over the map.

    Args:
        model: The settings; `depth` 0 leaves the tokens out.
        image_shape: (H, W, C).
        classes: Number of classes K.
        seed: Decides every initial weight and every dropout mask.
        cosine: See `build.build`.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to logits [B, K]. Its layer `whiten`
        is zero until `whitening.adapt` has seen training images.

    Raises:
        ModelError: `heads` does not divide the width, or the map is a single token.
    """
    raw, x = pixels(image_shape)
    if model.whitening:
        x = layers.Activation("gelu", name="whiten_gelu")(whiten(x))
    first, second = model.widths
    x = stage(x, first, model, name="stage1", seed=seed)
    x = stage(x, second, model, name="stage2", seed=seed)
    features = layers.ReLU(name="features")(x)
    vector = layers.GlobalMaxPooling2D(name="maximum")(features)
    if model.depth:
        attended = tokens(features, model.depth, heads=model.heads, seed=seed)
        vector = layers.Concatenate(name="fusion")([vector, attended])
    logits = logits_layer(classes, seed=seed, cosine=cosine, normal=0.02)(vector)
    return keras.Model(raw, logits, name="hybrid_plus")


def stage(x: Any, width: int, model: HybridPlus, *, name: str, seed: int) -> Any:
    """A convolution that halves the map, and two more with a way around them.

    Args:
        x: [B, h, w, C].
        width: Channels F of the result.
        model: Its settings may leave the way around or the normalisation out, make
            the last two convolutions separable, and halve the map at the end.
        name: Prefix of the layers' names.
        seed: The model's.

    Returns:
        [B, h // 2, w // 2, F].
    """
    how: dict[str, Any] = {"seed": seed, "normalised": model.normalised}
    x = _convolution(x, width, name=f"{name}_conv1", pool=not model.late, **how)
    how["separable"] = model.separable
    branch = _convolution(x, width, name=f"{name}_conv2", **how)
    branch = _convolution(branch, width, name=f"{name}_conv3", **how)
    if model.residual:
        branch = layers.Add(name=f"{name}_add")([x, branch])
    return layers.MaxPooling2D(2, name=f"{name}_pool")(branch) if model.late else branch


def tokens(features: Any, depth: int, *, heads: int, seed: int) -> Any:
    """Every cell of the map is a token: encoder and sequence pooling, -> [B, F]."""
    _, height, width, channels = features.shape
    cells = layers.Reshape((height * width, channels), name="tokens")(features)
    return pooled(encoder(cells, depth, heads=heads, seed=seed), seed=seed)


def _convolution(
    x: Any,
    width: int,
    *,
    name: str,
    seed: int,
    pool: bool = False,
    normalised: bool = True,
    separable: bool = False,
) -> Any:
    """3 x 3, perhaps the maximum of 2 x 2, batch normalisation, GELU.

    Separable (Howard et al. 2017, arXiv:1704.04861): 3 x 3 within each channel, then
    1 x 1 across them, with nothing between.
    """
    if separable:
        x = layers.DepthwiseConv2D(
            3,
            padding="same",
            use_bias=False,
            depthwise_initializer=initializers.RandomNormal(
                stddev=1 / 3,  # of nine values with weights like these: their own
                seed=stream(seed, f"{name}_depthwise"),
            ),
            name=f"{name}_depthwise",
        )(x)
    x = layers.Conv2D(
        width,
        1 if separable else 3,
        padding="same",
        use_bias=not normalised,
        kernel_initializer=initializers.HeNormal(stream(seed, name)),
        name=name,
    )(x)
    if pool:
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    if normalised:
        how: dict[str, Any] = {"momentum": MOMENTUM, "epsilon": 1e-5}
        x = layers.BatchNormalization(name=f"{name}_norm", **how)(x)
    return layers.Activation("gelu", name=f"{name}_gelu")(x)
