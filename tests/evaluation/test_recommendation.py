import pytest
from scipy import stats

from tessera.evaluation.ranking import family
from tessera.evaluation.recommendation import p_value, recommendation, with_interval
from tessera.results import GapClosed, RankedRemedy, Ranking, Spread

MINUS = "\N{MINUS SIGN}"
FLAT = Spread(mean=0.5, deviation=0.01, values=(0.5, 0.5))
CLEAR, FAINT = [0.080, 0.081, 0.082], [0.01, -0.02, 0.05]
GAP = GapClosed(gap=0.2, value=0.4, low=0.3, high=0.5)


def ranking(changes, *, behind=None, pick=None, gap=GAP, seconds=100.0, calibrated=()):
    """A ranking with these differences to plain training, seed by seed."""
    rows = list(changes.items())
    found = family([values for _, values in rows])
    rivals = dict(zip(behind or {}, family(list((behind or {}).values())), strict=True))
    remedies = tuple(
        RankedRemedy(
            regime=name,
            seeds=tuple(range(len(values))),
            macro_f1=FLAT,
            change=change,
            rare=change,
            common=family([[-v for v in values]])[0],
            gap_f1=gap,
            gap_rare=gap,
            behind_pick=rivals.get(name),
            parameters=10,
            multiply_adds=10,
            train_seconds=Spread(mean=seconds, deviation=None, values=(seconds,)),
            same_answers=name in calibrated,
        )
        for (name, values), change in zip(rows, found, strict=True)
    )
    return Ranking(
        model="cnn",
        plain="plain",
        balanced="balanced",
        rare_classes=(3,),
        common_classes=(0, 1, 2),
        sides=("reduced", "other"),
        plain_f1=FLAT,
        balanced_f1=FLAT,
        plain_seconds=Spread(mean=100.0, deviation=None, values=(100.0,)),
        remedies=remedies,
        pick=pick,
        recommendation=(),
    )


def test_a_decided_remedy_is_recommended_with_its_numbers():
    text = " ".join(recommendation(ranking({"drw": CLEAR}, pick="drw")))
    assert "take drw: its macro-F1 is +8.1 [+7.9, +8.3] points" in text
    assert "over 3 seeds (p < 0.001)" in text
    assert "closes 40 % of the gap to balanced data (30 to 50 %)" in text
    assert f"the other classes' by {MINUS}8.1" in text
    assert "about as long as without it" in text


def test_the_p_that_is_told_is_the_corrected_one():
    close = [0.05, 0.06, 0.08]
    text = recommendation(ranking({"drw": close, "focal": FAINT}, pick="drw"))[0]
    p = 2 * stats.ttest_1samp(close, 0).pvalue  # Holm: the smaller of two, times two
    assert f"(p = {p:.3f}, corrected for 2 comparisons)" in text


def test_an_undefined_gap_is_not_mentioned():
    gap = GapClosed(gap=0.2, value=None, low=None, high=None)
    text = " ".join(recommendation(ranking({"drw": CLEAR}, pick="drw", gap=gap)))
    assert "gap" not in text


@pytest.mark.parametrize(("seconds", "words"), [(300, "3.0 times"), (50, "0.5 times")])
def test_longer_and_shorter_training_is_said(seconds, words):
    found = ranking({"drw": CLEAR}, pick="drw", seconds=seconds)
    assert f"training takes {words} as long as without it" in recommendation(found)[1]


@pytest.mark.parametrize(
    ("cpu", "words"),
    [
        (150, "1.5 times the processor time of training without it"),
        (100, "about as much processor time as without it"),
    ],
)
def test_where_processor_time_is_known_a_busy_clock_says_nothing(cpu, words):
    # By the clock three times as long, for another program had the cores.
    found = ranking({"drw": CLEAR}, pick="drw", seconds=300)
    known = {"cpu_seconds": Spread(mean=cpu, deviation=None, values=(cpu,))}
    plain = Spread(mean=100.0, deviation=None, values=(100.0,))
    rows = tuple(row.model_copy(update=known) for row in found.remedies)
    found = found.model_copy(update={"remedies": rows, "plain_cpu_seconds": plain})
    assert f"training takes {words}." in recommendation(found)[1]


def test_processor_time_of_one_side_alone_is_compared_with_nothing():
    plain = Spread(mean=100.0, deviation=None, values=(100.0,))
    found = ranking({"drw": CLEAR}, pick="drw", seconds=300)
    found = found.model_copy(update={"plain_cpu_seconds": plain})
    assert "training takes 3.0 times as long as" in recommendation(found)[1]


