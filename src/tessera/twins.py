"""Models that an experiment compares with themselves, started from a finished run."""

from pathlib import Path

from tessera import files, meant, settings
from tessera.experiment import Experiment, Start
from tessera.settings import ExperimentError

SUFFIX = "-started"
"""Of a model's name, for one that starts from a finished run."""


def beside(experiment: Experiment, place: Path | None) -> Experiment:
    """An experiment with more models, that start from a finished run's weights.

    Each of its models of the run's architecture has a twin that differs in nothing but
    the start; where it has none, the run's own model is added, trained as the
    experiment says.

    Args:
        experiment: What is compared otherwise.
        place: The run's folder, or that of a study, which means its recommended run;
            None: nothing starts from any.

    Raises:
        RunError: It is neither.
        ExperimentError: The experiment has a model of a twin's name.
    """
    if place is None:
        return experiment
    folder = meant.choose(place).folder
    (run,) = settings.read(folder.experiment).runs()
    network = run.model.network
    start = Start(run=str(folder.path), sha256=files.sha256(folder.weights))
    alike = [model for model in experiment.models if model.network == network]
    names = {model.label for model in experiment.models}
    twins = []
    for model in alike or [network]:
        name = model.label + SUFFIX
        if name in names:
            raise ExperimentError(
                f"models: expected none that is called {name!r}, as the one that "
                f"starts from {place} will be. Received: one in the experiment file. "
                "Rename it there."
            )
        twins.append(model.model_copy(update={"name": name, "start": start}))
    return experiment.model_copy(update={"models": (*experiment.models, *twins)})
