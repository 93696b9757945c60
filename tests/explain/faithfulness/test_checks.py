import zlib

import keras
import numpy as np
import pytest
from keras import layers

from tessera.evaluation.faithfulness import Interval
from tessera.explain.faithfulness import checks, controls, mappers
from tessera.explain.faithfulness.answers import predictor
from tessera.explain.faithfulness.sampling import Sample
from tessera.explain.methods import GradCam

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3)).astype(np.float32)
GRAD_CAM = mappers.mapper(GradCam())


def deaf(net, images, targets):
    """A method that explains nothing: edges of the image."""
    return controls.edges(images, controls.Grid(8, 8))


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(1)
    pixels = keras.Input((8, 8, 3))
    scaled = layers.Rescaling(1 / 255)(pixels)
    maps = layers.Conv2D(6, 3, padding="same", activation="relu", name="features")(
        scaled
    )
    return keras.Model(
        pixels, layers.Dense(3, name="logits")(layers.GlobalAveragePooling2D()(maps))
    )


@pytest.fixture(scope="module")
def sample(net):
    logits = predictor(net)(IMAGES)
    return Sample(IMAGES, np.zeros(30, np.int32), logits, np.arange(30))


def parameters(net, sample, mapper):
    before = mapper(net, sample.images, sample.targets)
    found = checks.parameters(net, mapper, sample, before, seed=0)
    return {check.key: check for check in found}


def test_a_method_that_ignores_the_model_fails(net, sample):
    found = parameters(net, sample, deaf)
    assert found["cascade"].passed is False
    assert found["cascade"].steps[-1].spearman.mean == pytest.approx(1)


def test_the_last_step_counts_at_which_every_layer_is_new(sample):
    """A map that follows the first layer alone is new from the step that draws it."""
    names = ("logits", "second", "first")
    net = keras.Sequential(
        [keras.Input((4,)), *(layers.Dense(3, name=n) for n in reversed(names))]
    )

    def mapper(net, images, targets):
        kernel = net.get_layer("first").kernel.numpy()
        rng = np.random.default_rng(zlib.crc32(kernel.tobytes()))
        return rng.random((len(images), 8, 8)).astype(np.float32)

    before = mapper(net, sample.images, sample.targets)
    cascade = next(checks.parameters(net, mapper, sample, before, seed=0))
    assert [step.layers for step in cascade.steps] == [names[:n] for n in (1, 2, 3)]
    assert [round(step.spearman.mean, 1) for step in cascade.steps] == [1, 1, 0]
    assert cascade.passed is True


def test_grad_cam_notices_that_the_weights_are_gone(net, sample):
    found = parameters(net, sample, GRAD_CAM)
    assert found["cascade"].steps[-1].spearman.mean < 0.6
    assert found["cascade"].steps[-1].layers == ("logits", "features")


def test_the_edge_map_goes_through_the_same_comparison_and_stays_1(net, sample):
    edges = parameters(net, sample, GRAD_CAM)["edges"]
    assert edges.passed is True
    assert edges.steps[-1].spearman.low == pytest.approx(1)
    assert [step.layers for step in edges.steps] == [("logits", "features")]


def test_an_edge_map_that_is_only_nearly_the_same_fails_the_control(
    net, sample, monkeypatch
):
    rng = np.random.default_rng(0)
    same = rng.normal(size=(30, 8, 8))

    def nearly(images, grid):
        return same + rng.normal(0, 0.2, same.shape)

    monkeypatch.setattr(checks.controls, "edges", nearly)
    check = checks.positive_control(net, sample, (8, 8), seed=0)
    assert 0.9 < check.steps[-1].spearman.mean < 0.99
    assert check.passed is False


def test_of_fewer_than_five_images_the_control_says_nothing(net, sample):
    check = checks.positive_control(net, sample.first(4), (8, 8), seed=0)
    assert check.passed is None
    assert check.steps[-1].spearman.mean == pytest.approx(1)


def test_layers_are_also_drawn_anew_one_at_a_time(net, sample):
    alone = parameters(net, sample, GRAD_CAM)["independent"]
    assert [step.layers for step in alone.steps] == [("logits",), ("features",)]
    assert alone.passed is None


