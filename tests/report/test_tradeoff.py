from tessera.report.tradeoff import tradeoff


def test_a_point_is_the_change_of_both_recalls(many):
    drawn = tradeoff(many.record)
    # Recalls rise by 0.30 and fall by 0.04, and by what this run's own seeds add.
    assert "cnn, plain: remedy-0: rare +30." in drawn.alternative
    assert "common \N{MINUS SIGN}4.0" in drawn.alternative


def test_many_points_carry_their_rank(many):
    drawn = tradeoff(many.record)
    assert "Numbers are those of the table." in drawn.caption
    assert "remedy-0</text>" not in drawn.svg


def test_few_points_carry_their_name(many):
    ranking = many.record.rankings[0]
    few = ranking.model_copy(update={"remedies": ranking.remedies[:3]})
    record = many.record.model_copy(update={"rankings": (few,)})
    drawn = tradeoff(record)
    assert "Numbers" not in drawn.caption
    assert "remedy-2</text>" in drawn.svg


def test_without_several_remedies_there_is_nothing_to_trade(study):
    assert tradeoff(study.record) is None
