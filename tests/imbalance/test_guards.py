"""Every trap is an error or a note before training, never a wrong number after."""

import numpy as np
import pytest

from tessera import catalogue, remedies
from tessera.imbalance import guards
from tessera.remedies import Remedy

COUNTS = np.array([500, 100, 20])


def notes(remedy: Remedy, counts: np.ndarray = COUNTS) -> str:
    return " ".join(guards.check(remedy, counts, epochs=10))


@pytest.mark.parametrize("name", catalogue.catalogue())
def test_every_remedy_of_the_catalogue_is_sound(name: str) -> None:
    guards.check(catalogue.named(name), COUNTS, epochs=8)


@pytest.mark.parametrize(
    "name",
    ["class-weights", "ldam", "balanced-softmax", "vector-scaling", "logit-adjustment"],
)
def test_an_empty_class_is_refused_by_what_divides_by_its_count(name: str) -> None:
    with pytest.raises(guards.RemedyError, match="none of class 1"):
        guards.check(catalogue.named(name), np.array([5, 0, 5]), epochs=8)


@pytest.mark.parametrize("name", ["plain", "focal", "balanced-sampling", "mixup"])
def test_an_empty_class_does_not_matter_to_what_ignores_counts(name: str) -> None:
    guards.check(catalogue.named(name), np.array([5, 0, 5]), epochs=8)


def test_one_image_of_a_class_is_enough_to_divide_by() -> None:
    guards.check(catalogue.named("class-weights"), np.array([5, 1, 5]), epochs=8)


DOUBLED = {
    "weights and sampling": Remedy(
        weights=remedies.InverseFrequency(), sampling=remedies.Power()
    ),
    "weights and balanced-softmax": Remedy(
        weights=remedies.Smoothed(), loss=remedies.BalancedSoftmax()
    ),
    "logit-adjusted loss and logit-adjustment afterwards": Remedy(
        loss=remedies.LogitAdjusted(), after=remedies.PostHocAdjustment()
    ),
    "sampling and retraining": Remedy(
        sampling=remedies.Power(), retraining=remedies.Classifier()
    ),
    "weights and vector-scaling": Remedy(
        weights=remedies.Smoothed(), loss=remedies.VectorScaling(tau=0.5)
    ),
    "weights and prior-shift": Remedy(
        weights=remedies.EffectiveNumber(), after=remedies.PriorShift()
    ),
}


@pytest.mark.parametrize("remedy", DOUBLED.values(), ids=DOUBLED)
def test_two_corrections_of_the_frequencies_are_refused(remedy: Remedy) -> None:
    with pytest.raises(guards.RemedyError, match="correct the same thing twice"):
        guards.check(remedy, COUNTS, epochs=10)


@pytest.mark.parametrize("remedy", DOUBLED.values(), ids=DOUBLED)
def test_whoever_wants_them_stacked_may_say_so(remedy: Remedy) -> None:
    stacked = remedy.model_copy(update={"stacked": True})
    guards.check(stacked, COUNTS, epochs=10)


def test_what_is_deferred_into_the_second_stage_is_refused() -> None:
    remedy = Remedy(
        weights=remedies.InverseFrequency(),
        deferred=0.8,  # where the second stage begins
        retraining=remedies.Classifier(),
        stacked=True,
    )
    with pytest.raises(guards.RemedyError, match="no epoch before the second"):
        guards.check(remedy, COUNTS, epochs=10)


def test_classes_within_a_twentieth_of_one_another_are_equally_common() -> None:
    weights = catalogue.named("class-weights")
    assert "nothing to correct" in notes(weights, np.array([104, 100]))
    assert "nothing to correct" not in notes(weights, np.array([106, 100]))


def test_a_margin_is_no_correction_of_frequencies() -> None:
    assert not guards.corrects_prior(remedies.Ldam())


def test_label_aware_smoothing_is_no_correction_of_frequencies() -> None:
    assert not guards.corrects_prior(remedies.LabelAwareSmoothing())


def test_vector_scaling_without_a_shift_is_no_correction() -> None:
    assert not guards.corrects_prior(remedies.VectorScaling(tau=0.0))


