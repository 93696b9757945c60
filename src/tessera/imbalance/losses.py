"""Losses per image, on any Keras backend: labels and logits in, nats out.

A loss is a small frozen value (`CrossEntropy()`), which `per_image` turns into
numbers. A new one is a value, a function and a case.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from keras import ops


@dataclass(frozen=True)
class CrossEntropy:
    """Cross-entropy of the softmax, -log p_y."""


Loss: TypeAlias = CrossEntropy
"""Every loss there is, a union."""


def per_image(loss: Loss, labels: Any, logits: Any) -> Any:
    """The loss of every image.

    Args:
        loss: Which one.
        labels: Class indices [N], of any dtype.
        logits: [N, K].

    Returns:
        A tensor [N], float32, in nats.
    """
    match loss:
        case CrossEntropy():
            return cross_entropy(labels, logits)
        case _:
            assert_never(loss)


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Cross-entropy -log softmax(z)_y of every image, in nats.

    Args:
        labels: Class indices [N], of any dtype.
        logits: z, [N, K].

    Returns:
        A tensor [N], float32.
    """
    return ops.sparse_categorical_crossentropy(
        class_indices(labels), ops.cast(logits, "float32"), from_logits=True
    )


def class_indices(labels: Any) -> Any:
    """Labels as int32 [N]; Keras hands a custom loss floats, sometimes [N, 1]."""
    return ops.reshape(ops.cast(labels, "int32"), (-1,))
