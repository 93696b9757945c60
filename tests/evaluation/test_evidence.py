from dataclasses import replace

import pytest

from tessera.evaluation.differences import of_values
from tessera.evaluation.evidence import Finding, because, classes, describe, judge
from tessera.evaluation.roles import Roles

ABOVE = Finding("a", of_values([0.10, 0.11, 0.12]))
BELOW = Finding("b", of_values([-0.10, -0.11, -0.12]))
OPEN = Finding("c", of_values([0.02, 0.04]))
MISSING = Finding("d", None)
SINGLE = Finding("e", of_values([0.02]))
SAME = Finding("g", of_values([0.25, 0.25]))
HOPELESS = Finding("f", of_values([0.1, -0.1]))


def test_a_difference_is_told_with_interval_seeds_and_decision():
    # 12.706 * 0.01414 / sqrt(2) = 0.12706 around a mean of 0.03.
    assert describe(of_values([0.02, 0.04])) == (
        "+3.0 points (95 % interval \N{MINUS SIGN}9.7 to +15.7, 2 seeds): undecided; "
        "about 5 seeds would probably decide it"
    )


def test_a_difference_that_is_decided_is_told_with_its_side():
    # 4.3027 * 0.01 / sqrt(3) = 0.02484 around a mean of 0.11.
    assert ABOVE.sentence() == (
        "a: +11.0 points (95 % interval +8.5 to +13.5, 3 seeds): above zero."
    )


def test_a_difference_on_the_other_side_is_told_with_it():
    assert BELOW.sentence().endswith(", 3 seeds): below zero.")


def test_the_comparison_that_takes_the_most_seeds_decides_how_many():
    far, near = (Finding("x", of_values([m - 0.01, m + 0.01])) for m in (0.01, 0.05))
    most, fewer = (f.difference.seeds_to_decide for f in (far, near))
    assert most > fewer
    told = f"About {most} seeds would probably decide"
    assert because([far, near], "above").endswith(f"{told} the open ones.")
    assert f"{told} all but 1" in because([far, near, HOPELESS], "above")


def test_a_difference_that_no_number_of_seeds_decides_says_so():
    assert HOPELESS.sentence().endswith(
        "undecided; more than 1,000 seeds would be needed."
    )


def test_no_end_of_an_interval_lies_beyond_what_shares_can_differ_by():
    # 12.706 * 0.3536 / sqrt(2) = 3.177 around a mean of 0.25: -293 to +343 points.
    found = of_values([0.0, 0.5])
    assert describe(found).startswith(
        "+25.0 points (95 % interval \N{MINUS SIGN}100.0 to +100.0, 2 seeds): undecided"
    )
    assert (found.low, found.high) == pytest.approx((-2.927, 3.427), abs=0.001)


def test_a_single_seed_is_told_without_an_interval():
    text = describe(of_values([0.02]))
    assert text == "+2.0 points (1 seed, so no interval): undecided"


def test_seeds_that_agree_are_told_without_an_interval():
    text = describe(of_values([0.25, 0.25]))
    assert text == "+25.0 points (the same for all 2 seeds, so no interval): undecided"


def test_a_missing_cell_is_told():
    assert MISSING.sentence() == "d: no seed is finished in both cells."


@pytest.mark.parametrize(
    ("findings", "outcome"),
    [
        ([ABOVE, ABOVE], "supported"),
        ([ABOVE, OPEN], "not decided"),
        ([ABOVE, MISSING], "not decided"),
        ([ABOVE, BELOW], "not supported"),
        ([BELOW, OPEN], "not supported"),
    ],
)
def test_a_claim_about_every_model_needs_every_model(findings, outcome):
    assert judge(findings, "above") == outcome


@pytest.mark.parametrize(
    ("findings", "count", "then"),
    [
        ([ABOVE, ABOVE], "2 of 2 intervals lie", "."),
        ([ABOVE, BELOW], "1 of 2 intervals lies", "; 1 lies on the other side."),
        (
            [ABOVE, BELOW, ABOVE, BELOW, ABOVE],
            "3 of 5 intervals lie",
            "; 2 lie on the other side.",
        ),
        (
            [ABOVE, OPEN],
            "1 of 2 intervals lies",
            ". About 5 seeds would probably decide the open ones.",
        ),
        (
            [OPEN, HOPELESS],
            "0 of 2 intervals lie",
            ". About 5 seeds would probably decide all but 1 of the open ones.",
        ),
        (
            [HOPELESS],
            "0 of 1 interval lies",
            ". More than 1,000 seeds would be needed.",
        ),
        (
            [SINGLE, OPEN],
            "0 of 1 interval lies",
            "; 1 comparison has none (e). "
            "Without an interval nothing can be decided: add seeds.",
        ),
        (
            [ABOVE, BELOW, SAME],
            "1 of 2 intervals lies",
            "; 1 lies on the other side; 1 comparison has none (g). "
            "Without an interval nothing can be decided: add seeds.",
        ),
        (
            [ABOVE, ABOVE, SINGLE, MISSING],
            "2 of 2 intervals lie",
            "; 2 comparisons have none (e; d). "
            "Some comparisons have no seed that is finished in both cells yet.",
        ),
        (
            [ABOVE, SINGLE, SAME, MISSING, SINGLE],
            "1 of 1 interval lies",
            "; 4 comparisons have none (e; g; 2 more). "
            "Some comparisons have no seed that is finished in both cells yet.",
        ),
    ],
)
def test_the_reason_counts_the_intervals_and_says_what_would_decide(
    findings, count, then
):
    told = f"{count} above zero, as the hypothesis needs{then}"
    assert because(findings, "above") == told


def test_a_class_with_a_comma_in_its_name_stays_one_class():
    found = Roles(
        ("cats, black", "dogs", "7"), {}, None, (), (), (), (), (), (), (), ()
    )
    assert classes(found, [0, 1]) == '"cats, black" and dogs'
    assert classes(found, [1, 2]) == "classes dogs and 7"


def test_up_to_four_classes_are_named_and_more_are_counted():
    found = Roles(tuple("abcde"), {}, None, (), (), (), (), (), (), (), ())
    assert classes(found, range(4)) == "a, b, c and d"
    assert classes(found, range(5)) == "the 5 reduced classes"
    assert classes(replace(found, rare="rare"), range(5)) == "the 5 rare classes"


def test_where_there_is_no_interval_none_are_counted():
    assert because([SINGLE, SINGLE], "above") == (
        "No difference here has an interval. Without an interval nothing can be "
        "decided: add seeds."
    )
    assert because([SINGLE, MISSING], "above") == (
        "No difference here has an interval. Some comparisons have no seed that is "
        "finished in both cells yet."
    )
