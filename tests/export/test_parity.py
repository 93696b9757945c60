"""Equal models pass; a difference in one probability or one cell stops the export."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tessera import files, folded, trained
from tessera.data.dataset import Dataset, Split
from tessera.ensembled import Ensemble
from tessera.explain import gradcam
from tessera.export import parity
from tessera.export.errors import ExportError
from tessera.export.formats import Output, Reader
from tessera.export.parity import Parity
from tessera.folded import Folded
from tessera.models.rebuild import RunError
from tessera.record import RunFolder
from tessera.trained import Trained


def original(model: Trained, *, probability: float = 0.0, cell: float = 0.0) -> Reader:
    """The model itself as its own export, with an error added to one value."""

    def reader(pixels: np.ndarray) -> Output:
        images = pixels.astype(np.uint8)
        shares = model.probabilities(images).astype(np.float32)
        maps = gradcam.explain(model.net, images).raw
        shares[0, 3] += probability
        maps[0, 1, 2] += cell
        return Output(shares, maps)

    return reader


@pytest.fixture(scope="module")
def compared(model: Trained, dataset: Dataset) -> tuple[Parity, list[int]]:
    """The model and itself, and how many images were asked for at a time."""
    sizes: list[int] = []
    reader = original(model)

    def counted(pixels: np.ndarray) -> Output:
        sizes.append(len(pixels))
        return reader(pixels)

    return parity.check(model, counted, dataset), sizes


def test_the_model_itself_is_equal(
    dataset: Dataset, compared: tuple[Parity, list[int]]
) -> None:
    found, _ = compared
    assert found.images == found.same_answers == 1000
    assert found.tested == len(dataset.test) == 359
    assert found.probability < 1e-6
    assert found.heatmap is not None and found.heatmap < 1e-5


def test_images_are_asked_for_alone_and_in_batches(
    compared: tuple[Parity, list[int]],
) -> None:
    _, sizes = compared
    assert sizes[:3] == [1, 1, 1]
    assert max(sizes) == sizes[3] == parity.BATCH
    assert sum(sizes) == parity.IMAGES


@pytest.mark.usefixtures("few")
def test_a_model_without_heatmaps_is_compared_by_probabilities_alone(
    model: Trained, dataset: Dataset
) -> None:
    reader = original(model)
    found = parity.check(
        model, lambda pixels: replace(reader(pixels), heatmaps=None), dataset
    )
    assert found.heatmap is None


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("wrong", [2e-4, -2e-4, np.nan])
def test_one_wrong_probability_is_found(
    model: Trained, dataset: Dataset, wrong: float
) -> None:
    with pytest.raises(ExportError, match="a probability of the exported model within"):
        parity.check(model, original(model, probability=wrong), dataset)


@pytest.mark.usefixtures("few")
def test_one_wrong_cell_is_found(model: Trained, dataset: Dataset) -> None:
    largest = np.abs(gradcam.explain(model.net, dataset.test.images).raw).max()
    with pytest.raises(ExportError, match="a heatmap of the exported model within"):
        parity.check(model, original(model, cell=2e-4 * largest), dataset)


def test_other_data_is_refused(model: Trained, dataset: Dataset) -> None:
    other = replace(dataset, fingerprint="0" * 64)
    with pytest.raises(
        ExportError, match=r"export: expected the run's data .* --data where"
    ):
        parity.check(model, original(model), other)


def test_a_model_that_is_not_the_evaluated_one_is_refused(
    model: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    shutil.copytree(model.folder.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    arrays = files.read_arrays(folder.predictions)
    arrays["logits"][:, 0] += 1
    files.write_arrays(folder.predictions, **arrays)
    with pytest.raises(ExportError, match="the run's stored test predictions"):
        parity.check(replace(model, folder=folder), original(model), dataset)


def test_a_run_whose_stored_predictions_are_gone_is_refused(
    model: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    shutil.copytree(model.folder.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    folder.predictions.unlink()
    with pytest.raises(RunError, match=r"predictions\.npz: expected a run's pred"):
        parity.check(replace(model, folder=folder), original(model), dataset)


def test_at_most_a_thousand_images_are_drawn_without_repetition(
    model: Trained, dataset: Dataset
) -> None:
    many = replace(
        dataset,
        test=replace(
            dataset.test,
            images=np.tile(dataset.test.images, (4, 1, 1, 1)),
            labels=np.tile(dataset.test.labels, 4),
        ),
    )
    chosen = parity.sample(model, many)
    assert len(np.unique(chosen)) == 1000
    np.testing.assert_array_equal(parity.sample(model, dataset), np.arange(359))


def test_training_images_and_then_their_means_stand_in_for_missing_test_images(
    dataset: Dataset,
) -> None:
    images = dataset.train.images[:3]
    split = Split(images, np.arange(3, dtype=np.int32) % 2)
    few = replace(dataset, class_names=("a", "b"), train=split, test=replace(split))
    found = parity.others(few, 20, seed=0)
    assert found.shape == (20, *images.shape[1:]) and found.dtype == np.uint8
    np.testing.assert_array_equal(found[:3], images)
    means = [(a.astype(int) + b) // 2 for a in images for b in images]
    assert all(any(np.array_equal(one, m) for m in means) for one in found[3:])
    np.testing.assert_array_equal(found, parity.others(few, 20, seed=0))
    assert len(parity.others(few, 0, seed=0)) == 0


@pytest.mark.usefixtures("few")
def test_an_ensemble_is_held_to_the_mean_of_what_its_runs_stored(
    pair: Ensemble, dataset: Dataset
) -> None:
    def reader(pixels: np.ndarray) -> Output:
        images = pixels.astype(np.uint8)
        apart = [member.probabilities(images) for member in pair.members]
        return Output(np.mean(apart, axis=0).astype(np.float32), None)

    assert parity.check(pair, reader, dataset).probability < 1e-5
    other = replace(pair, members=(pair.members[0], pair.members[0]))
    with pytest.raises(ExportError, match=r"seed 0: expected the model.*delete"):
        parity.check(other, reader, dataset)


def test_images_that_are_tested_anyway_are_not_compared_twice(dataset: Dataset) -> None:
    images = dataset.test.images[:10]
    everything = Split(images, np.arange(10, dtype=np.int32))
    whole = replace(dataset, train=everything, test=everything)
    found = parity.others(whole, 5, seed=0)
    means = [(a.astype(int) + b) // 2 for a in images for b in images]
    assert all(any(np.array_equal(one, m) for m in means) for one in found)
    seen = {image.tobytes() for image in found}
    assert not seen <= {image.tobytes() for image in images}


@pytest.mark.usefixtures("few")
def test_every_fold_is_held_to_what_its_own_networks_stored(in_folds: Path) -> None:
    whole = trained.load(in_folds, ensemble=True)
    assert isinstance(whole, Folded)
    data = folded.data(whole.run.data)

    def reader(pixels: np.ndarray) -> Output:
        shares = whole.probabilities(pixels.astype(np.uint8))
        return Output(shares.astype(np.float32), None)

    assert parity.check(whole, reader, data).probability < 1e-5
    first, *rest = whole.members
    other = replace(whole, members=(rest[0], first, *rest[1:]))
    with pytest.raises(ExportError, match="expected the model to give the run's"):
        parity.check(other, reader, data)
