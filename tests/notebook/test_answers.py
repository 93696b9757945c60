"""Answers and heatmaps show the image, the answer and what a reader must know."""

import dataclasses

import numpy as np

from tessera import overlay
from tessera.explain.explanations import Explanations
from tessera.notebook.answers import MOST, Heatmaps, Predictions


def predictions(count: int) -> Predictions:
    return Predictions(
        names=tuple(f"{i}.png" for i in range(count)),
        images=np.zeros((count, 8, 8, 3), np.uint8),
        probabilities=np.tile([0.2, 0.7, 0.1], (count, 1)),
        class_names=("cat", "dog", "owl"),
        refused=(("x.txt", "not a JPEG"),),
    )


def test_an_answer_has_its_probability_and_the_runner_up() -> None:
    found = predictions(1)
    assert found.classes == ("dog",)
    assert (
        repr(found) == "0.png: dog 70.0%, then cat 20.0%\nx.txt: not read: not a JPEG"
    )


def test_answers_of_a_study_say_which_run_gave_them() -> None:
    found = dataclasses.replace(predictions(1), because="The run used is cnn.")
    assert repr(found).splitlines()[1] == "The run used is cnn."
    assert "The run used is cnn." in found._repr_html_()
    assert "The run used is cnn." in repr(
        dataclasses.replace(heatmaps(), because="The run used is cnn.")
    )


def test_a_notebook_shows_the_first_images_and_says_that_there_are_more() -> None:
    page = predictions(MOST + 1)._repr_html_()
    assert page.count("<img") == MOST
    assert f"The first {MOST} of {MOST + 1} images." in page
    assert "x.txt: not read" in page


def heatmaps() -> Heatmaps:
    raw = np.zeros((2, 4, 4), np.float32)
    raw[0, 1, 2] = 1
    explained = Explanations(
        raw=raw,
        targets=np.array([1, 0], np.int32),
        predicted=np.array([1, 1], np.int32),
        logits=np.zeros((2, 2), np.float32),
        reasons=np.array(["", "no positive evidence"]),
        layer="features",
        method="Grad-CAM",
        cautions=("The grid is coarse.",),
    )
    images = np.zeros((2, 8, 8, 3), np.uint8)
    return Heatmaps(("a", "b"), images, explained, ("cat", "dog"))


def test_a_blank_map_gives_its_reason() -> None:
    lines = repr(heatmaps()).splitlines()
    assert lines[0] == "a: evidence for dog; predicted dog"
    assert lines[1] == "b: evidence for cat; predicted dog; blank: no positive evidence"
    assert lines[2].startswith("Grad-CAM at features, 4x4 cells.")
    assert lines[3] == "The grid is coarse."


def test_pictures_are_images_with_their_maps_over_them() -> None:
    shown, blank = heatmaps().pictures()
    assert shown.shape == (128, 128, 3)
    assert shown.any()
    assert (blank == 0).all()
    first = heatmaps()
    expected = overlay.overlay(
        first.images[0], first.explanations.raw[0], magnification=16
    )
    assert (shown == expected).all()


def test_a_notebook_shows_image_and_map_side_by_side() -> None:
    page = heatmaps()._repr_html_()
    assert page.count("<img") == 2
    assert 'alt="a and its heatmap"' in page
    assert "it proves no cause" in page
