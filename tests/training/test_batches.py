"""An epoch's batches: which images come, in which order, each with its own draw."""

import numpy as np
import pytest

from tessera import remedies
from tessera.arrays import Images
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.imbalance.plan import Phase
from tessera.training import order, variation
from tessera.training.batches import Epoch, Material, positions

STILL = Training(batch_size=4, flip=False, crop_padding=0)
SPLIT = Split(
    # Image i is filled with i, so that a batch shows which images it holds.
    np.repeat(np.arange(20, dtype=np.uint8), 4 * 4 * 3).reshape(20, 4, 4, 3),
    np.arange(20, dtype=np.int32) % 3,
)
PICTURES = Split(
    np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), dtype=np.uint8),
    SPLIT.labels,
)
INDICES = np.arange(0, 20, 2)
PLAIN = Phase()


def epoch_of(
    split: Split = SPLIT,
    indices: np.ndarray = INDICES,
    training: Training = STILL,
    *,
    phase: Phase = PLAIN,
    seed: int = 0,
    epoch: int = 0,
) -> Epoch:
    counts = np.bincount(split.labels[indices])
    material = Material(split, indices, split)
    return Epoch(material, training, phase, counts, seed=seed, epoch=epoch)


def seen(epoch: Epoch) -> list[int]:
    return [int(v) for images, _ in epoch for v in images[:, 0, 0, 0]]


def test_an_epoch_holds_every_chosen_image_once_and_no_other() -> None:
    assert sorted(seen(epoch_of())) == list(INDICES)


def test_the_images_come_in_the_epochs_order() -> None:
    epoch = epoch_of(seed=5, epoch=2)
    assert seen(epoch) == list(INDICES[order.order(10, seed=5, epoch=2)])


def test_labels_stay_with_their_images() -> None:
    for images, labels in epoch_of():
        np.testing.assert_array_equal(labels, images[:, 0, 0, 0].astype(int) % 3)


def test_the_last_batch_holds_the_rest() -> None:
    epoch = epoch_of()
    assert [len(labels) for _, labels in epoch] == [4, 4, 2]
    assert len(epoch) == 3


def test_an_images_augmentation_does_not_depend_on_which_others_are_kept() -> None:
    moving = Training(batch_size=20)
    rng = np.random.default_rng(0)
    images = rng.integers(1, 255, (20, 8, 8, 3), dtype=np.uint8)
    split = Split(images, np.arange(20, dtype=np.int32))
    (whole,) = epoch_of(split, np.arange(20), moving)
    (part,) = epoch_of(split, INDICES, moving)
    pictures = dict(zip(whole[1].tolist(), whole[0], strict=True))
    for image, label in zip(*part, strict=True):
        np.testing.assert_array_equal(image, pictures[int(label)])


def test_class_balanced_sampling_shows_rare_classes_as_often_as_common_ones() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), [90, 9, 3])
    split = Split(np.zeros((102, 4, 4, 3), np.uint8), labels)
    phase = Phase(sampling=remedies.Power())
    shown = np.concatenate([y for _, y in epoch_of(split, np.arange(102), phase=phase)])
    assert np.bincount(shown).tolist() == [34, 34, 34]


def test_classes_are_those_of_the_images_to_train_on() -> None:
    """Of 6, 6 and 6 images 6, 1 and 2 are kept, and each class is drawn 3 times."""
    labels = np.repeat(np.arange(3, dtype=np.int32), 6)
    split = Split(np.zeros((18, 4, 4, 3), np.uint8), labels)
    kept = np.r_[0:6, 11, 13, 17]
    phase = Phase(sampling=remedies.Power())
    shown = np.concatenate([y for _, y in epoch_of(split, kept, phase=phase)])
    assert np.bincount(shown).tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    ("setting", "each", "batches"),
    [(remedies.Oversampling(), 90, 14), (remedies.Undersampling(), 3, 1)],
)
def test_an_epoch_is_as_long_as_its_draws(
    setting: remedies.Sampling, each: int, batches: int
) -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), [90, 9, 3])
    split = Split(np.zeros((102, 4, 4, 3), np.uint8), labels)
    training, phase = Training(batch_size=20), Phase(sampling=setting)
    epoch = epoch_of(split, np.arange(102), training, phase=phase)
    shown = np.concatenate([y for _, y in epoch])
    assert np.bincount(shown).tolist() == [each] * 3
    assert len(epoch) == batches


