"""Any experiment, manifest, profile and record keeps what its format promises."""

import json
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs.any_value import any_value
from proofs.conftest import Proof
from tessera import experiment
from tessera import settings as texts
from tessera.data import splits
from tessera.data.dataset import Split, assemble
from tessera.data.manifest import indices_hash, manifest
from tessera.evaluation import scores
from tessera.imbalance import profiles
from tessera.record import Record, StudyRecord

EXPERIMENTS = any_value(experiment.Experiment)
RUNS = any_value(experiment.Run)
NAMES = ("ant", "bee", "cow", "1")
COUNTS = st.lists(st.integers(1, 400), min_size=4, max_size=4).map(np.array)
SEEDS = st.integers(0, 2**32 - 1)


def toml_comes_back(value: experiment.Experiment) -> None:
    assert texts.build(tomllib.loads(texts.dumps(value))) == value


def a_run_is_an_experiment(run: experiment.Run) -> None:
    """The file in a run's folder expands to that run, but for what it was called."""
    (again,) = run.experiment().runs()
    own = run.model.trained(run.training)
    assert again == run.model_copy(update={"training": own})


def names_do_not_decide(run: experiment.Run) -> None:
    """The digest follows no name, seed, place or picture, and follows all else."""
    mark = run.digest("data")
    model = run.model.model_copy(update={"name": "another", "training": None})
    regime = run.regime.model_copy(update={"name": "another"})
    named = {"model": model, "regime": regime, "seed": 7}
    if isinstance(run.data, experiment.Folder):
        moved = {"path": "elsewhere", "name": "another"}
        named["data"] = run.data.model_copy(update=moved)
    named["explain"] = experiment.Explain(examples=(run.explain.examples + 1) % 11)
    assert run.model_copy(update=named).digest("data") == mark
    assert run.digest("other data") != mark
    epochs = run.training.model_copy(update={"epochs": run.training.epochs + 1})
    assert run.model_copy(update={"training": epochs}).digest("data") != mark
    size = run.data.image_size
    data = run.data.model_copy(update={"image_size": size + (1 if size < 512 else -1)})
    assert run.model_copy(update={"data": data}).digest("data") != mark


def json_comes_back(value: Any) -> None:
    assert type(value).model_validate_json(value.model_dump_json(indent=2)) == value
    # What is plain data survives any other tool's JSON as well.
    plain = json.loads(json.dumps(value.model_dump(mode="json")))
    assert type(value).model_validate_json(json.dumps(plain)) == value


PROFILES = st.one_of(
    *(any_value(kind) for kind in (experiment.Natural, experiment.Balanced)),
    st.builds(
        experiment.Reduced,
        classes=st.lists(st.integers(0, 3), unique=True).map(tuple),
        fraction=st.floats(0.01, 1.0),
    ),
    st.builds(
        experiment.Fractions,
        fractions=st.dictionaries(st.sampled_from(NAMES), st.floats(0.01, 1.0)),
    ),
    st.builds(experiment.Exponential, factor=st.floats(1.0, 300.0)),
    st.builds(experiment.Step, factor=st.floats(1.0, 300.0)),
)


def labels_of(counts: np.ndarray) -> np.ndarray:
    shuffled = np.random.default_rng(0).permutation(np.repeat(np.arange(4), counts))
    return shuffled.astype(np.int32)


def chosen(profile: Any, counts: np.ndarray, seed: int) -> np.ndarray | None:
    """The images that a profile keeps; None: it says that a class would be empty."""
    try:
        return profiles.select(profile, labels_of(counts), NAMES, seed=seed)
    except profiles.ProfileError as error:
        assert "at least one training image of every class" in str(error)
        return None


def a_profile_keeps_its_counts(drawn: tuple[Any, np.ndarray, int]) -> None:
    """At least one image of a class, at most all; by seed, and the same each time."""
    found = chosen(*drawn)
    if found is None:
        return
    profile, counts, _ = drawn
    kept = profiles.counts(profile, counts, NAMES)
    assert ((kept >= 1) & (kept <= counts)).all()
    assert np.bincount(labels_of(counts)[found]).tolist() == kept.tolist()
    assert len(found) == kept.sum() and (np.diff(found) > 0).all()
    again = chosen(*drawn)
    assert again is not None and again.tolist() == found.tolist()


