"""Loaded images show their counts and one example of each class."""

import numpy as np

from tessera.data.dataset import Split, assemble
from tessera.experiment import Folder
from tessera.notebook.data import Data


def shown() -> Data:
    labels = np.array([0, 0, 0, 0, 1, 1], np.int32)
    images = np.zeros((6, 8, 8, 3), np.uint8)
    train, test = Split(images, labels), Split(images[:2], labels[[0, 4]])
    data = assemble("Pets", ("cat", "<dog>"), train=train, test=test)
    return Data(Folder(path="pets"), data)


def test_the_text_tells_the_imbalance_and_every_count() -> None:
    title, *rows = repr(shown()).splitlines()
    assert title == (
        "Pets: 6 training and 2 test images of 8x8 pixels, 2 classes, "
        "imbalance factor 2.0"
    )
    assert rows == [
        "  cat: 4 training, 1 test images",
        "  <dog>: 2 training, 1 test images",
    ]


def test_a_notebook_shows_a_row_and_a_picture_for_each_class() -> None:
    page = shown()._repr_html_()
    assert page.count("<img") == 2
    assert "<td>&lt;dog&gt;</td><td>2</td><td>1</td>" in page
