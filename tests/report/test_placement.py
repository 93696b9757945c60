"""Labels beside dots can be read: they cover no dot and no other label."""

import pytest

from tessera.report.placement import Spot, free, ranks, together


def test_a_label_is_as_far_as_its_nearer_end():
    # The label reaches from 10 to 30; 3 to the left of it and 4 below: 3-4-5.
    assert Spot(20, 50, half=10).away(Spot(7, 46)) == 5
    assert Spot(20, 50, half=10).away(Spot(25, 46)) == 4


def test_dots_touch_by_way_of_others():
    spots = [Spot(0, 0), Spot(8, 0), Spot(30, 0), Spot(4, 0)]
    assert together(spots) == [[0, 1, 3], [2]]


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ([0], "1"),
        ([1, 2], "2, 3"),
        ([0, 2, 3, 4, 6], "1, 3\N{EN DASH}5, 7"),
        ([8, 9, 10, 20, 21], "9\N{EN DASH}11, 21, 22"),
    ],
)
def test_neighbouring_ranks_are_told_as_a_range(members, text):
    assert ranks(members) == text


def test_no_label_stands_on_a_dot_or_on_another_label():
    spots = [Spot(50, 50), Spot(62, 50), Spot(50, 62), Spot(120, 90)]
    taken = list(spots)
    for member, text in enumerate(("1", "2", "3, 4", "5")):
        at, _, spot = free(text, spots, [member], taken, 185)
        assert at == member
        # A digit is some 5 points high, a dot 6 wide.
        assert min(spot.away(other) for other in taken) > 5
        taken.append(spot)


def test_a_label_at_the_edge_stands_inside():
    spot = Spot(183, 90)
    at, (right, _), label = free("1, 2, 3", [spot], [0], [spot], 185)
    assert (at, right) == (0, -7)
    assert label.x + label.half == 183 - 7