def test_undersampling_shows_others_in_every_epoch() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), [50, 5])
    shown = [
        positions(
            labels,
            Training(),
            Phase(sampling=remedies.Undersampling()),
            np.array([50, 5]),
            seed=0,
            epoch=epoch,
        )
        for epoch in range(2)
    ]
    common = [set(one[one < 50].tolist()) for one in shown]
    assert [len(one) for one in common] == [5, 5]
    assert common[0] != common[1]


def test_progressive_sampling_starts_as_the_data_and_ends_balanced() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), [30, 10])
    split = Split(np.zeros((40, 4, 4, 3), np.uint8), labels)
    training = Training(batch_size=40, epochs=5)
    phase = Phase(sampling=remedies.Progressive())
    shown = [
        np.bincount(next(iter(one))[1]).tolist()
        for e in range(5)
        for one in [epoch_of(split, np.arange(40), training, phase=phase, epoch=e)]
    ]
    # (1 - t) 30 + t 20 with t = 0, 1/4, 1/2, 3/4, 1; 27.5 and 22.5 go to the first.
    assert shown == [[30, 10], [28, 12], [25, 15], [23, 17], [20, 20]]
    only = epoch_of(
        split, np.arange(40), Training(batch_size=40, epochs=1), phase=phase
    )
    assert np.bincount(next(iter(only))[1]).tolist() == [30, 10]


def test_an_image_drawn_twice_is_augmented_twice() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(1, 255, (2, 8, 8, 3), dtype=np.uint8)
    split = Split(
        np.repeat(images, [15, 1], axis=0), np.repeat([0, 1], [15, 1]).astype(np.int32)
    )
    phase = Phase(sampling=remedies.Power())
    ((pixels, labels),) = epoch_of(
        split, np.arange(16), Training(batch_size=16), phase=phase
    )
    rare = pixels[labels == 1]
    assert len(rare) == 8
    assert len(np.unique(rare.reshape(8, -1), axis=0)) > 4


def test_mixed_batches_carry_two_labels_and_a_share() -> None:
    phase = Phase(mixing=remedies.Mixup())
    for pixels, targets in epoch_of(phase=phase):
        first, second, share = targets.T
        assert pixels.dtype == np.float32
        assert np.all((share >= 0) & (share <= 1))
        assert set(first.tolist()) | set(second.tolist()) <= {0.0, 1.0, 2.0}


def test_pasting_rare_images_leaves_the_other_batches_alone() -> None:
    split = Split(
        np.zeros((400, 4, 4, 3), np.uint8), np.arange(400, dtype=np.int32) % 2
    )
    phase = Phase(mixing=remedies.TailOnHead(probability=0.2))
    epoch = epoch_of(split, np.arange(400), STILL, phase=phase)
    drawn = [epoch.drawn(index) for index in range(len(epoch))]
    alone = [one for one in drawn if one.partners is not None]
    # 100 batches, of which 20 are expected, with a deviation of 4.
    assert 100 - 36 < len(alone) < 100 - 4
    for one in alone:
        assert one.mix is not None and one.others is not None
        assert np.all(one.mix.labels == 1)
        np.testing.assert_array_equal(one.others.chosen, one.images.chosen)


def test_the_same_key_gives_the_same_mixed_batches() -> None:
    phase = Phase(mixing=remedies.CutMix())
    for one, two in zip(epoch_of(phase=phase), epoch_of(phase=phase), strict=True):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


@pytest.mark.parametrize("flip", [False, True])
def test_a_pasted_image_is_flipped_only_where_images_are(flip: bool) -> None:
    training = Training(batch_size=20, flip=flip, crop_padding=0)
    phase = Phase(mixing=remedies.TailOnHead(probability=1.0))
    epoch = epoch_of(indices=np.arange(20), training=training, phase=phase)
    pasted = epoch.drawn(0).others
    assert pasted is not None and set(pasted.rows[:, 2]) <= ({0, 1} if flip else {0})
    assert len(set(pasted.rows[:, 2])) == 1 + flip


ALWAYS = remedies.TailOnHead(probability=1.0)


