"""What explanations say about themselves."""

import numpy as np
import pytest

from tessera.explain.explanations import Explanations, softmax


def explanations(logits, targets):
    logits = np.array(logits, np.float32)
    return Explanations(
        raw=np.zeros((len(logits), 5, 7), np.float32),
        targets=np.array(targets),
        predicted=logits.argmax(axis=1),
        logits=logits,
        reasons=np.array([""] * len(logits)),
        layer="features",
        method="Grad-CAM",
        cautions=(),
    )


def test_probabilities_are_the_softmax_of_the_target():
    found = explanations([[0, np.log(3)], [0, 0]], [1, 0])
    assert found.probabilities == pytest.approx([0.75, 0.5])


def test_the_grid_is_height_by_width():
    assert explanations([[0, 1]], [0]).grid == (5, 7)


def test_softmax_of_huge_logits_stays_finite():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0]], np.float32)), [[1, 0]])
