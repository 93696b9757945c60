from tessera.report.tradeoff import tradeoff


def test_a_point_is_the_change_of_both_recalls(many):
    drawn = tradeoff(many.record)
    # Recalls rise by 0.30 and fall by 0.04, and by what this run's own seeds add.
    assert "cnn, plain: remedy-0: reduced +30." in drawn.alternative
    assert "other \N{MINUS SIGN}4.0" in drawn.alternative


def test_points_carry_their_rank(many):
    drawn = tradeoff(many.record)
    assert "Numbers are those of the table." in drawn.caption
    assert "remedy-0</text>" not in drawn.svg


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
    assert "rare classes' recall" in drawn.svg and "common classes'" in drawn.svg
    assert "head classes' recall" not in drawn.svg


def test_without_several_remedies_there_is_nothing_to_trade(study):
    assert tradeoff(study.record) is None