def more_imbalance_keeps_part(drawn: tuple[Any, np.ndarray, int, float]) -> None:
    """On level data a larger factor keeps part of what a smaller one keeps."""
    kind, counts, seed, factor = drawn
    level = np.full(4, counts.max())
    mild, strong = (chosen(kind(factor=f), level, seed) for f in (factor, 1.5 * factor))
    if mild is not None and strong is not None:
        assert set(strong) <= set(mild)


def a_manifest_proves_itself(drawn: tuple[Any, np.ndarray, int, float]) -> None:
    """Counts are those of the indices, the parts are disjoint, the hashes fit."""
    profile, counts, seed, share = drawn
    kept = chosen(profile, counts, seed)
    if kept is None:
        return
    labels = labels_of(counts)
    split = Split(np.zeros((len(labels), 1, 1, 3), np.uint8), labels)
    inner, outer = splits.stratified(labels[kept], share, seed=seed)
    found = manifest(
        experiment.Digits(validation=share),
        profile,
        assemble("Any", NAMES, train=split, test=split),
        seed=seed,
        train=kept[inner],
        validation=kept[outer],
    )
    found = json.loads(json.dumps(found, allow_nan=False))
    assert not set(found["indices"]["train"]) & set(found["indices"]["validation"])
    for name, positions in found["indices"].items():
        at = np.array(positions, np.int64)
        assert np.bincount(labels[at], minlength=4).tolist() == found["counts"][name]
        assert indices_hash(at) == found["sha256"][name]
    total = np.add(*found["counts"].values())
    assert total.tolist() == profiles.counts(profile, counts, NAMES).tolist()


def scores_add_up(drawn: tuple[list[int], list[int]]) -> None:
    """Every test image stands in the matrix once, and every score is a share."""
    truth, answers = drawn
    labels = np.array([0, *truth], np.int32)
    found = scores.scores(labels, np.array([0, *answers]), NAMES)
    matrix = np.array(found.confusion_matrix)
    assert matrix.sum() == len(labels)
    assert matrix.sum(axis=1).tolist() == [c.support for c in found.per_class]
    assert matrix.trace() == round(found.accuracy * len(labels))
    shares = found.model_dump(
        exclude={"per_class", "never_predicted", "confusion_matrix"}
    )
    assert all(0 <= share <= 1 for share in shares.values())
    rounding = 1e-12  # the mean of three times 0.7 is less than 0.7
    assert found.worst_class_recall <= found.balanced_accuracy + rounding
    json_comes_back(found)


ANSWERS = st.integers(0, 40).flatmap(
    lambda n: st.tuples(
        *[st.lists(st.integers(0, 3), min_size=n, max_size=n) for _ in range(2)]
    )
)
PROPERTIES: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]] = {
    "experiments come back from TOML": (EXPERIMENTS, toml_comes_back),
    "experiments come back from JSON": (EXPERIMENTS, json_comes_back),
    "a run's file is that run": (RUNS, a_run_is_an_experiment),
    "digests follow what decides": (RUNS, names_do_not_decide),
    "profiles keep their counts": (
        st.tuples(PROFILES, COUNTS, SEEDS),
        a_profile_keeps_its_counts,
    ),
    "more imbalance keeps part": (
        st.tuples(
            st.sampled_from([experiment.Exponential, experiment.Step]),
            COUNTS,
            SEEDS,
            st.floats(1.0, 50.0),
        ),
        more_imbalance_keeps_part,
    ),
    "manifests prove themselves": (
        st.tuples(PROFILES, COUNTS, SEEDS, st.floats(0.01, 0.49)),
        a_manifest_proves_itself,
    ),
    "records come back": (any_value(Record), json_comes_back),
    "a study's records come back": (any_value(StudyRecord), json_comes_back),
    "scores add up": (ANSWERS, scores_add_up),
}


@pytest.mark.proof
def test_formats_keep_their_promises_for_any_value(proof: Proof) -> None:
    examples = proof.size(short=10, whole=500)
    for values, holds in PROPERTIES.values():
        relaxed = settings(
            max_examples=examples,
            derandomize=not proof.whole,
            suppress_health_check=list(HealthCheck),
        )
        relaxed(given(values)(holds))()
    proof.record(
        "properties",
        "Any valid experiment, manifest, profile and record comes back from its file "
        "as it was, adds up, and has a digest that follows what decides the result "
        "and nothing else.",
        properties=len(PROPERTIES),
        examples_each=examples,
        counterexamples=0,
    )
