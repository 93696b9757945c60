"""Numbers and lists read as sentences have them."""

import pytest

from tessera.phrases import (
    first,
    first_classes,
    in_list,
    in_row,
    listed,
    plural,
    points,
    whole_percent,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.021, "+2.1"),
        (-0.021, "\N{MINUS SIGN}2.1"),
        (0.0, "0.0"),
        (-0.0001, "0.0"),
        (1.0, "+100.0"),
        (6.853, "+100.0"),
        (-5.853, "\N{MINUS SIGN}100.0"),
    ],
)
def test_points_carry_their_sign_unless_they_round_to_zero(share, text):
    assert points(share) == text


def test_numbers_and_lists_read_as_english():
    assert plural(1, "seed") == "1 seed"
    assert plural(2000, "seed") == "2,000 seeds"
    assert plural(0, "seed") == "0 seeds"
    assert listed(["cat"]) == "cat"
    assert listed(["cat", "deer", "dog"]) == "cat, deer and dog"


def test_of_many_names_the_first_are_told_and_the_others_counted():
    assert first(list("abc")) == "a, b, c"
    assert first(list("abcde")) == "a, b, c and 2 more"
    eleven = ["cats, black", *"bcdefghijk"]
    assert (
        first_classes(eleven) == '"cats, black", b, c, d, e, f, g, h, i, j and 1 more'
    )


def test_a_share_in_whole_percent_has_a_true_minus_and_at_zero_none():
    assert whole_percent(0.482) == "48"
    assert whole_percent(-0.05) == "\N{MINUS SIGN}5"
    assert whole_percent(-0.004) == "0"


def test_only_a_name_that_holds_a_comma_is_quoted_in_a_list():
    assert in_list("black cats") == "black cats"
    assert in_row(["cats, black", "dogs"]) == '"cats, black", dogs'
    assert in_row(iter(["cat", "dog"])) == "cat, dog"
    assert in_row([]) == ""
