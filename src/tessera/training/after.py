"""What a remedy does once training is over: the last layer changed, no gradient taken.

Everything tunable is chosen on the validation images. The change is written into the
model's last layer, so the saved model, its predictions and its heatmaps agree.
"""

from collections.abc import Callable
from typing import Any, assert_never

import keras
import numpy as np
from numpy.typing import NDArray

from tessera import remedies
from tessera.arrays import Counts, Labels, Logits, Weights
from tessera.data.dataset import Split
from tessera.evaluation import scores
from tessera.evaluation.probabilities import fitted_temperature
from tessera.imbalance.losses import log_prior
from tessera.models import logits as last_layer
from tessera.training import predict

TAUS = np.round(np.arange(0.0, 2.05, 0.1), 1)
"""The strengths that are tried, 0 to 2 as in Kang et al. 2020."""


def apply(
    net: Any, after: remedies.After, counts: Counts, validation: Split
) -> dict[str, float]:
    """Change the last layer of a trained model in place.

    Args:
        net: A model of `models.build`.
        after: What to do.
        counts: Images per class that the optimiser saw, int64 [K].
        validation: Images to choose a strength on.

    Returns:
        What was chosen: `tau` or `temperature`; empty where nothing was to choose.
    """
    match after:
        case remedies.PostHocAdjustment():
            tau = after.tau
            if tau is None:
                found = predict.logits(net, validation.images)
                tau = best(lambda t: found + shift(counts, t), validation.labels)
            last_layer.scale_and_shift(net, 1.0, shift(counts, tau))
            return {"tau": tau} if after.tau is None else {}
        case remedies.PriorShift():
            moved = shift(counts, 1.0) + log_shares(after.prior, len(counts))
            last_layer.scale_and_shift(net, 1.0, moved)
            return {}
        case remedies.TauNormalisation():
            tau = after.tau
            if tau is None:
                tau = best(_normalised(net, validation), validation.labels)
            last_layer.without_lengths(net, tau)
            return {"tau": tau} if after.tau is None else {}
        case remedies.Temperature():
            found = predict.logits(net, validation.images)
            warmth = fitted_temperature(found, validation.labels)
            last_layer.scale_and_shift(net, 1 / warmth, 0.0)
            return {"temperature": warmth}
        case _:
            assert_never(after)


def shift(counts: Counts, tau: float) -> NDArray[np.float32]:
    """-tau log pi_c, float32 [K] (Menon et al. 2021, arXiv:2007.07314)."""
    return (-tau * log_prior(counts)).astype(np.float32)


def log_shares(prior: tuple[float, ...] | None, classes: int) -> Weights:
    """Logarithms of the shares q_c where the model will be used, float64 [K].

    Saerens et al. 2002: p'(c) is proportional to p(c) q_c / pi_c.
    """
    wanted = np.ones(classes) if prior is None else np.asarray(prior, np.float64)
    shares: Weights = np.log(wanted / wanted.sum())
    return shares


def best(logits_at: Callable[[float], Logits], labels: Labels) -> float:
    """The strength of `TAUS` with the best balanced accuracy, the least of equals."""
    found = [scores.balanced_accuracy(logits_at(float(tau)), labels) for tau in TAUS]
    return float(TAUS[int(np.argmax(found))])


def _normalised(net: Any, validation: Split) -> Callable[[float], Logits]:
    """Validation logits at any tau, from the vectors that enter the last layer."""
    kernel = last_layer.read(net).kernel
    vectors = predict.logits(
        keras.Model(net.input, net.get_layer("logits").input), validation.images
    )
    return lambda tau: vectors @ last_layer.normalised(kernel, tau)
