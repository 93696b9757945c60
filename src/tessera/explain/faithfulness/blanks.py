"""Raw maps -> which of them show nothing, and why, counted by class."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tessera.arrays import Heatmaps, Labels
from tessera.evaluation.faithfulness import Blanks
from tessera.explain import blank
from tessera.explain.blank import Reasons

ZERO = "zero everywhere"
"""Neither for nor against: the class's logit does not depend on the layer."""

ONE_CELL = "a single cell"
"""All positive evidence in one cell: a place, but perhaps an artefact of the grid."""


def reasons(maps: Heatmaps) -> Reasons:
    """Why each map is blank or degenerate, str [N]; empty where it is neither."""
    finite = np.asarray(np.isfinite(maps).all(axis=(1, 2)))
    safe = np.where(finite[:, None, None], maps, 0)
    largest = safe.max(axis=(1, 2))
    spread = largest - safe.min(axis=(1, 2))
    conditions = [
        ~finite,
        ~safe.any(axis=(1, 2)),
        largest <= 0,
        spread <= blank.ROUNDING * largest,
        (safe > 0).sum(axis=(1, 2)) == 1,
    ]
    texts = [
        blank.NOT_FINITE,
        ZERO,
        blank.NO_POSITIVE_EVIDENCE,
        blank.CONSTANT,
        ONE_CELL,
    ]
    return np.select(conditions, [np.array(text) for text in texts], np.array(""))


def by_class(
    found: Reasons, labels: Labels, class_names: Sequence[str]
) -> dict[str, Blanks]:
    """Count the reasons of every class that has images."""
    counted = {}
    for k, name in enumerate(class_names):
        mine = found[labels == k]
        if len(mine):
            reasons = Counter(str(reason) for reason in mine if reason)
            counted[name] = Blanks(images=len(mine), reasons=dict(reasons))
    return counted
