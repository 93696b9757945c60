"""A manifest says which images a run used, and proves it."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from tessera import experiment
from tessera.data import digits, splits
from tessera.data.dataset import Split, assemble
from tessera.data.manifest import manifest

PROFILE = experiment.Reduced()


@pytest.fixture(scope="module")
def dataset():
    return digits.load(8)


def make(dataset, train, validation):
    return manifest(
        experiment.Digits(image_size=8),
        PROFILE,
        dataset,
        seed=3,
        train=train,
        validation=validation,
    )


def test_indices_counts_and_recipe_are_there_and_plain_data(dataset) -> None:
    train, held = splits.stratified(dataset.train.labels, 0.1, seed=3)
    found = json.loads(json.dumps(make(dataset, train, held)))
    assert found["indices"]["train"] == train.tolist()
    assert sum(found["counts"]["validation"]) == len(held)
    assert found["recipe"]["profile"] == PROFILE.model_dump(mode="json")
    assert (found["recipe"]["seed"], found["recipe"]["validation"]) == (3, 0.1)
    assert found["dataset"]["fingerprint"] == dataset.fingerprint


def test_counts_are_those_of_the_images_that_are_named(dataset) -> None:
    labels = dataset.train.labels
    named = np.r_[np.flatnonzero(labels == 7)[:3], np.flatnonzero(labels == 2)[:1]]
    counts = make(dataset, named, np.flatnonzero(labels == 4)[:2])["counts"]
    assert counts["train"] == [0, 0, 1, 0, 0, 0, 0, 3, 0, 0]
    assert counts["validation"] == [0, 0, 0, 0, 2, 0, 0, 0, 0, 0]


def test_the_rule_of_the_validation_images_is_the_one_that_was_used(dataset) -> None:
    some = np.arange(5)
    groups = tuple(str(n // 2) for n in range(len(dataset.train)))
    train = Split(dataset.train.images, dataset.train.labels, groups=groups)
    grouped = replace(dataset, train=train)
    own = replace(dataset, validation=dataset.test)
    rules = [
        make(one, some, some)["recipe"]["validation_rule"]
        for one in (dataset, grouped, own)
    ]
    assert rules == [splits.RULE, splits.GROUPED, "as given"]


def test_the_hash_is_that_of_little_endian_int64(dataset) -> None:
    found = make(dataset, np.array([1, 258]), np.array([0]))
    content = bytes([1, *[0] * 7, 2, 1, *[0] * 6])
    assert found["sha256"]["train"] == hashlib.sha256(content).hexdigest()


def test_a_datasets_own_validation_split_is_counted_in_its_own_labels(dataset) -> None:
    own = assemble(
        "Own",
        dataset.class_names,
        train=dataset.train,
        test=dataset.test,
        validation=dataset.test,
    )
    found = make(own, np.arange(5), np.arange(len(own.test)))
    assert found["counts"]["validation"] == own.test.counts(10).tolist()
    assert found["recipe"]["validation"] == "the data's own"
