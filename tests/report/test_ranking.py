import re

from tessera.report.ranking import ranking_figures

from .folders import ranked_by_one_seed


def test_every_remedy_has_a_row_with_the_best_first(many):
    (drawn,) = ranking_figures(many.record)
    order = [m for m in re.findall(r"(remedy-\d)</text>", drawn.svg)]
    assert order == [f"remedy-{i}" for i in range(7)]
    assert drawn.alternative.startswith(
        "Interval plot over 3 seeds. Highest: remedy-0."
    )


def test_the_caption_says_what_a_filled_diamond_means(many):
    (drawn,) = ranking_figures(many.record)
    assert "Holm's correction for 7 comparisons" in drawn.caption
    assert "dashed line is balanced data" in drawn.caption


def test_the_caption_counts_only_remedies_that_can_change_an_answer(many):
    ranking = many.record.rankings[0]
    *rows, last = ranking.remedies
    rows.append(last.model_copy(update={"same_answers": True}))
    changed = ranking.model_copy(update={"remedies": tuple(rows)})
    record = many.record.model_copy(update={"rankings": (changed,)})
    assert "for 6 comparisons" in ranking_figures(record)[0].caption


def test_the_recommended_remedy_is_marked(many):
    (drawn,) = ranking_figures(many.record)
    assert many.record.rankings[0].pick == "remedy-0"
    assert "\N{BLACK RIGHT-POINTING SMALL TRIANGLE} remedy-0" in drawn.svg


def test_a_remedy_alone_has_no_order_to_draw(study):
    assert ranking_figures(study.record) == ()


def test_one_seed_has_no_interval_to_explain(many):
    (drawn,) = ranking_figures(ranked_by_one_seed(many.record))
    assert drawn.alternative.startswith("Interval plot over 1 seed. Highest")
    assert "one seed, which gives them no interval" in drawn.caption
    assert "bars" not in drawn.caption and "Holm" not in drawn.caption