def test_the_same_model_as_the_other_seed_gives_the_same_maps(net, sample):
    before = GRAD_CAM(net, sample.images, sample.targets)
    check = checks.other_seed(net, GRAD_CAM, sample, before, seed=0)
    assert check.steps[0].spearman.mean == pytest.approx(1)
    assert check.passed is None


def test_a_copy_learns_512_images_whose_labels_are_shuffled(net, monkeypatch):
    taught = {}

    def memorise(model, images, labels, **how):
        taught.update(model=model, images=images, labels=labels, **how)
        return 0.97

    monkeypatch.setattr(checks.fitting, "memorise", memorise)
    pixels = np.arange(2000, dtype=np.int64)[:, None, None, None]
    labels = np.arange(2000, dtype=np.int32) % 4
    found = checks.memorised(net, pixels, labels, epochs=9, seed=0)
    assert (found.images, found.epochs, found.reached) == (512, 9, 0.97)
    assert found.net is taught["model"] is not net
    shown = taught["images"].ravel()
    assert len(set(shown)) == 512 and taught["epochs"] == 9
    true = labels[shown]
    assert np.bincount(taught["labels"]).tolist() == np.bincount(true).tolist()
    # A quarter fits by chance; standard error 0.02.
    assert (taught["labels"] == true).mean() == pytest.approx(1 / 4, abs=0.08)


@pytest.mark.parametrize(
    "reached, passed, told",
    [(0.95, False, "95 % in at most 7 epochs."), (0.94, None, "94 % in at most 7 ep")],
)
def test_shuffled_labels_count_once_95_of_100_were_learned(
    net, sample, reached, passed, told
):
    before = deaf(net, sample.images, sample.targets)
    found = checks.Memorised(net, images=512, epochs=7, reached=reached)
    check = checks.shuffled_labels(found, deaf, sample, before, seed=0)
    assert check.passed is passed
    assert f"512 images, learned to {told}" in check.caveat
    assert ("too little" in check.caveat) is (passed is None)


@pytest.mark.slow
def test_shuffled_labels_say_nothing_unless_they_were_learned(net, sample):
    before = GRAD_CAM(net, sample.images, sample.targets)
    weights = [w.copy() for w in net.get_weights()]
    labels = np.arange(30, dtype=np.int32) % 3
    found = checks.memorised(net, IMAGES.astype(np.uint8), labels, epochs=1, seed=0)
    check = checks.shuffled_labels(found, GRAD_CAM, sample, before, seed=0)
    assert check.passed is None and "too little" in check.caveat
    same = zip(weights, net.get_weights(), strict=True)
    assert all((a == b).all() for a, b in same)


def test_a_map_turned_into_its_opposite_is_alike_in_absolute_values():
    before = np.random.default_rng(0).normal(size=(30, 8, 8)).astype(np.float32)
    step = checks.compared(("all",), before, -before, seed=0)
    assert (step.spearman.mean, step.absolute.mean) == (-1, 1)
    assert checks.unlike(step) is False


def interval(low, high):
    return Interval(mean=(low + high) / 2, low=low, high=high, images=9)


@pytest.mark.parametrize(
    "signed, absolute, passed",
    [
        ((-0.1, 0.2), (0.1, 0.3), True),
        ((-0.9, -0.8), (0.7, 0.8), False),
        ((0.6, 0.7), (0.1, 0.2), False),
        ((0.2, 0.6), (0.1, 0.2), None),
        ((0.1, 0.2), (0.4, 0.8), None),
    ],
)
def test_both_correlations_must_be_low_beyond_doubt(signed, absolute, passed):
    from tessera.evaluation.faithfulness import Step

    step = Step(
        layers=(),
        spearman=interval(*signed),
        absolute=interval(*absolute),
        ssim=interval(0, 1),
    )
    assert checks.unlike(step) is passed


def test_without_a_correlation_nothing_is_passed():
    from tessera.evaluation.faithfulness import Step

    none = Interval(mean=None, low=None, high=None, images=0)
    step = Step(layers=(), spearman=none, absolute=none, ssim=none)
    assert checks.unlike(step) is None
