"""The experiment value: what it expands to, and what its digest depends on."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from tessera import experiment
from tessera.experiment import (
    Cnn,
    Digits,
    Experiment,
    Folder,
    Fractions,
    Hybrid,
    HybridPlus,
    Natural,
    OwnTraining,
    Regime,
    Run,
    Start,
    Training,
)
from tessera.record import StudyFolder, StudyRecord, finished
from tessera.remedies import Focal, Oversampling, PriorShift, Remedy

STUDIES = sorted((Path(__file__).parents[1] / "results").glob("*/study.json"))


def first_run(**changes: object) -> Run:
    return Experiment(**changes).runs()[0]  # type: ignore[arg-type]


def test_nine_cells_and_two_seeds_are_eighteen_runs() -> None:
    runs = Experiment().runs()
    assert len(runs) == 18
    assert len({run.cell for run in runs}) == 9


@pytest.mark.parametrize("kind", get_args(get_args(experiment.Profile)[0]))
def test_a_run_of_any_profile_can_be_told_apart_in_a_table(kind: type) -> None:
    given = {"fractions": {"cat": 0.5, "dog": 0.1}} if kind is Fractions else {}
    one, same, other = (
        first_run(regimes=(Regime(name="x", profile=kind(selection=how, **given)),))
        for how in ("seeded", "seeded", "reference")
    )
    assert len({one, same, other}) == 2


def test_all_cells_of_a_seed_come_before_the_next_seed() -> None:
    assert [run.seed for run in Experiment().runs()] == [0] * 9 + [1] * 9


def test_an_experiment_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Experiment().training.epochs = 3  # type: ignore[misc]


def test_a_runs_own_experiment_expands_to_that_run_alone() -> None:
    run = Experiment().runs()[7]
    assert run.experiment().runs() == (run,)


def test_names_seeds_and_places_do_not_change_the_digest() -> None:
    run = first_run(data=Folder(path="here"))
    elsewhere = first_run(
        data=Folder(path="there"),
        models=(Cnn(name="baseline"),),
        regimes=(Regime(name="renamed"),),
        seeds=(5,),
    )
    assert run.digest("data") == elsewhere.digest("data")


def test_that_corrections_may_be_stacked_changes_no_training() -> None:
    """So that one training does for two regimes of which one shifts logits after it."""
    sampled = Remedy(sampling=Oversampling())
    shifted = Remedy(sampling=Oversampling(), after=PriorShift(), stacked=True)
    plain, adjusted = (
        first_run(regimes=(Regime(name="it", remedy=remedy),))
        for remedy in (sampled, shifted)
    )
    assert adjusted.without_after().digest("data") == plain.digest("data")
    assert adjusted.digest("data") != plain.digest("data")


@pytest.mark.parametrize(
    "changes",
    [
        {"training": Training(epochs=9)},
        {"training": Training(label_smoothing=0.1)},
        {"models": (Cnn(dropout=0.1),)},
        {"models": (Hybrid(),)},
        {"data": Digits(image_size=16)},
    ],
)
def test_what_decides_the_result_changes_the_digest(changes: dict[str, object]) -> None:
    assert first_run(**changes).digest("data") != first_run().digest("data")


def test_weights_to_start_from_change_the_digest_and_where_they_lie_does_not() -> None:
    plain, here, there, other = (
        first_run(models=(Cnn(start=start),)).digest("data")
        for start in (
            None,
            Start(run="here", sha256="0" * 64),
            Start(run="there", sha256="0" * 64),
            Start(run="here", sha256="1" * 64),
        )
    )
    assert here == there
    assert len({plain, here, other}) == 3


def test_other_data_changes_the_digest() -> None:
    assert first_run().digest("one") != first_run().digest("another")


@pytest.mark.parametrize(
    "part",
    [{"residual": False}, {"normalised": False}, {"separable": True}, {"late": True}],
    ids=str,
)
def test_a_part_that_hybrid_plus_has_otherwise_changes_the_digest(
    part: dict[str, bool],
) -> None:
    run, other = (first_run(models=(HybridPlus(**p),)) for p in ({}, part))
    assert other.digest("data") != run.digest("data")


def test_a_models_own_training_holds_for_its_runs_alone() -> None:
    own = OwnTraining(learning_rate=0.01, origin="a guess")
    runs = Experiment(models=(Cnn(training=own), Hybrid())).runs()
    rates = {run.model.label: run.training.learning_rate for run in runs}
    assert rates == {"cnn": 0.01, "hybrid": 1e-3}
    assert runs[0].experiment().runs() == (runs[0],)


def test_where_training_settings_were_written_does_not_change_the_digest() -> None:
    own = first_run(models=(Cnn(training=OwnTraining(batch_size=32, origin="x")),))
    shared = first_run(models=(Cnn(),), training=Training(batch_size=32))
    assert own.digest("data") == shared.digest("data") != first_run().digest("data")


class GrownProfile(Natural):
    strength: float = 1.0


class GrownRemedy(Remedy):
    strength: float = 1.0


class GrownLoss(Focal):
    strength: float = 1.0


def with_part(profile: Natural, remedy: Remedy, loss: Focal) -> Run:
    whole = remedy.model_copy(update={"loss": loss})
    regime = Regime(name="one", profile=profile, remedy=whole)
    return first_run().model_copy(update={"regime": regime})


@pytest.mark.parametrize("grown", [0, 1, 2], ids=["profile", "remedy", "loss"])
def test_a_later_setting_of_any_part_counts_once_it_changes_something(
    grown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list = [Natural(), Remedy(), Focal()]
    before = with_part(*parts).digest("data")
    monkeypatch.setitem(experiment.LATER, "strength", 1.0)
    kind = (GrownProfile, GrownRemedy, GrownLoss)[grown]
    parts[grown] = kind()
    assert with_part(*parts).digest("data") == before
    parts[grown] = kind(strength=2.0)
    assert with_part(*parts).digest("data") != before


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
def test_every_committed_run_still_counts_as_finished(path: Path) -> None:
    study, folder = StudyRecord.model_validate_json(path.read_bytes()), path.parent
    for run in study.experiment.runs():
        digest = run.digest(study.data.fingerprint)
        place = StudyFolder(folder).run(run.cell, digest, run.seed)
        assert finished(place, digest), (run.cell, run.seed)


def test_hybrid_plus_brings_its_recipe_and_may_replace_parts_of_it() -> None:
    training = Training(epochs=3, learning_rate=1.0)
    recipe = HybridPlus().trained(training)
    assert (recipe.epochs, recipe.optimizer) == (3, "muon")
    own = HybridPlus(training=OwnTraining(optimizer="adam")).trained(training)
    assert own == recipe.model_copy(update={"optimizer": "adam"})


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"fold": 1}, "parts that `folds` counts"), ({"folds": 3, "fold": 4}, "the 3")],
)
def test_a_fold_is_one_of_those_that_there_are(
    asked: dict[str, int], told: str
) -> None:
    with pytest.raises(ValidationError, match=rf"fold: expected one of.*{told}"):
        Folder(path="photos", **asked)


def test_a_fold_decides_the_result() -> None:
    runs = [first_run(data=Folder(path="a", folds=3, fold=n)) for n in (None, 1, 2)]
    assert len({run.digest("data") for run in runs}) == 3
