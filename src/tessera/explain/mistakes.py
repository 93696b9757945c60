"""A model's answers -> the test images worth a second look, explained, in one file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tessera.arrays import Images, Labels, Logits
from tessera.evaluation.mistakes import mistakes
from tessera.explain import examples, gradcam


def write(
    path: Path,
    net: Any,
    *,
    images: Images,
    labels: Labels,
    logits: Logits,
    temperature: float = 1.0,
    names: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Write `mistakes.npz`: arrays as `examples.write` describes them.

    The images are those of `evaluation.mistakes.mistakes`: the surest wrong answers,
    examples of the commonest confusions, and labels worth checking. Each is explained
    for the class that the model predicts.

    Args:
        path: The file; not written where the model makes no mistake.
        net: The trained model: pixels in, logits out.
        images: The whole test set, uint8 [N, H, W, C].
        labels: Its true classes, int [N].
        logits: The model's answers, float32 [N, K].
        temperature: What they are divided by before the softmax.
        names: The test images' files, relative to the dataset's folder, N.

    Returns:
        What a reader must know: why there are no maps, if there are none.
    """
    indices = mistakes(logits, labels, temperature=temperature).all()
    if not len(indices):
        return ()
    try:
        explanations = gradcam.explain(net, images[indices])
    except gradcam.CoarseGrid as error:
        return (f"No heatmaps of mistakes: {error}",)
    examples.write(
        path,
        replace(explanations, temperature=temperature),
        images=images,
        labels=labels,
        indices=indices,
        names=names,
    )
    return ()
