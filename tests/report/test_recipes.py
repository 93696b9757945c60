"""What was trained stands in the report, in the settings' own words."""

import dataclasses

import pytest
from evaluation.studies import flat, record

from tessera.catalogue import catalogue
from tessera.experiment import Cnn, Exponential, Hybrid, Reduced, Regime
from tessera.remedies import PostHocAdjustment, Remedy
from tessera.report import recipes

FORMULA = "inverse-frequency: w_c = N / (K n_c), the reference study's class weights"


def trained(study, regime, *runs):
    """The study with one regime and these runs of it."""
    experiment = study.record.experiment.model_copy(update={"regimes": (regime,)})
    whole = study.record.model_copy(update={"experiment": experiment})
    cells = {("cnn", regime.name): runs}
    return recipes.regimes(dataclasses.replace(study, record=whole, cells=cells))[0]


def run(remedy, seed=0, **changes):
    regime = Regime(name="tried", profile=Reduced(), remedy=catalogue()[remedy])
    return regime, record("cnn", regime, seed, flat(0.8, 0.5), **changes)


def test_class_weights_are_told_with_their_formula_and_their_values(study):
    # N = 7 x 4,500 + 3 x 900 = 34,200; 34,200 / 45,000 = 0.76 and / 9,000 = 3.80.
    rows = {row.name: row for row in recipes.regimes(study)}
    told = "Here 0.76 for common and 3.80 for reduced classes (cat, deer and dog)"
    assert rows["weighted"].weights == f"{FORMULA}. {told}"
    assert (rows["imbalanced"].weights, rows["weighted"].further) == ("none", "")
    assert rows["balanced"].loss == "cross-entropy: \N{MINUS SIGN}log p_y"


def test_weights_are_means_over_seeds_whose_counts_differ(study):
    regime, first = run("class-weights", train_counts=(30, *[10] * 9))
    second = run("class-weights", seed=1, train_counts=(10, *[10] * 9))[1]
    # Seed 0: 120 / 300 = 0.4 and 120 / 100 = 1.2; seed 1: 1 throughout.
    changed = [
        r.model_copy(update={"reduced_classes": tuple(range(1, 10))})
        for r in (first, second)
    ]
    told = trained(study, regime, *changed).weights
    assert "0.70 for common and 1.10 for reduced" in told


def test_weights_of_classes_that_are_not_rare_are_a_range(study):
    regime, one = run("class-weights", train_counts=(15, 5, *[10] * 8))
    even = one.model_copy(update={"reduced_classes": ()})
    # N = 100: 100 / 150 = 0.67, 100 / 50 = 2.
    told = trained(study, regime, even).weights
    assert told == f"{FORMULA}. Here 0.67 to 2.00, least for plane"


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        ("mixup", "mixing: Images blended in pairs (Zhang et al. 2018)"),
        ("oversampling", "sampling: Images of rarer classes come again"),
        ("crt", "second stage: cRT: the last layer is drawn anew"),
        ("deferred-weights", "deferred: 0.8 of the epochs pass before weights"),
        ("temperature", "after training: z / T with the T of least validation"),
    ],
)
def test_what_else_a_remedy_changes_is_named(study, remedy, words):
    assert trained(study, *run(remedy)).further.startswith(words)


def test_what_was_chosen_on_validation_images_stands_beside_it(study):
    regime, first = run("logit-adjustment", tuned={"tau": 0.9})
    second = run("logit-adjustment", seed=1, tuned={"tau": 1.2})[1]
    told = trained(study, regime, first, second).further
    assert told.endswith("(Menon et al. 2021); chosen tau 0.90 to 1.20")


def test_a_tau_that_was_given_is_not_told_as_chosen(study):
    given = Remedy(after=PostHocAdjustment(tau=2.0))
    regime = Regime(name="given", profile=Reduced(), remedy=given)
    record = run("logit-adjustment")[1].model_copy(update={"regime": "given"})
    told = trained(study, regime, record).further
    assert told.endswith("(Menon et al. 2021); tau 2") and "chosen" not in told


def test_a_regime_without_a_finished_run_has_no_row(study):
    more = (*study.record.experiment.regimes, Regime(name="x", profile=Exponential()))
    experiment = study.record.experiment.model_copy(update={"regimes": more})
    whole = study.record.model_copy(update={"experiment": experiment})
    names = [r.name for r in recipes.regimes(dataclasses.replace(study, record=whole))]
    assert names == ["balanced", "imbalanced", "weighted"]


def test_a_model_is_told_with_its_kind_its_settings_and_its_size(study):
    first, second = recipes.models(study)
    assert (first.name, first.settings) == ("cnn", "dropout 0.3")
    assert first.kind.startswith("cnn: Conv32-pool, Conv64-pool, Conv128")
    expected = "depth 0, width 128, heads 2, patch 2, dropout 0.3"
    assert (second.settings, second.parameters) == (expected, 193_098)
    models = (Cnn(name="small"), Hybrid())
    experiment = study.record.experiment.model_copy(update={"models": models})
    cell = study.record.cells[0].model_copy(update={"model": "small"})
    renamed = study.record.model_copy(
        update={"experiment": experiment, "cells": (cell,)}
    )
    (only,) = recipes.models(dataclasses.replace(study, record=renamed))
    assert only.name == "small" and only.kind.startswith("cnn: ")