def test_tau_normalisation_is_refused_where_lengths_do_not_count() -> None:
    remedy = Remedy(loss=remedies.Ldam(), after=remedies.TauNormalisation())
    with pytest.raises(guards.RemedyError, match="it would change nothing"):
        guards.check(remedy, COUNTS, epochs=10)


def test_deferring_nothing_is_refused() -> None:
    with pytest.raises(guards.RemedyError, match="Received: neither"):
        guards.check(Remedy(deferred=0.5), COUNTS, epochs=10)


def test_a_lower_rate_for_what_is_never_deferred_is_refused() -> None:
    at_once = Remedy(weights=remedies.Smoothed(), drop=0.1)
    with pytest.raises(guards.RemedyError, match=r"`drop = 0\.1`.*none that are def"):
        guards.check(at_once, COUNTS, epochs=10)
    guards.check(at_once.model_copy(update={"deferred": 0.5}), COUNTS, epochs=10)


def test_a_deferral_that_no_epoch_reaches_is_refused() -> None:
    with pytest.raises(guards.RemedyError, match="0 after, of 2 epochs"):
        guards.check(catalogue.named("ldam-drw"), COUNTS, epochs=2)


def test_a_deferral_without_an_epoch_before_it_is_refused() -> None:
    remedy = Remedy(weights=remedies.Smoothed(), deferred=0.1)
    with pytest.raises(guards.RemedyError, match="0 before and 4 after, of 4 epochs"):
        guards.check(remedy, COUNTS, epochs=4)
    guards.check(remedy, COUNTS, epochs=10)


def test_a_second_stage_without_an_epoch_is_refused() -> None:
    with pytest.raises(guards.RemedyError, match=r"retraining.share: expected"):
        guards.check(catalogue.named("crt"), COUNTS, epochs=1)


def test_a_second_stage_of_all_epochs_is_not_blamed_on_a_deferral() -> None:
    remedy = Remedy(retraining=remedies.Classifier(share=0.9))
    with pytest.raises(guards.RemedyError, match="0 before and 4 after, of 4") as told:
        guards.check(remedy, COUNTS, epochs=4)
    assert "deferred" not in str(told.value)


def test_a_variation_of_nothing_is_refused() -> None:
    nothing = {"rotation": 0.0, "zoom": 0.0, "colour": 0.0}
    with pytest.raises(guards.RemedyError, match="a rotation, a zoom or a colour"):
        notes(Remedy(variation=remedies.Variation(**nothing)))
    for name in nothing:
        one = remedies.Variation(**(nothing | {name: 0.1}))
        assert notes(Remedy(variation=one)) == ""


def test_a_variation_of_equal_classes_has_nothing_to_correct() -> None:
    told = notes(Remedy(variation=remedies.Variation()), np.array([40, 40]))
    assert "nothing to correct" in told


@pytest.mark.parametrize("end", [0.2, 0.5])
def test_mixing_that_ends_before_or_where_it_begins_is_refused(end: float) -> None:
    remedy = Remedy(mixing=remedies.Mixup(begin=0.5, end=end))
    with pytest.raises(guards.RemedyError, match="expected begin < end"):
        guards.check(remedy, COUNTS, epochs=10)


def test_mixing_without_an_epoch_is_refused() -> None:
    # Rounded, both are the fifth of ten epochs.
    remedy = Remedy(mixing=remedies.Mixup(begin=0.46, end=0.54))
    with pytest.raises(guards.RemedyError, match="at least one mixed epoch"):
        guards.check(remedy, COUNTS, epochs=10)


def test_mixing_that_sets_in_after_the_second_stage_is_refused() -> None:
    remedy = Remedy(mixing=remedies.Mixup(begin=0.85), retraining=remedies.Classifier())
    with pytest.raises(guards.RemedyError, match=r"begin 0\.85 and end 0\.8 of 20"):
        guards.check(remedy, COUNTS, epochs=20)


def test_a_deferral_that_rounds_into_the_second_stage_is_refused() -> None:
    remedy = Remedy(
        weights=remedies.InverseFrequency(),
        deferred=0.79,
        retraining=remedies.Classifier(),
        stacked=True,
    )
    with pytest.raises(guards.RemedyError, match="leaves no epoch before"):
        guards.check(remedy, COUNTS, epochs=10)
    guards.check(remedy, COUNTS, epochs=100)


