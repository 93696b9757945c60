"""What `--remedies` and `--models` choose, and what `tessera remedies` lists."""

import io

import pytest
from rich.console import Console

from tessera.catalogue import catalogue
from tessera.cli import remedies
from tessera.experiment import Cnn, Experiment, HybridPlus
from tessera.settings import ExperimentError


@pytest.mark.parametrize(
    ("text", "names"),
    [(None, ()), ("all", ("all",)), ("mixup, crt", ("mixup", "crt"))],
)
def test_names_are_read_off_a_list(text: str | None, names: tuple[str, ...]) -> None:
    assert remedies.parse(text) == names


def test_a_name_that_is_not_in_the_catalogue_is_refused_with_those_that_are() -> None:
    with pytest.raises(ExperimentError, match=r"expected one of plain, .*'mixdown'"):
        remedies.parse("mixup,mixdown")


def test_all_models_stay_unless_some_are_asked_for() -> None:
    experiment = Experiment()
    assert remedies.narrowed(experiment, None, alone=False) == experiment
    chosen = remedies.narrowed(experiment, "hybrid,cnn", alone=False)
    assert [m.label for m in chosen.models] == ["hybrid", "cnn"]


def test_remedies_are_compared_on_the_hybrid_unless_told_otherwise() -> None:
    alone = remedies.narrowed(Experiment(), None, alone=True)
    assert [m.label for m in alone.models] == ["hybrid"]
    chosen = remedies.narrowed(Experiment(), "cnn", alone=True)
    assert [m.label for m in chosen.models] == ["cnn"]


def test_a_model_that_the_experiment_lacks_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"cnn, transformer, hybrid.*'resnet'"):
        remedies.narrowed(Experiment(), "resnet", alone=False)


def test_the_list_names_every_remedy_and_what_it_changes() -> None:
    text = io.StringIO()
    remedies.show(Console(file=text, width=300))
    for name in catalogue():
        assert name in text.getvalue()
    assert "Cao et al. 2019" in text.getvalue()


def test_numbers_stand_beside_the_parts_they_belong_to() -> None:
    assert "deferred: 0.8" in remedies.describe(catalogue()["ldam-drw"])
    assert "sharpness: 0.05" in remedies.describe(catalogue()["sam"])


def test_a_kind_of_model_may_be_named_though_the_experiment_has_none() -> None:
    chosen = remedies.narrowed(Experiment(), "hybrid-plus,cnn", alone=False)
    assert chosen.models == (HybridPlus(), Cnn())


def test_the_experiments_own_model_goes_before_the_kind_of_its_name() -> None:
    own = Experiment(models=(Cnn(dropout=0.1),))
    assert remedies.narrowed(own, "cnn", alone=False).models == own.models
