"""The examples shown are drawn by a stated rule, and stored with all they need."""

import numpy as np
import pytest

from tessera import files
from tessera.explain import examples, gradcam

LABELS = np.repeat(np.arange(3), 20).astype(np.int32)


def answers(wrong):
    predicted = LABELS.copy()
    predicted[wrong] = (LABELS[wrong] + 1) % 3
    return predicted


def test_every_class_gives_right_and_wrong_answers():
    predicted = answers(np.arange(0, 60, 4))
    chosen = examples.choose(LABELS, predicted, per_class=2, seed=0)
    assert LABELS[chosen].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    right = (predicted == LABELS)[chosen]
    assert right.tolist() == [True, True, False, False] * 3


def test_a_class_without_errors_gives_right_answers_only():
    chosen = examples.choose(LABELS, answers([0]), per_class=1, seed=0)
    assert LABELS[chosen].tolist() == [0, 0, 1, 2] and chosen[1] == 0


def test_a_class_always_missed_gives_wrong_answers_only():
    chosen = examples.choose(LABELS, answers(np.arange(20)), per_class=1, seed=0)
    assert LABELS[chosen].tolist() == [0, 1, 2]


def test_no_examples_are_no_indices():
    chosen = examples.choose(LABELS, LABELS, per_class=0, seed=0)
    assert chosen.shape == (0,) and chosen.dtype == np.int64


def test_the_seed_decides_the_draw():
    predicted = answers(np.arange(0, 60, 2))
    draws = [
        examples.choose(LABELS, predicted, per_class=1, seed=seed).tolist()
        for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_every_error_is_equally_likely_to_be_shown():
    predicted = answers([3, 7, 11, 15])
    shown = [
        examples.choose(LABELS, predicted, per_class=1, seed=seed)[1]
        for seed in range(400)
    ]
    # 100 expected of each; 400 draws stay within 5 standard deviations of 8.7.
    assert all(56 < shown.count(index) < 144 for index in (3, 7, 11, 15))


def test_two_models_that_agree_are_shown_on_the_same_images():
    one, other = answers([0, 1, 2]), answers([0, 1, 2, 45])
    first = examples.choose(LABELS, one, per_class=1, seed=5)
    second = examples.choose(LABELS, other, per_class=1, seed=5)
    np.testing.assert_array_equal(first[:3], second[:3])


def test_the_file_holds_all_that_a_figure_needs(hybrid, images, tmp_path):
    labels = np.arange(10, dtype=np.int32) % 5
    indices = np.array([7, 2, 5])
    explained = gradcam.explain(hybrid(), images[indices])
    path = tmp_path / "heatmaps.npz"
    examples.write(path, explained, images=images, labels=labels, indices=indices)
    stored = files.read_arrays(path)
    np.testing.assert_array_equal(stored["images"], images[indices])
    np.testing.assert_array_equal(stored["labels"], [2, 2, 0])
    np.testing.assert_array_equal(stored["indices"], indices)
    np.testing.assert_array_equal(stored["raw"], explained.raw)
    assert stored["raw"].dtype == np.float32
    assert stored["reasons"].tolist() == ["", "", ""]
    assert (str(stored["layer"]), str(stored["method"])) == ("features", "Grad-CAM")
    top = np.exp(explained.logits).max(axis=1) / np.exp(explained.logits).sum(axis=1)
    assert stored["probabilities"] == pytest.approx(top, rel=1e-5)


def test_maps_for_the_truth_are_kept_beside_those_for_the_answer(
    hybrid, images, tmp_path
):
    labels = np.arange(10, dtype=np.int32) % 5
    indices = np.array([7, 2, 5])
    net, path = hybrid(), tmp_path / "heatmaps.npz"
    explained = gradcam.explain(net, images[indices])
    truth = gradcam.explain(net, images[indices], targets=labels[indices])
    both = {"images": images, "labels": labels, "indices": indices}
    examples.write(path, explained, **both, raw_true=truth.raw)
    np.testing.assert_array_equal(files.read_arrays(path)["raw_true"], truth.raw)
    examples.write(path, explained, **both)
    assert "raw_true" not in files.read_arrays(path)
