import numpy as np

from tessera.explain.faithfulness import mosaics, pointing

# Every image of class k is one grey of its own.
LABELS = np.repeat(np.arange(6, dtype=np.int32), 3)
IMAGES = np.repeat(40 * LABELS[:, None, None, None], 8, axis=1).repeat(8, axis=2)
IMAGES = IMAGES.repeat(3, axis=3).astype(np.uint8)


def test_the_tile_of_a_class_holds_an_image_of_that_class():
    found = mosaics.mosaics(IMAGES, LABELS, count=20, seed=0)
    for image, target, region in zip(
        found.images, found.targets, found.regions, strict=True
    ):
        assert (image[region] == 40 * target).all()


def test_each_mosaic_shows_four_classes_and_is_asked_for_each():
    found = mosaics.mosaics(IMAGES, LABELS, count=3, seed=0)
    assert len(found.images) == 12
    assert found.together.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    for start in range(0, 12, 4):
        assert len(set(found.targets[start : start + 4])) == 4
        assert (found.images[start : start + 4] == found.images[start]).all()
        assert (found.regions[start : start + 4].sum(axis=0) == 1).all()


def test_no_image_is_in_two_mosaics_and_few_images_give_few():
    # Every image is one grey of its own now.
    images = (IMAGES > 0) * np.arange(1, 19, dtype=np.uint8)[:, None, None, None]
    images[:3] = np.arange(1, 4, dtype=np.uint8)[:, None, None, None]
    found = mosaics.mosaics(images, LABELS, count=100, seed=0)
    tiles = [
        image[region][0, 0]
        for image, region in zip(found.images, found.regions, strict=True)
    ]
    assert len(set(tiles)) == len(tiles) <= 18
    left = 18 - len(tiles)
    assert len(tiles) % 4 == 0 and left < 4 * 3  # of at most three classes


def test_chance_is_a_quarter():
    found = mosaics.mosaics(IMAGES, LABELS, count=3, seed=0)
    assert (pointing.chance(found.regions) == mosaics.CHANCE).all()


def test_tiles_are_halved_by_the_mean_of_four_pixels():
    four = np.zeros((4, 4, 4, 1), np.uint8)
    four[1, :2, :2, 0] = [[0, 100], [200, 100]]
    mosaic = mosaics.compose(four)
    assert mosaic[0, 2, 0] == 100
    assert mosaic.sum() == 100


def test_images_of_odd_size_keep_it():
    four = np.full((4, 7, 5, 1), 9, np.uint8)
    assert mosaics.compose(four).shape == (7, 5, 1)
    assert (mosaics.compose(four) == 9).all()
    assert mosaics.tile_masks(7, 5).sum(axis=0).tolist() == np.ones((7, 5)).tolist()


def test_in_images_of_odd_size_too_a_tile_is_where_its_picture_is():
    four = np.uint8([10, 20, 30, 40])[:, None, None, None] * np.ones(
        (7, 5, 1), np.uint8
    )
    mosaic = mosaics.compose(four)
    for place, value in zip(mosaics.tile_masks(7, 5), (10, 20, 30, 40), strict=True):
        assert (mosaic[place] == value).all()


def test_with_fewer_than_four_classes_there_is_none():
    few = LABELS < 3
    assert mosaics.mosaics(IMAGES[few], LABELS[few], count=1, seed=0) is None


def test_the_seed_decides():
    first, again, other = (
        mosaics.mosaics(IMAGES, LABELS, count=5, seed=s).images for s in (0, 0, 1)
    )
    assert (first == again).all() and (first != other).any()