def test_a_prior_for_another_number_of_classes_is_refused() -> None:
    remedy = Remedy(after=remedies.PriorShift(prior=(1.0, 2.0)))
    with pytest.raises(guards.RemedyError, match=r"each of 3 classes. Received: 2"):
        guards.check(remedy, COUNTS, epochs=10)
    fitting = Remedy(after=remedies.PriorShift(prior=(1.0, 2.0, 3.0)))
    guards.check(fitting, COUNTS, epochs=10)


def test_a_beta_that_makes_the_weights_constant_is_noted() -> None:
    remedy = Remedy(weights=remedies.EffectiveNumber(beta=0.5))
    assert "beta is too small" in notes(remedy)
    assert notes(catalogue.named("effective-number")) == ""


def test_a_power_that_makes_the_weights_constant_is_called_by_its_name() -> None:
    told = notes(Remedy(weights=remedies.Smoothed(power=0.01)))
    assert "power is too small" in told and "beta" not in told


def test_equal_classes_leave_nothing_to_correct() -> None:
    equal = np.array([50, 50, 50])
    assert "nothing to correct" in notes(catalogue.named("class-weights"), equal)
    assert notes(catalogue.named("mixup"), equal) == ""


def test_a_stated_prior_is_a_correction_for_equal_classes_too() -> None:
    equal = np.array([50, 50, 50])
    told = Remedy(after=remedies.PriorShift(prior=(8.0, 1.0, 1.0)))
    assert notes(told, equal) == ""
    assert "nothing to correct" in notes(catalogue.named("prior-shift"), equal)


LONG = {
    "oversampled": (Remedy(sampling=remedies.Oversampling()), "2.45 times"),
    "undersampled": (Remedy(sampling=remedies.Undersampling()), "0.273 times"),
    # 1,100 images for four fifths of the epochs, 2,700 for the last.
    "deferred": (Remedy(sampling=remedies.Oversampling(), deferred=0.8), "1.29 times"),
    "second stage": (
        Remedy(retraining=remedies.Classifier(sampling=remedies.Oversampling())),
        "1.29 times",
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_training_of_another_length_is_noted(name: str) -> None:
    remedy, expected = LONG[name]
    told = notes(remedy, np.array([900, 100, 100]))
    assert f"sees {expected} the images of plain training" in told


def test_the_length_that_is_noted_is_that_of_whole_epochs() -> None:
    remedy = Remedy(sampling=remedies.Oversampling(), deferred=0.8)
    (told,) = guards.check(remedy, np.array([900, 100, 100]), epochs=8)
    # Of 8 epochs 6 have 1,100 images and 2 have 2,700: 12,000 of 8,800.
    assert "sees 1.36 times" in told


def test_many_times_the_images_are_a_plain_number() -> None:
    told = notes(
        Remedy(sampling=remedies.Oversampling()), np.array([50_000, *[50] * 99])
    )
    assert "sees 91 times" in told  # 100 x 50,000 of 54,950


def test_a_length_that_rounds_to_plain_trainings_is_not_noted() -> None:
    over = Remedy(sampling=remedies.Oversampling())
    # 2,000 images are 1.005 times 1,990 of them, and 1.004 times 1,992.
    assert "sees 1.01 times the images" in notes(over, np.array([1000, 990]))
    assert "times the images" not in notes(over, np.array([1000, 992]))


@pytest.mark.parametrize("name", ["oversampling", "balanced-sampling"])
def test_sampling_of_equal_classes_has_nothing_to_correct(name: str) -> None:
    told = notes(catalogue.named(name), np.array([40, 40]))
    assert "nothing to correct" in told and "plain training" not in told


def test_mixing_beside_a_loss_of_one_label_is_noted() -> None:
    remedy = Remedy(loss=remedies.Ldam(), mixing=remedies.Mixup())
    assert "one label per image" in notes(remedy)
    assert notes(Remedy(loss=remedies.Ldam())) == ""
    assert notes(catalogue.named("mixup")) == ""


def test_the_sigmoid_forms_calibration_is_noted() -> None:
    assert "poorly calibrated" in notes(catalogue.named("focal-sigmoid"))
    assert notes(catalogue.named("focal")) == ""
