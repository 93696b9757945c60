import pytest


@pytest.mark.parametrize("quantity", ["accuracy", "loss"])
def test_every_cell_has_a_panel_of_both_curves(study, drawn, quantity):
    picture = getattr(drawn, quantity).svg
    for model, regime in study.cells:
        assert f"{model}, {regime}" in picture
    assert "training" in picture
    assert "validation" in picture


def test_the_words_for_the_drawing_say_where_validation_ends(study, drawn):
    ends = [h["val_accuracy"][-1] for h in study.histories("cnn", "balanced")]
    expected = f"cnn, balanced: validation ends at {100 * sum(ends) / 2:.1f} %."
    assert expected in drawn.accuracy.alternative
