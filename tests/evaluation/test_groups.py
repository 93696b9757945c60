import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.evaluation.groups import groups

COUNTS = st.lists(st.integers(1, 3000), min_size=2, max_size=12)


def test_the_published_thresholds_part_many_medium_and_few():
    found = groups([500, 101, 100, 20, 19, 5])
    assert found.scheme == "published"
    assert (found.head, found.middle, found.tail) == ((0, 1), (2, 3), (4, 5))
    assert (found.above, found.below) == (100, 20)


def test_thirds_stand_in_where_a_published_group_would_be_empty():
    # CIFAR-10-LT, factor 100: no class has fewer than 20 images.
    counts = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    found = groups(counts)
    assert found.scheme == "tertiles"
    assert found.head == (0, 1, 2)
    assert found.middle == (3, 4, 5, 6)
    assert found.tail == (7, 8, 9)


def test_thirds_stand_in_where_no_class_is_in_the_middle():
    found = groups([500, 300, 200, 10, 5])
    assert (found.scheme, found.head, found.tail) == ("tertiles", (0,), (4,))
    assert found.middle == (1, 2, 3)


def test_thirds_stand_in_where_no_class_has_more_than_a_hundred():
    found = groups([90, 50, 30, 10])
    assert (found.scheme, found.head, found.tail) == ("tertiles", (0,), (3,))


def test_thirds_part_classes_that_are_one_image_apart():
    found = groups([12, 11, 10])
    assert (found.head, found.middle, found.tail) == ((0,), (1,), (2,))


def test_two_counts_make_a_head_and_a_tail():
    found = groups([4500, 900, 4500, 900])
    assert (found.scheme, found.head, found.middle) == ("levels", (0, 2), ())
    assert found.tail == (1, 3)


def test_equal_classes_have_no_groups():
    assert groups([90, 90, 90]) is None


@pytest.mark.parametrize(
    ("counts", "head", "tail"),
    [
        ([900, 900, 900, 900, 800, 700], (0, 1, 2, 3), (4, 5)),
        ([900, 800, 700, 700, 700, 700], (0, 1), (2, 3, 4, 5)),
        ([900, 700, 700, 700, 700, 600], (0,), (1, 2, 3, 4, 5)),
        ([200, 300] + 7 * [900], (2, 3, 4, 5, 6, 7, 8), (0, 1)),
    ],
)
def test_equal_counts_are_never_parted(counts, head, tail):
    found = groups(counts)
    assert (found.head, found.middle, found.tail) == (head, (), tail)


@given(COUNTS)
def test_every_class_is_in_one_group_and_the_thresholds_say_which(counts):
    found = groups(counts)
    if found is None:
        assert len(set(counts)) == 1
        return
    every = found.head + found.middle + found.tail
    assert sorted(every) == list(range(len(counts)))
    assert found.head and found.tail
    assert all(counts[i] > found.above for i in found.head)
    assert all(counts[i] < found.below for i in found.tail)
    assert all(found.below <= counts[i] <= found.above for i in found.middle)


@given(COUNTS, st.randoms())
def test_renaming_the_classes_permutes_the_groups(counts, random):
    order = random.sample(range(len(counts)), len(counts))
    before, after = groups(counts), groups([counts[i] for i in order])
    if before is None:
        assert after is None
        return
    for name in ("head", "middle", "tail"):
        members = {order[i] for i in getattr(after, name)}
        assert members == set(getattr(before, name))


def test_counts_may_be_an_array():
    assert groups(np.array([10, 200, 50])).tail == (0,)
