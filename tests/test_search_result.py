"""What a search leaves: settings with their origin, and nothing lost of another one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tessera import search, search_result, search_space, settings
from tessera.data.dataset import Dataset, Split
from tessera.experiment import Cnn, Digits, Experiment, OwnTraining, Training
from tessera.search import Found, SearchError, Trial
from tessera.search_space import Values

EXPERIMENT = Experiment(
    data=Digits(image_size=8),
    models=(Cnn(),),
    training=Training(epochs=1, flip=False),
    seeds=(0, 4),
)
PLAN = search.planned(EXPERIMENT, trials=2, regime=None, seed=None)


def found(best: int) -> Found:
    own = Values(learning_rate=1e-3, batch_size=128, dropout=0.3)
    other = Values(learning_rate=2e-3, batch_size=64, dropout=0.1)
    return Found(
        model="cnn",
        space=search_space.space(search.base(EXPERIMENT, Cnn(), PLAN)),
        trials=(Trial(values=own, score=0.5), Trial(values=other, score=0.6)),
        best=best,
    )


def test_the_study_that_follows_uses_what_was_found_and_says_so() -> None:
    after = search_result.following(EXPERIMENT, [found(best=1)], PLAN)
    assert settings.build(after.model_dump(mode="json", exclude_none=True)) == after
    (model,) = after.models
    assert model.training is not None and model.training.origin == (
        "Found by 2 trials of 1 epoch, the same budget for every model, by "
        "val_balanced_accuracy on validation images only (regime imbalanced, seed 5)."
    )
    for run in after.runs():
        assert (run.training.learning_rate, run.training.batch_size) == (2e-3, 64)
        assert run.model == model and model.dropout == 0.1
    assert after.training == EXPERIMENT.training


def test_settings_that_no_trial_beat_are_kept_and_that_is_said() -> None:
    after = search_result.following(EXPERIMENT, [found(best=0)], PLAN)
    (model,) = after.models
    assert model.training is not None and model.training.origin is not None
    assert "no trial beat the experiment's own settings" in model.training.origin
    before = EXPERIMENT.runs()[0]
    assert after.runs()[0].digest("data") == before.digest("data")


def test_what_a_models_training_has_of_its_own_beside_the_search_is_kept() -> None:
    own = OwnTraining(weight_decay=0.01, schedule="cosine", origin="Of a pilot.")
    before = EXPERIMENT.model_copy(update={"models": (Cnn(training=own),)})
    (kept,) = search_result.following(before, [found(best=0)], PLAN).runs()[:1]
    assert kept.digest("data") == before.runs()[0].digest("data")
    (run,) = search_result.following(before, [found(best=1)], PLAN).runs()[:1]
    training = run.training
    assert (training.weight_decay, training.schedule) == (0.01, "cosine")
    assert (training.learning_rate, training.batch_size) == (2e-3, 64)
    assert str(run.model.origin).startswith("Of a pilot. Found by 2 trials")


def test_a_search_takes_the_place_of_the_search_before_it() -> None:
    once = search_result.following(EXPERIMENT, [found(best=1)], PLAN)
    again = search_result.following(once, [found(best=1)], PLAN)
    assert again == once


def dataset(fingerprint: str) -> Dataset:
    one = Split(np.zeros((2, 8, 8, 3), np.uint8), np.arange(2, dtype=np.int32))
    return Dataset("made up", ("cat", "dog"), one, one, None, 64 * fingerprint)


def test_a_search_of_other_data_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    search_result.refuse_other_data(dataset("a"), file)
    document = search_result.document(PLAN, [found(best=1)], dataset("a"))
    file.write_text(json.dumps(document))
    search_result.refuse_other_data(dataset("a"), file)
    other = replace(dataset("b"), name="other")
    with pytest.raises(SearchError, match=r"that of other \(b{12}\). Received: that"):
        search_result.refuse_other_data(other, file)


@pytest.mark.parametrize("content", ["", "[]", '{"data": 1}'])
def test_nor_is_a_file_that_is_no_searchs(content: str, tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    file.write_text(content)
    with pytest.raises(SearchError, match="damaged or not Tessera's"):
        search_result.refuse_other_data(dataset("a"), file)
