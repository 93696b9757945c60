import numpy as np
import pytest

from tessera.explain.faithfulness import controls, metrics, summary

LABELS = np.repeat(np.arange(2, dtype=np.int32), 50)
NAMES = ("cat", "dog")
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.3, 100)
VALUES = {
    # Much noise, but the same in both: only the paired difference is sure.
    "method": {"road": NOISE + 0.05, "deletion_mean": NOISE - 0.05},
    "random": {"road": NOISE + RNG.normal(0, 0.01, 100), "deletion_mean": NOISE},
    "uniform": {"road": NOISE + 0.05, "deletion_mean": NOISE - 0.1},
}
KINDS = (metrics.removal(16)[0], metrics.imputed((0.5,))[2])


@pytest.fixture(scope="module")
def rows():
    parts = summary.strata(LABELS, NAMES, {"head": ("cat",), "tail": ("dog",)})
    made = summary.measured(VALUES, KINDS, "method", parts, seed=0)
    return {row.metric: row for row in made}


def against(row, name):
    return next(a for a in row.against if a.control == name)


def test_differences_are_paired_over_images(rows):
    found = against(rows["road"], "random")
    assert found.decision == "better"
    assert found.difference.high - found.difference.low < 0.01
    assert rows["road"].level.high - rows["road"].level.low > 0.05


def test_lower_is_better_where_the_metric_says_so(rows):
    assert against(rows["deletion_mean"], "random").decision == "better"
    assert against(rows["deletion_mean"], "uniform").decision == "worse"
    assert rows["deletion_mean"].beaten() == ("random",)
    assert rows["deletion_mean"].unbeaten() == ("uniform",)


def test_a_tie_is_not_a_win(rows):
    assert against(rows["road"], "uniform").decision == "undecided"


def test_classes_and_groups_have_their_own_means(rows):
    row = rows["road"]
    cat = VALUES["method"]["road"][:50]
    assert row.by_class["cat"].mean == pytest.approx(cat.mean())
    assert row.by_class["cat"].images == 50
    assert row.by_group["head"].mean == pytest.approx(cat.mean())
    difference = VALUES["method"]["road"][50:] - VALUES["random"]["road"][50:]
    assert row.by_group_minus_random["tail"].mean == pytest.approx(difference.mean())


def test_a_group_is_set_against_the_random_control_and_no_other():
    others = {name: {"road": NOISE - 9} for name in controls.NAMES}
    values = {"method": VALUES["method"], **others, "random": {"road": NOISE - 0.2}}
    parts = summary.strata(LABELS, NAMES, {"tail": ("dog",)})
    (row,) = summary.measured(values, KINDS[1:], "method", parts, seed=0)
    assert row.by_group_minus_random["tail"].mean == pytest.approx(0.25)


def test_a_class_called_like_a_group_does_not_collide():
    names = ("group tail", "tail")
    parts = summary.strata(LABELS, names, {"tail": ("tail",)})
    (row,) = summary.measured(VALUES, KINDS[1:], "method", parts, seed=0)
    first, second = (
        VALUES["method"]["road"][part] for part in (LABELS == 0, LABELS == 1)
    )
    assert row.by_class["group tail"].mean == pytest.approx(first.mean())
    assert row.by_group["tail"].mean == pytest.approx(second.mean())


def test_parts_without_images_are_absent():
    parts = summary.strata(LABELS, ("cat", "dog", "eel"), {"tail": ("eel",)})
    assert list(parts.classes) == ["cat", "dog"]
    assert not parts.groups


def test_images_that_are_drawn_as_one_are_so_in_every_part():
    series = {"method": {"road": RNG.random(40)}, "random": {"road": RNG.random(40)}}
    labels = np.repeat(np.arange(2, dtype=np.int32), 20)
    parts = summary.strata(labels, NAMES, {"tail": ("dog",)})
    # Every cat is alone; the dogs are of four pictures, which are too few.
    units = np.r_[np.arange(20), 20 + np.arange(20) // 5]
    (row,) = summary.measured(
        series, KINDS[1:], "method", parts, seed=0, together=units
    )
    assert row.by_class["cat"].low is not None
    for few in (row.by_class["dog"], row.by_group["tail"]):
        assert (few.low, few.images) == (None, 20)
    (row,) = summary.measured(
        series, KINDS[1:], "method", parts, seed=0, together=np.arange(40) // 10
    )
    assert row.level.low is None


def test_a_control_has_its_own_level_and_without_a_value_it_is_none():
    blank = {"road": np.full(100, np.nan)}
    values = {"method": VALUES["method"], "random": VALUES["random"], "uniform": blank}
    parts = summary.strata(LABELS, NAMES, {})
    kinds = (KINDS[1], metrics.RANDOM_LOGIT)  # of which nothing was measured
    (row,) = summary.measured(values, kinds, "method", parts, seed=0)
    assert [a.control for a in row.against] == ["random"]
    mean = VALUES["random"]["road"].mean()
    assert row.against[0].level.mean == pytest.approx(mean)


def test_a_difference_is_over_the_images_that_have_both_values():
    control = np.where(np.arange(100) < 40, np.nan, NOISE)
    method = np.where(np.arange(100) >= 90, np.nan, NOISE + 0.05)
    values = {"method": {"road": method}, "random": {"road": control}}
    parts = summary.strata(LABELS, NAMES, {})
    (row,) = summary.measured(values, KINDS[1:], "method", parts, seed=0)
    (found,) = row.against
    assert (row.level.images, found.level.images) == (90, 60)
    assert found.difference.images == 50
    assert found.difference.mean == pytest.approx(0.05)
