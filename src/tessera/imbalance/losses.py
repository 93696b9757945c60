"""Losses per image, on any Keras backend: labels and logits in, nats out.

Every loss is a function of labels [N], logits [N, K] and numbers per class; `per_image`
reads a setting and the class counts and calls it. Formulas and sources in docs/methods.
"""

from typing import Any, assert_never

import numpy as np
from keras import ops

from tessera import remedies
from tessera.arrays import Counts, Weights
from tessera.imbalance.weights import refuse_empty


def per_image(loss: remedies.Loss, labels: Any, logits: Any, counts: Counts) -> Any:
    """The loss of every image.

    Args:
        loss: Which one.
        labels: Class indices [N], of any dtype.
        logits: [N, K].
        counts: Training images per class, int64 [K].

    Returns:
        A tensor [N], float32, in nats.

    Raises:
        ValueError: The loss depends on the counts, and a class has no images.
    """
    match loss:
        case remedies.CrossEntropy():
            return cross_entropy(labels, logits)
        case remedies.Focal(form="softmax"):
            return focal(labels, logits, loss.gamma)
        case remedies.Focal():
            return sigmoid_focal(labels, logits, loss.gamma)
        case remedies.Ldam():
            steps = margins(counts, loss.max_margin)
            return with_margin(labels, logits, loss.scale * steps)
        case remedies.BalancedSoftmax():
            return adjusted(labels, logits, log_counts(counts))
        case remedies.LogitAdjusted():
            return adjusted(labels, logits, loss.tau * log_prior(counts))
        case remedies.VectorScaling():
            scales = relative_size(counts) ** loss.gamma
            return adjusted(labels, logits, loss.tau * log_prior(counts), scales)
        case remedies.LabelAwareSmoothing():
            smoothing = label_smoothing(counts, head=loss.head, tail=loss.tail)
            return smoothed_cross_entropy(labels, logits, smoothing)
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


def focal(labels: Any, logits: Any, gamma: float) -> Any:
    """Focal loss over the softmax, -(1 - p_y)^gamma log p_y, [N].

    The multi-class form that the long-tail literature uses. p is of the plain
    softmax, whatever weights follow. Lin et al. 2017, arXiv:1708.02002, equation 4,
    with p_t the softmax probability of the label.
    """
    nats = cross_entropy(labels, logits)
    # 1 - p by expm1: for a sure answer 1 - exp(-nats) would lose its digits, and its
    # power for gamma < 1 an infinite slope; the floor keeps the gradient finite.
    doubt = ops.maximum(-ops.expm1(-nats), 1e-12)
    return ops.power(doubt, gamma) * nats


def sigmoid_focal(labels: Any, logits: Any, gamma: float) -> Any:
    """Focal loss over one sigmoid per class, summed over the classes, [N].

    Each class is a yes-or-no question with logit z_k. Lin et al. 2017, equation 4
    (without alpha), as Cui et al. 2019, arXiv:1901.05555, use it.
    """
    logits = ops.cast(logits, "float32")
    signed = logits * (2 * _one_hot(labels, logits) - 1)  # positive: right answer
    nats = ops.softplus(-signed)
    return ops.sum(ops.sigmoid(-signed) ** gamma * nats, axis=-1)


def with_margin(labels: Any, logits: Any, steps: Weights) -> Any:
    """Cross-entropy after the label's logit is lowered by its class's step, [N].

    LDAM: logits are s cos(angle) and steps s Delta_c. Cao et al. 2019,
    arXiv:1906.07413, section 3.
    """
    logits = ops.cast(logits, "float32")
    return cross_entropy(labels, logits - _one_hot(labels, logits) * _tensor(steps))


def adjusted(
    labels: Any, logits: Any, shift: Weights, scales: Weights | None = None
) -> Any:
    """Cross-entropy of scales z + shift, both per class, [N].

    Balanced softmax, logit adjustment and the VS loss differ in these numbers alone.
    """
    logits = ops.cast(logits, "float32")
    if scales is not None:
        logits = logits * _tensor(scales)
    return cross_entropy(labels, logits + _tensor(shift))


def smoothed_cross_entropy(labels: Any, logits: Any, smoothing: Weights) -> Any:
    """(1 - eps_y) (-log p_y) + eps_y mean_k (-log p_k), [N], eps per class [K]."""
    log_p = ops.log_softmax(ops.cast(logits, "float32"))
    own = ops.take(_tensor(smoothing), class_indices(labels))
    right = ops.sum(_one_hot(labels, log_p) * log_p, axis=-1)
    return -(1 - own) * right - own * ops.mean(log_p, axis=-1)


def margins(counts: Counts, largest: float) -> Weights:
    """LDAM's margins, proportional to n_c^(-1/4), the rarest class's `largest`."""
    refuse_empty(counts)
    raw = np.asarray(counts, np.float64) ** -0.25
    steps: Weights = largest * raw / raw.max()
    return steps


def log_counts(counts: Counts) -> Weights:
    """Logarithm of n_c, float64 [K]."""
    refuse_empty(counts)
    logs: Weights = np.log(np.asarray(counts, np.float64))
    return logs


def log_prior(counts: Counts) -> Weights:
    """Logarithm of pi_c with pi_c = n_c / N, float64 [K]."""
    logs: Weights = log_counts(counts) - np.log(np.sum(counts))
    return logs


def relative_size(counts: Counts) -> Weights:
    """n_c / max n, float64 [K]."""
    sizes: Weights = np.asarray(counts, np.float64) / np.max(counts)
    return sizes


def label_smoothing(counts: Counts, *, head: float, tail: float) -> Weights:
    """Smoothing per class, from `tail` (rarest) to `head` (largest), float64 [K].

    eps_c = tail + (head - tail) sin(pi (n_c - n_min) / (2 (n_max - n_min))): Zhong et
    al. 2021, arXiv:2104.00466, the concave form. Equal counts: `head` for all.
    """
    images = np.asarray(counts, np.float64)
    span = images.max() - images.min()
    place = (images - images.min()) / span if span else np.ones_like(images)
    smoothing: Weights = tail + (head - tail) * np.sin(np.pi / 2 * place)
    return smoothing


def class_indices(labels: Any) -> Any:
    """Labels as int32 [N], from any dtype and from [N, 1]."""
    return ops.reshape(ops.cast(labels, "int32"), (-1,))


def _one_hot(labels: Any, logits: Any) -> Any:
    return ops.one_hot(class_indices(labels), logits.shape[-1], dtype="float32")


def _tensor(values: Weights) -> Any:
    return ops.convert_to_tensor(np.asarray(values, np.float32))
