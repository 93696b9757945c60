"""What was written is read back with TensorBoard's own reader."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tessera.track import figures, tensorboard
from tessera.track.runs import finished


@pytest.fixture(scope="module")
def read(study: Path, tmp_path_factory: pytest.TempPathFactory) -> EventAccumulator:
    out = tmp_path_factory.mktemp("board")
    tensorboard.write(finished(study), out)
    tensorboard.write(finished(study), out)  # again changes nothing
    found = EventAccumulator(str(out / finished(study)[1].name))
    return found.Reload()


def test_the_history_comes_back_epoch_by_epoch(read: EventAccumulator) -> None:
    loss = [(event.step, event.value) for event in read.Scalars("epoch/loss")]
    assert [step for step, _ in loss] == [1, 2, 3]
    np.testing.assert_allclose([value for _, value in loss], [2, 1, 2 / 3], rtol=1e-6)


def test_the_test_scores_come_back(read: EventAccumulator, study: Path) -> None:
    for name, value in finished(study)[1].scores().items():
        (event,) = read.Scalars(name)
        assert event.value == pytest.approx(value)


def test_a_heatmap_comes_back_as_its_picture(
    read: EventAccumulator, study: Path
) -> None:
    (event,) = read.Images("heatmap/2 answered 7 (0)")
    ((_, expected),) = finished(study)[1].pictures()
    shown = np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))
    np.testing.assert_array_equal(shown, expected)


def test_the_studys_figures_come_back_as_their_pictures(
    study: Path, tmp_path: Path
) -> None:
    drawn = tuple(figures.pictures(study))
    tensorboard.write(finished(study), tmp_path, drawn)
    read = EventAccumulator(str(tmp_path / "study")).Reload()
    (event,) = read.Images("figure/scores")
    assert (event.width, event.height) == (144, 72)
    assert event.encoded_image_string == drawn[0][1]


def test_two_runs_of_one_cell_and_seed_are_both_kept(
    study: Path, tmp_path: Path
) -> None:
    (run, _) = finished(study)
    longer = replace(run, record=run.record.model_copy(update={"digest": 64 * "e"}))
    tensorboard.write([run, longer], tmp_path)
    assert len(list(tmp_path.rglob("*tfevents*"))) == 2
