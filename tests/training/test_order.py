"""Order and augmentation are pure functions of (seed, epoch, index)."""

import numpy as np
import pytest

from tessera.experiment import Training
from tessera.training import mixing, order, variation

TRAINING = Training()


def test_an_order_visits_every_image_once() -> None:
    assert sorted(order.order(100, seed=3, epoch=7)) == list(range(100))


def test_the_same_seed_and_epoch_give_the_same_order() -> None:
    np.testing.assert_array_equal(
        order.order(50, seed=1, epoch=2), order.order(50, seed=1, epoch=2)
    )


def test_every_seed_and_every_epoch_gives_another_order() -> None:
    orders = {
        tuple(order.order(50, seed=seed, epoch=epoch))
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(orders) == 16


def test_every_use_of_a_seed_draws_from_a_stream_of_its_own() -> None:
    """(2, s, e), (1, s, e), (5, s) and (6, s, e, batch), as the methods say."""
    rows = order.draws(10, TRAINING, seed=7, epoch=3)
    uniform = np.random.default_rng([2, 7, 3]).random((10, 3))
    np.testing.assert_array_equal(rows, np.floor(uniform * [9, 9, 2]))
    shuffled = np.random.default_rng([1, 7, 3]).permutation(10)
    np.testing.assert_array_equal(order.order(10, seed=7, epoch=3), shuffled)
    sides = np.random.default_rng([5, 7]).integers(2, size=10)
    np.testing.assert_array_equal(order.first_sides(10, seed=7), sides)
    centres = np.random.default_rng([6, 7, 3, 2]).integers((9, 8), size=(4, 2))
    holes = order.holes(4, (9, 8), 5, seed=7, epoch=3, batch=2)
    np.testing.assert_array_equal(holes, centres - 2)
    sampler = np.random.default_rng([3, 7, 3])
    within = sampler.permutation(10)  # the images of a class, and then of all classes
    drawn = order.sampled(np.zeros(10, np.int32), np.array([10]), seed=7, epoch=3)
    np.testing.assert_array_equal(drawn, sampler.permutation(within))


def test_no_two_uses_of_a_seed_share_random_numbers() -> None:
    streams = [getattr(order, name) for name in vars(order) if name.endswith("_STREAM")]
    others = (mixing.MIXING_STREAM, variation.VARIATION_STREAM)
    assert len({*streams, *others}) == len(streams) + 2 == 7


@pytest.mark.parametrize("alternating", [False, True])
def test_an_images_draw_does_not_depend_on_how_many_images_there_are(
    alternating: bool,
) -> None:
    training = Training(alternating_flip=alternating)
    few = order.draws(11, training, seed=0, epoch=0)
    many = order.draws(1000, training, seed=0, epoch=0)
    np.testing.assert_array_equal(few, many[:11])


def test_offsets_and_flips_are_uniform() -> None:
    rows = order.draws(90_000, TRAINING, seed=0, epoch=0)
    for column, values in ((0, 9), (1, 9), (2, 2)):
        counts = np.bincount(rows[:, column], minlength=values)
        expected = 90_000 / values
        # Six standard deviations of a binomial count.
        assert np.all(np.abs(counts - expected) < 6 * np.sqrt(expected))


def test_images_of_one_batch_get_offsets_of_their_own() -> None:
    assert (
        len(np.unique(order.draws(64, TRAINING, seed=0, epoch=0)[:, :2], axis=0)) > 30
    )


def test_the_middle_offset_without_flip_leaves_an_image_as_it_is() -> None:
    images = np.random.default_rng(0).integers(0, 255, (5, 8, 6, 3), dtype=np.uint8)
    rows = np.tile([2, 2, 0], (5, 1))
    np.testing.assert_array_equal(order.augment(images, rows, padding=2), images)


def test_a_crop_moves_the_image_and_fills_with_zeros() -> None:
    image = np.arange(1, 5, dtype=np.uint8).reshape(1, 2, 2, 1)
    moved = order.augment(image, np.array([[0, 1, 0]]), padding=1)
    np.testing.assert_array_equal(moved[0, :, :, 0], [[0, 0], [1, 2]])


def test_a_flip_mirrors_left_and_right() -> None:
    image = np.arange(1, 5, dtype=np.uint8).reshape(1, 2, 2, 1)
    flipped = order.augment(image, np.array([[0, 0, 1]]), padding=0)
    np.testing.assert_array_equal(flipped[0, :, :, 0], [[2, 1], [4, 3]])


def test_a_mirrored_fill_repeats_what_lies_inside_the_edge() -> None:
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3, 1)
    moved = order.augment(image, np.array([[0, 1, 0]]), padding=1, fill="mirror")
    np.testing.assert_array_equal(moved[0, :, :, 0], [[4, 5, 6], [1, 2, 3], [4, 5, 6]])


