"""What a run writes into its folder, and reads back from another's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tessera import files
from tessera.arrays import Indices, Logits
from tessera.data.dataset import Dataset, Split
from tessera.experiment import Run
from tessera.explain import examples, gradcam, mistakes
from tessera.record import NO_HEATMAPS, RunFolder


def write_predictions(path: Path, logits: Logits, split: Split, where: Indices) -> None:
    """Write what every later score, interval and figure is computed from."""
    told = {"groups": split.groups, "names": split.names}
    more = {name: np.array(of, np.str_) for name, of in told.items() if of is not None}
    files.write_arrays(path, logits=logits, labels=split.labels, indices=where, **more)


def write_heatmaps(
    run: Run,
    net: Any,
    dataset: Dataset,
    logits: Logits,
    folder: RunFolder,
    *,
    temperature: float,
) -> tuple[str, ...]:
    """Explain right and wrong test answers, and mistakes; return what to note.

    A map too coarse to say where a model looks is not drawn, and that is noted.
    Probabilities are those of the test set's logits divided by the temperature.
    """
    test = dataset.test
    indices = examples.choose(
        test.labels,
        logits.argmax(axis=1),
        per_class=run.explain.examples,
        seed=run.seed,
    )
    if not len(indices):
        return ()
    try:
        explanations = gradcam.explain(net, test.images[indices])
        truth = gradcam.explain(net, test.images[indices], targets=test.labels[indices])
    except gradcam.CoarseGrid as error:
        return (f"{NO_HEATMAPS}{error}",)
    examples.write(
        folder.heatmaps,
        replace(explanations, temperature=temperature),
        images=test.images,
        labels=test.labels,
        indices=indices,
        raw_true=truth.raw,
    )
    return mistakes.write(
        folder.mistakes,
        net,
        images=test.images,
        labels=test.labels,
        logits=logits,
        temperature=temperature,
        names=test.names,
    )
