"""Where a study's numbers come from, in words: programs, machines, data, settings.

What a run was computed with is what its own record says. The command that concluded a
study may be a later version, on another machine.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tessera.experiment import Experiment, Model, Training
from tessera.phrases import listed, plural
from tessera.record import ComputedWith, Environment, StudyRecord

Words = Callable[[Environment], str]

FRAMEWORKS = ("keras", "tensorflow", "tensorflow-cpu", "jax")
"""Packages that are told with their versions."""


def line(record: StudyRecord) -> str:
    """Programs, machines and data in one line of Markdown.

    What differs between runs is given with the number of runs that it holds for.
    """
    made = trained(record)
    facts = [_distinct(made, of) for of in (_program, _software, _processor)]
    return f"{'; '.join(facts)}; data SHA-256 `{record.data.fingerprint[:12]}`."


def rows(record: StudyRecord) -> Sequence[tuple[str, str]]:
    """The same for the report's table, as (name, text), with every setting."""
    made = trained(record)
    found = [
        ("Tessera", _distinct(made, _plain_program)),
        ("Packages", _distinct(made, _packages)),
        ("Device", _distinct(made, _device)),
    ]
    concluded = _plain_program(record.environment)
    if [concluded] != list(_texts(made, _plain_program)):
        found.append(("Concluded by", concluded))
    return [*found, *settings(record.experiment)]


def machines(record: StudyRecord) -> str:
    """What the trainings ran on: `AMD EPYC, 1 thread`."""
    return _distinct(trained(record), _processor)


def same_training(experiment: Experiment) -> bool:
    """Whether no model is trained otherwise than the experiment says."""
    return not _otherwise(experiment)


def trained(record: StudyRecord) -> Sequence[ComputedWith]:
    """The runs' environments; a record of an earlier version has only its own."""
    return record.trained or (ComputedWith(environment=record.environment, runs=1),)


def settings(experiment: Experiment) -> Sequence[tuple[str, str]]:
    """How models were trained, as (name, text); what one does otherwise comes last."""
    common = _settings(experiment.training)
    return [*common.items(), *_otherwise(experiment).items()]


def _otherwise(experiment: Experiment) -> Mapping[str, str]:
    """What differs for each model that has a training of its own, where it differs."""
    common = _settings(experiment.training)
    found = {}
    for model in experiment.models:
        own = _settings(experiment.training.model_copy(update=model.own))
        own = {**own, **_start(model)}
        names = [
            name for name in {**common, **own} if own.get(name) != common.get(name)
        ]
        if names:
            parts = (f"{name.lower()}: {own.get(name, 'none')}" for name in names)
            found[f"{model.label} instead"] = "; ".join(parts)
    return found


def _start(model: Model) -> Mapping[str, str]:
    """Whose weights a model starts from, if not from those that its seed draws."""
    if model.start is None:
        return {}
    run, mark = model.start.run, model.start.sha256[:12]
    return {"Start": f"the weights of {run} (SHA-256 {mark})"}


def _settings(training: Training) -> Mapping[str, str]:
    crop = f"{training.crop_padding}-pixel padding ({training.crop_fill}), random crop"
    last = training.monitor == "last_epoch"
    best = f"of the epoch with the best {training.monitor}"
    return {
        "Epochs": f"{training.epochs}",
        "Batch size": f"{training.batch_size}",
        "Optimiser": _optimiser(training),
        "Random flip": _flip(training),
        "Random crop": crop if training.crop_padding else "none",
        **_further(training),
        "Weights kept": "of the last epoch" if last else best,
    }


def _optimiser(training: Training) -> str:
    name = training.optimizer.capitalize()
    rate = f"{training.schedule} learning rate {training.learning_rate:g}"
    decay = f", weight decay {training.weight_decay:g}" * bool(training.weight_decay)
    return f"{name}, {rate}{decay}"


def _flip(training: Training) -> str:
    if not training.flip:
        return "none"
    return (
        "horizontal, every other epoch" if training.alternating_flip else "horizontal"
    )


def _further(training: Training) -> Mapping[str, str]:
    """What the reference study does not do, where it was asked for."""
    asked = (
        ("Cutout", training.cutout, f"{training.cutout} pixels"),
        ("Random turns", training.rotation, f"by up to {training.rotation:g} degrees"),
        ("Random zoom", training.zoom, f"by up to {1 + training.zoom:g} times"),
        ("Random colours", training.colour, f"changed by up to {training.colour:.0%}"),
        ("Label smoothing", training.label_smoothing, f"{training.label_smoothing:g}"),
        ("Averaged weights", training.averaging, f"{training.averaging:g}"),
        ("Precision", training.precision != "float32", training.precision),
        ("Patience", training.patience, plural(training.patience or 0, "epoch")),
    )
    return {name: text for name, value, text in asked if value}


def _distinct(made: Sequence[ComputedWith], words: Words) -> str:
    found = _texts(made, words)
    if len(found) == 1:
        return next(iter(found))
    return listed([f"{text} for {plural(n, 'run')}" for text, n in found.items()])


def _texts(made: Sequence[ComputedWith], words: Words) -> Counter[str]:
    """Each text with the number of runs that it holds for."""
    found: Counter[str] = Counter()
    for some in made:
        found[words(some.environment)] += some.runs
    return found


def _program(env: Environment) -> str:
    commit = f"commit `{env.commit[:12]}`" if env.commit else "no commit known"
    changed = ", with uncommitted changes" if env.dirty else ""
    return f"Tessera {env.tessera} ({commit}{changed})"


def _plain_program(env: Environment) -> str:
    """Without Markdown."""
    return _program(env).replace("`", "")


def _software(env: Environment) -> str:
    versions = (f"{k} {env.packages[k]}" for k in FRAMEWORKS if k in env.packages)
    return f"Python {env.python}, {', '.join(versions)}"


def _packages(env: Environment) -> str:
    versions = ", ".join(f"{name} {v}" for name, v in env.packages.items())
    return f"Python {env.python}; {versions}; backend {env.backend}"


def _processor(env: Environment) -> str:
    return f"{env.device}, {plural(env.threads, 'thread')}"


def _device(env: Environment) -> str:
    cores, threads = plural(env.cores, "core"), plural(env.threads, "thread")
    return f"{env.device}; {cores}, {threads} per training; {env.platform}"
