"""Models, remedies and a run are found by the names that a user gives them."""

from pathlib import Path

import pytest

from tessera import choice
from tessera.experiment import Cnn, Experiment, HybridPlus
from tessera.settings import ExperimentError


@pytest.mark.parametrize(
    ("text", "names"),
    [(None, ()), ("", ()), ("all", ("all",)), ("mixup, crt", ("mixup", "crt"))],
)
def test_names_are_read_off_a_list(text: str | None, names: tuple[str, ...]) -> None:
    assert choice.remedies(text) == names


def test_a_name_that_is_not_in_the_catalogue_is_refused_with_those_that_are() -> None:
    with pytest.raises(ExperimentError, match=r"expected one of plain, .*'mixdown'"):
        choice.remedies("mixup,mixdown")


def test_a_study_goes_where_it_is_told_or_by_its_name() -> None:
    mine = Experiment(name="mine")
    assert choice.study_folder(None, mine) == Path("runs/mine")
    assert choice.study_folder("there", mine) == Path("there")


def test_all_models_stay_unless_some_are_asked_for() -> None:
    experiment = Experiment()
    assert choice.narrowed(experiment, None, alone=False) == experiment
    assert choice.narrowed(experiment, "", alone=()) == experiment
    chosen = choice.narrowed(experiment, "hybrid,cnn", alone=False)
    assert [m.label for m in chosen.models] == ["hybrid", "cnn"]


def test_remedies_are_compared_on_the_hybrid_unless_told_otherwise() -> None:
    alone = choice.narrowed(Experiment(), None, alone=True)
    assert [m.label for m in alone.models] == ["hybrid"]
    chosen = choice.narrowed(Experiment(), "cnn", alone=True)
    assert [m.label for m in chosen.models] == ["cnn"]


@pytest.mark.parametrize("option", ["--models", "models"])
def test_a_model_that_the_experiment_lacks_is_refused(option: str) -> None:
    said = rf"^{option}: .*cnn, transformer, hybrid.*'resnet'"
    with pytest.raises(ExperimentError, match=said):
        choice.narrowed(Experiment(), "resnet", alone=False, option=option)


def test_a_change_of_a_model_that_is_left_out_is_refused() -> None:
    whole = Experiment()
    alone = choice.narrowed(whole, "hybrid-plus,hybrid", alone=False)
    choice.require_kept(whole, alone, ["models.2.depth=1", "training.epochs=3"])
    said = r"^--set models\.0\.dropout=0: .* hybrid-plus, hybrid\. Received: .* cnn,"
    with pytest.raises(ExperimentError, match=said):
        choice.require_kept(whole, alone, ["models.0.dropout=0"])


def test_a_kind_of_model_may_be_named_though_the_experiment_has_none() -> None:
    chosen = choice.narrowed(Experiment(), "hybrid-plus,cnn", alone=False)
    assert chosen.models == (HybridPlus(), Cnn())


def test_the_experiments_own_model_goes_before_the_kind_of_its_name() -> None:
    own = Experiment(models=(Cnn(dropout=0.1),))
    assert choice.narrowed(own, "cnn", alone=False).models == own.models


def test_a_cell_is_found_by_model_and_regime() -> None:
    run = choice.find_run(Experiment(), "hybrid", "imbalanced", 9)
    assert (run.cell, run.seed) == ("hybrid--imbalanced", 9)


def test_an_unknown_cell_lists_the_known_ones() -> None:
    with pytest.raises(ExperimentError, match=r"^--model: expected one of cnn, transf"):
        choice.find_run(Experiment(), "resnet", "weighted", 0)
    with pytest.raises(ExperimentError, match=r"^regime: expected one of balanced, im"):
        choice.find_run(Experiment(), "cnn", "odd", 0, dashes="")


def test_a_remedy_that_is_unknown_names_the_option_that_was_given() -> None:
    with pytest.raises(ExperimentError, match=r"^--remedies: .* Received: 'mixdown'"):
        choice.remedies("mixdown")


@pytest.mark.parametrize("twice", ["cnn,cnn", "cnn, hybrid, cnn"])
def test_a_model_asked_for_twice_is_refused_before_anything_is_trained(
    twice: str,
) -> None:
    with pytest.raises(ExperimentError) as caught:
        choice.narrowed(Experiment(), twice, alone=False)
    said = f"--models: expected every model once. Received: {twice!r}."
    assert str(caught.value) == said


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_experiment_takes_is_refused(seed: int) -> None:
    with pytest.raises(ExperimentError, match=r"^--seed: .*0 to 4294967295"):
        choice.find_run(Experiment(), "cnn", "balanced", seed)


@pytest.mark.parametrize("name", ["x.png", "some/where.PNG"])
def test_a_picture_is_a_png_file(name: str) -> None:
    assert choice.picture(Path(name), "--out") == Path(name)


@pytest.mark.parametrize("name", ["x.jpg", "png", "x.png.gz", "folder/"])
def test_another_name_for_a_picture_is_refused(name: str) -> None:
    told = rf"--out: expected a file ending in \.png. Received: '{Path(name)}'"
    with pytest.raises(ExperimentError, match=told):
        choice.picture(Path(name), "--out")