def pasted(indices: np.ndarray, mixing: remedies.TailOnHead = ALWAYS) -> np.ndarray:
    """The images that ten epochs paste in, and where they are cropped, [M, 1 + 3]."""
    moving = Training(batch_size=20, crop_padding=1)
    phase = Phase(mixing=mixing)
    looks = [
        one.drawn(0).others
        for epoch in range(10)
        for one in [epoch_of(SPLIT, indices, moving, phase=phase, epoch=epoch)]
    ]
    return np.concatenate(
        [np.c_[look.chosen, look.rows] for look in looks if look is not None]
    )


def test_only_images_to_train_on_are_pasted_cropped_like_any_other() -> None:
    found = pasted(INDICES)
    assert set(found[:, 0]) == set(INDICES)
    crops = {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
    assert set(map(tuple, found[:, 1:3].tolist())) == crops


def test_pasted_images_come_from_every_class_that_is_kept_alike() -> None:
    """Classes of 6, 2 and 1 images, each in two cases or so of six."""
    kept = np.r_[0:18:3, 1, 4, 2]
    drawn = np.bincount(SPLIT.labels[pasted(kept)[:, 0]])
    # Six standard deviations of a binomial count of 90 draws with 1/3.
    assert np.all(np.abs(drawn - 30) < 6 * np.sqrt(90 * 2 / 9))
    # With weights of n^-3 by class, 1/36, 1/4 and 1 of them together.
    rarest = pasted(kept, ALWAYS.model_copy(update={"power": 3.0}))
    shares = np.array([1 / 36, 1 / 4, 1.0]) / (1 / 36 + 1 / 4 + 1)
    drawn = np.bincount(SPLIT.labels[rarest[:, 0]], minlength=3)
    assert np.all(np.abs(drawn - 90 * shares) < 6 * np.sqrt(90 * shares * (1 - shares)))


def test_a_remixed_label_goes_to_the_class_that_is_rarer_among_those_kept() -> None:
    """All classes are alike in the data, and the third is rare in what is kept."""
    kept = np.r_[0:18:3, 1:19:3, 2]
    training = STILL.model_copy(update={"batch_size": 13})
    counts = np.array([6, 6, 1])
    leant = set()
    for number in range(20):
        phase = Phase(mixing=remedies.Remix())
        epoch = epoch_of(SPLIT, kept, training, phase=phase, epoch=number)
        ((_, targets),) = epoch
        mix = epoch.drawn(0).mix
        assert mix is not None
        first, second = (targets[:, column].astype(int) for column in (0, 1))
        rarer = np.where(counts[first] < counts[second], 1.0, 0.0)
        small = np.where(rarer == 1.0, 1 - mix.share < 0.5, mix.share < 0.5)
        leaning = (counts[first] != counts[second]) & small
        expected = np.where(leaning, rarer, mix.share)
        np.testing.assert_allclose(targets[:, 2], expected, rtol=1e-6)
        leant |= set(rarer[leaning])
    assert leant == {0.0, 1.0}


def test_every_batch_epoch_and_seed_is_mixed_and_cut_anew() -> None:
    training = STILL.model_copy(update={"cutout": 2})
    keys = [(s, e, b) for s in range(2) for e in range(2) for b in range(2)]
    drawn = [
        epoch_of(
            training=training, phase=Phase(mixing=remedies.Mixup()), seed=s, epoch=e
        ).drawn(b)
        for s, e, b in keys
    ]
    assert len({one.mix.share for one in drawn if one.mix is not None}) == 8
    assert len({str(one.images.holes) for one in drawn}) == 8


def test_what_a_crop_leaves_open_is_filled_as_the_settings_say() -> None:
    bright = Split(np.full((20, 8, 8, 3), 200, np.uint8), SPLIT.labels)
    moving = Training(batch_size=10, crop_padding=4)
    mirrored = moving.model_copy(update={"crop_fill": "mirror"})
    ((black, _),), ((full, _),) = (
        epoch_of(bright, training=t) for t in (moving, mirrored)
    )
    assert set(np.unique(black)) == {0, 200}
    assert set(np.unique(full)) == {200}


def varied_alone(chosen: np.ndarray, uniform: np.ndarray, reach: np.ndarray) -> Images:
    rows = variation.changes(uniform, np.tile(reach, (len(chosen), 1)), 3)
    return variation.varied(PICTURES.images[chosen], rows)


def test_every_showing_of_an_image_is_varied_by_draws_of_its_own() -> None:
    training = STILL.model_copy(update={"batch_size": 9, "rotation": 40.0})
    shown = np.array([3, 1, 3])
    material = Material(PICTURES, shown, PICTURES)
    epoch = Epoch(material, training, PLAIN, np.bincount(SPLIT.labels), seed=2, epoch=5)
    ((pixels, _),) = epoch
    places = shown[order.order(3, seed=2, epoch=5)]
    first, again = (variation.draws(20, seed=2, epoch=5, again=n) for n in range(2))
    later = np.array([False, *(places[1:] == 3) & (np.cumsum(places == 3)[1:] == 2)])
    uniform = np.where(later[:, None], again[places], first[places])
    expected = varied_alone(places, uniform, np.array([40.0, 0.0, 0.0]))
    np.testing.assert_array_equal(pixels, expected)


def test_images_of_the_largest_class_are_not_varied_by_a_remedy_and_rarer_are() -> None:
    more = remedies.Variation(rotation=90, zoom=0, colour=0)
    labels = np.array([0] * 8 + [1] * 4, np.int32)
    split = Split(PICTURES.images[:12], labels)
    training = STILL.model_copy(update={"batch_size": 12})
    phase = Phase(variation=more)
    ((pixels, targets),) = epoch_of(split, np.arange(12), training, phase=phase)
    chosen = order.order(12, seed=0, epoch=0)
    same = (pixels == split.images[chosen]).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(same, targets == 0)
    uniform = variation.draws(12, seed=0, epoch=0)[chosen]
    expected = varied_alone(chosen, uniform, np.array([45.0, 0.0, 0.0]))
    np.testing.assert_array_equal(pixels[~same], expected[~same])


def test_pasted_images_are_varied_too_and_anew_in_every_batch() -> None:
    training = STILL.model_copy(update={"colour": 0.5})
    phase = Phase(mixing=remedies.TailOnHead(probability=1.0))
    epoch = epoch_of(PICTURES, training=training, phase=phase)
    rows = []
    for index, (pixels, _) in enumerate(epoch):
        drawn = epoch.drawn(index)
        assert drawn.mix is not None and drawn.others is not None
        assert drawn.others.changes is not None
        rows.append(str(drawn.others.changes))
        pasted = PICTURES.images[drawn.others.chosen]
        top, bottom, left, right = drawn.mix.box
        expected = variation.varied(pasted, drawn.others.changes)
        box = (slice(None), slice(top, bottom), slice(left, right))
        np.testing.assert_array_equal(pixels[box], expected[box])
    assert len({*rows}) == len(rows) == 3


def test_draws_of_what_came_before_variation_are_as_they_were() -> None:
    phase = Phase(mixing=remedies.TailOnHead(probability=1.0))
    training = STILL.model_copy(update={"colour": 0.5})
    plain, varied = (
        epoch_of(training=t, phase=phase).drawn(0) for t in (STILL, training)
    )
    assert plain.images.changes is None and varied.images.changes is not None
    assert plain.others is not None and varied.others is not None
    np.testing.assert_array_equal(plain.others.chosen, varied.others.chosen)
    np.testing.assert_array_equal(plain.others.rows, varied.others.rows)
    np.testing.assert_array_equal(plain.images.rows, varied.images.rows)


@pytest.mark.parametrize("mixing", [remedies.Mixup(), remedies.TailOnHead()])
def test_what_is_drawn_for_a_batch_is_what_is_seen_in_it(
    mixing: remedies.Mixing,
) -> None:
    """With a square cut out of every image but those that are pasted."""
    training = STILL.model_copy(update={"cutout": 2})
    epoch = epoch_of(training=training, phase=Phase(mixing=mixing))
    for index, (pixels, targets) in enumerate(epoch):
        drawn = epoch.drawn(index)
        assert drawn.mix is not None
        assert drawn.others is not None
        assert (drawn.others.holes is None) is isinstance(mixing, remedies.TailOnHead)
        pictures = [
            SPLIT.images[look.chosen]
            if look.holes is None
            else order.cut(SPLIT.images[look.chosen], look.holes, 2)
            for look in (drawn.images, drawn.others)
        ]
        share = drawn.mix.share
        top, bottom, left, right = drawn.mix.box
        expected = share * pictures[0] + (1 - share) * pictures[1].astype(float)
        box = (slice(None), slice(top, bottom), slice(left, right))
        expected[box] = pictures[1][box]
        np.testing.assert_allclose(pixels, expected, atol=1e-4)
        np.testing.assert_array_equal(targets[:, 1], SPLIT.labels[drawn.others.chosen])
