"""Mixed images and the shares of their labels, by hand."""

import numpy as np
import pytest
from scipy import stats

from tessera import remedies
from tessera.training import mixing

COUNTS = np.array([900, 300, 100])
LABELS = np.array([0, 1, 2], np.int32)
OTHERS = np.array([2, 1, 0], np.int32)
BLACK = np.zeros((3, 8, 8, 3), np.uint8)
WHITE = np.full((3, 8, 8, 3), 255, np.uint8)


def drawn(setting: remedies.Mixing, seed: int = 0) -> mixing.Mix:
    rng = mixing.generator(seed=seed, epoch=0, batch=0)
    return mixing.mix(setting, LABELS, OTHERS, COUNTS, (8, 8), rng)


@pytest.mark.parametrize("seed", range(5))
def test_mixup_blends_pixels_in_the_share_of_the_labels(seed: int) -> None:
    mix = drawn(remedies.Mixup(), seed)
    share = mix.labels
    assert len(set(share)) == 1  # one share per batch
    pixels = mixing.mixed(mix, BLACK, WHITE)
    np.testing.assert_allclose(pixels, 255 * (1 - share[0]), rtol=1e-5)


@pytest.mark.parametrize("setting", [remedies.CutMix(), remedies.TailOnHead()])
@pytest.mark.parametrize("seed", range(5))
def test_a_pasted_box_has_the_area_that_the_label_says(
    setting: remedies.Mixing, seed: int
) -> None:
    mix = drawn(setting, seed)
    left = (mixing.mixed(mix, BLACK, WHITE) == 0).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(mix.labels, left, atol=1e-6)
    assert mix.share == 1  # outside the box the first image is whole


