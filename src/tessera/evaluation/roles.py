"""An experiment and its records -> which cells can speak to the study's claims.

Roles are read from settings and records, never from names: a regime is balanced when
it has no remedy and reduces no class, imbalanced when it has no remedy and reduces
some, weighted when it weights the classes on the same profile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.catalogue import is_inverse_frequency, is_plain, keeps_answers
from tessera.evaluation.comparison import Cells, cells
from tessera.experiment import Experiment, Hybrid, Regime
from tessera.record import Record


@dataclass(frozen=True)
class Imbalance:
    """One imbalanced regime and what it is compared with."""

    regime: str
    weighted: str | None
    """The same profile with class weights, where the experiment has it."""
    reduced: tuple[int, ...]
    """Classes that the profile makes rarer."""
    remedies: tuple[str, ...] = ()
    """Every regime with a remedy on the same profile."""
    calibrated: tuple[str, ...] = ()
    """Those of them whose remedy changes no answer."""


@dataclass(frozen=True)
class Roles:
    """What the verdicts look up; names are regimes' names and models' labels."""

    class_names: tuple[str, ...]
    cells: Cells
    balanced: str | None
    """The first balanced regime."""
    imbalances: tuple[Imbalance, ...]
    regimes: tuple[str, ...]
    unequal: tuple[str, ...]
    """Regimes that reduce classes, with or without a remedy."""
    models: tuple[str, ...]
    cnns: tuple[str, ...]
    transformers: tuple[str, ...]
    hybrids: tuple[str, ...]
    """Hybrids without attention: the study's."""
    attentive: tuple[str, ...]
    """Hybrids with at least one encoder block over their tokens."""

    def runs(self, model: str, regime: str) -> tuple[Record, ...]:
        """A cell's records; none where it is not finished or not asked for."""
        return self.cells.get((model, regime), ())


def roles(experiment: Experiment, records: Sequence[Record]) -> Roles:
    """Find the roles; what the experiment lacks is an empty tuple or None."""
    reduced = {r.regime: r.reduced_classes for r in records}
    known = [regime for regime in experiment.regimes if regime.name in reduced]
    balanced = [r.name for r in known if _plain(r) and not reduced[r.name]]
    return Roles(
        class_names=records[0].data.class_names if records else (),
        cells=cells(experiment, records),
        balanced=balanced[0] if balanced else None,
        imbalances=tuple(
            _imbalance(r, known, reduced[r.name])
            for r in known
            if _plain(r) and reduced[r.name]
        ),
        regimes=tuple(r.name for r in known),
        unequal=tuple(r.name for r in known if reduced[r.name]),
        models=tuple(m.label for m in experiment.models),
        cnns=_labels(experiment, "cnn"),
        transformers=_labels(experiment, "transformer"),
        hybrids=_hybrids(experiment, attentive=False),
        attentive=_hybrids(experiment, attentive=True),
    )


def _imbalance(
    plain: Regime, known: Sequence[Regime], reduced: tuple[int, ...]
) -> Imbalance:
    same = [r for r in known if r.profile == plain.profile]
    return Imbalance(
        regime=plain.name,
        weighted=next((r.name for r in same if is_inverse_frequency(r.remedy)), None),
        reduced=reduced,
        remedies=tuple(r.name for r in same if not _plain(r)),
        calibrated=tuple(r.name for r in same if keeps_answers(r.remedy)),
    )


def _plain(regime: Regime) -> bool:
    return is_plain(regime.remedy)


def _labels(experiment: Experiment, kind: str) -> tuple[str, ...]:
    return tuple(m.label for m in experiment.models if m.kind == kind)


def _hybrids(experiment: Experiment, *, attentive: bool) -> tuple[str, ...]:
    return tuple(
        m.label
        for m in experiment.models
        if isinstance(m, Hybrid) and (m.depth > 0) == attentive
    )
