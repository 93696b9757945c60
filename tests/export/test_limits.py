"""The limits on a card: what a user must not trust the model in."""

from dataclasses import replace

from tessera.ensembled import Ensemble
from tessera.export import limits
from tessera.export.words import escaped
from tessera.trained import Trained


def test_what_the_record_notes_and_weak_classes_are_the_first_limits(
    model: Trained,
) -> None:
    told = limits.limits(model, heatmap=True)
    notes = model.record.notes
    assert told[: len(notes)] == tuple(map(escaped, notes))
    weak = [c.name for c in model.record.scores.per_class if c.recall < 0.5]
    assert weak and all(f"{name} (" in told[len(notes)] for name in weak)


def test_a_class_that_was_never_answered_is_said_to_be_so_once(model: Trained) -> None:
    scores = model.record.scores.model_copy(update={"never_predicted": ("owl",)})
    note = "Never predicted on the test set: owl."
    record = model.record.model_copy(update={"scores": scores, "notes": (note,)})
    told = limits.limits(replace(model, record=record), heatmap=False)
    assert [limit for limit in told if "owl" in limit] == [note]


def test_intervals_of_images_in_groups_are_said_to_be_too_short(model: Trained) -> None:
    assert not any("groups" in limit for limit in limits.limits(model, heatmap=False))
    data = model.record.data.model_copy(update={"test_groups": (3,) * 10})
    record = model.record.model_copy(update={"data": data})
    told = limits.limits(replace(model, record=record), heatmap=False)
    (limit,) = [limit for limit in told if "groups" in limit]
    assert "the intervals are too short where the images of a group" in limit


def test_of_an_ensemble_neither_one_training_nor_a_calibration_is_told(
    model: Trained, pair: Ensemble
) -> None:
    one, mean = (" ".join(limits.limits(m, heatmap=False)) for m in (model, pair))
    assert "One training with one seed" in one and "One training" not in mean
    assert (
        "2 trainings (seeds 0 and 1): as many others would err on other images." in mean
    )
    assert "calibrated on validation" in one and "calibrated on validation" not in mean
    assert "a mean, which is calibrated on no images" in mean
    cold = limits.limits(replace(pair, uncalibrated="few images"), heatmap=False)
    assert any(limit.startswith("Probabilities are not calibrated") for limit in cold)
