"""What every remedy of the catalogue promises, whatever it does."""

import contextlib

import keras
import numpy as np
import pytest

from contracts import one_step
from tessera import catalogue
from tessera.imbalance import guards, sampling
from tessera.imbalance.plan import Phase, mean_loss, plan
from tessera.training.after import apply

COUNTS = np.array([500, 60, 9])
NAMES = list(catalogue.catalogue())
REDUCE_TO_PLAIN = [
    *("plain", "class-weights", "smoothed-weights", "effective-number"),
    *("balanced-softmax", "logit-adjusted-loss", "vector-scaling", "deferred-weights"),
]
"""Whose loss theory says to be cross-entropy when all classes are equally common."""


def phases(name: str, counts: np.ndarray = COUNTS) -> tuple[Phase, ...]:
    return plan(catalogue.named(name), counts).phases


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Mixed targets and logits of 30 images; some logits are huge."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(30, 3)) * np.repeat([1, 5, 1000], 10)[:, None]
    labels = np.arange(30) % 3
    targets = np.stack([labels, rng.permutation(labels), rng.uniform(size=30)], axis=1)
    return targets.astype(np.float32), logits.astype(np.float32)


def loss(phase: Phase, counts: np.ndarray, targets: object, logits: object) -> float:
    found = mean_loss(phase, counts, targets, logits)
    return float(keras.ops.convert_to_numpy(found))


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_finite_however_large_the_logits(name: str) -> None:
    targets, logits = batch()
    assert all(np.isfinite(loss(p, COUNTS, targets, logits)) for p in phases(name))


@pytest.mark.parametrize("name", REDUCE_TO_PLAIN)
def test_with_equal_counts_the_loss_is_plain_cross_entropy(name: str) -> None:
    equal = np.array([40, 40, 40])
    targets, logits = batch()
    plain = loss(Phase(), equal, targets, logits)
    for phase in phases(name, equal):
        assert loss(phase, equal, targets, logits) == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_with_equal_counts_sampling_draws_all_classes_alike(name: str) -> None:
    equal = np.array([40, 40, 40])
    for phase in phases(name, equal):
        draws = sampling.draws(phase.sampling, equal, progress=0.3)
        assert draws.tolist() == equal.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_class_without_images_is_refused_before_training_or_never(name: str) -> None:
    remedy, counts = catalogue.named(name), np.array([24, 0, 8])
    targets, logits = batch()
    targets[:, :2] = 2 * (targets[:, :2] > 0)  # no image is of class 1
    with contextlib.suppress(guards.RemedyError):
        guards.check(remedy, counts, epochs=one_step.EPOCHS)
        assert all(
            np.isfinite(loss(p, counts, targets, logits)) for p in phases(name, counts)
        )
        if remedy.after is not None:
            layers = one_step.model(remedy.loss)
            net = keras.Model(layers.inputs, layers.outputs)
            apply(net, remedy.after, counts, one_step.material().validation)
            assert all(np.isfinite(weights).all() for weights in net.get_weights())


@pytest.mark.parametrize("name", NAMES)
def test_permuting_the_classes_permutes_the_remedy(name: str) -> None:
    order = np.array([2, 0, 1])  # new class i is old class order[i]
    new_of = np.argsort(order)
    targets, logits = batch()
    renamed = targets.copy()
    renamed[:, :2] = new_of[targets[:, :2].astype(int)]
    pairs = zip(phases(name), phases(name, COUNTS[order]), strict=True)
    for phase, permuted in pairs:
        one = loss(phase, COUNTS, targets, logits)
        other = loss(permuted, COUNTS[order], renamed, logits[:, order])
        assert one == pytest.approx(other, rel=1e-5)
        if phase.sampling is not None:
            thrice = 3 * COUNTS  # equal shares of three classes are whole numbers
            mine = sampling.draws(phase.sampling, thrice, progress=0.4)
            theirs = sampling.draws(phase.sampling, thrice[order], progress=0.4)
            np.testing.assert_array_equal(mine[order], theirs)
