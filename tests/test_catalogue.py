"""The catalogue: every name leads to a remedy, and every remedy to its name."""

import pytest

from tessera import catalogue, remedies
from tessera.remedies import Remedy


@pytest.mark.parametrize(("name", "remedy"), catalogue.catalogue().items())
def test_a_remedy_is_called_by_its_name(name: str, remedy: Remedy) -> None:
    assert catalogue.named(name) == remedy
    assert catalogue.label(remedy) == name


def test_no_two_names_mean_the_same() -> None:
    found = list(catalogue.catalogue().values())
    assert len(set(found)) == len(found)


def test_another_remedy_is_called_by_its_parts() -> None:
    remedy = Remedy(loss=remedies.Focal(gamma=0.5), weights=remedies.Smoothed())
    assert catalogue.label(remedy) == "focal (gamma 0.5) + smoothed"


@pytest.mark.parametrize(
    ("sampling", "told"),
    [
        (remedies.Oversampling(), "classifier (share 0.3, oversampling)"),
        (remedies.Power(power=0.5), "classifier (share 0.3, power (power 0.5))"),
    ],
)
def test_what_a_second_stage_draws_is_told_in_words(
    sampling: remedies.Sampling, told: str
) -> None:
    stage = remedies.Classifier(share=0.3, sampling=sampling)
    assert catalogue.label(Remedy(retraining=stage)) == told


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"one of plain, class-weights, .*temperature"):
        catalogue.named("magic")


def test_only_temperature_scaling_keeps_every_answer() -> None:
    known = catalogue.catalogue().items()
    assert [n for n, r in known if catalogue.keeps_answers(r)] == ["temperature"]
    with_weights = Remedy(
        weights=remedies.InverseFrequency(), after=remedies.Temperature()
    )
    assert not catalogue.keeps_answers(with_weights)
