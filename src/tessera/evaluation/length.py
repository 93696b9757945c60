"""The runs' best epochs -> whether their trainings were long enough to compare them.

A score that has levelled off only wavers, and then each of E epochs is as likely the
best as any other: in one run of E it is the last. Where it is in many more, most runs
were still learning, and which of them leads may be a matter of when they stopped.
"""

from collections.abc import Sequence

from scipy import special

from tessera.experiment import Experiment
from tessera.phrases import plural
from tessera.record import Record
from tessera.remedies import Progressive, Remedy

LEVEL = 0.01
"""Chance below which it is told that runs were still learning."""


def still_learning(experiment: Experiment, records: Sequence[Record]) -> str | None:
    """Tell that the runs ended while they were still learning.

    Judged are runs that train alike in every epoch: not those whose rate falls towards
    the end, whose best epoch is late by design, not those of remedies that set in
    late or train nothing, and not those that keep their last epoch in any case.

    Args:
        experiment: What the runs are of.
        records: Of all its finished runs.

    Returns:
        Two sentences, with the counts; None where so many last epochs may be
        chance, or there is no run to judge.
    """
    epochs = experiment.training.epochs
    judged = [r for r in records if _alike(experiment, r)]
    last = [r for r in judged if r.best_epoch == epochs]
    if not last or chance(len(last), len(judged), epochs) >= LEVEL:
        return None
    models = dict.fromkeys(r.model for r in judged)
    each = ", ".join(
        f"{model} {sum(r.model == model for r in last)} of "
        f"{sum(r.model == model for r in judged)}"
        for model in models
    )
    some = len(judged) < len(records)
    return (
        f"Still learning: the last of {epochs} epochs was the best in {len(last)} of "
        f"{'the ' * some}{plural(len(judged), 'run')}"
        f"{' that train alike in every epoch' * some}"
        f"{f' ({each})' * (len(models) > 1)}; by chance alone it would be in "
        f"{len(judged) / epochs:.1f}. More epochs may raise scores, and change which "
        "model or remedy leads."
    )


def chance(last: int, runs: int, epochs: int) -> float:
    """Probability that as many runs or more are best in their last epoch by chance.

    The binomial distribution's upper tail, with 1 / epochs for each run.
    """
    return float(special.bdtrc(last - 1, runs, 1 / epochs))


def _alike(experiment: Experiment, record: Record) -> bool:
    models = {model.label: model for model in experiment.models}
    remedies = {regime.name: regime.remedy for regime in experiment.regimes}
    training = models[record.model].trained(experiment.training)
    judged = training.schedule == "constant" and training.monitor != "last_epoch"
    return judged and _steady(remedies[record.regime])


def _steady(remedy: Remedy) -> bool:
    mixing = remedy.mixing
    return not (
        remedy.after
        or remedy.retraining
        or remedy.deferred
        or isinstance(remedy.sampling, Progressive)
        or (mixing and (mixing.begin > 0 or mixing.end < 1))
    )
