"""Settings in words: their own docstrings, and every value they hold."""

import pytest

from tessera import remedies, wording
from tessera.catalogue import catalogue
from tessera.experiment import MODELS, Cnn, Hybrid, HybridPlus, Start
from tessera.remedies import Remedy


def test_a_setting_is_told_by_its_docstrings_first_line() -> None:
    weights = remedies.InverseFrequency()
    formula = "w_c = N / (K n_c), the reference study's class weights"
    assert wording.told(weights) == wording.whole(weights) == formula
    assert wording.told(Hybrid()).endswith("; depth encoder blocks on its tokens")


def test_its_values_are_told_with_the_defaults_and_without_names() -> None:
    assert wording.values(Cnn(name="small")) == "dropout 0.3"
    told = wording.values(HybridPlus(late=True))
    assert told.startswith("widths 36 and 72, whitening yes, ")
    assert "late yes" in told and "separable no" in told
    assert wording.values(remedies.PostHocAdjustment()) == ""
    begun = Cnn(start=Start(run="runs/larger", sha256="0" * 64))
    assert wording.values(begun) == wording.values(Cnn())


def test_a_setting_within_a_setting_is_told_by_its_kind() -> None:
    second = remedies.Classifier(sampling=remedies.Power(power=0.5))
    assert wording.values(second) == "share 0.2, sampling power (power 0.5)"
    drawn = remedies.Classifier(sampling=remedies.Undersampling())
    assert wording.values(drawn) == "share 0.2, sampling undersampling"


def test_a_remedy_is_told_part_by_part() -> None:
    told = wording.parts(Remedy(loss=remedies.Focal(gamma=1.0), drop=0.1))
    assert told == {
        "loss": "Well-classified images count less, by (1 - p)^gamma (Lin et al. "
        "2017); gamma 1, form softmax",
        "drop": "0.1 times the learning rate once they have set in",
    }
    assert wording.parts(Remedy()) == {}


@pytest.mark.parametrize("remedy", catalogue().values(), ids=catalogue())
def test_no_two_remedies_of_the_catalogue_are_told_alike(remedy: Remedy) -> None:
    alike = [
        r for r in catalogue().values() if wording.parts(r) == wording.parts(remedy)
    ]
    assert alike == [remedy]


def test_every_part_that_is_a_number_has_words() -> None:
    remedy = Remedy(deferred=0.5, drop=0.1, sharpness=0.05, stacked=True)
    assert len(wording.parts(remedy)) == 4


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_every_model_has_a_line(model) -> None:
    assert 20 < len(wording.told(model)) < 90
