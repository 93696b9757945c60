"""What explanations say about themselves."""

import dataclasses

import numpy as np
import pytest

from tessera.explain.explanations import (
    CLASS_AGNOSTIC,
    SQUASHED,
    Explanations,
    cautions,
)
from tessera.explain.methods import EigenCam, GradCam


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


def test_a_temperature_of_two_halves_the_logits():
    found = explanations([[0, 2 * np.log(3)]], [1])
    warm = dataclasses.replace(found, temperature=2.0)
    assert found.probabilities == pytest.approx([0.9])
    assert warm.probabilities == pytest.approx([0.75])


def test_the_grid_is_height_by_width():
    assert explanations([[0, 1]], [0]).grid == (5, 7)


def test_the_subject_names_the_class_and_what_it_is_contrasted_with():
    found = explanations([[0, 1], [1, 0]], [1, 0])
    assert found.subject(0, ("cat", "dog")) == "dog"
    contrast = dataclasses.replace(found, against=np.array([0, 1]))
    assert contrast.subject(0, ("cat", "dog")) == "dog against cat"


def test_probabilities_after_a_sigmoid_are_each_classs_own():
    found = explanations([[np.log(9), np.log(3)]], [1])
    alone = dataclasses.replace(found, sigmoid=True)
    assert found.probabilities == pytest.approx([0.25])  # 3 / (9 + 3)
    assert alone.probabilities == pytest.approx([0.75])  # 3 / (1 + 3)
    warm = dataclasses.replace(alone, temperature=0.5)
    assert warm.probabilities == pytest.approx([0.9])  # 9 / (1 + 9)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([[0.7, 0.3], [0.1, 0.9]], True),
        (np.log([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]]), True),
        # A sum of one beside a number below zero, or in the first image alone.
        ([[1.5, -0.5], [0.5, 0.5]], False),
        ([[0.7, 0.3], [0.1, 0.8]], False),
        # Logits of a model that was never trained may be any number.
        ([[200.0, -200.0], [-1.0, 100.0]], False),
        # A class alone may well have the logit 1.
        ([[1.0]], False),
    ],
)
def test_answers_that_look_like_probabilities_come_with_a_caution(answers, told):
    logits = np.array(answers, np.float32)
    assert cautions(GradCam(), logits) == (SQUASHED,) * told
    assert cautions(EigenCam(), logits) == (CLASS_AGNOSTIC, *(SQUASHED,) * told)
