"""The three lines of the documentation, on models that are not Tessera's."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from tessera import explain, files
from tessera.evaluation.probabilities import softmax
from tessera.explain import view
from tessera.explain.graph import ExplainError


@pytest.fixture(scope="module")
def mobilenet():
    """MobileNetV2 of `keras.applications` on 96x96 images, with random weights."""
    keras.utils.set_random_seed(0)
    return keras.applications.MobileNetV2((96, 96, 3), weights=None, classes=7)


@pytest.fixture(scope="module")
def convnet():
    """A small sequential convnet that ends in a softmax, as tutorials build it."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def pictures(side, channels, low=0.0):
    random = np.random.default_rng(0)
    return random.uniform(low, 1, (3, side, side, channels)).astype(np.float32)


def test_an_application_with_random_weights_is_explained_in_three_lines(
    mobilenet, tmp_path
):
    images = pictures(96, 3, low=-1)
    maps = explain.explain(mobilenet, images)
    maps.save(tmp_path / "folder")
    # The last map is 3x3; block 13's expansion is the last of 6x6.
    assert maps.layer == "block_13_expand_relu" and maps.raw.shape == (3, 6, 6)
    probabilities = np.asarray(mobilenet(images))
    np.testing.assert_allclose(softmax(maps.logits), probabilities, atol=1e-6)
    names = {path.name for path in (tmp_path / "folder").iterdir()}
    assert names == {f"image-{i}.{kind}" for i in range(3) for kind in ("png", "npz")}


def test_a_tutorials_convnet_is_explained_in_three_lines(convnet, tmp_path):
    images = pictures(28, 1)[:2]
    maps = explain.explain(convnet, images, method=explain.HiResCam())
    maps.save(tmp_path)
    assert maps.raw.shape == (2, 5, 5)
    # Flatten and dense are affine: the map accounts for the whole logit.
    assert np.abs(maps.residuals).max() < 1e-5 * np.abs(maps.logits).max() + 1e-6


