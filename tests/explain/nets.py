"""Small models that tests of other parts explain too."""

import keras
from keras import layers


def nonlinear(*, seed: int = 0, hidden: str | None = "relu") -> keras.Model:
    """The small hybrid with a hidden ReLU layer after its fusion, named `fusion`."""
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((8, 8, 3))
    scaled = layers.Rescaling(1 / 255)(pixels)
    maps = layers.Conv2D(6, 3, padding="same", activation="relu", name="features")(
        scaled
    )
    u = layers.GlobalAveragePooling2D(name="u")(maps)
    tokens = layers.Dense(4)(layers.Reshape((64, 6))(maps))
    tokens = layers.MultiHeadAttention(2, 4)(tokens, tokens)
    v = layers.GlobalAveragePooling1D(name="v")(tokens)
    fused = layers.Concatenate(name="fusion")([u, v])
    fused = layers.Dense(16, hidden, name="hidden")(fused)
    return keras.Model(pixels, layers.Dense(5, name="logits")(fused))
