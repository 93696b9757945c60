import dataclasses

from evaluation.studies import records

from tessera.experiment import (
    OWN_REGIMES,
    STUDY_REGIMES,
    Cnn,
    Experiment,
    Exponential,
    Folder,
    HybridPlus,
    Regime,
    Training,
)
from tessera.report.facts import of_a_seed, reduced_in_words, single, values


def told(**settings):
    experiment = Experiment(models=(Cnn(),), seeds=(0,), **settings)
    return of_a_seed(experiment, tuple(records(experiment, lambda *_: [0.5] * 10)))


def test_a_seed_is_said_to_change_what_it_changes():
    kept = "the images that an imbalance keeps"
    assert kept in told(regimes=STUDY_REGIMES)
    assert kept not in told(regimes=STUDY_REGIMES[:1])
    assert kept not in told(regimes=OWN_REGIMES[1:])
    published = Regime(name="tail", profile=Exponential(selection="reference"))
    assert kept not in told(regimes=(published,))
    plain = Training(flip=False, crop_padding=0)
    assert "augmentation" in told() and "augmentation" not in told(training=plain)
    cropped = Experiment(models=(Cnn(), HybridPlus()), training=plain)
    assert "augmentation" in of_a_seed(cropped, ())
    held = "which images are held out for validation"
    assert f"order, {held} and" in told(training=plain)
    photos = Folder(path="photos")
    assert f"{held} (unless the data brings its own)" in told(data=photos)


def test_regimes_that_reduce_no_class_are_the_whole_ones(study, own):
    assert values(study)["whole"] == ["balanced"]
    assert values(own)["whole"] == ["balanced"]
    without = tuple(c for c in study.record.cells if c.regime != "balanced")
    record = study.record.model_copy(update={"cells": without})
    assert values(dataclasses.replace(study, record=record))["whole"] == []


def test_a_lone_model_has_no_rivals(study, own):
    assert values(study)["rivals"] and not values(own)["rivals"]


def test_gaps_need_balanced_runs_and_a_second_seed(study):
    assert values(study)["gaps"] and not single(study.record)

    def changed(**update):
        rankings = tuple(r.model_copy(update=update) for r in study.record.rankings)
        record = study.record.model_copy(update={"rankings": rankings})
        return dataclasses.replace(study, record=record)

    assert not values(changed(balanced_f1=None))["gaps"]
    rows = tuple(
        row.model_copy(update={"seeds": (0,)})
        for row in study.record.rankings[0].remedies
    )
    assert single(changed(remedies=rows).record)
    assert not values(changed(remedies=rows))["gaps"]


def test_classes_of_equal_counts_are_no_imbalance(study):
    assert values(study)["unequal"]
    balanced = {k: runs for k, runs in study.cells.items() if k[1] == "balanced"}
    assert not values(dataclasses.replace(study, cells=balanced))["unequal"]


def test_regimes_that_reduce_different_classes_are_told_apart(study):
    assert reduced_in_words(study) == ["cat, deer, dog"]
    cells = {
        key: tuple(
            r.model_copy(update={"reduced_classes": (0,)}) if r.reduced_classes else r
            for r in runs
        )
        if key[1] == "weighted"
        else runs
        for key, runs in study.cells.items()
    }
    assert reduced_in_words(dataclasses.replace(study, cells=cells)) == [
        "cat, deer, dog under imbalanced",
        "plane under weighted",
    ]
