import pytest

from tessera.evaluation.differences import of_values
from tessera.evaluation.evidence import Finding, because, classes, describe, judge
from tessera.evaluation.roles import Roles

ABOVE = Finding("a", of_values([0.10, 0.11, 0.12]))
BELOW = Finding("b", of_values([-0.10, -0.11, -0.12]))
OPEN = Finding("c", of_values([0.02, 0.04]))
MISSING = Finding("d", None)


def test_a_difference_is_told_with_interval_seeds_and_decision():
    # 12.706 * 0.01414 / sqrt(2) = 0.12706 around a mean of 0.03.
    assert describe(of_values([0.02, 0.04])) == (
        "+3.0 points (95 % interval \N{MINUS SIGN}9.7 to +15.7, 2 seeds): undecided; "
        "about 5 seeds would probably decide it"
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


def test_the_reason_counts_the_intervals_and_says_what_would_decide():
    assert because([ABOVE, OPEN], "above") == (
        "1 of 2 intervals lies above zero, as the hypothesis needs. About 5 seeds "
        "would probably decide the open ones."
    )


def test_the_reason_names_what_speaks_against():
    assert because([ABOVE, BELOW], "above") == (
        "1 of 2 intervals lies above zero, as the hypothesis needs; 1 lies on the "
        "other side."
    )


def test_a_class_with_a_comma_in_its_name_stays_one_class():
    found = Roles(
        ("cats, black", "dogs", "7"), {}, None, (), (), (), (), (), (), (), ()
    )
    assert classes(found, [0, 1]) == '"cats, black" and dogs'
    assert classes(found, [1, 2]) == "classes dogs and 7"
