"""A model's answers -> which test images to explain, and the file that holds them.

The rule is random, not hand-picked: all test images are put into one random order
given by the seed, and for each class the first right and the first wrong answers in
that order are taken. Models given the same seed draw from the same order, so that
where they agree they are shown on the same images.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tessera import files
from tessera.arrays import Heatmaps, Images, Indices, Labels
from tessera.evaluation.mistakes import drawn
from tessera.explain.explanations import Explanations


def choose(labels: Labels, predicted: Labels, *, per_class: int, seed: int) -> Indices:
    """Right and wrong answers of every true class, drawn at random.

    Args:
        labels: True classes, int [N].
        predicted: The model's answers, int [N].
        per_class: How many right and how many wrong images of each class. Where a
            class has fewer, all it has: none, perhaps.
        seed: Decides the draw.

    Returns:
        Positions in `labels`: by class, right before wrong, in order of the draw.
    """
    order = drawn(len(labels), seed)
    right = labels[order] == predicted[order]
    chosen = [
        order[(labels[order] == true_class) & (right == answer)][:per_class]
        for true_class in np.unique(labels)
        for answer in (True, False)
    ]
    return np.concatenate([np.empty(0, np.int64), *chosen])


def write(
    path: Path,
    explanations: Explanations,
    *,
    images: Images,
    labels: Labels,
    indices: Indices,
    raw_true: Heatmaps | None = None,
    names: Sequence[str] | None = None,
) -> None:
    """Write explained test images as `heatmaps.npz`, everything a figure needs.

    Arrays: images uint8 [M, H, W, C]; indices [M], positions in the test set; labels,
    predicted, targets [M]; probabilities [M], of the target, and the temperature that
    its logits were divided by; raw float32 [M, h, w], signed; reasons str [M], empty
    where a map is not blank; layer, method; cautions; raw_true float32 [M, h, w], of
    the true class, and names str [M], the images' files, where they are given.

    Args:
        path: The file.
        explanations: Of the images at `indices`, in that order.
        images: The whole test set.
        labels: Its true classes.
        indices: Which of them were explained, int [M].
        raw_true: Maps of the same images for their true class, float32 [M, h, w].
        names: Files of the whole test set, relative to its folder.
    """
    more: dict[str, Any] = {} if raw_true is None else {"raw_true": raw_true}
    if names is not None:
        more["names"] = np.array([names[i] for i in indices], dtype=np.str_)
    files.write_arrays(
        path,
        images=images[indices],
        indices=indices,
        labels=labels[indices],
        predicted=explanations.predicted,
        targets=explanations.targets,
        probabilities=explanations.probabilities,
        temperature=np.array(explanations.temperature),
        raw=explanations.raw,
        reasons=explanations.reasons,
        layer=np.array(explanations.layer),
        method=np.array(explanations.method),
        cautions=np.array(explanations.cautions, dtype=np.str_),
        **more,
    )
