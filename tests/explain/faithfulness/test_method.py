"""One method measured whole, on a tiny model of five classes."""

from dataclasses import replace

import numpy as np
import pytest

from tessera.explain.faithfulness import controls, mappers, mosaics, planted, sampling
from tessera.explain.faithfulness import method as methods
from tessera.explain.faithfulness.answers import predictor
from tessera.explain.faithfulness.measure import Settings
from tessera.explain.methods import GradCam

NAMES = ("a", "b", "c", "d", "e")
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
LABELS = np.arange(20, dtype=np.int32) % 5
AMOUNT = Settings(steps=4, shares=(0.5,), check_images=10)
GRAD_CAM = mappers.mapper(GradCam())


@pytest.fixture(scope="module")
def subject(hybrid):
    net = hybrid()
    predict = predictor(net)
    sample = sampling.draw(predict, IMAGES, LABELS, count=20, seed=0)
    return methods.Subject(
        net=net,
        class_names=NAMES,
        groups={"head": ("a", "b"), "tail": ("c", "d", "e")},
        sample=sample,
        others=sample,
        colour=np.full(3, 127, np.float32),
        mosaics=mosaics.mosaics(IMAGES, LABELS, count=3, seed=0),
    )


@pytest.fixture(scope="module")
def ground():
    truth, others = (planted.plant(12, seed=seed).located() for seed in (0, 1))
    return methods.Glyphs(planted.reader(seed=0), 1.0, truth, others)


def outcome(subject, ground, **more):
    return methods.measure_method(
        subject,
        GRAD_CAM,
        "Grad-CAM",
        layer="features",
        ground=lambda: ground,
        reader=GRAD_CAM,
        more_checks=lambda *_: iter(()),
        settings=AMOUNT,
        **more,
    )


@pytest.fixture(scope="module")
def found(subject, ground):
    return outcome(subject, ground)


@pytest.mark.slow
def test_every_metric_stands_against_every_control_that_has_a_value(found):
    assert {m.key for m in found.metrics} == {r.metric for r in found.record.measured}
    for row in found.record.measured:
        names = {a.control for a in row.against}
        if row.metric == "random_logit":  # a flat map has no order
            assert controls.UNIFORM not in names
        else:
            assert names == set(controls.NAMES), row.metric
    assert found.record.grid == (8, 8)
    assert not [n for n in found.record.notes if "No mosaics" in n]


@pytest.mark.slow
def test_classes_are_those_that_the_images_belong_to(found):
    rows = {r.metric: r for r in found.record.measured}
    assert tuple(rows["road"].by_class) == NAMES
    assert set(rows["road"].by_group) == {"head", "tail"}
    assert tuple(rows["planted_energy"].by_class) == planted.NAMES
    assert not rows["planted_energy"].by_group
    assert set(rows["mosaic_energy"].by_class) <= set(NAMES)


@pytest.mark.slow
def test_the_model_is_left_as_it_was_and_the_result_repeats(
    hybrid, subject, ground, found
):
    assert outcome(subject, ground).record == found.record
    same = zip(hybrid().get_weights(), subject.net.get_weights(), strict=True)
    assert all((a == b).all() for a, b in same)


@pytest.mark.slow
def test_without_four_classes_the_lack_of_mosaics_is_noted(subject, ground):
    found = outcome(replace(subject, mosaics=None), ground)
    assert any("No mosaics" in note for note in found.record.notes)
    assert found.record.of("mosaic_energy") is None


def test_the_class_mean_comes_from_other_images(subject):
    """It is a mean of display maps, so it lies in 0..1 whatever the measured images."""
    maps_of = methods.with_controls(
        subject.net,
        GRAD_CAM,
        "Grad-CAM",
        (subject.others.images, subject.others.labels),
        len(subject.class_names),
        AMOUNT,
    )
    assert tuple(maps_of) == ("Grad-CAM", *controls.NAMES)
    targets = np.zeros(2, np.int32)
    mean = maps_of[controls.CLASS_MEAN](subject.sample.images[:2], targets)
    others = GRAD_CAM(subject.net, subject.others.images, subject.others.labels)
    mine = np.maximum(others[subject.others.labels == 0], 0)
    peaks = np.maximum(mine.max(axis=(1, 2), keepdims=True), 1e-30)
    np.testing.assert_allclose(mean[0], (mine / peaks).mean(axis=0), atol=1e-6)
