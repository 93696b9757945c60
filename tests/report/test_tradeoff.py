import re

from tessera.report.tradeoff import tradeoff

from .folders import ranked_by_one_seed


def test_a_point_is_the_change_of_both_recalls(many):
    drawn = tradeoff(many.record)
    # Recalls rise by 0.30 and fall by 0.04, and by what this run's own seeds add.
    assert "cnn, plain: remedy-0: reduced +30." in drawn.alternative
    assert "other \N{MINUS SIGN}4.0" in drawn.alternative


def test_points_carry_their_rank(many):
    drawn = tradeoff(many.record)
    assert "Numbers are those of the table;" in drawn.caption
    assert "remedy-0</text>" not in drawn.svg
    assert set("1234567") <= set(labels(drawn))


def labels(drawn):
    """What stands beside the dots: ranks, without the axes' numbers."""
    texts = re.findall(
        r"<text style=.font(?:-size)?: 7.5px[^>]*>([^<]*)</text>", drawn.svg
    )
    return [text.strip() for text in texts]


def test_dots_that_cover_one_another_share_a_label(many):
    ranking = many.record.rankings[0]
    first, second, *others = ranking.remedies
    # 1, 3 to 5 and 7 in one place; 2 and 6 where they were.
    same = {"common": first.common, "rare": first.rare}
    moved = [
        row.model_copy(update=same) if rank != 6 else row
        for rank, row in enumerate(others, 3)
    ]
    remedies = (first, second, *moved)
    record = many.record.model_copy(
        update={"rankings": (ranking.model_copy(update={"remedies": remedies}),)}
    )
    assert sorted(labels(tradeoff(record))) == ["1, 3\N{EN DASH}5, 7", "2", "6"]


def test_the_line_of_equal_mean_recall_needs_every_class_on_one_side(many):
    assert "Above the dashed line" in tradeoff(many.record).caption
    ranking = many.record.rankings[0]
    ends = ranking.model_copy(
        update={"common_classes": (0, 1), "sides": ("tail", "head")}
    )
    record = many.record.model_copy(update={"rankings": (ends,)})
    drawn = tradeoff(record)
    assert "dashed line" not in drawn.caption
    assert "head classes' recall" in drawn.svg
    both = many.record.model_copy(update={"rankings": (ranking, ends)})
    drawn = tradeoff(both)
    assert "smaller classes' recall" in drawn.svg and "larger classes'" in drawn.svg
    assert "head classes' recall" not in drawn.svg


def test_the_title_names_the_classes_as_the_axes_do(many):
    whole = "What the reduced classes win, what the other classes lose"
    assert tradeoff(many.record).title == whole
    tailed = many.record.rankings[0].model_copy(update={"sides": ("tail", "head")})
    record = many.record.model_copy(update={"rankings": (tailed,)})
    assert (
        tradeoff(record).title
        == "What the tail classes win, what the head classes lose"
    )


def test_without_several_remedies_there_is_nothing_to_trade(study):
    assert tradeoff(study.record) is None


def test_one_seed_is_no_mean_over_seeds(many):
    assert tradeoff(many.record).caption.startswith("Mean over seeds, in points")
    one = tradeoff(ranked_by_one_seed(many.record))
    assert one.caption.startswith("Of one seed, in points")
