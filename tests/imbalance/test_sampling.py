"""Draws per class, by hand, and whole ones that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera import remedies
from tessera.imbalance import sampling
from tessera.remedies import Remedy

COUNTS = np.array([900, 100, 0])


def test_power_zero_draws_every_class_alike() -> None:
    shares = sampling.shares(remedies.Power(power=0.0), COUNTS, 0.0)
    assert np.allclose(shares, [0.5, 0.5, 0])


def test_the_square_root_lies_between() -> None:
    shares = sampling.shares(remedies.Power(power=0.5), COUNTS, 0.0)
    assert np.allclose(shares, [0.75, 0.25, 0])


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.0, [0.9, 0.1, 0]), (0.5, [0.7, 0.3, 0]), (1.0, [0.5, 0.5, 0])],
)
def test_progressive_shares_move_from_the_datas_to_equal_ones(
    progress: float, expected: list[float]
) -> None:
    shares = sampling.shares(remedies.Progressive(), COUNTS, progress)
    assert np.allclose(shares, expected)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, [900, 100, 0]),
        (remedies.Power(), [500, 500, 0]),  # as many as there are images
        (remedies.Oversampling(), [900, 900, 0]),
        (remedies.Undersampling(), [100, 100, 0]),
    ],
)
def test_a_class_without_images_is_never_drawn(
    setting: remedies.Sampling | None, expected: list[int]
) -> None:
    assert sampling.draws(setting, COUNTS).tolist() == expected
    assert sampling.length(setting, COUNTS) == sum(expected)


def test_whole_draws_go_to_the_largest_remainders() -> None:
    # 10 x (0.42, 0.33, 0.25) = 4.2, 3.3, 2.5: the one left over goes to the last.
    draws = sampling.whole(np.array([0.42, 0.33, 0.25]), 10)
    assert draws.tolist() == [4, 3, 3]


def test_of_equal_remainders_the_first_classes_are_served() -> None:
    draws = sampling.whole(np.full(40, 1 / 40), 20)
    assert draws.tolist() == [1] * 20 + [0] * 20


def test_a_class_of_one_image_is_drawn_like_any_other() -> None:
    counts = np.array([5, 1])
    assert sampling.draws(remedies.Oversampling(), counts).tolist() == [5, 5]
    assert sampling.draws(remedies.Undersampling(), counts).tolist() == [1, 1]
    assert sampling.draws(remedies.Power(), counts).tolist() == [3, 3]


@given(
    st.lists(st.integers(1, 5000), min_size=2, max_size=12),
    st.integers(1, 10_000),
    st.floats(0, 0.99),
)
def test_draws_add_up_and_stay_within_one_of_their_share(
    counts: list[int], total: int, power: float
) -> None:
    shares = sampling.shares(remedies.Power(power=power), np.array(counts), 0.0)
    draws = sampling.whole(shares, total)
    assert draws.sum() == total
    assert np.all(np.abs(draws - shares * total) < 1 + 1e-6)


OVER, UNDER = remedies.Oversampling(), remedies.Undersampling()
LAST_FIFTH = remedies.Classifier(share=0.2, sampling=UNDER)


@pytest.mark.parametrize(
    ("remedy", "first", "second"),
    [
        (Remedy(), 1000, 0),
        (Remedy(sampling=OVER), 1800, 0),
        (Remedy(sampling=OVER, deferred=0.5), 0.5 * 1000 + 0.5 * 1800, 0),
        (Remedy(retraining=LAST_FIFTH), 0.8 * 1000, 0.2 * 200),
        (
            Remedy(sampling=OVER, deferred=0.5, retraining=LAST_FIFTH, stacked=True),
            0.5 * 1000 + 0.3 * 1800,
            0.2 * 200,
        ),
        (
            Remedy(sampling=OVER, deferred=0.9, retraining=LAST_FIFTH, stacked=True),
            0.8 * 1000,
            0.2 * 200,
        ),
    ],
)
def test_a_mean_epoch_is_as_long_as_its_stages_are_in_their_time(
    remedy: Remedy, first: float, second: float
) -> None:
    # 900 and 100 images: 1,000 plain, 1,800 oversampled, 200 undersampled.
    found = sampling.lengths(remedy, COUNTS, epochs=10)
    assert found == pytest.approx((first, second))


def test_of_eight_epochs_the_last_two_are_what_a_share_of_four_fifths_leaves() -> None:
    deferred = Remedy(sampling=OVER, deferred=0.8)  # sets in before epoch round(6.4)
    found = sampling.lengths(deferred, COUNTS, epochs=8)
    assert found == pytest.approx(((6 * 1000 + 2 * 1800) / 8, 0))
    found = sampling.lengths(Remedy(retraining=LAST_FIFTH), COUNTS, epochs=8)
    assert found == pytest.approx((6 * 1000 / 8, 2 * 200 / 8))
