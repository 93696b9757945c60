"""Explained images as one value that saves itself and shows itself in a notebook."""

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera import files, png
from tessera.explain import maps, panel
from tessera.explain.explanations import Explanations
from tessera.explain.graph import ExplainError
from tessera.explain.methods import AttentionRollout, Method
from tessera.explain.places import Grid
from tessera.explain.reading import read
from tessera.explain.targets import Target

SHOWN = 8
"""Pictures in a notebook's cell, at most; `save` writes all."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Maps(Explanations):
    """Raw maps with the images they explain: `save` them, or let a notebook show them.

    Pictures show evidence for the class; `raw` also holds evidence against it.
    """

    images: NDArray[Any]
    """As they were given, [N, H, W, C]."""
    class_names: tuple[str, ...]
    names: tuple[str, ...]
    """Of the images: file names in `save`, titles in pictures."""

    def __len__(self) -> int:
        """How many images were explained."""
        return len(self.raw)

    def panel(self, index: int) -> panel.Panel:
        """What the picture of one image shows."""
        return panel.Panel(
            title=f"{self.names[index]}: {question(self, index)}",
            caption=caption(self, index),
            image=to_pixels(self.images[index]),
            raw=self.raw[index],
            reason=str(self.reasons[index]),
        )

    def save(self, folder: str | Path) -> Path:
        """Write a picture and the arrays behind it for every image.

        Args:
            folder: Made if absent. `NAME.png` and `NAME.npz` in it are replaced.

        Returns:
            The folder.
        """
        for index in range(len(self)):
            self.save_one(index, Path(folder))
        return Path(folder)

    def save_one(self, index: int, folder: Path) -> None:
        """Write one image's picture, and the arrays behind it, as `save` does."""
        name = self.names[index]
        panel.save(folder / f"{name}.png", panel.draw(self.panel(index)))
        files.write_arrays(folder / f"{name}.npz", **arrays(self, index))

    def __repr__(self) -> str:
        """A line per image, and what must be known about all of them."""
        answers = (question(self, i) for i in range(len(self)))
        lines = [f"{n}: {a}" for n, a in zip(self.names, answers, strict=True)]
        return "\n".join([*lines, *self.cautions])

    def _repr_html_(self) -> str:
        """Pictures in a notebook, and what must be known about all of them."""
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in self.cautions)
        shown = "".join(self._picture(i) for i in range(min(len(self), SHOWN)))
        more = len(self) - SHOWN
        rest = f"<p>and {more} more: <code>save(folder)</code></p>" if more > 0 else ""
        return f"<div>{shown}{rest}{notes}</div>"

    def _picture(self, index: int) -> str:
        made = self.panel(index)
        buffer = io.BytesIO()
        panel.write(panel.draw(made), buffer)
        return (
            f'<img alt="{html.escape(made.title, quote=True)}" '
            f'src="{png.url(buffer.getvalue())}">'
        )


def explain(
    model: keras.Model,
    images: NDArray[Any],
    *,
    method: Method | None = None,
    target: Target = "predicted",
    layer: str | None = None,
    grid: Grid | None = None,
    leading: int = 0,
    class_names: Sequence[str] = (),
    names: Sequence[str] = (),
    batch_size: int = 128,
) -> Maps:
    """Show where any Keras 3 image classifier finds its evidence.

        from tessera import explain
        maps = explain.explain(model, images)
        maps.save("explanations")

    Args:
        model: A functional or sequential classifier, also with models nested in it;
            logits, softmax or sigmoid out. It is left as it is.
        images: [N, H, W, C], as the model takes them (after `preprocess_input`, where
            the model has one); at least one.
        method: What to draw, such as `HiResCam()`; None: Grad-CAM.
        target: `"predicted"`, a class index, one index per image, or
            `Contrast(c, d)`: why c rather than d.
        layer: Name of a layer, or path into nested models such as `backbone/conv5`;
            None: the last map of at least 4x4 cells that all paths to the logits share.
        grid: (h, w) of the tokens, for token layers and attention rollout.
        leading: Tokens before the first cell, such as a class token.
        class_names: One per class; default: the indices.
        names: One per image; default: their positions.
        batch_size: Images at a time; does not change the result beyond rounding.

    Returns:
        Raw signed maps `raw` float32 [N, h, w], and all that belongs to them.

    Raises:
        ExplainError: The model cannot be explained this way; the message says why and
            what to do.
        CoarseGrid: The map has fewer than 4x4 cells.
    """
    if isinstance(model, keras.Model) and getattr(images, "ndim", None) == 4:
        # Told now, and not after minutes of maps.
        named(read(model).classes, len(images), class_names, names)
    found = maps.compute(
        model,
        images,
        method=method,
        target=target,
        layer=layer,
        grid=grid,
        leading=leading,
        batch_size=batch_size,
    )
    return shown(found, np.asarray(images), class_names=class_names, names=names)


