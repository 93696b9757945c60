"""The reference study's hybrid: a CNN's map averaged as it is and as patch tokens.

With `depth` 0 the tokens are a linear function of their patch and are averaged over
all positions: their order, and so all of the map's layout beyond the patch, is lost.
With `depth` >= 1 a transformer encoder with position embedding looks at them first.
"""

from typing import Any

import keras
from keras import layers

from tessera.experiment import Hybrid
from tessera.models.blocks import dense, encoder, pixels
from tessera.models.cnn import backbone, head


def hybrid(
    model: Hybrid,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    seed: int,
    cosine: float | None = None,
) -> Any:
    """The reference study's hybrid, 193,098 parameters at its defaults.

    Args:
        model: The settings.
        image_shape: (H, W, C); H and W of at least `cnn.SMALLEST`.
        classes: Number of classes K.
        seed: Decides every initial weight and every dropout mask.
        cosine: See `build.build`.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to logits [B, K]. The layer `tokens`
        gives the embedded patches [B, T, width].

    Raises:
        ModelError: `depth` >= 1 and `heads` does not divide `width`, or there is a
            single token.
    """
    raw, scaled = pixels(image_shape)
    features = backbone(scaled, seed=seed)
    tokens = dense(model.width, name="tokens", seed=seed)(
        patches(features, model.patch)
    )
    if model.depth:
        tokens = encoder(tokens, model.depth, heads=model.heads, seed=seed)
    both = [
        layers.GlobalAveragePooling2D(name="average")(features),
        layers.GlobalAveragePooling1D(name="token_average")(tokens),
    ]
    fused = layers.Concatenate(name="fusion")(both)
    logits = head(fused, classes, dropout=model.dropout, seed=seed, cosine=cosine)
    return keras.Model(raw, logits, name="hybrid")


def patches(features: Any, patch: int) -> Any:
    """Cut a map [B, h, w, C] into tokens [B, T, patch * patch * C], row by row.

    Where h or w is no multiple of the patch, zeros are added below and to the right:
    T = ceil(h / patch) * ceil(w / patch).
    """
    _, height, width, channels = features.shape
    below, right = -height % patch, -width % patch
    if below or right:
        features = layers.ZeroPadding2D(((0, below), (0, right)), name="pad")(features)
    rows, columns = (height + below) // patch, (width + right) // patch
    grid = layers.Reshape((rows, patch, columns, patch, channels), name="grid")
    order = layers.Permute((1, 3, 2, 4, 5), name="patch_order")
    flat = layers.Reshape((rows * columns, patch * patch * channels), name="patches")
    return flat(order(grid(features)))
