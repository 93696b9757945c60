"""The runs of a cell, asked together: the mean of their probabilities, and its gain.

Several trainings that differ in the seed err on different images, so their mean errs
less often than one of them (Lakshminarayanan et al. 2017, arXiv:1612.01474). It costs
no training, and at use as many models as there are seeds. Formulas: docs/methods.md,
*Ensembles*.
"""

from collections.abc import Sequence

import numpy as np

from tessera.arrays import Logits, Probabilities
from tessera.evaluation.probabilities import softmax


def mean_probabilities(
    logits: Sequence[Logits], temperatures: Sequence[float]
) -> Probabilities:
    """mean_s softmax(z_s / T_s), float64 [N, K].

    Args:
        logits: Of each member for the same images, [N, K] each.
        temperatures: Of each member.
    """
    pairs = zip(logits, temperatures, strict=True)
    return np.mean([softmax(z, t) for z, t in pairs], axis=0)
