import keras
import numpy as np
import pytest

from tessera.explain.faithfulness import fitting


def net():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((2, 2, 1))
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    hidden = keras.layers.Dense(32, activation="relu")(flat)
    return keras.Model(pixels, keras.layers.Dense(2)(hidden))


IMAGES = np.random.default_rng(0).integers(0, 256, (16, 2, 2, 1), np.uint8)
SHUFFLED = np.random.default_rng(1).integers(0, 2, 16).astype(np.int32)


@pytest.mark.slow
def test_a_model_learns_arbitrary_labels_by_heart():
    reached = fitting.memorise(
        net(), IMAGES, SHUFFLED, seed=0, epochs=400, enough=1.0, learning_rate=0.03
    )
    assert reached == 1.0


@pytest.mark.slow
def test_it_says_how_far_it_came():
    model = net()
    reached = fitting.memorise(model, IMAGES, SHUFFLED, seed=0, epochs=1)
    answers = model.predict_on_batch(IMAGES.astype("float32")).argmax(axis=1)
    assert reached == pytest.approx((answers == SHUFFLED).mean())


def test_without_epochs_nothing_is_learned():
    model = net()
    before = [w.copy() for w in model.get_weights()]
    assert fitting.memorise(model, IMAGES, SHUFFLED, seed=0, epochs=0) == 0
    same = zip(before, model.get_weights(), strict=True)
    assert all((a == b).all() for a, b in same)
