"""Glyphs whose place is known: a correct method finds them, the controls do not."""

import numpy as np
import pytest

from tessera.explain.faithfulness import controls, mappers, planted, pointing
from tessera.explain.methods import GradCam


def test_the_glyph_is_where_the_region_says():
    """Taking the mean background away leaves the shape inside the region."""
    made = planted.plant(400, seed=0)
    shapes = planted.glyphs()
    for k in range(planted.CLASSES):
        mine = np.flatnonzero(made.labels == k)
        inside = np.stack([made.images[i][made.regions[i]][:, 0] for i in mine])
        mean = inside.mean(axis=0).reshape(planted.GLYPH, planted.GLYPH)
        assert ((mean > 150) == shapes[k]).all()


def test_the_decoy_has_as_many_bright_pixels_and_no_part_in_the_region():
    made = planted.plant(200, seed=0)
    bright = made.images[..., 0] > 190
    outside = (bright & ~made.regions).sum(axis=(1, 2))
    inside = (bright & made.regions).sum(axis=(1, 2))
    assert outside.mean() == pytest.approx(inside.mean(), rel=0.1)


def likeness(pixels, shape):
    """Of each square of the image, the share of its pixels that fit the shape."""
    bright = pixels[..., 0] > 155  # between the background and what stands out of it
    squares = np.lib.stride_tricks.sliding_window_view(bright, shape.shape)
    return (squares == shape).mean(axis=(2, 3))


def test_the_glyph_is_seen_once_and_the_decoy_is_scrambled():
    made = planted.plant(40, seed=0)
    own, elsewhere = [], []
    for pixels, label, region in zip(
        made.images, made.labels, made.regions, strict=True
    ):
        found = likeness(pixels, planted.glyphs()[label])
        place = np.argwhere(region)[0]
        own.append(found[tuple(place)])
        away = np.abs(np.indices(found.shape) - place[:, None, None]).max(axis=0)
        elsewhere.append(found[away >= planted.GLYPH].max())
    # The other squares of noise and decoy fit by half, and the best of them by 0.6.
    assert np.mean(own) > 0.9
    assert np.mean(elsewhere) < 0.75


def test_the_decoy_does_not_touch_the_glyph():
    rng = np.random.default_rng(0)
    for _ in range(500):
        image = np.zeros((planted.SIDE, planted.SIDE), int)
        for place in planted._two_places(rng):
            image[place] += 1
        assert (image.sum(), image.max()) == (2 * planted.GLYPH**2, 1)


def test_places_are_random_and_classes_even():
    made = planted.plant(400, seed=0)
    assert np.bincount(made.labels).tolist() == [100] * 4
    corners = {tuple(np.argwhere(region)[0]) for region in made.regions}
    assert len(corners) > 200
    assert (made.regions.sum(axis=(1, 2)) == planted.GLYPH**2).all()


def test_the_background_says_nothing_of_the_class():
    made = planted.plant(2000, seed=0)
    far = np.ma.masked_array(made.images[..., 0], made.images[..., 0] > 170)
    means = [float(far[made.labels == k].mean()) for k in range(4)]
    # 25 of deviation over many images: the classes' dark pixels agree within 2 greys.
    assert np.ptp(means) < 2


def test_the_seed_decides_everything():
    one, again, other = (planted.plant(8, seed=s).images for s in (0, 0, 1))
    assert (one == again).all() and (one != other).any()


@pytest.mark.slow
def test_grad_cam_finds_what_the_reader_reads_and_the_controls_do_not():
    net, accuracy = planted.trained_reader(seed=0)
    assert accuracy > 0.97
    truth = planted.plant(100, seed=9).located()
    maps = mappers.mapper(GradCam())(net, truth.images, truth.targets)
    chance = pointing.chance(truth.regions).mean()
    assert chance == pytest.approx(81 / 1024)
    energy = np.nanmean(pointing.energy(maps, truth.regions))
    assert energy > 3 * chance
    assert pointing.hits(maps, truth.regions).mean() > 0.8
    edges = controls.edges(truth.images, controls.Grid(8, 8))
    assert energy > 1.5 * np.nanmean(pointing.energy(edges, truth.regions))
