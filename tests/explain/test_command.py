"""`tessera explain`: from a run's folder and files to pictures, maps and a table."""

import io
import shutil

import numpy as np
import pytest
from evaluation import studies
from PIL import Image
from rich.console import Console
from scipy import special

from tessera import files, settings, trained
from tessera.data.dataset import DataError
from tessera.experiment import Experiment, Hybrid, Regime, Transformer
from tessera.explain import command, gradcam, maps
from tessera.explain.graph import ExplainError
from tessera.explain.methods import AttentionRollout
from tessera.models import build
from tessera.record import DataSummary, Record, RunFolder

NAMES = ("cat", "deer", "2")


def record() -> Record:
    """A record of a run on 32x32 RGB images of three classes."""
    data = DataSummary(
        name="toy",
        fingerprint="0",
        class_names=NAMES,
        train_counts=(1, 1, 1),
        test_counts=(1, 1, 1),
        image_shape=(32, 32, 3),
    )
    return studies.record(
        "hybrid", Regime(name="balanced"), 0, studies.flat(0, 0), data=data
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run's folder, with the weights of seed 7 under settings of seed 0."""
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    experiment = Experiment(
        models=(Hybrid(),), regimes=Experiment().regimes[:1], seeds=(0,)
    )
    files.write_text(folder.experiment, settings.dumps(experiment))
    files.write_text(folder.record, record().model_dump_json())
    net = build.build(Hybrid(), (32, 32, 3), 3, seed=7)
    net.save_weights(folder.weights)
    labels = np.tile([0, 1, 2, 0], 15)  # one of four answers is wrong, so T is not 1
    logits = 4 * np.eye(3, dtype=np.float32)[np.tile([0, 1, 2, 1], 15)]
    files.write_arrays(folder.validation_predictions, logits=logits, labels=labels)
    return folder


@pytest.fixture
def photo(tmp_path):
    """A 40x30 JPEG."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(pixels).save(path)
    return path


def explain(run, paths, **options):
    console = Console(file=io.StringIO(), width=200)
    status = command.explain_images(run.path, paths, console=console, **options)
    return status, console.file.getvalue()


def test_an_image_leaves_a_picture_its_map_and_a_row(run, photo, tmp_path):
    status, printed = explain(run, [photo], out=tmp_path / "out")
    assert status == 0
    with Image.open(tmp_path / "out" / "photo.png") as picture:
        assert picture.size == (960, 390)
    stored = files.read_arrays(tmp_path / "out" / "photo.npz")
    assert stored["raw"].shape == (8, 8) and stored["raw"].dtype == np.float32
    assert stored["image"].shape == (32, 32, 3)
    assert tuple(stored["class_names"]) == NAMES
    assert NAMES[int(stored["predicted"])] in printed and str(photo) in printed


def test_pictures_are_not_written_among_the_folders_of_the_classes(
    run, photo, tmp_path
):
    for name in NAMES:
        (tmp_path / name).mkdir(exist_ok=True)
    with pytest.raises(DataError, match="outside the image folder"):
        explain(run, [photo], out=tmp_path / "explanations")
    assert not (tmp_path / "explanations").exists()


def test_the_model_is_the_runs_own_with_its_best_weights(run, photo, tmp_path):
    explain(run, [photo], out=tmp_path)
    stored = files.read_arrays(tmp_path / "photo.npz")
    net = build.build(Hybrid(), (32, 32, 3), 3, seed=7)
    expected = gradcam.explain(net, stored["image"][None])
    np.testing.assert_array_equal(stored["raw"], expected.raw[0])
    np.testing.assert_array_equal(stored["logits"], expected.logits[0])


def test_probabilities_are_calibrated_as_those_of_predict(run, photo, tmp_path):
    _, printed = explain(run, [photo], out=tmp_path)
    temperature = trained.load(run.path).temperature
    assert temperature != pytest.approx(1.0)
    stored = files.read_arrays(tmp_path / "photo.npz")
    surest = special.softmax(stored["logits"].astype(float) / temperature).max()
    assert f"{surest:.1%}" in printed
    assert float(stored["temperature"]) == temperature


def test_a_run_without_validation_predictions_is_refused(run, photo, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    copy = RunFolder(tmp_path / "run")
    copy.validation_predictions.unlink()
    with pytest.raises(ExplainError, match=r"validation_predictions\.npz: expected"):
        explain(copy, [photo], out=tmp_path)


@pytest.mark.parametrize("target, index", [("deer", 1), ("0", 0), ("2", 2)])
def test_a_target_is_a_name_or_an_index(run, photo, tmp_path, target, index):
    explain(run, [photo], out=tmp_path, target=target)
    assert files.read_arrays(tmp_path / "photo.npz")["target"] == index


@pytest.mark.parametrize("target", ["dog", "3", "-1", "²", ""])
def test_an_unknown_target_names_the_classes(run, photo, target):
    with pytest.raises(ExplainError, match="index from 0 to 2 or one of cat, deer, 2"):
        explain(run, [photo], target=target)


def test_a_name_wins_over_an_index():
    assert command.class_index("1", ("a", "b", "1")) == 2


def test_a_class_with_a_comma_in_its_name_stays_one_class():
    with pytest.raises(ExplainError, match=r'or one of "a, b", c\. Received'):
        command.class_index("d", ("a, b", "c"))


def test_an_unreadable_image_is_named_and_the_rest_goes_on(run, photo, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    missing = tmp_path / "missing.jpg"
    status, printed = explain(run, [broken, photo, missing], out=tmp_path / "out")
    assert status == 1
    assert f"{broken}: not explained: not a JPEG" in printed
    assert f"{missing}: not explained:" in printed
    assert (tmp_path / "out" / "photo.png").exists()


def test_with_no_readable_image_nothing_is_written(run, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.touch()
    status, printed = explain(run, [broken], out=tmp_path / "out")
    assert status == 1 and "an empty file" in printed
    assert not (tmp_path / "out").exists()


def test_images_of_one_name_do_not_overwrite_each_other(tmp_path):
    paths = [tmp_path / p for p in ("a/x.jpg", "b/x.png", "x-2.jpg", "c/x.jpg")]
    assert command.distinct_names(paths) == ["x", "x-2", "x-2-2", "x-3"]


def test_another_layer_is_explained_on_request(run, photo, tmp_path):
    explain(run, [photo], out=tmp_path, layer="conv2")
    assert files.read_arrays(tmp_path / "photo.npz")["raw"].shape == (16, 16)


def test_a_folder_without_images_is_refused(run):
    with pytest.raises(ExplainError, match="IMAGE: expected at least one file, or a f"):
        explain(run, [])


def test_the_name_of_a_classs_folder_is_its_true_class(run, photo, tmp_path):
    path = tmp_path / "deer" / "photo.jpg"
    path.parent.mkdir()
    photo.rename(path)
    explain(run, [path], out=tmp_path, target="true")
    assert files.read_arrays(tmp_path / "photo.npz")["target"] == 1
    _, printed = explain(run, [path], out=tmp_path, target="cat", contrast="true")
    stored = files.read_arrays(tmp_path / "photo.npz")
    assert (stored["target"], stored["against"]) == (0, 1)
    assert "cat against deer" in printed


def test_a_folder_that_is_no_class_has_no_true_class(run, photo):
    with pytest.raises(ExplainError, match="--target true: expected images in a fold"):
        explain(run, [photo], target="true")


def test_a_contrast_is_the_difference_of_two_logits_maps(run, photo, tmp_path):
    explain(run, [photo], out=tmp_path, target="cat", contrast="2")
    both = files.read_arrays(tmp_path / "photo.npz")["raw"]
    parts = []
    for target in ("cat", "2"):
        explain(run, [photo], out=tmp_path, target=target)
        parts.append(files.read_arrays(tmp_path / "photo.npz")["raw"])
    scale = np.abs(parts[0]).max()
    np.testing.assert_allclose(both, parts[0] - parts[1], atol=1e-5 * scale)


@pytest.mark.parametrize(
    "method, grid",
    [
        ("eigencam", (8, 8)),
        ("occlusion", (8, 8)),
        ("integrated-gradients", (32, 32)),
    ],
)
def test_a_method_is_chosen_by_its_name(run, photo, tmp_path, method, grid):
    _, printed = explain(run, [photo], out=tmp_path, method=method)
    assert files.read_arrays(tmp_path / "photo.npz")["raw"].shape == grid
    assert ("Residual: the maps' sums miss" in printed) is (
        method == "integrated-gradients"
    )
    assert ("Caution: The map knows no class" in printed) is (method == "eigencam")


def test_an_unknown_method_lists_the_known_ones(run, photo):
    with pytest.raises(ExplainError, match="gradcam, hirescam"):
        explain(run, [photo], method="cam")


def test_a_token_layer_of_an_own_model_needs_no_stated_grid(finished, photo, tmp_path):
    run = finished(tmp_path / "run", Hybrid(depth=1, patch=1))
    _, printed = explain(run, [photo], out=tmp_path, layer="tokens")
    assert files.read_arrays(tmp_path / "photo.npz")["raw"].shape == (4, 4)
    assert "go around 'tokens'" in printed


def test_a_wrong_layer_lists_the_right_ones(run, photo):
    with pytest.raises(ExplainError, match="features: 8 x 8 x 128"):
        explain(run, [photo], layer="feature")


def test_rollout_reads_the_transformers_tokens_as_it_does(finished, photo, tmp_path):
    folder = finished(tmp_path / "run", Transformer())
    explain(folder, [photo], out=tmp_path, method="rollout")
    stored = files.read_arrays(tmp_path / "photo.npz")
    net = build.build(Transformer(), (16, 16, 3), 10, seed=0)
    expected = maps.compute(
        net,
        stored["image"][None],
        method=AttentionRollout("pool_weights"),
        grid=(4, 4),
    )
    np.testing.assert_allclose(stored["raw"], expected.raw[0], rtol=1e-5)
