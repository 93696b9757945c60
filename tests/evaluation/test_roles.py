from tessera.evaluation.roles import Imbalance, roles
from tessera.experiment import (
    CLASS_WEIGHTS,
    OWN_REGIMES,
    Experiment,
    Exponential,
    Hybrid,
    Reduced,
    Regime,
)
from tessera.remedies import Remedy, Temperature

from .studies import REDUCED, by_nature, flat, records


def recalls(model, regime, seed):
    return flat(0.8, 0.5)


def test_the_studys_own_regimes_find_their_parts():
    study = Experiment()
    found = roles(study, records(study, recalls))
    assert found.balanced == "balanced"
    assert found.imbalances == (
        Imbalance("imbalanced", "weighted", REDUCED, ("weighted",)),
    )
    assert found.unequal == ("imbalanced", "weighted")
    assert (found.cnns, found.transformers) == (("cnn",), ("transformer",))


def test_parts_are_read_from_settings_not_from_names():
    renamed = Experiment(
        regimes=(
            Regime(name="weighted", profile=Reduced()),
            Regime(name="imbalanced"),
            Regime(name="balanced", profile=Reduced(), remedy=CLASS_WEIGHTS),
        )
    )
    found = roles(renamed, records(renamed, recalls))
    assert found.balanced == "imbalanced"
    assert found.imbalances == (
        Imbalance("weighted", "balanced", REDUCED, ("balanced",)),
    )


def test_weights_on_another_profile_are_no_partner():
    study = Experiment(
        regimes=(
            Regime(name="plain", profile=Reduced()),
            Regime(name="weighted", profile=Exponential(), remedy=CLASS_WEIGHTS),
        )
    )
    found = roles(study, records(study, recalls))
    assert found.imbalances == (Imbalance("plain", None, REDUCED),)
    assert found.balanced is None


def test_a_remedy_that_only_calibrates_is_told_apart():
    study = Experiment(
        regimes=(
            Regime(name="plain", profile=Reduced()),
            Regime(name="warm", profile=Reduced(), remedy=Remedy(after=Temperature())),
        )
    )
    (found,) = roles(study, records(study, recalls)).imbalances
    assert (found.remedies, found.calibrated) == (("warm",), ("warm",))


def test_data_as_they_come_have_rare_classes_and_no_reduced_ones():
    study = Experiment(regimes=OWN_REGIMES)
    found = roles(study, [by_nature(r) for r in records(study, recalls)])
    (imbalance,) = found.imbalances
    assert (imbalance.regime, imbalance.weighted) == ("as-is", "weighted")
    assert (imbalance.natural, imbalance.reduced) == (True, REDUCED)
    assert (found.natural, found.rare) == ((imbalance,), "rare")
    cut = roles(Experiment(), records(Experiment(), recalls))
    assert (cut.natural, cut.rare) == ((), "reduced")


def test_unequal_classes_of_which_none_is_rare_are_mild():
    study = Experiment(regimes=OWN_REGIMES[1:] + OWN_REGIMES[:1])
    found = roles(study, [by_nature(r, 3600) for r in records(study, recalls)])
    assert found.imbalances == ()
    assert [(i.regime, i.remedies) for i in found.mild] == [("as-is", ("weighted",))]
    # The levelled regime, though the one as it comes stands before it.
    assert found.balanced == "balanced"


def test_equal_classes_as_they_come_are_balanced_data():
    study = Experiment(regimes=OWN_REGIMES[1:])
    found = roles(study, records(study, recalls))
    assert (found.balanced, found.mild) == ("as-is", ())


def test_levelled_classes_that_whole_groups_leave_a_little_apart_are_not_mild():
    study = Experiment()
    uneven = (4500,) * 9 + (4490,)
    found = roles(
        study,
        [
            r.model_copy(update={"train_counts": uneven})
            if r.regime == "balanced"
            else r
            for r in records(study, recalls)
        ],
    )
    assert (found.balanced, found.mild) == ("balanced", ())


def test_hybrids_with_attention_are_told_apart():
    study = Experiment(models=(Hybrid(), Hybrid(name="deep", depth=1)))
    found = roles(study, records(study, recalls))
    assert (found.hybrids, found.attentive) == (("hybrid",), ("deep",))


def test_without_records_no_part_is_filled():
    found = roles(Experiment(), [])
    assert (found.balanced, found.imbalances, found.regimes) == (None, (), ())
    assert found.runs("cnn", "balanced") == ()


def test_the_images_of_a_regime_are_those_of_one_run():
    study = Experiment(regimes=OWN_REGIMES)
    found = roles(study, [by_nature(r) for r in records(study, recalls)])
    assert found.images("balanced") == 10 * 900
    assert found.images("as-is") == 7 * 4500 + 3 * 900
    assert found.images("unknown") == 0
