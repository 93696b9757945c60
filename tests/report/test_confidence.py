"""Percentages are calibrated where a temperature is known, and called so only there."""

import dataclasses

import numpy as np
import pytest

from tessera.evaluation.outcomes import Outcome
from tessera.report import confidence
from tessera.report.load import explained

from .folders import with_temperatures


@pytest.fixture
def found(study):
    return explained(study.folders["cnn", "balanced", 0].heatmaps)


def test_the_studys_temperature_counts_before_that_of_the_pictures(study, found):
    cell = with_temperatures(study, 3.0).record.cells[0]
    stored = dataclasses.replace(found, temperature=4.0)
    assert confidence.temperature(cell, stored) == 3.0
    bare = cell.model_copy(update={"temperature": None})
    assert confidence.temperature(bare, stored) == 4.0
    assert confidence.temperature(bare, found) is None
    assert confidence.temperature(bare, None) is None


def test_probabilities_are_those_of_the_answers_at_the_temperature(study, found):
    cell = with_temperatures(study, 2.0).record.cells[0]
    logits = np.zeros((200, 10), np.float32)
    logits[found.indices, found.targets] = 2 * np.log(11)
    outcome = Outcome(logits, np.zeros(200, np.int32), None)
    shown = confidence.calibrated(found, cell, outcome)
    # sqrt of e^(2 ln 11) is 11: 11 / (11 + 9).
    assert shown.probabilities == pytest.approx([0.55] * 20)
    assert shown.temperature == 2.0
    assert confidence.calibrated(found, cell, None) is found


def test_only_what_images_told_is_called_calibrated():
    assert confidence.words(1.234).startswith("calibrated on validation images")
    assert "1.23" in confidence.words(1.234)
    assert confidence.words(1.0).startswith("not calibrated: too few")
    assert confidence.words(None).endswith("before temperature scaling")
