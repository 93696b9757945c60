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


class Pupil:
    """Stands for a net: keeps what it is taught, and answers as it was told to."""

    def __init__(self, labels, rights):
        self.labels, self.rights, self.taught = labels, iter(rights), []

    def compile(self, **_):
        pass

    def train_on_batch(self, images, labels):
        self.taught.append((images.ravel().tolist(), labels.tolist()))

    def predict_on_batch(self, images):
        known = np.arange(len(images)) < next(self.rights)
        return np.eye(2)[np.where(known, self.labels, 1 - self.labels)]


def teach(images, rights, seed=0):
    """Image i shows i, and its label is whether i is odd."""
    shown = np.arange(images, dtype=np.uint8).reshape(-1, 1, 1, 1)
    pupil = Pupil(labels := np.arange(images) % 2, rights)
    reached = fitting.memorise(
        pupil, shown, labels, seed=seed, epochs=len(rights), enough=0.95
    )
    return pupil.taught, reached


@pytest.mark.parametrize("rights, epochs", [((0, 18, 19, 20), 3), ((0, 18), 2)])
def test_it_stops_when_enough_of_the_answers_are_right_or_the_epochs_are_over(
    rights, epochs
):
    taught, reached = teach(20, rights)
    assert len(taught) == epochs
    assert reached == pytest.approx(rights[epochs - 1] / 20)


def test_an_epoch_shows_whole_batches_of_64_each_image_once_with_its_label():
    taught, _ = teach(130, (0, 0))
    assert [len(images) for images, _ in taught] == [64] * 4
    for start in (0, 2):
        epoch = taught[start][0] + taught[start + 1][0]
        assert len(set(epoch)) == 128
    for images, labels in taught:
        assert labels == [int(i) % 2 for i in images]


def test_the_order_is_new_in_every_epoch_and_the_seed_decides_it():
    (first, second), again, other = (teach(20, (0, 0), seed=s)[0] for s in (0, 0, 1))
    assert first != second
    assert [first, second] == again
    assert first != other[0]
