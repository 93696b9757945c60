"""The two layers over tokens that Keras lacks, as the compact transformer needs them.

Tensors are [B, T, D]: B images, T tokens of width D. Files for use elsewhere hold
neither: see `portable`. A saved model that does opens once this module is imported.
"""

from typing import Any

import keras
from keras import initializers, layers, ops


@keras.saving.register_keras_serializable(package="tessera")
class PositionEmbedding(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Adds one learned vector per position to the tokens [B, T, D].

    Args:
        seed: Seed of the initial vectors, normal with deviation 0.2 (as in
            Compact-Transformers, whose truncation at 2.0 is ten deviations away).
        **more: Passed on to `keras.layers.Layer`.
    """

    def __init__(self, seed: int | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the vectors [T, D]."""
        self.position = self.add_weight(
            shape=tuple(input_shape[1:]),
            initializer=initializers.RandomNormal(stddev=0.2, seed=self.seed),
            name="position",
        )

    def call(self, tokens: Any) -> Any:
        """Return tokens + position, [B, T, D]."""
        return tokens + self.position

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="tessera")
class Attention(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Scaled dot-product attention in several heads (Vaswani et al. 2017).

    Holds no weights: queries, keys and values come side by side from a dense layer
    before it, [B, T, 3 D], and leave as [B, T, D].

    Args:
        heads: Number of heads; divides D.
        dropout: Share of attention weights dropped in training.
        seed: Seed of the dropout.
        **more: Passed on to `keras.layers.Layer`.
    """

    def __init__(
        self, heads: int, dropout: float = 0.0, seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(**more)
        self.heads = heads
        self.dropout = dropout
        self.seed = seed
        # A name of its own: Keras would number it by what the process built before.
        self.drop = layers.Dropout(dropout, seed=seed, name="dropout")

    # Slicing the heads out and looping over them is the same product as one matrix
    # product over [B, heads, T, D / heads], without its four transpositions: on a CPU
    # with TensorFlow forward and backward together take a quarter less time.
    def call(self, qkv: Any, training: bool | None = None) -> Any:
        """Mix the values by the attention weights, [B, T, 3 D] -> [B, T, D]."""
        mixed = [
            ops.matmul(self.drop(_attention(query, key), training=training), value)
            for query, key, value in self._heads(qkv)
        ]
        return ops.concatenate(mixed, axis=-1)

    def attention(self, qkv: Any) -> Any:
        """Attention weights [B, heads, T, T]; every row sums to one.

        Row t holds what token t takes from every token. Without dropout.
        """
        weights = [_attention(query, key) for query, key, _ in self._heads(qkv)]
        return ops.stack(weights, axis=1)

    def _heads(self, qkv: Any) -> Any:
        """Query, key and value of every head, each [B, T, D / heads]."""
        parts = ops.split(qkv, 3 * self.heads, axis=-1)
        first, second = self.heads, 2 * self.heads
        return zip(parts[:first], parts[first:second], parts[second:], strict=True)

    def compute_output_shape(
        self, input_shape: tuple[int | None, int, int]
    ) -> tuple[int | None, int, int]:
        """[B, T, 3 D] -> [B, T, D]."""
        return (*input_shape[:2], input_shape[2] // 3)

    def multiply_adds(self, input_shape: tuple[int | None, int, int]) -> int:
        """Multiply-adds per image: T T D for the scores, as many for the mixing."""
        _, tokens, width = self.compute_output_shape(input_shape)
        return 2 * tokens * tokens * width

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        own = {"heads": self.heads, "dropout": self.dropout, "seed": self.seed}
        return {**super().get_config(), **own}


def _attention(query: Any, key: Any) -> Any:
    """Softmax of q k' / sqrt(d) over the last axis, [B, T, d] twice -> [B, T, T]."""
    scaled = query / query.shape[-1] ** 0.5
    return ops.softmax(ops.matmul(scaled, ops.transpose(key, (0, 2, 1))))