def test_a_pretrained_backbone_inside_a_model_is_opened(mobilenet):
    base = keras.applications.MobileNetV2((96, 96, 3), include_top=False, weights=None)
    net = keras.Sequential(
        [
            keras.Input((96, 96, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            base,
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )
    images = (pictures(96, 3) * 255).astype(np.uint8)
    maps = explain.explain(net, images)
    assert maps.layer == f"{base.name}/block_13_expand_relu"
    early = explain.explain(net, images, layer=f"{base.name}/block_6_expand_relu")
    assert early.raw.shape == (3, 12, 12)


def test_methods_and_targets_are_values(convnet):
    images = pictures(28, 1)
    maps = explain.explain(
        convnet,
        images,
        method=explain.IntegratedGradients(steps=4),
        target=explain.Contrast("predicted", [1, 2, 3]),
    )
    assert maps.layer == "pixels" and maps.raw.shape == (3, 28, 28)
    assert maps.against.tolist() == [1, 2, 3]


@pytest.fixture(scope="module")
def maps(convnet):
    """Maps of a contrast with names, as a user would give them."""
    return explain.explain(
        convnet,
        pictures(28, 1),
        method=explain.HiResCam(),
        target=explain.Contrast(2, 5),
        class_names=[f"class <{k}>" for k in range(10)],
        names=["a", "b", "c"],
    )


def test_a_notebook_shows_the_pictures_and_the_cautions(maps):
    page = maps._repr_html_()
    assert page.count("<img") == 3
    assert page.count("data:image/png;base64,") == 3
    assert "a: evidence for class &lt;2&gt;" in page and "<2>" not in page
    assert "5 x 5 cells is coarse" in page


def test_a_script_prints_a_line_for_each_image_and_the_cautions(maps):
    lines = str(maps).splitlines()
    assert lines[0] == f"{maps.names[0]}: {view.question(maps, 0)}"
    assert lines[len(maps) :] == list(maps.cautions)


def test_a_notebook_shows_at_most_eight(convnet):
    many = np.repeat(pictures(28, 1), 4, axis=0)
    page = explain.explain(convnet, many)._repr_html_()
    assert page.count("<img") == 8 and "and 4 more" in page


def test_saved_arrays_hold_all_that_is_known(maps, tmp_path):
    maps.save(tmp_path)
    stored = files.read_arrays(tmp_path / "b.npz")
    np.testing.assert_array_equal(stored["raw"], maps.raw[1])
    np.testing.assert_array_equal(stored["image"], maps.images[1])
    assert stored["target"] == 2 and stored["against"] == 5
    assert stored["method"] == "HiResCAM" and stored["layer"] == maps.layer
    assert stored["residual"] == maps.residuals[1]
    with Image.open(tmp_path / "b.png") as picture:
        picture.load()


def test_a_picture_says_what_it_answers(maps):
    panel = maps.panel(0)
    share = softmax(maps.logits)[0, 2]
    predicted = maps.class_names[maps.predicted[0]]
    assert panel.title == (
        f"a: evidence for class <2> ({share:.0%}) against class <5>; "
        f"predicted {predicted}"
    )
    assert re.search(r"HiResCAM at .*, 5 x 5 cells. Its sum misses", panel.caption)
    assert len(maps) == 3


def test_the_chance_of_a_class_is_the_models_own_also_after_a_sigmoid(images):
    pixels = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, padding="same")(layers.Rescaling(1 / 255)(pixels))
    pooled = layers.GlobalAveragePooling2D()(maps)
    for classes in (1, 3):
        top = layers.Dense(classes, "sigmoid", bias_initializer="ones")
        net = keras.Model(pixels, top(pooled))
        for method in (explain.GradCam(), explain.Occlusion(cells=4)):
            found = explain.explain(net, images, method=method, target=0)
            own = np.asarray(net(images))[:, 0]
            np.testing.assert_allclose(found.probabilities, own, atol=1e-6)
            assert f"evidence for 0 ({own[0]:.0%})" in found.panel(0).title
            # A lone output is always the largest of all.
            assert ("predicted" in found.panel(0).title) == (classes > 1)


def test_tensors_are_explained_and_shown_as_arrays_are(convnet, tmp_path):
    images = pictures(28, 1)[:1]
    tensors = keras.ops.convert_to_tensor(images)
    for method in (explain.GradCam(), explain.ScoreCam(channels=2)):
        found = explain.explain(convnet, tensors, method=method)
        expected = explain.explain(convnet, images, method=method)
        np.testing.assert_array_equal(found.raw, expected.raw)
    found.save(tmp_path)
    np.testing.assert_array_equal(
        files.read_arrays(tmp_path / "image-0.npz")["image"], images[0]
    )


def test_rollout_does_not_claim_to_speak_for_a_class(hybrid, images):
    found = explain.explain(
        hybrid(), images, method=explain.AttentionRollout(), grid=(8, 8)
    )
    assert "where attention reaches" in found.panel(0).title


@pytest.mark.parametrize(
    "options, message",
    [
        ({"class_names": ["a", "b"]}, "class_names: expected 10 different names"),
        ({"names": ["a", "a", "b"]}, "names: expected 3 different names.*2 of 3"),
        ({"names": ["a", "../b", "c"]}, r"names of files.*Received: '\.\./b'"),
        ({"names": ["a", "..", "c"]}, r"names of files.*Received: '\.\.'"),
        ({"names": ["a", Path("b"), "c"]}, "names of files.*Received: .*Path"),
    ],
)
def test_names_that_do_not_fit_are_refused_before_a_map_is_made(
    convnet, options, message, monkeypatch
):
    monkeypatch.setattr(view.maps, "compute", lambda *_, **__: pytest.fail("made"))
    with pytest.raises(ExplainError, match=message):
        explain.explain(convnet, pictures(28, 1), **options)


def test_pixels_of_any_range_are_stretched_for_the_eye_alone():
    image = np.array([[[-1.0], [0.0]], [[1.0], [1.0]]])
    assert view.to_pixels(image)[..., 0].tolist() == [[0, 128], [255, 255]]
    assert view.to_pixels(np.zeros((2, 2, 3))).tolist() == [[[0] * 3] * 2] * 2


def test_bytes_are_shown_as_they_are_and_odd_channels_as_their_mean():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert view.to_pixels(image) is image
    assert view.to_pixels(np.ones((2, 2, 5))).shape == (2, 2, 1)
