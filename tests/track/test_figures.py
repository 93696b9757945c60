"""A figure becomes the picture that a browser would show of it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tessera.track import figures


def test_a_figure_has_its_own_name_size_and_colours(study: Path) -> None:
    (found,) = figures.pictures(study)
    name, png = found
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert (name, shown.shape) == ("scores", (72, 144, 3))  # half an inch by an inch
    assert shown[36, 10].tolist() == [255, 0, 0]
    assert shown[5, 140].tolist() == [255, 255, 255]
    assert (shown[:, 72:] < 128).all(axis=2).any()  # the text is drawn


def test_a_run_has_no_figures_of_a_study(study: Path) -> None:
    run = study / "runs" / "cnn--balanced" / "seed-0"
    assert list(figures.pictures(run)) == []
