from tessera.report import shown


def test_a_study_that_fits_is_drawn_whole_and_without_a_word(study):
    assert shown.regimes(study.record) == ("balanced", "imbalanced", "weighted")
    assert len(shown.cells(study.record)) == 6
    assert shown.note(study.record) == ""


def test_of_many_regimes_the_references_and_the_best_remedies_are_drawn(many):
    assert shown.regimes(many.record) == (
        "balanced",
        "plain",
        *(f"remedy-{i}" for i in range(4)),
    )
    assert "Of 9 regimes 6 are drawn" in shown.note(many.record)


def test_many_names_are_counted():
    assert shown.joined(["a", "b", "c"]) == "a, b and c"
    assert shown.joined(["a", "b", "c", "d"]) == "a, b and 2 others"
    assert shown.joined(["a, b", "c"]) == '"a, b" and c'
    assert shown.joined(["a, b", "c", "d", "e"]) == '"a, b", c and 2 others'


def test_without_a_ranking_nothing_is_called_a_remedy_with_the_highest_score(many):
    assert "the remedies with the highest macro-F1" in shown.note(many.record)
    none = many.record.model_copy(update={"rankings": ()})
    assert "6 are drawn: the first;" in shown.note(none)