def test_rivals_that_cannot_be_told_apart_are_named_with_the_seeds_it_would_take():
    found = ranking(
        {"drw": CLEAR, "ldam": CLEAR, "focal": [0.01, 0.011, 0.012]},
        behind={"ldam": [0.010, -0.004, 0.006], "focal": [0.07, 0.07, 0.071]},
        pick="drw",
    )
    last = recommendation(found)[-1]
    assert last.startswith("ldam cannot be told apart from it with these seeds; about")
    assert "focal" not in last


def test_a_pick_ahead_of_all_says_so():
    found = ranking(
        {"drw": CLEAR, "focal": [0.01, 0.011, 0.012]},
        behind={"focal": [0.07, 0.07, 0.071]},
        pick="drw",
    )
    _, _, *rivals = recommendation(found)
    assert rivals == ["It is ahead of the other beyond doubt."]


@pytest.mark.parametrize(
    ("rivals", "told"),
    [(4, "remedy-2 and remedy-3"), (5, "remedy-3 and 1 other"), (7, "and 3 others")],
)
def test_many_even_rivals_are_counted(rivals, told):
    names = [f"remedy-{i}" for i in range(rivals)]
    found = ranking(
        {"drw": CLEAR} | dict.fromkeys(names, CLEAR),
        behind=dict.fromkeys(names, FAINT),
        pick="drw",
    )
    assert f"{told} cannot be told apart" in recommendation(found)[-1]


def test_a_higher_mean_that_is_not_decided_is_not_recommended_but_mentioned():
    found = ranking(
        {"wild": [0.30, -0.05, 0.25], "drw": CLEAR},
        behind={"wild": [-0.22, 0.13, -0.17]},
        pick="drw",
    )
    text = " ".join(recommendation(found))
    assert "take drw" in text
    assert "wild reaches a higher mean, but these seeds do not show" in text


def test_when_nothing_is_decided_no_remedy_is_recommended():
    text = recommendation(ranking({"drw": FAINT, "focal": FAINT}))
    assert text[0].endswith(
        "none of 2 remedies beats plain training beyond doubt with 3 seeds, corrected "
        "for 2 comparisons."
    )
    assert "Nearest is drw: macro-F1 +1.3" in text[1]
    assert "seeds would" in text[1]


def test_one_remedy_that_is_not_decided_is_spoken_of_as_one():
    text = recommendation(ranking({"drw": FAINT}))[0]
    assert text.endswith(
        "the remedy does not beat plain training beyond doubt with 3 seeds."
    )


def test_harm_is_said():
    found = ranking({"drw": FAINT, "focal": [-0.05, -0.051, -0.052]})
    assert recommendation(found)[-1] == "focal is worse than plain training."


def test_where_all_are_worse_no_number_of_seeds_is_named():
    text = recommendation(ranking({"focal": [-0.05, -0.051, -0.052]}))
    change = f"macro-F1 {MINUS}5.1 [{MINUS}5.3, {MINUS}4.9] points."
    assert text[1] == f"Nearest is focal: {change}"
    assert text[2] == "focal is worse than plain training."


def test_without_an_interval_no_number_of_seeds_is_named():
    nearest = recommendation(ranking({"drw": [0.05, 0.05]}))[1]
    assert nearest.endswith("where there is no interval, more seeds have to give one.")
    found = ranking(
        {"drw": CLEAR, "focal": CLEAR}, behind={"focal": [0.01]}, pick="drw"
    )
    assert "seeds have to give one" in recommendation(found)[-1]
    without_a_common_seed = ranking({"drw": CLEAR, "focal": CLEAR}, pick="drw")
    assert "seeds have to give one" in recommendation(without_a_common_seed)[-1]


def test_a_nearest_remedy_that_is_worse_is_said_to_point_the_other_way():
    found = ranking({"weighted": [-0.077, -0.12, -0.03]})
    nearest = recommendation(found)[1]
    assert nearest.startswith(
        f"Nearest is weighted, though it points the other way: macro-F1 {MINUS}7.6 ["
    )
    two_points = recommendation(ranking({"weighted": [-0.02, -0.03, -0.01]}))[1]
    assert "other way" in two_points
    shown_as_a_third = recommendation(ranking({"weighted": [-0.004, 0.0, -0.005]}))[1]
    assert f"other way: macro-F1 {MINUS}0.3 [" in shown_as_a_third
    better = recommendation(ranking({"weighted": FAINT}))[1]
    assert "other way" not in better
    shown_as_zero = recommendation(ranking({"weighted": [-0.0004, 0.0004, -0.0003]}))
    assert "other way" not in shown_as_zero[1]