def test_alternating_flips_show_the_other_side_in_every_next_epoch() -> None:
    training = Training(alternating_flip=True)
    flips = [
        order.draws(1000, training, seed=4, epoch=epoch)[:, 2] for epoch in range(3)
    ]
    np.testing.assert_array_equal(flips[0] + flips[1], np.ones(1000))
    np.testing.assert_array_equal(flips[0], flips[2])
    assert 400 < flips[0].sum() < 600


def test_an_image_that_comes_again_in_an_epoch_shows_its_other_side() -> None:
    training = Training(alternating_flip=True)
    flips = order.draws_for(np.full(4, 7), 20, training, seed=4, epoch=1)[:, 2]
    assert flips.tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_alternating_flips_leave_the_offsets_as_they_are() -> None:
    plain, alternating = (
        order.draws(50, Training(alternating_flip=chosen), seed=1, epoch=3)
        for chosen in (False, True)
    )
    np.testing.assert_array_equal(plain[:, :2], alternating[:, :2])


def test_a_cut_is_a_grey_square_inside_the_image() -> None:
    images = np.zeros((200, 9, 9, 1), np.uint8)
    holes = order.holes(200, (9, 9), 3, seed=0, epoch=0, batch=0)
    grey = order.cut(images, holes, 3)[..., 0] == 128
    assert not images.any()
    sizes = {(int(g.any(1).sum()), int(g.any(0).sum())) for g in grey}
    # At the edge one row or column of the square sticks out.
    assert sizes == {(3, 3), (2, 3), (3, 2), (2, 2)}
    assert all(g.sum() == g.any(1).sum() * g.any(0).sum() for g in grey)


def test_another_batch_is_cut_elsewhere() -> None:
    one, other = (
        order.holes(5, (9, 9), 3, seed=0, epoch=0, batch=batch) for batch in range(2)
    )
    assert not np.array_equal(one, other)


def test_without_flip_and_padding_nothing_changes() -> None:
    still = Training(flip=False, crop_padding=0)
    assert not order.draws(100, still, seed=0, epoch=0).any()


def test_flips_that_would_alternate_are_left_away_with_all_others() -> None:
    training = Training(flip=False, alternating_flip=True)
    assert not order.draws(100, training, seed=0, epoch=0)[:, 2].any()


def test_sampling_draws_each_class_as_often_as_asked() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2], np.int32)
    chosen = order.sampled(labels, np.array([3, 5, 4]), seed=0, epoch=0)
    assert np.bincount(labels[chosen]).tolist() == [3, 5, 4]


def test_sampling_mixes_the_classes_in_every_stretch_of_an_epoch() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), 200)
    chosen = order.sampled(labels, np.array([200, 200]), seed=0, epoch=0)
    seconds = labels[chosen].reshape(4, 100).sum(axis=1)
    # Six standard deviations of a count of 100 draws from 400, half of them seconds.
    assert np.all(np.abs(seconds - 50) < 6 * np.sqrt(100 * 0.25 * 300 / 399))


def test_no_image_is_drawn_again_before_all_of_its_class_were() -> None:
    labels = np.zeros(3, np.int32)
    chosen = order.sampled(labels, np.array([7]), seed=1, epoch=4)
    assert sorted(np.bincount(chosen).tolist()) == [2, 2, 3]


def test_a_class_without_images_may_be_asked_for_none() -> None:
    labels = np.array([0, 0, 2], np.int32)
    chosen = order.sampled(labels, np.array([2, 0, 2]), seed=0, epoch=0)
    assert sorted(chosen.tolist()) == [0, 1, 2, 2]


def test_every_seed_and_epoch_samples_anew_and_always_alike() -> None:
    labels = np.zeros(40, np.int32)
    keys = 2 * [(s, e) for s in range(3) for e in range(3)]
    drawn = {
        tuple(order.sampled(labels, np.array([40]), seed=s, epoch=e)) for s, e in keys
    }
    assert len(drawn) == 9


def test_occurrences_count_what_came_before() -> None:
    found = order.occurrences(np.array([5, 2, 5, 5, 2, 9]))
    assert found.tolist() == [0, 0, 1, 2, 1, 0]


def test_every_showing_has_the_row_of_a_table_of_its_own() -> None:
    tables = np.arange(30).reshape(3, 10)
    found = order.showings(np.array([5, 2, 5, 5, 2, 9]), lambda n: tables[n])
    assert found.tolist() == [5, 2, 15, 25, 12, 9]
    assert tables[0].tolist() == list(range(10))  # untouched
    assert len(order.showings(np.empty(0, np.int64), lambda n: tables[n])) == 0


def test_the_first_occurrence_is_augmented_as_without_sampling() -> None:
    rows = order.draws_for(np.array([3, 1, 3]), 10, TRAINING, seed=0, epoch=0)
    table = order.draws(10, TRAINING, seed=0, epoch=0)
    again = order.draws(10, TRAINING, seed=0, epoch=0, again=1)
    np.testing.assert_array_equal(rows, [table[3], table[1], again[3]])
    # What comes again is augmented anew.
    assert not np.array_equal(table, again)
