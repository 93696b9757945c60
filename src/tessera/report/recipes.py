"""What a study trained: every regime's remedy and every model, in words.

The words are those of the settings themselves; class weights are computed from the
images that the runs' records say they saw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tessera import wording
from tessera.arrays import Floats
from tessera.evaluation.roles import rare_word
from tessera.experiment import Model, Regime
from tessera.imbalance.weights import class_weights
from tessera.phrases import MINUS
from tessera.record import Record
from tessera.remedies import Remedy, Weights
from tessera.report import shown
from tessera.report.load import Study

_COLUMNS = ("loss", "weights")
"""Parts of a remedy with a column of their own."""
_NAMES = {"retraining": "second stage", "after": "after training"}
"""Parts that a reader knows by another name than the settings do."""


@dataclass(frozen=True)
class RegimeRow:
    """How the models of one regime are trained."""

    name: str
    loss: str
    weights: str
    """Formula, and values for this data."""
    further: str
    """Sampling, mixing and so on; empty where nothing else differs."""


@dataclass(frozen=True)
class ModelRow:
    """What one model is."""

    name: str
    kind: str
    settings: str
    parameters: int


def values(study: Study) -> dict[str, Any]:
    """The rows of both tables, for the templates."""
    return {"recipes": regimes(study), "networks": models(study)}


def models(study: Study) -> tuple[ModelRow, ...]:
    """A row per model that has a finished run, in the experiment's order."""
    sizes = {cell.model: cell.parameters for cell in study.record.cells}
    known = study.record.experiment.models
    return tuple(_model(m, sizes[m.label]) for m in known if m.label in sizes)


def _model(model: Model, parameters: int) -> ModelRow:
    kind = f"{model.kind}: {wording.told(model)}"
    return ModelRow(model.label, kind, wording.values(model), parameters)


def regimes(study: Study) -> tuple[RegimeRow, ...]:
    """A row per regime that has a finished run, in the experiment's order."""
    rare = rare_word(study.record.experiment)
    runs = {
        regime.name: [r for r in study.records if r.regime == regime.name]
        for regime in study.record.experiment.regimes
    }
    return tuple(
        _regime(regime, runs[regime.name], rare)
        for regime in study.record.experiment.regimes
        if runs[regime.name]
    )


def _regime(regime: Regime, runs: Sequence[Record], rare: str) -> RegimeRow:
    remedy = regime.remedy
    weights = remedy.weights
    return RegimeRow(
        name=regime.name,
        loss=_signs(f"{remedy.loss.kind}: {wording.whole(remedy.loss)}"),
        weights=_signs(_weights(weights, runs, rare)) if weights else "none",
        further=_signs("; ".join(_further(remedy, runs))),
    )


def _further(remedy: Remedy, runs: Sequence[Record]) -> list[str]:
    parts = wording.parts(remedy)
    found = [
        f"{_NAMES.get(part, part)}: {text}"
        for part, text in parts.items()
        if part not in _COLUMNS
    ]
    return [*found, *_chosen([run.tuned for run in runs])]


def _chosen(tuned: Sequence[Mapping[str, float]]) -> list[str]:
    """What the runs chose on their validation images: `chosen tau 0.9 to 1.2`."""
    names = dict.fromkeys(name for found in tuned for name in found)
    return [
        f"chosen {name} {_range([t[name] for t in tuned if name in t])}"
        for name in names
    ]


def _weights(weights: Weights, runs: Sequence[Record], rare: str) -> str:
    """`inverse-frequency: w_c = N / (K n_c), ... Here 0.76 for common and ...`."""
    seeds = {run.seed: run.train_counts for run in runs}
    each = [class_weights(weights, np.array(counts)) for counts in seeds.values()]
    mean: Floats = np.mean(each, axis=0)
    formula = f"{weights.kind}: {wording.whole(weights)}"
    return f"{formula}. Here {_by_size(mean, runs[0], rare)}"


def _by_size(weights: Floats, run: Record, rare: str) -> str:
    names, few = run.data.class_names, run.reduced_classes
    others = [i for i in range(len(names)) if i not in few]
    if not few or not others:
        return f"{_range(weights)}, least for {names[int(weights.argmin())]}"
    told = shown.joined([names[i] for i in few])
    return (
        f"{_range(weights[others])} for common and {_range(weights[list(few)])} for "
        f"{rare} classes ({told})"
    )


def _range(values: Sequence[float] | Floats) -> str:
    """`0.76`, or `0.76 to 0.81` where they differ."""
    low, high = (f"{f(values):.2f}" for f in (min, max))
    return low if low == high else f"{low} to {high}"


def _signs(text: str) -> str:
    """With a true minus before a formula's term, which keeps it on the term's line."""
    return text.replace(" -", f" {MINUS}").replace("^-", f"^{MINUS}")
