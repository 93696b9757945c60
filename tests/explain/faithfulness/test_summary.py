import numpy as np
import pytest

from tessera.explain.faithfulness import metrics, summary

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
