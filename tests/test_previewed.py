"""What is previewed is what training shows, image for image."""

import numpy as np
import pytest
from PIL import Image

from tessera import remedies
from tessera.data.dataset import Dataset, Split
from tessera.experiment import Experiment, Fractions, Hybrid, Regime, Run, Training
from tessera.imbalance.guards import RemedyError
from tessera.previewed import MOST, draw, preview
from tessera.remedies import Remedy
from tessera.selection import choose
from tessera.settings import ExperimentError
from tessera.training import order, variation

RNG = np.random.default_rng(0)
NAMES = ("cat", "$dog$", "über")


def dataset(names: tuple[str, ...] = NAMES, each: int = 20) -> Dataset:
    count = len(names) * each
    labels = np.repeat(np.arange(len(names), dtype=np.int32), each)
    images = RNG.integers(0, 256, (count, 9, 8, 3), dtype=np.uint8)
    whole = Split(images, labels)
    return Dataset("toy", names, whole, whole, None, "0" * 64)


def run_of(training: Training, remedy: Remedy, *, seed: int = 3) -> Run:
    profile = Fractions(fractions={"über": 0.5})
    return Experiment(
        models=(Hybrid(),),
        regimes=(Regime(name="rare", profile=profile, remedy=remedy),),
        training=training,
        seeds=(seed,),
    ).runs()[0]


def test_images_come_in_the_epochs_order_as_it_shows_them() -> None:
    data = dataset()
    training = Training(batch_size=7, rotation=30)
    run = run_of(training, Remedy(variation=remedies.Variation()))
    rows = preview(run, data, epoch=4, each=5).rows
    chosen = choose(run, data)
    visited = chosen.train[
        order.order(len(chosen.train), seed=3, epoch=3)  # counted from 0
    ]
    draws = order.draws(60, training, seed=3, epoch=3)
    reach = variation.ranges(training, remedies.Variation(), chosen.counts)
    uniform = variation.draws(60, seed=3, epoch=3)
    for label, row in enumerate(rows):
        own = visited[data.train.labels[visited] == label][:5]
        np.testing.assert_array_equal(row.before, data.train.images[own])
        moved = order.augment(data.train.images[own], draws[own], padding=4)
        changes = variation.changes(uniform[own], reach[[label] * len(own)], 3)
        np.testing.assert_array_equal(row.after, variation.varied(moved, changes))
    assert [row.class_name for row in rows] == list(NAMES)
    assert [row.count for row in rows] == chosen.counts.tolist() == [18, 18, 9]


def test_of_a_rare_class_there_are_as_many_as_the_epoch_shows() -> None:
    still = Training(flip=False, crop_padding=0)
    rows = preview(run_of(still, Remedy()), dataset(), each=12).rows
    assert [len(row.before) for row in rows] == [12, 12, 9]
    for row in rows:
        np.testing.assert_array_equal(row.before, row.after)
    again = run_of(still, Remedy(sampling=remedies.Oversampling()))
    assert len(preview(again, dataset(), each=12).rows[2].before) == 12


def test_a_mixed_image_counts_to_its_first_label() -> None:
    still = Training(flip=False, crop_padding=0, batch_size=45)
    run = run_of(still, Remedy(mixing=remedies.Mixup()))
    first = preview(run, dataset()).rows[0]
    same = (first.before == first.after).all(axis=(1, 2, 3))
    assert not same.all()


def test_what_training_would_refuse_is_refused() -> None:
    with pytest.raises(RemedyError, match="at least one epoch before"):
        weights = remedies.InverseFrequency()
        late = Remedy(weights=weights, deferred=0.99)
        preview(run_of(Training(), late), dataset())
    for epoch in (0, 9, True, 1.5):
        with pytest.raises(ExperimentError, match="epoch: expected 1 to 8"):
            preview(run_of(Training(), Remedy()), dataset(), epoch=epoch)


def test_a_page_holds_the_first_classes_of_many() -> None:
    many = dataset(tuple(f"class {n}" for n in range(MOST + 5)), each=4)
    run = run_of(Training(), Remedy())
    natural = run.model_copy(update={"regime": Regime(name="plain")})
    found = preview(natural, many)
    assert [row.class_name for row in found.rows] == list(many.class_names[:MOST])
    assert repr(found).endswith(f"epoch 1. The first {MOST} of {MOST + 5} classes.")
    assert repr(preview(run, dataset())) == "hybrid, rare, seed 3, epoch 1."


def test_the_picture_holds_both_kinds_pixel_for_pixel() -> None:
    found = preview(run_of(Training(), Remedy()), dataset(), each=12)
    rows, figure = found.rows, draw(found)
    tables = [axes.images[0].get_array() for axes in figure.axes]
    for table, kind in zip(tables, ("before", "after"), strict=True):
        assert table.shape == (3 * 11, 12 * 10, 3)
        for number, row in enumerate(rows):
            images = getattr(row, kind)
            tile = table[11 * number + 1 : 11 * number + 10, 11:19]
            np.testing.assert_array_equal(tile, images[1])
        assert (table[22:, 90:] == 255).all()  # the rare class has no more
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["cat (18)", "$dog$ (18)", "über (9)"]


def test_it_is_saved_as_a_png_file_and_shown_as_one_in_a_notebook(tmp_path) -> None:
    found = preview(run_of(Training(), Remedy()), dataset())
    path = found.save(str(tmp_path / "new" / "images.png"))
    with Image.open(path) as picture:
        assert picture.width > 800
    shown = found._repr_html_()
    assert shown.startswith('<img alt="hybrid, rare, seed 3, epoch 1." src="data:image')
    with pytest.raises(ExperimentError, match=r"path: expected a file ending in \.png"):
        found.save(tmp_path / "images.pdf")


def test_grey_images_are_drawn_grey() -> None:
    data = dataset()
    grey = Split(data.train.images[..., :1], data.train.labels)
    alone = Dataset("toy", NAMES, grey, grey, None, "0" * 64)
    figure = draw(preview(run_of(Training(), Remedy()), alone))
    table = figure.axes[1].images[0].get_array()
    np.testing.assert_array_equal(table[..., 0], table[..., 2])
