import keras
import numpy as np
import pytest

from tessera.explain.faithfulness import answers


@pytest.fixture
def net():
    pixels = keras.Input((4, 4, 1))
    return keras.Model(pixels, keras.layers.Dense(2)(keras.layers.Flatten()(pixels)))


@pytest.mark.parametrize("batch_size", [1, 3, 4, 7, 100])
def test_the_batch_size_does_not_change_the_answers(net, batch_size):
    images = np.random.default_rng(0).random((7, 4, 4, 1)).astype(np.float32)
    kernel, bias = net.layers[-1].get_weights()
    found = answers.predictor(net, batch_size=batch_size)(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, images.reshape(7, -1) @ kernel + bias, atol=1e-5)


def test_a_bound_mapper_is_called_with_its_model(net):
    maps = answers.bound(lambda *arguments: arguments, net)
    assert maps("images", "targets") == (net, "images", "targets")


def test_the_probability_is_the_softmax_of_each_images_class():
    logits = np.log(np.array([[1, 3], [9, 1]], np.float32))
    found = answers.probability(logits, np.array([1, 0], np.int32))
    np.testing.assert_allclose(found, [0.75, 0.9], rtol=1e-6)
