"""`tessera search` ends with an experiment file that `tessera study` can be given."""

import json
from pathlib import Path

import pytest

from cli.inside import tessera
from tessera import search as searches
from tessera import settings
from tessera.cli import searching
from tessera.experiment import (
    Cnn,
    Digits,
    Experiment,
    Hybrid,
    Training,
    Transformer,
)
from tessera.models.blocks import ModelError


def test_it_leaves_the_search_and_an_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        searches, "validation_score", lambda run, *_: run.training.learning_rate
    )
    experiment = Experiment(
        data=Digits(image_size=8), models=(Cnn(),), training=Training(epochs=1)
    )
    searching.run(experiment, tmp_path, trials=4, regime=None, seed=None)
    document = json.loads((tmp_path / "search.json").read_text())
    assert document["search"]["trials"] == 4
    (model,) = document["models"]
    rates = [trial["values"]["learning_rate"] for trial in model["trials"]]
    assert len(rates) == 4 and rates[0] == 1e-3
    after = settings.read(tmp_path / "experiment.toml")
    assert after.runs()[0].training.learning_rate == max(rates)
    assert after.name == experiment.name and after.seeds == experiment.seeds
    printed = capsys.readouterr().out
    assert "cnn 4/4" in printed
    assert f"tessera study {tmp_path / 'experiment.toml'}" in printed.replace("\n", "")


def test_only_the_models_that_are_named_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "validation_score", lambda *_: 0.5)
    words = ("search", "--data", "digits", "--trials", "1", "--out", tmp_path)
    ended = tessera(*words, "--models", "hybrid-plus,cnn")
    assert ended.returncode == 0, ended.stderr
    document = json.loads((tmp_path / "search.json").read_text())
    assert [one["model"] for one in document["models"]] == ["hybrid-plus", "cnn"]
    after = settings.read(tmp_path / "experiment.toml")
    assert [model.label for model in after.models] == ["hybrid-plus", "cnn"]
    refused = tessera(*words, "--models", "resnet")
    assert refused.returncode == 2
    assert "--models: expected some of cnn, transformer, hybrid" in refused.stderr


def test_ctrl_c_counts_the_trials_that_the_same_command_finds_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scores: list[float] = []

    def score(*_: object) -> float:
        if len(scores) == 5:
            raise KeyboardInterrupt
        scores.append(0.5)
        return 0.5

    monkeypatch.setattr(searches, "validation_score", score)
    experiment = Experiment(data=Digits(image_size=16), models=(Cnn(), Hybrid()))
    with pytest.raises(SystemExit) as ended:
        searching.run(experiment, tmp_path, trials=3, regime=None, seed=None)
    assert ended.value.code == 130
    told = f"Stopped. 5 of 6 trials are finished and kept in {tmp_path}."
    assert told in capsys.readouterr().out
    scores.clear()
    searching.run(experiment, tmp_path, trials=3, regime=None, seed=None)
    assert len(scores) == 1


def test_it_does_not_replace_a_search_of_other_data(tmp_path: Path) -> None:
    other = {"data": {"name": "photos", "fingerprint": 64 * "a"}}
    (tmp_path / "search.json").write_text(json.dumps(other))
    experiment = Experiment(data=Digits(image_size=8), models=(Cnn(),))
    with pytest.raises(searches.SearchError, match="that of photos"):
        searching.run(experiment, tmp_path, trials=1, regime=None, seed=None)
    assert json.loads((tmp_path / "search.json").read_text()) == other


def test_an_impossible_model_is_refused_before_anything_is_kept(tmp_path: Path) -> None:
    experiment = Experiment(
        data=Digits(image_size=8), models=(Cnn(), Transformer(convolutions=4))
    )
    with pytest.raises(ModelError, match=r"^model transformer: "):
        searching.run(experiment, tmp_path / "out", trials=1, regime=None, seed=None)
    assert not (tmp_path / "out").exists()
