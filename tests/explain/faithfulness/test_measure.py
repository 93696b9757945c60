import numpy as np
import pytest

from tessera.explain.faithfulness import measure
from tessera.explain.faithfulness.measure import Settings
from tessera.explain.faithfulness.mosaics import Located
from tessera.explain.faithfulness.sampling import Sample

N = 6
PIXELS = np.random.default_rng(0).uniform(20, 230, (N, 8, 8, 1)).astype(np.float32)


@pytest.fixture
def sample(brightness):
    logits = brightness(PIXELS)
    logits[:, 0] = -50  # class 1 is the one explained
    return Sample(PIXELS, np.ones(N, np.int32), logits, np.arange(N))


VIEWS = {"truth": PIXELS[..., 0], "opposite": -PIXELS[..., 0]}
BLACK = np.zeros(1, np.float32)


def test_the_true_order_does_better_than_its_opposite_everywhere(brightness, sample):
    values, _ = measure.removal(brightness, sample, VIEWS, BLACK, Settings(steps=64))
    best, worst = values["truth"], values["opposite"]
    assert (best["deletion_mean"] < worst["deletion_mean"]).all()
    assert (best["insertion_mean"] > worst["insertion_mean"]).all()


def test_on_a_linear_model_deleting_backwards_mirrors_inserting(brightness, sample):
    """Of p and the remaining 1 - p: what one order removes, the other leaves."""
    values, _ = measure.removal(brightness, sample, VIEWS, BLACK, Settings(steps=64))
    whole = PIXELS.mean(axis=(1, 2, 3)) / 255
    np.testing.assert_allclose(
        values["truth"]["deletion_mean"] + values["truth"]["insertion_mean"],
        whole,
        atol=1e-6,
    )


def test_the_difference_is_insertion_by_blur_minus_deletion_by_mean(brightness, sample):
    values, _ = measure.removal(brightness, sample, VIEWS, BLACK, Settings())
    mine = values["truth"]
    expected = mine["insertion_blur"] - mine["deletion_mean"]
    assert (mine["insertion_minus_deletion"] == expected).all()


def test_a_blur_takes_nothing_from_an_even_image_and_black_all_of_it(brightness):
    even = np.full((2, 8, 8, 1), 153, np.float32)  # p = 0.6
    known = Sample(even, np.ones(2, np.int32), brightness(even), np.arange(2))
    views = {"any": VIEWS["truth"][:2]}
    values, _ = measure.removal(brightness, known, views, BLACK, Settings())
    for blurred in ("deletion_blur", "insertion_blur"):
        np.testing.assert_allclose(values["any"][blurred], 0.6, atol=1e-4)
    for black in ("deletion_mean", "insertion_mean"):
        np.testing.assert_allclose(values["any"][black], 0.3, atol=1e-4)


def test_a_mask_is_held_to_the_class_that_the_model_predicts(brightness):
    """Halved, p of class 1 falls from 0.6 to 0.3; of class 0 it grows to 0.8."""
    images = np.float32([153, 102])[:, None, None, None] * np.ones((2, 4, 4, 1))
    sample = Sample(images, np.int32([0, 1]), brightness(images), np.arange(2))
    half = np.zeros((2, 4, 4), np.float32)
    half[:, :, :2] = 1
    found = measure.masked(brightness, sample, {"half": half})["half"]
    expected = {
        "average_drop": [0.5, 0],
        "increase": [0, 1],
        "average_gain": [0, 0.5],
        "brightness": [0.5, 0.5],
    }
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, atol=1e-6)


def test_complexity_is_told_under_its_names():
    one = np.zeros((1, 4, 4), np.float32)
    one[0, 0, 0] = 1
    found = {k: v.tolist() for k, v in measure.spread({"one": one})["one"].items()}
    assert found == {"entropy": [0], "gini": [1 - 1 / 16], "bright_cells": [1 / 16]}


def test_the_curves_are_means_over_the_images(brightness, sample):
    _, curves = measure.removal(brightness, sample, VIEWS, BLACK, Settings(steps=4))
    (curve,) = (c for c in curves if (c.metric, c.map) == ("deletion_mean", "truth"))
    assert curve.shares == (0, 0.25, 0.5, 0.75, 1)
    assert curve.values[0] == pytest.approx(PIXELS.mean() / 255, abs=1e-5)


