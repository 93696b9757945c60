"""An epoch's batches: every image once, in its order, each with its own draw."""

import numpy as np

from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.training import order
from tessera.training.batches import Epoch

STILL = Training(batch_size=4, flip=False, crop_padding=0)
SPLIT = Split(
    # Image i is filled with i, so that a batch shows which images it holds.
    np.repeat(np.arange(20, dtype=np.uint8), 4 * 4 * 3).reshape(20, 4, 4, 3),
    np.arange(20, dtype=np.int32) % 3,
)
INDICES = np.arange(0, 20, 2)


def seen(epoch: Epoch) -> list[int]:
    return [int(v) for b in range(len(epoch)) for v in epoch[b][0][:, 0, 0, 0]]


def test_an_epoch_holds_every_chosen_image_once_and_no_other() -> None:
    assert sorted(seen(Epoch(SPLIT, INDICES, STILL, seed=0, epoch=0))) == list(INDICES)


def test_the_images_come_in_the_epochs_order() -> None:
    epoch = Epoch(SPLIT, INDICES, STILL, seed=5, epoch=2)
    assert seen(epoch) == list(INDICES[order.order(10, seed=5, epoch=2)])


def test_labels_stay_with_their_images() -> None:
    epoch = Epoch(SPLIT, INDICES, STILL, seed=0, epoch=0)
    for batch in range(len(epoch)):
        images, labels = epoch[batch]
        np.testing.assert_array_equal(labels, images[:, 0, 0, 0].astype(int) % 3)


def test_the_last_batch_holds_the_rest() -> None:
    epoch = Epoch(SPLIT, INDICES, STILL, seed=0, epoch=0)
    assert [len(epoch[batch][1]) for batch in range(len(epoch))] == [4, 4, 2]


def test_an_images_augmentation_does_not_depend_on_which_others_are_kept() -> None:
    moving = Training(batch_size=20)
    rng = np.random.default_rng(0)
    images = rng.integers(1, 255, (20, 8, 8, 3), dtype=np.uint8)
    split = Split(images, np.arange(20, dtype=np.int32))
    whole = Epoch(split, np.arange(20), moving, seed=0, epoch=0)[0]
    part = Epoch(split, INDICES, moving, seed=0, epoch=0)[0]
    pictures = dict(zip(whole[1].tolist(), whole[0], strict=True))
    for image, label in zip(*part, strict=True):
        np.testing.assert_array_equal(image, pictures[int(label)])
