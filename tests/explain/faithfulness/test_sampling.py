import numpy as np

from tessera.explain.faithfulness import sampling

LABELS = np.repeat(np.arange(4, dtype=np.int32), [100, 50, 10, 3])


def test_every_class_gives_equally_many_and_a_rare_one_all_it_has():
    where = sampling.stratified(LABELS, count=40, seed=0)
    assert np.bincount(LABELS[where]).tolist() == [10, 10, 10, 3]
    assert (np.diff(where) > 0).all()  # by class, and ascending within it


def test_the_count_is_shared_by_the_classes_that_have_images_and_not_exceeded():
    without = LABELS[LABELS != 1]
    where = sampling.stratified(without, count=10, seed=0)
    assert np.bincount(without[where]).tolist() == [3, 0, 3, 3]


def test_classes_are_drawn_apart():
    twice = np.repeat(np.arange(2, dtype=np.int32), 100)
    first, second = sampling.stratified(twice, count=20, seed=0).reshape(2, 10)
    assert (first != second - 100).any()


def test_at_least_one_image_of_every_class_is_drawn():
    where = sampling.stratified(LABELS, count=1, seed=0)
    assert LABELS[where].tolist() == [0, 1, 2, 3]


def test_the_draw_of_a_class_depends_on_the_seed_and_on_no_other_class():
    first = sampling.stratified(LABELS, count=20, seed=0)
    assert (first == sampling.stratified(LABELS, count=20, seed=0)).all()
    assert (first != sampling.stratified(LABELS, count=20, seed=1)).any()
    fewer = sampling.stratified(LABELS[:150], count=10, seed=0)
    assert (fewer == first[LABELS[first] < 2]).all()


def test_a_larger_sample_holds_the_smaller_one():
    small, large = (sampling.stratified(LABELS, count=n, seed=0) for n in (8, 32))
    assert set(small) <= set(large)


def test_the_sample_is_explained_for_what_the_model_says():
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones(
        (4, 2, 2, 1), np.uint8
    )

    def predict(pixels):
        return np.eye(4, dtype=np.float32)[(pixels[:, 0, 0, 0].astype(int) + 1) % 4]

    # The images show 0 to 3, of which two are drawn.
    labels = np.array([0, 0, 1, 1], np.int32)
    sample = sampling.draw(predict, images, labels, count=2, seed=0)
    shown = sample.images[:, 0, 0, 0]
    assert sample.indices.tolist() == shown.tolist() != [0, 1]
    assert sample.targets.tolist() == ((shown + 1) % 4).tolist()
    assert sample.labels.tolist() == [0, 1]
    assert sample.images.dtype == np.float32


def test_some_of_a_sample_are_spread_over_all_of_it():
    n = 40
    sample = sampling.Sample(
        np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1),
        np.repeat(np.arange(4, dtype=np.int32), 10),
        np.arange(n, dtype=np.float32).reshape(n, 1),
        np.arange(n),
    )
    few = sample.first(8)
    assert len(few) == 8
    for of_each in (few.images, few.logits):
        assert of_each.ravel().tolist() == few.indices.tolist()
    assert (np.bincount(few.labels) == 2).all()
    assert len(sample.first(1000)) == n
