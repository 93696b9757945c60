"""docs/methods.md: what it says that chance does is what simulated studies show."""

import re

import numpy as np
import pytest

from docs.blocks import ROOT
from tessera.data import splits
from tessera.evaluation import bootstrap
from tessera.evaluation.matrix_scores import balanced_accuracy, worst_class_recall
from tessera.evaluation.significance import ALPHA, holm, paired_t
from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.models import build, cost

PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
IMAGES, CLASSES, SEEDS = 100, 10, 5
SAMPLES, STUDIES = 1000, 10_000


def told(pattern: str) -> float:
    """The percentage that a sentence of the page has, as a share."""
    found = re.search(pattern, re.sub(r"\s+", " ", PAGE))
    assert found, f"no sentence like {pattern!r}"
    return int(found[1]) / 100


def margin(share: float, studies: int) -> float:
    """Three standard errors of a simulated share, and half a percent of rounding."""
    return 3 * np.sqrt(share * (1 - share) / studies) + 0.005


def intervals_of_the_worst_class(recalls: np.ndarray) -> np.ndarray:
    """Both ends, [SAMPLES, 2]; every wrong answer is the next class."""
    random = np.random.default_rng(0)
    ends = []
    labels = np.repeat(np.arange(CLASSES), IMAGES)
    for sample in range(SAMPLES):
        right = random.random(len(labels)) < recalls[labels]
        said = np.where(right, labels, (labels + 1) % CLASSES)
        stack = bootstrap.confusions(labels, said, CLASSES, replicates=500, seed=sample)
        found = bootstrap.interval(worst_class_recall(stack))
        ends.append((found.low, found.high))
    return np.array(ends)


def test_the_interval_of_the_worst_recall_holds_it_where_a_class_stands_out():
    recalls = np.full(CLASSES, 0.8)
    recalls[3] = 0.4
    low, high = intervals_of_the_worst_class(recalls).T
    share = float(np.mean((low <= 0.4) & (high >= 0.4)))
    expected = told(r"\((\d+) % of samples of 100 images a class, with one class")
    assert share == pytest.approx(expected, abs=margin(expected, SAMPLES))


def test_the_interval_of_the_worst_recall_lies_below_it_where_all_are_alike():
    _, high = intervals_of_the_worst_class(np.full(CLASSES, 0.8)).T
    expected = told(r"classes are about equally hard \((\d+) %")
    share = float(np.mean(high < 0.8))
    assert share == pytest.approx(expected, abs=margin(expected, SAMPLES))


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (5, r"in (\d+) % of samples of 5 images a class"),
        (10, r"(\d+) % of 10, 94 % of 20"),
        (20, r"of 10, (\d+) % of 20 and"),
        (100, r"(\d+) % of 100\. These intervals"),
    ],
)
def test_the_interval_of_few_images_holds_the_balanced_accuracy_as_often_as_told(
    images, sentence
):
    recalls, random = np.linspace(0.5, 0.95, CLASSES), np.random.default_rng(0)
    labels, held = np.repeat(np.arange(CLASSES), images), 0
    for sample in range(SAMPLES):
        right = random.random(len(labels)) < recalls[labels]
        said = np.where(right, labels, (labels + 1) % CLASSES)
        stack = bootstrap.confusions(labels, said, CLASSES, replicates=500, seed=sample)
        found = bootstrap.interval(balanced_accuracy(stack))
        held += found.low <= recalls.mean() <= found.high
    expected = told(sentence)
    assert held / SAMPLES == pytest.approx(expected, abs=margin(expected, SAMPLES))


@pytest.mark.parametrize(
    ("named", "model"),
    [
        ("`cnn`", Cnn()),
        ("`hybrid`, depth 0 (the reference study's)", Hybrid()),
        ("`hybrid`, depth 1", Hybrid(depth=1)),
        ("`hybrid-plus`", HybridPlus()),
        ("`transformer` (CCT-2/3x2)", Transformer()),
    ],
)
def test_a_model_has_the_parameters_and_multiply_adds_of_the_table(
    named: str, model: Model
) -> None:
    net = build.build(model, (32, 32, 3), 10, seed=0)
    size, millions = net.count_params(), cost.multiply_adds(net) / 1e6
    assert f"| {named} | {size:,} | {millions:.2f} M |" in PAGE


def held_of_small_and_large(sizes: np.ndarray, seeds: int) -> np.ndarray:
    """Shares of the groups of up to 5 images, and of 16 or more, that are held, [2]."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    labels, names = np.zeros(len(group), np.int32), group.astype(str)
    times = np.zeros(len(sizes))
    for seed in range(seeds):
        _, held = splits.stratified(labels, 0.2, seed=seed, groups=names)
        times[np.unique(group[held])] += 1
    return np.array([times[sizes <= 5].mean(), times[sizes >= 16].mean()]) / seeds


@pytest.mark.parametrize(
    ("sizes", "small", "large"),
    [
        (
            np.repeat(np.arange(1, 21), 5),
            r"(\d+) % of those of 1 to 5 images",
            r"(\d+) % of those of 16 to 20",
        ),
        (
            np.array([1, 3, 5, 7, 9, 11, 13, 15, 17, 20]),
            r"of ten such groups (\d+) %",
            r"of ten such groups \d+ % and (\d+) %",
        ),
    ],
)
def test_small_groups_are_held_as_often_as_the_page_says(
    sizes: np.ndarray, small: str, large: str
) -> None:
    found = held_of_small_and_large(sizes, 2000)
    assert found == pytest.approx([told(small), told(large)], abs=0.008)


def told_apart(remedies: int) -> float:
    """Share of studies of equal remedies in which the best is ahead of another."""
    random = np.random.default_rng(remedies)
    wrong = 0
    for _ in range(STUDIES):
        scores = random.normal(size=(remedies, SEEDS))
        best = int(scores.mean(axis=1).argmax())
        others = np.delete(scores, best, axis=0)
        adjusted = holm([paired_t(list(scores[best] - other)) for other in others])
        wrong += any(p is not None and p < ALPHA for p in adjusted)
    return wrong / STUDIES


@pytest.mark.parametrize(
    ("remedies", "sentence"),
    [(10, r"of ten equal remedies, in (\d+) %"), (3, r"of three in (\d+) %")],
)
def test_the_best_of_equal_remedies_is_told_apart_as_often_as_the_page_says(
    remedies, sentence
):
    expected = told(sentence)
    wanted = pytest.approx(expected, abs=margin(expected, STUDIES))
    assert told_apart(remedies) == wanted
