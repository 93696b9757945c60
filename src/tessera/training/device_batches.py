"""An epoch's batches, made on the device from images that stay there. JAX only.

What is random is still decided by `batches`, as a function of (seed, epoch, batch): a
few numbers an image travel to the device once an epoch. What is done with them there
gives the very bytes of `batches.Epoch`; blended images are the same to rounding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, TypeAlias

import jax
import numpy as np
from jax import numpy as jnp
from numpy.typing import NDArray

from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.training import order, variation
from tessera.training.batches import Epoch, Look
from tessera.training.mixing import Mix
from tessera.training.steps import Tensor

Table: TypeAlias = Mapping[str, Any]
"""What is random in an epoch, a row an image. `images` and perhaps `others`: `chosen`
[N], `rows` [N, 3] and what else `batches.Look` has of them. With others, of
`mixing.Mix`: `shares` [N, 2] of both images' pixels, `box` [N, 4], `label` [N]."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["padded", "labels"],
    meta_fields=["height", "width", "cutout"],
)
@dataclass(frozen=True, eq=False)
class Resident:
    """A split on the device."""

    padded: Tensor
    """uint8 [N, H + 2p, W + 2p, C]."""
    labels: Tensor
    """int32 [N]."""
    height: int
    width: int
    cutout: int
    """Side of the squares that are cut out."""


def resident(split: Split, training: Training) -> Resident:
    """Put a split on the device, once for all epochs.

    Args:
        split: N images of H x W pixels.
        training: Says how far they are shifted, over what, and what is cut out.
    """
    _, height, width, _ = split.images.shape
    edge = (training.crop_padding, training.crop_padding)
    mode = "constant" if training.crop_fill == "black" else "reflect"
    edges = ((0, 0), edge, edge, (0, 0))
    padded = jnp.pad(jnp.asarray(split.images), edges, mode=mode)
    labels = jnp.asarray(split.labels)
    return Resident(padded, labels, height, width, training.cutout)


def table(epoch: Epoch) -> Table:
    """Everything that is random in an epoch, as arrays with a row an image."""
    drawn = [epoch.drawn(batch) for batch in range(len(epoch))]
    found: dict[str, Any] = {"images": _looks([one.images for one in drawn])}
    others = [one.others for one in drawn if one.others is not None]
    mixes = [_rows(one.mix, one.images) for one in drawn if one.mix is not None]
    if not mixes:
        return found
    found["others"] = _looks(others)
    return found | {name: np.concatenate([m[name] for m in mixes]) for name in mixes[0]}


def _looks(looks: list[Look]) -> dict[str, NDArray[np.int32]]:
    """One look at all images of an epoch; what one batch lacks, all do."""
    names = [part.name for part in fields(Look)]
    return {
        name: np.concatenate([getattr(look, name) for look in looks]).astype(np.int32)
        for name in names
        if getattr(looks[0], name) is not None
    }


def _rows(mix: Mix, look: Look) -> dict[str, NDArray[Any]]:
    """How each image of a batch is mixed: all in one way, but for the labels."""
    size = len(look.chosen)
    both = np.array([mix.share, 1 - mix.share], np.float32)
    return {
        "shares": np.tile(both, (size, 1)),
        "box": np.tile(np.array(mix.box, np.int32), (size, 1)),
        "label": mix.labels.astype(np.float32),
    }


def first(images: Resident, epoch: Epoch, size: int) -> tuple[NDArray[Any], ...]:
    """The epoch's first `size` images as `made` makes them here, fetched."""
    drawn = jax.tree.map(lambda array: array[:size], table(epoch))
    pixels, targets = jax.jit(made)(images, drawn)
    return np.asarray(pixels), np.asarray(targets)


def made(images: Resident, drawn: Table) -> tuple[Tensor, Tensor]:
    """A batch, as `batches.Epoch` makes it.

    Args:
        images: The split.
        drawn: Rows of a `table`, B of every array.

    Returns:
        Pixels [B, H, W, C] and targets, see `steps.Batch`.
    """
    pixels, labels = _seen(images, drawn["images"])
    if "others" not in drawn:
        return pixels, labels
    others, second = _seen(images, drawn["others"])
    shares = drawn["shares"][:, :, None, None, None]
    blend = shares[:, 0] * pixels.astype(jnp.float32)
    blend += shares[:, 1] * others.astype(jnp.float32)
    box = drawn["box"]
    over = _inside(images, box[:, ::2], box[:, 1::2])
    mixed = jnp.where(over, others.astype(jnp.float32), blend)
    return mixed, jnp.stack([labels, second, drawn["label"]], axis=1)


def _seen(images: Resident, look: Table) -> tuple[Tensor, Tensor]:
    """Cropped, flipped, varied and cut images, uint8 [B, H, W, C], and their labels."""
    chosen = look["chosen"]
    pixels = _cropped(images, chosen, look["rows"])
    if "changes" in look:
        pixels = variation.varied(pixels, look["changes"])
    if "holes" in look:
        first = look["holes"]
        cut = _inside(images, first, first + images.cutout)
        pixels = jnp.where(cut, jnp.uint8(order.GREY), pixels)
    return pixels, images.labels[chosen]


def _cropped(images: Resident, chosen: Tensor, rows: Tensor) -> Tensor:
    size = (1, images.height, images.width, images.padded.shape[-1])

    def one(index: Tensor, row: Tensor) -> Tensor:
        start = (index, row[0], row[1], jnp.zeros_like(index))
        (crop,) = jax.lax.dynamic_slice(images.padded, start, size)
        return jnp.where(row[2] == 1, crop[:, ::-1], crop)

    return jax.vmap(one)(chosen, rows)


def _inside(images: Resident, first: Tensor, end: Tensor) -> Tensor:
    """Which pixels lie in each image's box, bool [B, H, W, 1].

    Args:
        images: Gives H and W.
        first: First row and column of each box, [B, 2].
        end: Those after the last, [B, 2].
    """
    within = [
        (jnp.arange(length) >= first[:, axis, None])
        & (jnp.arange(length) < end[:, axis, None])
        for axis, length in enumerate((images.height, images.width))
    ]
    return within[0][:, :, None, None] & within[1][:, None, :, None]
