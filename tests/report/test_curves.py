from dataclasses import replace

import pytest

from tessera.report.curves import curves


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


def test_the_caption_compares_with_the_test_images_that_there_are(study, drawn):
    assert "not the accuracy on balanced test images" in drawn.accuracy.caption
    data = study.record.data.model_copy(update={"test_counts": (1200, *[30] * 9)})
    unequal = replace(study, record=study.record.model_copy(update={"data": data}))
    caption = curves(unequal, "accuracy").caption
    assert "balanced test images" not in caption
    assert "the test images their own (30 to 1,200 per class)" in caption
    assert "this is not the accuracy on the test images" in caption
