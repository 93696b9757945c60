"""A remedy as an experiment file writes it."""

import tomllib

import pytest

from tessera import catalogue, remedies, settings
from tessera.experiment import Experiment, Regime
from tessera.remedies import Remedy


def written(text: str) -> Remedy:
    table = tomllib.loads(f'[[regimes]]\nname = "one"\nremedy = {text}')
    return settings.build(table).regimes[0].remedy


def test_without_anything_it_is_plain_training() -> None:
    assert written("{}") == Remedy() == written('"plain"')


def test_a_name_alone_means_the_catalogues_remedy() -> None:
    assert written('"ldam-drw"') == catalogue.named("ldam-drw")


def test_a_kind_may_have_parts_replaced() -> None:
    expected = catalogue.named("ldam-drw").model_copy(update={"deferred": 0.6})
    assert written('{ kind = "ldam-drw", deferred = 0.6 }') == expected


def test_parts_may_be_put_together_freely() -> None:
    remedy = written('{ loss = { kind = "focal", gamma = 1.0 }, sharpness = 0.1 }')
    assert remedy == Remedy(loss=remedies.Focal(gamma=1.0), sharpness=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"magic"', r"regimes.0.remedy: expected one of plain, .*Received: 'magic'"),
        ("{ los = 1 }", r"remedy.los: unknown key \(did you mean 'loss'\?\)"),
        ('{ loss = { kind = "focal", gama = 1 } }', r"did you mean 'gamma'"),
        ('{ loss = { kind = "fokal" } }', r"loss.kind: expected one of .*'focal'"),
        ("{ deferred = 1.0 }", r"deferred: expected a number below 1.*Received: 1.0"),
    ],
)
def test_a_mistake_is_answered_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(settings.ExperimentError, match=message):
        written(text)


@pytest.mark.parametrize(
    ("part", "setting"),
    [
        ("after", 'kind = "logit-adjustment", tau = 1e300'),
        ("after", 'kind = "tau-normalisation", tau = 1e3'),
        ("after", 'kind = "prior-shift", prior = [1e308, 1e308]'),
        ("mixing", 'kind = "tail-on-head", power = 1e3'),
    ],
)
def test_a_slip_of_the_hand_is_an_error_before_it_overflows_in_a_model(
    part: str, setting: str
) -> None:
    with pytest.raises(settings.ExperimentError, match="expected a number of at most"):
        written(f"{{ {part} = {{ {setting} }} }}")


@pytest.mark.parametrize(("name", "remedy"), catalogue.catalogue().items())
def test_every_remedy_survives_the_file(name: str, remedy: Remedy) -> None:
    experiment = Experiment(regimes=(Regime(name=name, remedy=remedy),))
    table = tomllib.loads(settings.dumps(experiment))
    assert settings.build(table) == experiment


def test_the_second_stage_begins_where_the_first_ends() -> None:
    assert remedies.Classifier(share=0.25).begin == 0.75
