"""An experiment and its records -> which cells speak to the reference study's claims.

Roles are read from settings and records, never from names: a regime is balanced when
it has no remedy and reduces no class, imbalanced when it has no remedy and reduces
some, weighted when it weights the classes on the same profile. Data taken as they come
reduce nothing: their rare classes stand in the place of reduced ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.catalogue import keeps_answers
from tessera.evaluation.comparison import Cells, cells
from tessera.experiment import CLASS_WEIGHTS, Experiment, Hybrid, Regime
from tessera.record import Record
from tessera.remedies import Remedy


@dataclass(frozen=True)
class Imbalance:
    """One imbalanced regime and what it is compared with."""

    regime: str
    weighted: str | None
    """The same profile with class weights, where the experiment has it."""
    reduced: tuple[int, ...]
    """Classes that the profile makes rarer, or that are rare by nature."""
    remedies: tuple[str, ...] = ()
    """Every regime with a remedy on the same profile."""
    calibrated: tuple[str, ...] = ()
    """Those of them whose remedy changes no answer."""
    natural: bool = False
    """Whether the data are taken as they come, so that balanced training leaves images
    of the common classes out."""


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
    """Hybrids without attention: the reference study's."""
    attentive: tuple[str, ...]
    """Hybrids with at least one encoder block over their tokens."""
    rare: str = "reduced"
    """What classes with few images are called, see `rare_word`."""
    mild: tuple[Imbalance, ...] = ()
    """Regimes without a remedy whose classes differ, though none counts as rare."""

    @property
    def natural(self) -> tuple[Imbalance, ...]:
        """The regimes without a remedy that take unequal data as they come."""
        return tuple(i for i in (*self.imbalances, *self.mild) if i.natural)

    def runs(self, model: str, regime: str) -> tuple[Record, ...]:
        """A cell's records; none where it is not finished or not asked for."""
        return self.cells.get((model, regime), ())

    def images(self, regime: str) -> int:
        """Images that a run of the regime trains on; 0 where none is finished."""
        named = (r[0] for (_, name), r in self.cells.items() if name == regime)
        return next((sum(first.train_counts) for first in named), 0)


def roles(experiment: Experiment, records: Sequence[Record]) -> Roles:
    """Find the roles; what the experiment lacks is an empty tuple or None."""
    reduced = {r.regime: r.reduced_classes for r in records}
    known = [regime for regime in experiment.regimes if regime.name in reduced]
    plain = [r for r in known if _plain(r)]
    balanced = [r for r in plain if not reduced[r.name]]
    balanced.sort(key=lambda r: r.profile.kind != "balanced")
    unequal = {r.regime for r in records if len(set(r.train_counts)) > 1}
    return Roles(
        class_names=records[0].data.class_names if records else (),
        cells=cells(experiment, records),
        balanced=balanced[0].name if balanced else None,
        imbalances=tuple(
            _imbalance(r, known, reduced[r.name]) for r in plain if reduced[r.name]
        ),
        mild=tuple(
            _imbalance(r, known, ())
            for r in balanced
            if r.profile.kind != "balanced" and r.name in unequal
        ),
        regimes=tuple(r.name for r in known),
        unequal=tuple(r.name for r in known if reduced[r.name]),
        models=tuple(m.label for m in experiment.models),
        cnns=_labels(experiment, "cnn"),
        transformers=_labels(experiment, "transformer"),
        hybrids=_hybrids(experiment, attentive=False),
        attentive=_hybrids(experiment, attentive=True),
        rare=rare_word(experiment),
    )


def rare_word(experiment: Experiment) -> str:
    """`rare` where data are taken as they come, `reduced` where a profile cuts them."""
    kinds = {regime.profile.kind for regime in experiment.regimes}
    return "rare" if "natural" in kinds else "reduced"


def _imbalance(
    plain: Regime, known: Sequence[Regime], reduced: tuple[int, ...]
) -> Imbalance:
    same = [r for r in known if r.profile == plain.profile]
    return Imbalance(
        regime=plain.name,
        weighted=next((r.name for r in same if r.remedy == CLASS_WEIGHTS), None),
        reduced=reduced,
        remedies=tuple(r.name for r in same if not _plain(r)),
        calibrated=tuple(r.name for r in same if keeps_answers(r.remedy)),
        natural=plain.profile.kind == "natural",
    )


def _plain(regime: Regime) -> bool:
    return regime.remedy == Remedy()


def _labels(experiment: Experiment, kind: str) -> tuple[str, ...]:
    return tuple(m.label for m in experiment.models if m.kind == kind)


def _hybrids(experiment: Experiment, *, attentive: bool) -> tuple[str, ...]:
    return tuple(
        m.label
        for m in experiment.models
        if isinstance(m, Hybrid) and (m.depth > 0) == attentive
    )
