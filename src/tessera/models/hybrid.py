"""The study's hybrid: the CNN's map averaged twice, as it is and as patch tokens.

With `depth` 0 the tokens are a linear function of their patch and are averaged over
all positions: their order, and so all of the map's layout beyond the patch, is lost.
The average is therefore taken before the dense layer, where T tokens cost as much as
one: mean_t (W x_t + b) = W mean_t x_t + b. With `depth` >= 1 a transformer encoder with
position embedding looks at the tokens first.
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
    """The study's CNN-token hybrid, 193,098 parameters at its defaults.

    Args:
        model: The settings.
        image_shape: (H, W, C); H and W of at least `cnn.SMALLEST`.
        classes: Number of classes K.
        seed: Decides every initial weight and every dropout mask.
        cosine: See `build.build`.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to logits [B, K]. The layer `tokens`
        embeds patches, [B, T, patch * patch * C] -> [B, T, width]; at depth 0 it is
        given a single one, the mean patch. `average` and `token_average`, [B, C] and
        [B, width], are the two branches' results.

    Raises:
        ModelError: `depth` >= 1 and `heads` does not divide `width`, or there is a
            single token.
    """
    raw, scaled = pixels(image_shape)
    features = backbone(scaled, seed=seed)
    tokens = dense(model.width, name="tokens", seed=seed)
    if model.depth:
        average = layers.GlobalAveragePooling2D(name="average")(features)
        embedded = tokens(patches(features, model.patch))
        embedded = encoder(embedded, model.depth, heads=model.heads, seed=seed)
    else:
        patch = mean_patch(features, model.patch)
        average = _average(patch, features, model.patch)
        embedded = tokens(patch)
    token_average = layers.GlobalAveragePooling1D(name="token_average")(embedded)
    fused = layers.Concatenate(name="fusion")([average, token_average])
    logits = head(fused, classes, dropout=model.dropout, seed=seed, cosine=cosine)
    return keras.Model(raw, logits, name="hybrid")


def patches(features: Any, patch: int) -> Any:
    """Cut a map [B, h, w, C] into tokens [B, T, patch * patch * C], row by row.

    Where h or w is no multiple of the patch, zeros are added below and to the right:
    T = ceil(h / patch) * ceil(w / patch).
    """
    features, rows, columns = _padded(features, patch)
    channels = features.shape[-1]
    grid = layers.Reshape((rows, patch, columns, patch, channels), name="grid")
    order = layers.Permute((1, 3, 2, 4, 5), name="patch_order")
    flat = layers.Reshape((rows * columns, patch * patch * channels), name="patches")
    return flat(order(grid(features)))


def mean_patch(features: Any, patch: int) -> Any:
    """The mean of the tokens that `patches` cuts, [B, 1, patch * patch * C].

    Rows of patches are averaged first, then columns: both sums run over contiguous
    memory and nothing is transposed.
    """
    features, rows, columns = _padded(features, patch)
    channels = features.shape[-1]
    row = layers.Reshape((rows, patch * columns * patch * channels), name="patch_rows")
    x = layers.GlobalAveragePooling1D(name="row_mean")(row(features))
    x = layers.Reshape((patch, columns, patch * channels), name="patch_columns")(x)
    x = layers.AveragePooling2D((1, columns), name="column_mean")(x)
    return layers.Reshape((1, patch * patch * channels), name="mean_patch")(x)


def _average(mean: Any, features: Any, patch: int) -> Any:
    """The map's average over all its places, [B, C], from its mean patch.

    Each of the patch's P cells is a sum over the T patches, divided by T; padding adds
    nothing to it. So the map's sum is T P times the mean of the cells.
    """
    _, height, width, channels = features.shape
    places = -(-height // patch) * -(-width // patch) * patch * patch
    cells = layers.Reshape((patch * patch, channels), name="cells")(mean)
    cells = layers.GlobalAveragePooling1D(name="cell_mean")(cells)
    return layers.Rescaling(places / (height * width), name="average")(cells)


def _padded(features: Any, patch: int) -> tuple[Any, int, int]:
    """The map with zeros below and to the right, and its patches' rows and columns."""
    _, height, width, _ = features.shape
    below, right = -height % patch, -width % patch
    if below or right:
        features = layers.ZeroPadding2D(((0, below), (0, right)), name="pad")(features)
    return features, (height + below) // patch, (width + right) // patch
