import numpy as np

from tessera.explain.faithfulness import blanks


def one(value):
    return np.full((1, 4, 4), value, np.float32)


def test_every_blank_or_degenerate_map_has_its_reason():
    single = one(-1.0)
    single[0, 2, 3] = 4
    fine = np.random.default_rng(0).normal(size=(1, 4, 4)).astype(np.float32)
    maps = np.concatenate([one(np.nan), one(0), one(-2), one(3), single, fine])
    assert blanks.reasons(maps).tolist() == [
        "not finite",
        "zero everywhere",
        "no positive evidence",
        "constant",
        "a single cell",
        "",
    ]


def test_a_map_with_zeros_shows_what_its_other_cells_say():
    maps = np.zeros((6, 4, 4), np.float32)
    maps[0, 0, 0] = np.inf
    maps[1, 0, 0] = -1
    maps[2, 0, 0] = 1e-3
    maps[3:, 0, :2] = [[2e-3, 1e-3], [2, 1], [1, -1]]
    assert blanks.reasons(maps).tolist() == [
        "not finite",
        "no positive evidence",
        "a single cell",
        "",
        "",
        "a single cell",
    ]


def test_reasons_are_counted_by_class():
    reasons = np.array(["", "constant", "constant", ""])
    counted = blanks.by_class(reasons, np.array([0, 0, 0, 2]), ("cat", "dog", "eel"))
    assert set(counted) == {"cat", "eel"}
    assert (counted["cat"].images, counted["cat"].reasons) == (3, {"constant": 2})
    assert counted["eel"].reasons == {}
