"""A study -> which sentences its page may say: what there is, and what there is not."""

from typing import Any

from tessera.experiment import Experiment, Profile
from tessera.phrases import in_row, listed
from tessera.record import Record, StudyRecord
from tessera.report import shown
from tessera.report.load import Study


def values(study: Study) -> dict[str, Any]:
    """What the templates ask before they say something of seeds, rivals and gaps."""
    record, runs = study.record, study.records
    cut = {r.regime for r in runs if r.reduced_classes}
    models = [(c.regime, c.model) for c in record.cells]
    return {
        "alone": alone(record.experiment),
        "rivals": len({regime for regime, _ in models}) < len(models),
        "whole": [name for name in shown.finished(record) if name not in cut],
        "reduced_words": reduced_in_words(study),
        "unequal": any(len(set(r.train_counts)) > 1 for r in runs),
        "of_a_seed": of_a_seed(record.experiment, runs),
        "single": single(record),
        "gaps": not single(record) and any(r.balanced_f1 for r in record.rankings),
    }


def reduced_in_words(study: Study) -> list[str]:
    """The reduced classes; of regimes that reduce different ones, of each its own."""
    names = study.record.data.class_names
    of: dict[tuple[int, ...], list[str]] = {}
    own = {r.regime: r.reduced_classes for r in study.records if r.reduced_classes}
    for regime in shown.finished(study.record):
        if regime in own:
            of.setdefault(own[regime], []).append(regime)
    told = [
        (shown.joined(regimes), in_row(names[i] for i in few))
        for few, regimes in of.items()
    ]
    if len(told) < 2:
        return [classes for _, classes in told]
    return [f"{classes} under {regimes}" for regimes, classes in told]


def alone(experiment: Experiment) -> bool:
    """Whether there is a single seed, so that nothing is a mean over seeds."""
    return len(experiment.seeds) == 1


def single(record: StudyRecord) -> bool:
    """Whether no remedy shares more than one seed with plain training."""
    seeds = [len(row.seeds) for r in record.rankings for row in r.remedies]
    return max(seeds, default=0) == 1


def of_a_seed(experiment: Experiment, runs: tuple[Record, ...]) -> str:
    """What differs between the runs of a cell."""
    trainings = [model.trained(experiment.training) for model in experiment.models]
    known = {r.name: r for r in experiment.regimes}
    parts = ["the initial weights", "the order"]
    if any(training.augments for training in trainings):
        parts.append("the augmentation")
    # A folder may have a `val/`, of which a record says nothing.
    own = " (unless the data brings its own)" * (experiment.data.kind == "folder")
    parts.append(f"which images are held out for validation{own}")
    if any(_draws(known[run.regime].profile, run) for run in runs):
        parts.append("the images that an imbalance keeps")
    return listed(parts)


def _draws(profile: Profile, run: Record) -> bool:
    """Whether the seed decides which training images the profile leaves out."""
    if profile.kind == "natural" or profile.selection != "seeded":
        return False
    return profile.kind != "balanced" or len(set(run.data.train_counts)) > 1
