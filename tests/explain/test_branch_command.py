"""`tessera explain RUN --branches`: pictures, parts and tables."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tessera import files
from tessera.data import digits
from tessera.data.dataset import DataError
from tessera.experiment import Cnn, Hybrid
from tessera.explain import branch_command, branches, shares
from tessera.explain.graph import ExplainError
from tessera.explain.shares import ClassShares
from tessera.models import build

FINE = Hybrid(patch=1)
"""A hybrid whose map of 16x16 images has 4x4 cells."""


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """A finished run of a hybrid on digits."""
    return finished(tmp_path_factory.mktemp("run"), FINE)


@pytest.fixture
def photo(tmp_path):
    """A 16x16 PNG of a digit, in a folder with its class's name."""
    path = tmp_path / "5" / "photo.png"
    path.parent.mkdir()
    Image.fromarray(digits.load(16).test.images[7]).save(path)
    return path


@pytest.fixture
def net():
    """The run's own model."""
    return build.build(FINE, (16, 16, 3), 10, seed=0)


def printed(call, *arguments, **options):
    console = Console(file=io.StringIO(), width=250)
    result = call(*arguments, console=console, **options)
    return result, console.file.getvalue()


def test_an_image_leaves_a_picture_both_maps_and_its_parts(run, photo, tmp_path, net):
    status, text = printed(
        branch_command.branch_images, run.path, [photo], out=tmp_path, target="3"
    )
    assert status == 0
    with Image.open(tmp_path / "photo-branches.png") as picture:
        assert picture.size == (1240, 390)
    stored = files.read_arrays(tmp_path / "photo-branches.npz")
    expected = branches.explain(net, stored["image"][None], target=3)
    scale = np.abs(expected.total.raw).max()
    np.testing.assert_allclose(stored["raw"], expected.raw[:, 0], atol=1e-5 * scale)
    np.testing.assert_allclose(
        stored["raw"].sum(axis=0), stored["total"], atol=1e-5 * scale
    )
    np.testing.assert_allclose(
        stored["parts"].sum(axis=0) + stored["base"], stored["logits"], atol=1e-5
    )
    assert f"{stored['parts'][0, 3]:+.3f}" in text
    assert "Residual of the maps" in text and "non-linear" in text


def test_pictures_are_not_written_among_the_folders_of_the_classes(
    run, photo, tmp_path
):
    for name in "0123456789":
        (tmp_path / name).mkdir(exist_ok=True)
    with pytest.raises(DataError, match="outside the image folder"):
        printed(
            branch_command.branch_images, run.path, [photo], out=tmp_path / "pictures"
        )
    assert not (tmp_path / "pictures").exists()


def test_the_reference_is_the_mean_over_the_validation_images(
    run, photo, tmp_path, net
):
    printed(branch_command.branch_images, run.path, [photo], out=tmp_path)
    stored = files.read_arrays(tmp_path / "photo-branches.npz")
    held = digits.load(16).train.images[:20]
    expected = shares.split(net, stored["image"][None], reference=held)
    np.testing.assert_allclose(stored["parts"], expected.parts[:, 0], atol=1e-6)


def test_a_contrast_is_split_too(run, photo, tmp_path):
    _, text = printed(
        branch_command.branch_images,
        run.path,
        [photo],
        out=tmp_path,
        target="2",
        contrast="true",
    )
    stored = files.read_arrays(tmp_path / "photo-branches.npz")
    parts = stored["parts"]
    assert (stored["target"], stored["against"]) == (2, 5)
    assert "2 against 5" in text
    assert f"{parts[1, 2] - parts[1, 5]:+.3f}" in text


def test_images_of_one_name_are_told_apart_in_the_table(run, photo, tmp_path):
    other = tmp_path / "6" / photo.name
    other.parent.mkdir()
    other.write_bytes(photo.read_bytes())
    _, text = printed(
        branch_command.branch_images, run.path, [photo, other], out=tmp_path
    )
    words = [word for word in text.split() if word.endswith(".png")]
    expected = ("photo-branches.png", "photo-2-branches.png")
    assert words == [str(photo), expected[0], str(other), expected[1]]


def test_an_unreadable_image_is_named_and_the_rest_goes_on(run, photo, tmp_path):
    status, text = printed(
        branch_command.branch_images,
        run.path,
        [tmp_path / "absent.png", photo],
        out=tmp_path,
    )
    assert status == 1 and "absent.png: not explained" in text
    assert (tmp_path / "photo-branches.png").exists()


@pytest.mark.parametrize("method", ["layercam", "occlusion"])
def test_a_method_whose_branches_do_not_add_up_is_refused(run, photo, method):
    with pytest.raises(ExplainError, match=f"gradcam or hirescam.*'{method}'"):
        branch_command.branch_images(run.path, [photo], method=method)


def test_a_model_without_branches_is_refused(finished, photo, tmp_path):
    run = finished(tmp_path / "run", Cnn())
    for verb in (
        lambda: branch_command.branch_images(run.path, [photo]),
        lambda: branch_command.print_shares(run.path),
    ):
        with pytest.raises(
            ExplainError, match=r"expected a run of a hybrid.*a cnn wit"
        ):
            verb()


def test_the_test_images_have_a_row_for_every_class(run, net):
    rows, text = printed(branch_command.print_shares, run.path)
    dataset = digits.load(16)
    expected = shares.by_class(
        shares.split(net, dataset.test.images, reference=dataset.train.images[:20]),
        dataset.test.labels,
        dataset.class_names,
    )
    assert [row.name for row in rows] == list("0123456789")
    for one, other in zip(rows, expected, strict=True):
        assert one.first == pytest.approx(other.first, abs=1e-6)
        assert one.second == pytest.approx(other.second, abs=1e-6)
    assert f"{rows[0].first:+.3f}" in text
    assert text.count("yes") == 1  # class 3 is the minority


def test_two_runs_are_compared_minority_first(run, finished, tmp_path):
    other = finished(tmp_path, FINE, seed=3, reduced=(8,))
    changes, text = printed(branch_command.print_shares, run.path, against=other.path)
    assert [c.before.name for c in changes] == list("3801245679")
    assert changes[0].before != changes[0].after
    assert "before: CNN branch" in text and "after: CNN branch" in text


def test_a_share_that_does_not_exist_is_a_dash():
    assert branch_command.percent(ClassShares("a", 1, -1.0, 2.0).share) == "-"
    assert branch_command.percent(ClassShares("a", 1, 1.0, 3.0).share) == "75%"