def shown(
    found: Explanations,
    images: NDArray[Any],
    *,
    class_names: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Maps:
    """Put explanations and their images together.

    Raises:
        ExplainError: Not one name per class or image, or one that is no file's name.
    """
    classes = found.logits.shape[1]
    class_names, names = named(classes, len(images), class_names, names)
    values = {field.name: getattr(found, field.name) for field in fields(Explanations)}
    return Maps(**values, images=images, class_names=class_names, names=names)


def named(
    classes: int, images: int, class_names: Sequence[str], names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of classes and of images: those that are given, else numbers.

    Raises:
        ExplainError: See `shown`.
    """
    class_names = tuple(class_names) or tuple(str(k) for k in range(classes))
    names = tuple(names) or tuple(f"image-{i}" for i in range(images))
    for what, given, expected in (
        ("class_names", class_names, classes),
        ("names", names, images),
    ):
        if len(given) != expected or len(set(given)) != len(given):
            raise ExplainError(
                f"{what}: expected {expected} different names. Received: "
                f"{len(set(given))} of {len(given)}."
            )
    for name in names:
        text = name if isinstance(name, str) else ""
        if text in ("", ".", "..") or set(text) & set("/\\\0"):
            raise ExplainError(
                "names: expected names of files, to save pictures by, with no folder. "
                f"Received: {name!r}."
            )
    return class_names, names


def question(found: Maps, index: int) -> str:
    """What one map answers, in words."""
    target = found.class_names[found.targets[index]]
    predicted = found.class_names[found.predicted[index]]
    if found.method == AttentionRollout.label:
        return f"where attention reaches; predicted {predicted}"
    alone = found.logits.shape[1] == 1
    chance = f" ({found.probabilities[index]:.0%})"
    if alone:  # it is always the largest: that predicts nothing
        return f"evidence for {target}{chance if found.sigmoid else ''}"
    if found.against is not None:
        other = found.class_names[found.against[index]]
        return f"evidence for {target}{chance} against {other}; predicted {predicted}"
    return f"evidence for {target}{chance}; predicted {predicted}"


def caption(found: Maps, index: int) -> str:
    """Method, place and grid of a map, its residual, and what it does not show."""
    height, width = found.grid
    text = f"{found.method} at {found.layer}, {height} x {width} cells."
    if found.residuals is not None:
        text += f" Its sum misses the logit's change by {found.residuals[index]:.1e}."
    return f"{text} It shows where the evidence lies; it proves no cause."


def arrays(found: Maps, index: int) -> dict[str, Any]:
    """Everything that is known about one explained image, for its `.npz`."""
    sums = found.residuals
    return {
        "image": found.images[index],
        "raw": found.raw[index],
        "temperature": np.array(found.temperature),
        **facts(found, found.class_names, index),
        **({} if sums is None else {"residual": sums[index]}),
    }


def facts(
    found: Explanations, class_names: Sequence[str], index: int
) -> dict[str, Any]:
    """What a file says of one explanation beside its map."""
    against = found.against
    return {
        "logits": found.logits[index],
        "target": found.targets[index],
        "predicted": found.predicted[index],
        "reason": found.reasons[index],
        "class_names": np.array(class_names),
        "layer": np.array(found.layer),
        "method": np.array(found.method),
        "cautions": np.array(found.cautions, dtype=np.str_),
        **({} if against is None else {"against": against[index]}),
    }


def to_pixels(image: NDArray[Any]) -> NDArray[np.uint8]:
    """An image to look at, uint8 [H, W, 1 or 3].

    Pixels of another type than uint8 are stretched to the image's own range, for the
    eye alone. Channels that are neither grey nor RGB are shown as their mean.
    """
    if image.shape[-1] not in (1, 3):
        image = image.mean(axis=-1, keepdims=True)
    if image.dtype == np.uint8:
        return image
    values = np.nan_to_num(image.astype(np.float64))
    reach = np.ptp(values)
    scaled = (values - values.min()) / (reach if reach > 0 else 1.0)
    pixels: NDArray[np.uint8] = (scaled * 255).round().astype(np.uint8)
    return pixels
