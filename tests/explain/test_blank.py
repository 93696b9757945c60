"""Every blank map has its reason, and no other map has one."""

import numpy as np
import pytest

from tessera.explain import blank

ALIVE = np.ones((1, 2, 2, 3), np.float32)


@pytest.mark.parametrize(
    "cells, reason",
    [
        ([[0, 1], [2, -3]], ""),
        ([[0, 0], [0, 1e-30]], ""),
        ([[-1, -2], [-3, 0]], blank.NO_POSITIVE_EVIDENCE),
        ([[0, 0], [0, 0]], blank.NO_POSITIVE_EVIDENCE),
        ([[2, 2], [2, 2]], blank.CONSTANT),
        ([[2, 2], [2, 2.0000002]], blank.CONSTANT),
        ([[2, 2], [2, 2.1]], ""),
        ([[np.nan, 1], [1, 2]], blank.NOT_FINITE),
        ([[np.inf, 1], [1, 2]], blank.NOT_FINITE),
        ([[-np.inf, 1], [1, 2]], blank.NOT_FINITE),
    ],
)
def test_a_map_is_blank_for_a_reason(cells, reason):
    assert blank.reasons(np.array([cells], np.float32), ALIVE).tolist() == [reason]


def test_a_gradient_of_zero_is_told_from_evidence_against():
    raw = np.zeros((2, 2, 2), np.float32)
    gradients = np.concatenate([0 * ALIVE, ALIVE])
    assert blank.reasons(raw, gradients).tolist() == [
        blank.ZERO_GRADIENT,
        blank.NO_POSITIVE_EVIDENCE,
    ]


def test_a_gradient_that_is_not_finite_is_not_called_zero():
    raw = np.full((1, 2, 2), np.nan, np.float32)
    assert blank.reasons(raw, ALIVE * np.nan).tolist() == [blank.NOT_FINITE]


def test_a_map_that_is_made_without_a_gradient_is_not_called_a_zero_gradient():
    raw = np.zeros((1, 2, 2), np.float32)
    assert blank.reasons(raw, None).tolist() == [blank.NO_POSITIVE_EVIDENCE]