def test_an_estimate_from_two_seeds_says_so():
    two = recommendation(ranking({"drw": FAINT[1:]}))[1]
    assert two.endswith("would probably decide, estimated from two seeds.")
    three = recommendation(ranking({"drw": FAINT}))[1]
    assert three.endswith("seeds would probably decide.")
    even = ranking({"drw": CLEAR, "ldam": CLEAR}, behind={"ldam": FAINT[1:]})
    last = recommendation(even.model_copy(update={"pick": "drw"}))[-1]
    assert last.endswith("would probably decide, estimated from two seeds.")
    rivals = {"ldam": FAINT[1:], "focal": FAINT}
    one_of_two = ranking({"drw": CLEAR, "ldam": CLEAR, "focal": CLEAR}, behind=rivals)
    last = recommendation(one_of_two.model_copy(update={"pick": "drw"}))[-1]
    assert last.endswith(", estimated from two seeds.")


@pytest.mark.parametrize(
    ("rivals", "told"),
    [
        # At 5 % of two comparisons, by the noncentral t distribution of SciPy.
        ([FAINT, [0.01, -0.01, 0.02]], "about 53 to 69 seeds would probably decide."),
        ([FAINT, FAINT], "about 69 seeds would probably decide."),
        (
            [FAINT, [0.01, -0.01, 0.0001]],
            "about 69 seeds would probably decide the first of these comparisons, and "
            "more than 1,000 the closest.",
        ),
        ([[0.01, -0.01, 0.0001]], "more than 1,000 seeds would be needed."),
    ],
)
def test_the_seeds_that_would_decide_reach_from_the_first_to_the_last(rivals, told):
    names = ["ldam", "focal"][: len(rivals)]
    found = ranking(
        {"drw": CLEAR} | dict.fromkeys(names, CLEAR),
        behind=dict(zip(names, rivals, strict=True)),
        pick="drw",
    )
    assert recommendation(found)[-1].endswith(told)


def test_a_remedy_that_changes_no_answer_is_neither_nearest_nor_counted():
    found = ranking(
        {"drw": FAINT, "ldam": FAINT, "temperature": [0.0, 0.0, 0.0]},
        calibrated=("temperature",),
    )
    first, nearest, last = recommendation(found)
    assert "none of 2 remedies beats plain training" in first
    assert nearest.startswith("Nearest is drw")
    assert last == (
        "For cnn under plain, temperature changes no answer, only how sure the model "
        "is of it, so it takes no part in this comparison."
    )


def test_a_pick_is_not_said_to_be_ahead_of_a_calibration():
    found = ranking(
        {"drw": CLEAR, "temperature": [0.0, 0.0, 0.0]},
        pick="drw",
        calibrated=("temperature",),
    )
    text = " ".join(recommendation(found))
    assert "comparisons" not in text and "ahead" not in text
    assert "cannot be told apart" not in text


def test_a_pick_that_a_rival_of_other_seeds_beats_is_not_said_to_be_ahead():
    found = ranking(
        {"drw": CLEAR, "wild": [0.12, 0.125]},
        behind={"wild": [-0.04, -0.041]},
        pick="drw",
    )
    text = " ".join(recommendation(found))
    assert "ahead" not in text and "cannot be told apart" not in text


def test_a_single_seed_recommends_nothing():
    (only,) = recommendation(ranking({"drw": [0.08], "focal": [0.02]}))
    assert "one seed cannot recommend a remedy" in only
    assert "The remedy with the highest macro-F1 is drw, +8.0 points" in only


def test_a_single_seed_says_of_no_remedy_below_plain_training_that_it_is_the_highest():
    (only,) = recommendation(ranking({"drw": [-0.08], "focal": [-0.12]}))
    assert "drw has the highest" not in only
    assert "highest macro-F1 is drw, \N{MINUS SIGN}8.0 points" in only


def test_numbers_are_short():
    assert with_interval(family([[0.1]])[0]) == "+10.0"
    assert (p_value(0.0004), p_value(0.0123)) == ("p < 0.001", "p = 0.012")
