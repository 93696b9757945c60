import numpy as np
import pytest

from tessera import files
from tessera.evaluation.mistakes import mistakes
from tessera.experiment import Cnn
from tessera.explain import mistakes as ours
from tessera.models import build
from tessera.training import predict


@pytest.fixture(scope="module")
def answered():
    net = build.build(Cnn(), (32, 32, 3), 3, seed=0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 32, 32, 3), np.uint8)
    labels = rng.integers(0, 3, 20).astype(np.int32)
    return net, images, labels, predict.logits(net, images)


def test_every_image_worth_a_look_is_stored_with_its_map(answered, tmp_path):
    net, images, labels, logits = answered
    path = tmp_path / "mistakes.npz"
    notes = ours.write(path, net, images=images, labels=labels, logits=logits)
    found = files.read_arrays(path)
    expected = mistakes(logits, labels).all()
    assert notes == ()
    assert found["indices"].tolist() == expected.tolist()
    assert (found["images"] == images[expected]).all()
    assert (found["targets"] == logits[expected].argmax(axis=1)).all()
    assert found["raw"].shape == (len(expected), 8, 8)


def test_the_files_of_the_stored_images_are_stored_where_they_are_known(
    answered, tmp_path
):
    net, images, labels, logits = answered
    path = tmp_path / "mistakes.npz"
    known = {"images": images, "labels": labels, "logits": logits}
    ours.write(path, net, **known, names=[f"cat/{i}.jpg" for i in range(20)])
    found = files.read_arrays(path)
    assert found["names"].tolist() == [f"cat/{i}.jpg" for i in found["indices"]]
    ours.write(path, net, **known)
    assert "names" not in files.read_arrays(path)


def test_images_are_chosen_and_answers_stored_at_the_temperature(answered, tmp_path):
    net, images, labels, logits = answered
    path = tmp_path / "mistakes.npz"
    known = {"images": images, "labels": labels, "logits": logits}
    ours.write(path, net, **known, temperature=0.01)
    found = files.read_arrays(path)
    chosen = mistakes(logits, labels, temperature=0.01).all()
    assert found["indices"].tolist() == chosen.tolist()
    shares = np.exp(100 * (logits - logits.max(axis=1, keepdims=True)))
    top = (shares.max(axis=1) / shares.sum(axis=1))[chosen]
    assert found["probabilities"] == pytest.approx(top, abs=1e-3)
    assert found["temperature"] == 0.01


def test_a_model_without_mistakes_leaves_no_file(answered, tmp_path):
    net, images, _, logits = answered
    path = tmp_path / "mistakes.npz"
    right = logits.argmax(axis=1).astype(np.int32)
    sharp = 20 * np.eye(3, dtype=np.float32)[right]
    assert ours.write(path, net, images=images, labels=right, logits=sharp) == ()
    assert not path.exists()


def test_maps_that_are_too_coarse_are_not_drawn_and_noted(tmp_path):
    net = build.build(Cnn(), (8, 8, 3), 3, seed=0)
    images = np.zeros((4, 8, 8, 3), np.uint8)
    logits = np.eye(4, 3, dtype=np.float32)
    path = tmp_path / "mistakes.npz"
    labels = np.array([1, 2, 0, 1])
    (note,) = ours.write(path, net, images=images, labels=labels, logits=logits)
    assert note.startswith("No heatmaps of mistakes:")
    assert not path.exists()
