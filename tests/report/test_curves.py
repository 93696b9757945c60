from dataclasses import replace

import pytest
from unpainted import charts

from tessera.experiment import (
    STUDY_REGIMES,
    Cnn,
    Hybrid,
    Reduced,
    Regime,
    Training,
)
from tessera.remedies import Focal, Remedy
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
    caption = told(unequal, "accuracy")
    assert "balanced test images" not in caption
    assert "the test images their own (30 to 1,200 per class)" in caption
    assert "this is not the accuracy on the test images" in caption


def caption(study, quantity="loss", **settings):
    asked = study.record.experiment.model_copy(update=settings)
    record = study.record.model_copy(update={"experiment": asked})
    return told(replace(study, record=record), quantity)


@charts()
def told(study, quantity):
    return curves(study, quantity).caption


def test_the_caption_speaks_of_one_seed_as_one(study):
    assert caption(study, seeds=(0,)).startswith("Lines are of one seed; dots mark")
    assert caption(study).startswith("Thin lines are seeds, thick lines their mean;")


def test_only_what_was_done_to_training_images_is_told(study):
    still = Training(flip=False, crop_padding=0)
    bare = (Cnn(dropout=0.0), Hybrid(dropout=0.0))
    change = "while the weights change"
    assert f"{change}, on augmented images and with dropout, so" in caption(study)
    assert f"{change}, with dropout, so" in caption(study, training=still)
    assert f"{change}, on augmented images, so" in caption(study, models=bare)
    assert f"{change}, so" in caption(study, training=still, models=bare)
    more = Training(flip=False, crop_padding=0, colour=0.1)
    assert "on augmented images" in caption(study, training=more, models=bare)
    attentive = (Cnn(dropout=0.0), Hybrid(dropout=0.0, depth=1))
    assert f"{change}, with dropout, so" in caption(
        study, training=still, models=attentive
    )


def test_the_training_loss_is_called_weighted_or_another_only_where_it_is(study):
    weighted, other = "training loss is the weighted one", "has another loss"
    plain = STUDY_REGIMES[:2]
    focal = Regime(name="weighted", profile=Reduced(), remedy=Remedy(loss=Focal()))
    for regimes, told in (
        (STUDY_REGIMES, [True, False]),
        (plain, [False, False]),
        ((*plain, focal), [False, True]),
    ):
        found = caption(study, regimes=regimes)
        assert [words in found for words in (weighted, other)] == told
