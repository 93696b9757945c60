"""From a model's settings to a Keras model: raw pixels 0..255 in, logits out."""

from typing import Any, assert_never

import keras
from keras import layers

from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Run, Transformer
from tessera.models.blocks import ModelError
from tessera.models.cnn import SMALLEST, cnn
from tessera.models.hybrid import hybrid
from tessera.models.hybrid_plus import hybrid_plus
from tessera.models.transformer import transformer
from tessera.remedies import Ldam


def for_run(run: Run, image_shape: tuple[int, int, int], classes: int) -> Any:
    """The model that a run trains, with its initial weights; see `build`."""
    loss = run.regime.remedy.loss
    cosine = loss.scale if isinstance(loss, Ldam) else None
    return build(run.model, image_shape, classes, seed=run.seed, cosine=cosine)


def build(
    model: Model,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    seed: int,
    cosine: float | None = None,
) -> Any:
    """Build the model with its initial weights.

    Scaling to [0, 1] is a layer of the model, so prediction cannot disagree with
    training. The layer `features` gives the last shared convolution map after its
    ReLU, float32 [B, h, w, C]; the layer `logits` the result.

    Args:
        model: The settings.
        image_shape: Height, width, channels.
        classes: Number of classes K, at least 2.
        seed: Decides every initial weight and every dropout mask, whatever else
            happened in the process.
        cosine: Scale of a cosine in place of the last dense layer, as LDAM needs it;
            None: a dense layer.

    Returns:
        A `keras.Model` from pixels [B, H, W, C], uint8 or float32, to logits
        float32 [B, K].

    Raises:
        ModelError: The images are too small, there are fewer than two classes, or
            the settings contradict one another.
    """
    _check(model, image_shape, classes)
    match model:
        case Cnn():
            return cnn(model, image_shape, classes, seed=seed, cosine=cosine)
        case Hybrid():
            return hybrid(model, image_shape, classes, seed=seed, cosine=cosine)
        case HybridPlus():
            return hybrid_plus(model, image_shape, classes, seed=seed, cosine=cosine)
        case Transformer():
            return transformer(model, image_shape, classes, seed=seed, cosine=cosine)
        case _:
            assert_never(model)


def with_probabilities(net: Any) -> Any:
    """The same layers with a softmax at the end, for use and for saving.

    Args:
        net: A model from `build`.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to probabilities float32 [B, K]. It
        shares its weights with `net`.
    """
    softmax = layers.Softmax(dtype="float32", name="probabilities")
    return keras.Model(net.input, softmax(net.output), name=net.name)


def _check(model: Model, image_shape: tuple[int, int, int], classes: int) -> None:
    if classes < 2:
        raise ModelError(f"classes: expected at least 2. Received: {classes}.")
    height, width, channels = image_shape
    if channels < 1:
        raise ModelError(f"channels: expected at least 1. Received: {channels}.")
    if min(height, width) < SMALLEST:
        raise ModelError(
            f"{model.label}: expected images of at least {SMALLEST} x {SMALLEST} "
            f"pixels, for two poolings halve them. Received: {height} x {width}. "
            "Set a larger `data.image_size`."
        )
