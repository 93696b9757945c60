def test_every_model_has_a_panel_and_every_regime_a_marker(drawn):
    for name in ("cnn", "hybrid", "balanced", "imbalanced", "weighted", "cat"):
        assert f">{name}<" in drawn.recall.svg


def test_the_words_name_each_cells_lowest_class(drawn):
    # Seeds at 0.400 and 0.415.
    assert "cnn, imbalanced: lowest for cat, 41 %" in drawn.recall.alternative


def test_the_overview_tells_the_two_scores_of_every_cell(drawn):
    alternative = drawn.overview.alternative
    assert "recall of the reduced classes 40.8 %" in alternative
    assert alternative.count("macro-F1") == 6