def test_road_is_half_of_least_minus_most(one_pixel):
    images = np.zeros((1, 8, 8, 1), np.float32)
    images[0, 0, 0] = 255
    sample = Sample(images, np.ones(1, np.int32), one_pixel(images), np.arange(1))
    maps = np.zeros((1, 8, 8), np.float32)
    maps[0, 0, 0] = 1
    values, _ = measure.imputed(one_pixel, sample, {"found": maps}, Settings())
    found = {key: series[0] for key, series in values["found"].items()}
    assert found == {"road_morf": 0, "road_lerf": 1, "road": 0.5}


def test_another_class_is_never_the_same_and_every_other_is_as_likely():
    targets = np.full(3000, 2, np.int32)
    other = measure.another_class(targets, 4, seed=0)
    assert np.bincount(other, minlength=4)[2] == 0
    assert np.bincount(other)[[0, 1, 3]].min() > 900


def test_a_map_that_ignores_the_class_fails_the_random_logit(sample):
    rng = np.random.default_rng(0)
    shape = (2, N, 8, 8)
    by_class = rng.random(shape).astype(np.float32)
    maps_of = {
        "deaf": lambda images, targets: by_class[0],
        "apt": lambda images, targets: by_class[targets, np.arange(N)],
    }
    views = {name: maps(PIXELS, sample.targets) for name, maps in maps_of.items()}
    values = measure.random_logit(maps_of, sample, views, seed=0)
    assert values["deaf"]["random_logit"] == pytest.approx(np.ones(N))
    assert np.abs(values["apt"]["random_logit"]).max() < 0.5


def test_known_places_are_asked_for_their_own_class():
    region = np.zeros((2, 4, 4), bool)
    region[0, :2, :2] = region[1, 2:, 2:] = True
    truth = Located(np.zeros((2, 4, 4, 1), np.float32), np.int32([0, 1]), region)

    def by_class(images, targets):
        maps = np.zeros((2, 2, 2), np.float32)
        maps[np.arange(2), targets, targets] = 3
        maps[:, 0, 1] = 1
        return maps

    values = measure.located({"apt": by_class}, truth, "mosaic")
    assert values["apt"]["mosaic_energy"].tolist() == [0.75, 0.75]
    assert values["apt"]["mosaic_pointing"].tolist() == [1, 1]


def test_a_file_names_each_series_by_metric_and_map():
    one = {"a": {"x": np.zeros(1)}, "b": {"x": np.ones(1)}}
    two = {"a": {"y": np.ones(2)}}
    assert sorted(measure.flat(one, two)) == ["x/a", "x/b", "y/a"]
    merged = measure.merged(one, {"a": {"z": np.zeros(1)}, "b": {}})
    assert sorted(merged["a"]) == ["x", "z"]


def test_road_is_a_mean_over_shares_of_each_image_and_its_curves_over_images(one_pixel):
    """The pixel that decides lies at place 0, 8 and 40 of 64.

    With 6, 16, 32 and 48 cells removed it stays, from the top, in no step, the first,
    and three; from the bottom, where its places are 63, 55 and 23, in all, all and two.
    """
    images = np.zeros((3, 8, 8, 1), np.float32)
    images[:, 0, 0] = 255
    sample = Sample(images, np.ones(3, np.int32), one_pixel(images), np.arange(3))
    order = np.array([np.delete(np.arange(64), place) for place in (0, 8, 40)])
    ranks = np.column_stack([[0, 8, 40], order]).reshape(3, 8, 8)
    values, curves = measure.imputed(
        one_pixel,
        sample,
        {"found": -ranks.astype(np.float32)},
        Settings(shares=(0.1, 0.25, 0.5, 0.75)),
    )
    found = values["found"]
    assert found["road_morf"].tolist() == pytest.approx([0, 1 / 4, 3 / 4])
    assert found["road_lerf"].tolist() == pytest.approx([1, 1, 1 / 2])
    assert found["road"].tolist() == pytest.approx([1 / 2, 3 / 8, -1 / 8])
    drawn = {curve.metric: curve for curve in curves}
    assert drawn["road_morf"].shares == (0.1, 0.25, 0.5, 0.75)
    most, least = (drawn[key].values for key in ("road_morf", "road_lerf"))
    assert most == pytest.approx((2 / 3, 1 / 3, 1 / 3, 0), abs=1e-6)
    assert least == pytest.approx((1, 1, 2 / 3, 2 / 3), abs=1e-6)