def test_a_box_has_sides_sqrt_of_the_share_it_covers_and_a_uniform_centre() -> None:
    rng = np.random.default_rng(0)
    boxes = np.array([mixing.box((100, 40), 0.75, rng) for _ in range(2000)])
    # Sides of half the image's, 50 x 20, of which the edge leaves half at the least.
    for first, end, length in ((0, 1, 100), (2, 3, 40)):
        sides = boxes[:, end] - boxes[:, first]
        assert (sides.min(), sides.max()) == (length // 4, length // 2)
        # Clipped at one end for one centre in two: (0 + ... + 24) / 100 pixels each.
        lost = 2 * sum(range(length // 4 + 1)) / length
        assert sides.mean() == pytest.approx(length / 2 - lost, rel=0.03)


def test_the_share_is_drawn_from_a_beta_distribution() -> None:
    shares = [drawn(remedies.Mixup(alpha=0.3), seed).share for seed in range(300)]
    assert stats.kstest(shares, stats.beta(0.3, 0.3).cdf).pvalue > 0.01
    assert stats.kstest(shares, stats.beta(1.0, 1.0).cdf).pvalue < 0.01


def test_remix_asks_the_counts_of_both_labels() -> None:
    settings = remedies.Mixup(), remedies.Remix()
    for seed in range(5):
        plain, leant = (drawn(setting, seed) for setting in settings)
        # 900 against 100 images and the other way round, and 300 against as many.
        kept = [0.0, plain.share, plain.share]
        gained = [plain.share, plain.share, 1.0]
        np.testing.assert_array_equal(
            leant.labels, kept if plain.share < 0.5 else gained
        )


def test_targets_hold_both_labels_and_the_first_ones_share() -> None:
    mix = drawn(remedies.CutMix())
    found = mixing.targets(mix, LABELS, OTHERS)
    np.testing.assert_array_equal(found[:, :2], np.stack([LABELS, OTHERS], 1))
    np.testing.assert_allclose(found[:, 2], mix.labels, rtol=1e-6)


@pytest.mark.parametrize(
    ("share", "sizes", "expected"),
    [
        (0.4, [9.0, 1.0, 1 / 9], [0.0, 0.4, 0.4]),  # the common first image gives way
        (0.6, [9.0, 1.0, 1 / 9], [0.6, 0.6, 1.0]),  # the common second one does
        (0.5, [9.0, 1.0, 1 / 9], [0.5, 0.5, 0.5]),  # neither has under half
        (0.4, [3.0, 2.99, 1.0], [0.0, 0.4, 0.4]),  # from a ratio of kappa on
        (0.6, [1 / 3, 1 / 2.99, 1.0], [1.0, 0.6, 0.6]),
    ],
)
def test_remix_gives_the_label_to_the_rarer_class(
    share: float, sizes: list[float], expected: list[float]
) -> None:
    found = mixing.leaning(share, np.array(sizes), 3.0, 0.5)
    np.testing.assert_allclose(found, expected)


def test_remix_leans_from_the_ratio_and_below_the_share_that_are_set() -> None:
    sizes = np.array([10.0, 5.0, 1.0, 0.2, 0.1])
    for share, expected in (
        (0.25, [0.0, 0.25, 0.25, 0.25, 0.25]),
        (0.4, [0.4] * 5),  # neither image has under 0.3 of the picture
        (0.6, [0.6] * 5),
        (0.75, [0.75, 0.75, 0.75, 0.75, 1.0]),
    ):
        found = mixing.leaning(share, sizes, 8.0, 0.3)
        np.testing.assert_allclose(found, expected)
    setting = remedies.Remix(kappa=10.0, threshold=0.3)  # 900 to 100 is a ratio of 9
    for seed in range(5):
        assert set(drawn(setting, seed).labels) == {drawn(setting, seed).share}
    setting = remedies.Remix(kappa=9.0, threshold=0.3)
    shares = [drawn(setting, seed) for seed in range(40)]
    leaning = [1 in one.labels or 0 in one.labels for one in shares]
    assert leaning == [min(one.share, 1 - one.share) < 0.3 for one in shares]


def test_remix_of_equal_classes_is_mixup() -> None:
    rngs = [mixing.generator(seed=3, epoch=1, batch=2) for _ in range(2)]
    equal = np.array([5, 5, 5])
    one, other = (
        mixing.mix(setting, LABELS, OTHERS, equal, (8, 8), rng)
        for setting, rng in zip((remedies.Remix(), remedies.Mixup()), rngs, strict=True)
    )
    np.testing.assert_array_equal(one.labels, other.labels)
    assert (one.share, one.box) == (other.share, other.box)


def test_pasted_images_come_from_every_class_alike() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), COUNTS)
    rng = np.random.default_rng(0)
    chosen = mixing.pasted(labels, COUNTS, 9000, 1.0, rng)
    drawn = np.bincount(labels[chosen])
    # Six standard deviations of a binomial count of 9000 draws with 1/3.
    assert np.all(np.abs(drawn - 3000) < 6 * np.sqrt(9000 * 2 / 9))
    # With n^-2 an image the classes' weights are 1/900, 1/300 and 1/100: 1 to 3 to 9.
    chosen = mixing.pasted(labels, COUNTS, 9000, 2.0, rng)
    shares = np.array([1, 3, 9]) / 13
    drawn = np.bincount(labels[chosen])
    assert np.all(np.abs(drawn - 9000 * shares) < 6 * np.sqrt(9000 * 2 / 9))


def test_an_unmixed_batch_belongs_wholly_to_its_first_label() -> None:
    mix = mixing.unmixed(3)
    assert mix.share == 1
    np.testing.assert_array_equal(mixing.targets(mix, LABELS, OTHERS)[:, 2], 1.0)
    np.testing.assert_array_equal(mixing.mixed(mix, WHITE, BLACK), WHITE)


def test_in_pictures_that_are_no_squares_the_label_has_the_boxs_share_too() -> None:
    black, white = np.zeros((3, 6, 20, 1), np.uint8), np.full((3, 6, 20, 1), 255)
    for seed in range(5):
        rng = mixing.generator(seed=seed, epoch=0, batch=0)
        mix = mixing.mix(remedies.CutMix(), LABELS, OTHERS, COUNTS, (6, 20), rng)
        left = (mixing.mixed(mix, black, white) == 0).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(mix.labels, left, atol=1e-6)


def test_the_numbers_of_a_batch_come_from_a_stream_of_their_own() -> None:
    found = mixing.generator(seed=7, epoch=3, batch=2).random(5)
    expected = np.random.default_rng([4, 7, 3, 2]).random(5)
    np.testing.assert_array_equal(found, expected)


def test_every_batch_of_every_epoch_and_seed_draws_anew() -> None:
    keys = [(s, e, b) for s in range(2) for e in range(2) for b in range(2)]
    drawn = {mixing.generator(seed=s, epoch=e, batch=b).random() for s, e, b in keys}
    assert len(drawn) == 8
