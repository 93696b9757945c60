import os
import pickle
from pathlib import Path
from unittest import mock

import filelock
import pytest
from evaluation.studies import by_nature, flat
from unpainted import charts

from tessera.experiment import (
    CLASS_WEIGHTS,
    OWN_REGIMES,
    Cnn,
    Experiment,
    Hybrid,
    Reduced,
    Regime,
    Training,
)
from tessera.report import page
from tessera.report.figures import Figures, figures
from tessera.report.load import Study, load

from .folders import write_study

SMALL = Experiment(
    name="small", models=(Cnn(), Hybrid()), training=Training(epochs=3), seeds=(0, 1)
)


def recalls(model, regime, seed):
    reduced = {"balanced": 0.7, "imbalanced": 0.4, "weighted": 0.6}[regime]
    ahead = 0.05 if model == "hybrid" else 0.0
    return flat(0.8 + ahead + 0.01 * seed, reduced + ahead + 0.015 * seed)


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory) -> Path:
    """A finished study of two models, three regimes, two seeds; never changed."""
    return write_study(tmp_path_factory.mktemp("study"), SMALL, recalls)


@pytest.fixture(scope="session")
def study(study_folder) -> Study:
    return load(study_folder)


@pytest.fixture(scope="session")
def drawn(study, tmp_path_factory) -> Figures:
    """Its figures, galleries included; one of the tests' processes draws for all."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return figures(study, images=True)
    shared = tmp_path_factory.getbasetemp().parent / "drawn.pickle"
    with filelock.FileLock(f"{shared}.lock"):
        if not shared.exists():
            shared.write_bytes(pickle.dumps(figures(study, images=True)))
        return pickle.loads(shared.read_bytes())


def unpainted(study: Study) -> Figures:
    """Its figures with all that is told of them; of the charts nothing is painted."""
    with charts():
        return figures(study, images=False)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory, drawn) -> Path:
    """The same study with its report written; its figures are drawn once."""
    folder = write_study(tmp_path_factory.mktemp("rendered"), SMALL, recalls)
    with mock.patch.object(page, "figures", return_value=drawn) as asked:
        page.write_report(folder)
    assert asked.call_args.kwargs == {"images": True}
    return folder


OWN = Experiment(
    name="own", models=(Cnn(),), regimes=OWN_REGIMES, training=Training(epochs=2)
)
"""Data that are imbalanced as they come."""


def own_recalls(model, regime, seed):
    common, rare = {
        "balanced": (0.6, 0.7),
        "as-is": (0.8, 0.4),
        "weighted": (0.75, 0.5),
    }[regime]
    return flat(common + 0.01 * seed, rare + 0.015 * seed)


@pytest.fixture(scope="session")
def own(tmp_path_factory) -> Study:
    """A study of one model on data whose classes 3, 4 and 5 are rare by nature."""
    folder = tmp_path_factory.mktemp("own")
    return load(write_study(folder, OWN, own_recalls, by_nature))


@pytest.fixture(scope="session")
def mild(tmp_path_factory) -> Study:
    """The same where these classes have four fifths of the others' images."""
    folder = tmp_path_factory.mktemp("mild")
    return load(write_study(folder, OWN, own_recalls, lambda r: by_nature(r, 3600)))


GAINS = {f"remedy-{i}": 0.30 - 0.04 * i for i in range(7)}
"""What each remedy adds to the recall of the reduced classes."""
MANY = Experiment(
    name="many",
    models=(Cnn(),),
    regimes=(
        Regime(name="balanced"),
        Regime(name="plain", profile=Reduced()),
        *(Regime(name=name, profile=Reduced(), remedy=CLASS_WEIGHTS) for name in GAINS),
    ),
    training=Training(epochs=2),
    seeds=(0, 1, 2),
)


def many_recalls(model, regime, seed):
    common, reduced = {"balanced": (0.80, 0.70), "plain": (0.82, 0.30)}.get(
        regime, (0.78, 0.30 + GAINS.get(regime, 0))
    )
    own = 0.004 * ((seed + len(regime) + 2 * int(regime[-1] in "0246")) % 3)
    return flat(common + 0.01 * seed, reduced + 0.01 * seed + own)


@pytest.fixture(scope="session")
def many(tmp_path_factory) -> Study:
    """A study of seven remedies beside plain and balanced training, three seeds."""
    return load(write_study(tmp_path_factory.mktemp("many"), MANY, many_recalls))
