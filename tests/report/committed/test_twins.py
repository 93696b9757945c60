import numpy as np
import pytest
from evaluation.studies import flat
from scipy import stats

from tessera.experiment import Cnn, Experiment, Hybrid, OwnTraining, Reduced, Regime
from tessera.report.committed.twins import pairs, table
from tessera.report.load import load

from ..folders import write_study

GENTLE = OwnTraining(learning_rate=1e-4)
FAST = OwnTraining(learning_rate=1e-2)
STUDY = Experiment(
    name="rates",
    models=(
        Cnn(training=GENTLE),
        Hybrid(training=GENTLE),
        Cnn(name="fast", training=FAST),
        Hybrid(name="hybrid-fast", training=FAST),
    ),
    regimes=(Regime(name="imbalanced", profile=Reduced()),),
    seeds=(0, 1, 2),
)


def is_fast(model):
    return model.training == FAST


def recalls(model, _, seed):
    ahead = 0.1 + 0.02 * seed if model == "fast" else 0.0
    return flat(0.6 + ahead, 0.5 + ahead)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return load(write_study(tmp_path_factory.mktemp("rates"), STUDY, recalls))


def found(record):
    return list(pairs(record, is_fast, lambda model: model.network))


def test_a_twin_stands_beside_the_model_that_differs_in_nothing_else(study):
    names = [(p.model.model, p.twin.model) for p in found(study.record)]
    assert names == [("cnn", "fast"), ("hybrid", "hybrid-fast")]


def test_gains_are_those_of_the_seeds_with_students_interval(study):
    pair, _ = found(study.record)
    gains = np.subtract(
        pair.twin.scores["macro_f1"].values, pair.model.scores["macro_f1"].values
    )
    low, high = stats.t.interval(
        0.95, 2, gains.mean(), gains.std(ddof=1) / np.sqrt(len(gains))
    )
    text = table(study, found(study.record), ("Slow", "Fast"), "Told.")
    line = next(line for line in text.splitlines() if line.startswith("| cnn "))
    assert f"+{100 * gains.mean():.1f} [+{100 * low:.1f}, +{100 * high:.1f}]" in line
    assert "| Slow | Fast |" in text and "\n\nTold.\n\n" in text


def test_twins_of_other_seeds_are_refused(study):
    first, *rest = study.record.cells
    shorter = first.model_copy(update={"seeds": (0, 1)})
    record = study.record.model_copy(update={"cells": (shorter, *rest)})
    with pytest.raises(ValueError, match="fast: expected the seeds of cnn"):
        found(record)
