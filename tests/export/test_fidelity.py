"""A rounded model is measured class by class, and refused where its answers change."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tessera.arrays import Labels
from tessera.data.dataset import Dataset
from tessera.evaluation.scores import from_confusion
from tessera.evaluation.significance import McNemar
from tessera.export import fidelity
from tessera.export.errors import ExportError
from tessera.export.formats import Output, Reader
from tessera.trained import Trained

Change = Callable[[Labels], Labels]


def answering(model: Trained, change: Change) -> Reader:
    """The model as its own export; of the many images together, answers are changed."""

    def reader(pixels: np.ndarray) -> Output:
        said = model.probabilities(pixels.astype(np.uint8)).argmax(axis=1)
        told = change(said) if len(pixels) > 1 else said
        return Output(np.eye(10, dtype=np.float32)[told], None)

    return reader


def test_the_model_itself_keeps_every_answer_and_score(
    model: Trained, dataset: Dataset
) -> None:
    found = fidelity.check(model, answering(model, lambda said: said), dataset)
    assert found.images == found.same_answers == 1000
    assert found.scores == found.original == model.record.scores
    assert (found.test.first_only, found.test.second_only, found.test.p) == (0, 0, 1)
    assert "(100.0 %) are the original's" in found.summary
    assert "No class loses recall" in found.details


def test_changed_answers_are_counted_and_the_scores_are_the_exported_models(
    model: Trained, dataset: Dataset
) -> None:
    labels, size = dataset.test.labels, len(dataset.test)
    said = model.probabilities(dataset.test.images).argmax(axis=1)
    right = np.flatnonzero(said == labels)
    right = right[right >= 3]  # the first three are asked alone
    lost = right[labels[right] == labels[right[0]]][:2]
    fresh = iter(range(10))

    def change(answers: Labels) -> Labels:
        if next(fresh):
            return answers
        changed = answers.copy()
        changed[lost - 3] = (changed[lost - 3] + 1) % 10
        return changed

    found = fidelity.check(model, answering(model, change), dataset)
    assert found.same_answers == 1000 - len(lost)
    assert (found.test.first_only, found.test.second_only) == (len(lost), 0)
    assert found.original == model.record.scores
    assert found.scores.accuracy == pytest.approx(
        model.record.scores.accuracy - len(lost) / size
    )
    name = model.class_names[labels[lost[0]]]
    assert f"falls most is that of {name}" in found.details


def test_a_model_that_answers_otherwise_is_refused(
    model: Trained, dataset: Dataset
) -> None:
    def change(said: Labels) -> Labels:
        return np.where(np.arange(len(said)) % 15, said, (said + 1) % 10)

    with pytest.raises(ExportError, match=r"95.0 % of the answers to .*Nothing was"):
        fidelity.check(model, answering(model, change), dataset)


def test_of_a_hundred_answers_five_may_be_others_and_not_six() -> None:
    expected = np.zeros(100, np.int32)
    fidelity.hold(expected, (np.arange(100) < 5).astype(np.int32), ("a", "b"))
    with pytest.raises(ExportError, match=r"Received: 94\.0 % of 100"):
        fidelity.hold(expected, (np.arange(100) < 6).astype(np.int32), ("a", "b"))


def test_the_answers_of_one_class_may_not_be_lost_among_the_others() -> None:
    expected = np.repeat(np.array([0, 1], np.int32), (980, 20))
    kept, lost = expected.copy(), expected.copy()
    kept[-4:] = lost[-5:] = 0
    fidelity.hold(expected, kept, ("a", "b"))
    with pytest.raises(ExportError, match=r"80\.0 % of the answers that name 'b' to"):
        fidelity.hold(expected, lost, ("a", "b"))
    fidelity.hold(expected[:-1], lost[:-1], ("a", "b"))  # nineteen say too little


def test_other_data_is_refused(model: Trained, dataset: Dataset) -> None:
    other = replace(dataset, fingerprint="0" * 64)
    with pytest.raises(ExportError, match="export: expected the run's data"):
        fidelity.check(model, answering(model, lambda said: said), other)


def test_a_name_in_the_cards_paragraph_is_no_markdown() -> None:
    names = ("a*b", "c")
    whole, worse = (
        from_confusion(np.array([[right, 9 - right], [0, 9]]), names)
        for right in (9, 5)
    )
    found = fidelity.Fidelity(18, 14, whole, worse, McNemar(4, 0, 0.125, True))
    assert r"falls most is that of a\*b: from 100.0 % to 55.6 %" in found.details
