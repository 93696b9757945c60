import pytest
from evaluation.studies import ENVIRONMENT, flat, folders, records

from tessera.evaluation.comparison import summarise
from tessera.evaluation.study_record import study_record
from tessera.experiment import Cnn, Experiment
from tessera.record import Spread
from tessera.report import words


def spread(mean, deviation=None):
    return Spread(mean=mean, deviation=deviation, values=(mean,))


def test_scores_are_percentages_with_their_spread():
    text = words.percent(spread(0.7134, 0.0042))
    assert text == "71.3 \N{PLUS-MINUS SIGN} 0.4"


def test_a_score_below_zero_has_a_minus_sign():
    assert words.percent(spread(-0.09)) == "\N{MINUS SIGN}9.0"


def test_a_single_seed_shows_no_spread():
    assert words.percent(spread(0.7134)) == "71.3"


@pytest.mark.parametrize(("count", "text"), [(193_098, "193,098"), (12.1e6, "12.1 M")])
def test_counts_from_a_million_on_are_in_millions(count, text):
    assert words.millions(int(count)) == text


@pytest.mark.parametrize(("time", "text"), [(2.34, "2.3"), (1234.5, "1,234")])
def test_seconds_are_whole_from_ten_on(time, text):
    assert words.seconds(spread(time)) == text


def test_the_best_of_every_regime_is_by_the_mean():
    study = Experiment(seeds=(0,))
    levels = {"cnn": 0.7, "transformer": 0.6, "hybrid": 0.8}
    found = records(study, lambda m, r, s: flat(levels[m], 0.5))
    cells = summarise(study, found, folders(study))
    assert words.best(cells, "accuracy") == {
        ("hybrid", regime.name) for regime in study.regimes
    }


def test_a_lone_model_is_not_called_the_best():
    study = Experiment(models=(Cnn(),), seeds=(0,))
    found = records(study, lambda m, r, s: flat(0.7, 0.5))
    cells = summarise(study, found, folders(study))
    assert words.best(cells, "accuracy") == frozenset()


def test_a_percent_sign_stays_on_its_numbers_line():
    assert words.tidy("95 % of") == "95\N{NO-BREAK SPACE}% of"


def test_nobody_is_best_where_all_score_zero():
    study = Experiment(seeds=(0,))
    found = records(study, lambda m, r, s: flat(0.0, 0.5))
    cells = summarise(study, found, folders(study))
    assert words.best(cells, "worst_class_recall") == frozenset()


def test_a_score_of_rare_classes_is_headed_by_what_they_are(study, own, mild):
    assert ("reduced_recall", "Reduced classes' recall") in words.columns(study.record)
    assert ("reduced_recall", "Rare classes' recall") in words.columns(own.record)
    assert ("reduced_f1", "Reduced classes' F1") in words.columns(study.record)
    assert ("reduced_f1", "Rare classes' F1") in words.columns(own.record)
    assert "reduced_recall" not in dict(words.columns(mild.record))


def test_sides_that_differ_are_called_neither_rare_nor_tail(many):
    (one,) = many.record.rankings
    tail = one.model_copy(update={"sides": ("tail", "head")})
    assert words.sides([one, one]) == ("reduced", "other")
    assert words.sides([tail]) == ("tail", "head")
    assert words.sides([one, tail]) == ("smaller", "larger")


def test_a_long_name_keeps_both_its_ends():
    # 20 in all: 10 of the beginning, the mark, 9 of the end.
    long = "Melanoma of the left arm, stage II"
    assert words.short(long) == "Melanoma o\N{HORIZONTAL ELLIPSIS} stage II"
    assert words.short("x" * 20) == "x" * 20
    assert words.short("x" * 21) == f"{'x' * 10}\N{HORIZONTAL ELLIPSIS}{'x' * 9}"


@pytest.mark.parametrize("text", ["+2.1 [+1.0, +3.2]", "48 (31 to 66)"])
def test_an_interval_breaks_before_it_and_not_within(text):
    before, _, within = words.unbroken(text).partition(" ")
    assert " " not in within
    assert f"{before} {within}".replace(words.NO_BREAK, " ") == text


def test_the_means_of_an_unfinished_study_are_over_fewer_seeds():
    two = Experiment(models=(Cnn(),), seeds=(0, 1))
    found = records(two, lambda model, regime, seed: flat(0.8, 0.6))
    whole, part = (
        study_record(two, some, ENVIRONMENT, folders(two)[: len(some)])
        for some in (found, found[:-1])
    )
    assert words.over_seeds(whole) == "2 seeds"
    assert words.over_seeds(part) == "as many of 2 seeds as are finished"
