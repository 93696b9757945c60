"""A model, images, a method and a question -> raw maps, by whichever way it takes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, assert_never

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels, Logits
from tessera.explain import affine, blank, cams, gradients, pixels, rollout, scorecam
from tessera.explain import graph as graphs
from tessera.explain.explanations import Explanations, cautions
from tessera.explain.gradients import Batch, Cut, Directions
from tessera.explain.graph import ExplainError
from tessera.explain.methods import (
    METHODS,
    AttentionRollout,
    EigenCam,
    GradCam,
    GradCamPlusPlus,
    HiResCam,
    IntegratedGradients,
    LayerCam,
    Method,
    Occlusion,
    OnLayer,
    OnPixels,
    ScoreCam,
    SmoothGrad,
    class_specific,
)
from tessera.explain.pixels import Lens
from tessera.explain.places import Grid
from tessera.explain.reading import read
from tessera.explain.targets import Question, Target, question


def compute(
    model: keras.Model | Cut | Lens,
    images: NDArray[Any],
    *,
    method: Method | None = None,
    target: Target = "predicted",
    layer: str | None = None,
    grid: Grid | None = None,
    leading: int = 0,
    batch_size: int = 128,
) -> Explanations:
    """Explain every image; the model is left as it is.

    Args:
        model: A functional or sequential Keras model, also with models nested in it;
            or one that is compiled once for many calls, by `gradients.cut` at a layer
            or by `pixels.lens` for methods on pixels.
        images: [N, H, W, C], in the units the model takes; at least one.
        method: What to draw; None: Grad-CAM.
        target: The class to explain, see `targets`.
        layer: Name of a layer, or path into nested models, for methods that explain
            one; None: the last map that all paths to the logits share.
        grid: (h, w) of token layers and of attention rollout.
        leading: Tokens before the first cell, such as a class token.
        batch_size: Images at a time; does not change the result beyond rounding.

    Raises:
        ExplainError: The model cannot be explained this way; there are no images; the
            target does not fit the images and classes; a setting has no use here.
        CoarseGrid: The map has fewer than 4x4 cells.
    """
    method = method or GradCam()
    _check(model, images, method, layer, grid, leading)
    images = np.asarray(images)  # or a tensor, as a tf.data pipeline gives it
    match method:
        case (
            GradCam()
            | HiResCam()
            | LayerCam()
            | GradCamPlusPlus()
            | ScoreCam()
            | EigenCam()
        ):
            once = len(images) <= batch_size
            cut = (
                model
                if isinstance(model, Cut)
                else gradients.cut(model, layer, grid=grid, leading=leading, once=once)
            )
            return _on_layer(cut, images, method, target, batch_size)
        case IntegratedGradients() | SmoothGrad() | Occlusion():
            return _on_pixels(model, images, method, target, batch_size)
        case AttentionRollout():
            return _on_attention(
                model, images, method, target, grid, leading, batch_size
            )
        case _:
            assert_never(method)


def _check(
    model: keras.Model | Cut | Lens,
    images: NDArray[Any],
    method: Method,
    layer: str | None,
    grid: Grid | None,
    leading: int,
) -> None:
    """Refuse what is of another kind, and settings that would be without effect."""
    if not isinstance(model, keras.Model | Cut | Lens):
        raise ExplainError(
            f"model: expected a Keras model. Received: {type(model).__name__}."
        )
    if not isinstance(method, METHODS):
        raise ExplainError(
            "method: expected a value such as `HiResCam()`, or of `by_name`, both in "
            f"`tessera.explain.methods`. Received: {method!r}."
        )
    if getattr(images, "ndim", None) != 4:
        found = getattr(images, "shape", type(images).__name__)
        raise ExplainError(
            "images: expected an array [N, H, W, C]; of one image, `image[None]`, of "
            f"grey ones [N, H, W], `images[..., None]`. Received: {found}."
        )
    if len(images) == 0:
        raise ExplainError("images: expected at least one. Received: none.")
    place = (layer, grid, leading) != (None, None, 0)
    if isinstance(model, Cut) and (method.where != "layer" or place):
        raise ExplainError(
            f"model: expected a Keras model for {method.label} or another place than "
            f"the one it was cut at. Received: a model cut at {model.layer!r}."
        )
    if isinstance(model, Lens) and method.where != "pixels":
        raise ExplainError(
            f"model: expected a Keras model or a Cut for {method.label}. Received: a "
            "Lens, which is for methods on pixels."
        )
    unused = {
        "layer": layer if method.where != "layer" else None,
        "grid": grid if method.where == "pixels" else None,
        "leading": leading if leading and method.where == "pixels" else None,
    }
    for name, value in unused.items():
        if value is not None:
            raise ExplainError(
                f"{name}: expected none, since {method.label} explains the "
                f"{method.where}. Received: {value!r}."
            )


def layer_maps(
    method: OnLayer,
) -> Callable[[NDArray[np.float32], NDArray[np.float32]], Heatmaps]:
    """The function of features and gradients that draws a method's maps.

    Score-CAM's, which needs the model again, is `scorecam.score_cam`.
    """
    match method:
        case GradCam():
            return cams.grad_cam
        case HiResCam():
            return cams.hires_cam
        case LayerCam():
            return cams.layer_cam
        case GradCamPlusPlus():
            return cams.grad_cam_plus_plus
        case EigenCam():
            return lambda features, _: cams.eigen_cam(features)
        case ScoreCam():
            raise ExplainError("Score-CAM: expected scorecam.score_cam to draw it.")
        case _:
            assert_never(method)


def _on_layer(
    cut: Cut, images: NDArray[Any], method: OnLayer, target: Target, batch_size: int
) -> Explanations:
    asked = question(target, len(images), cut.classes)
    maps, texts, logits, residuals = [], [], [], []
    exact = (
        isinstance(method, HiResCam)
        and not cut.place.leading
        and affine.affine(cut.graph, [cut.place.key])
    )
    draw = _drawing(cut, images, method)
    start = 0
    for batch in gradients.batches(
        cut,
        images,
        asked.directions,
        predicted=asked.predicted,
        batch_size=batch_size,
    ):
        part = slice(start, start + len(batch.logits))
        start = part.stop
        directions = resolved(asked, batch.logits, part)
        raw = draw(batch, part, directions)
        maps.append(raw)
        sensitive = class_specific(method) and not isinstance(method, ScoreCam)
        texts.append(blank.reasons(raw, batch.gradients if sensitive else None))
        logits.append(batch.logits)
        if exact:
            residuals.append(_residual(cut, raw, batch, directions))
    found = _explanations(method, asked, np.concatenate(maps), np.concatenate(logits))
    return replace(
        found,
        sigmoid=cut.graph.sigmoid,
        reasons=np.concatenate(texts),
        layer=cut.layer,
        cautions=(*gradients.cautions(cut, *found.grid), *found.cautions),
        residuals=np.concatenate(residuals) if exact else None,
    )


def _drawing(
    cut: Cut, images: NDArray[Any], method: OnLayer
) -> Callable[[Batch, slice, Directions], Heatmaps]:
    """What draws the maps of a batch, given where its images are."""
    if not isinstance(method, ScoreCam):
        plain = layer_maps(method)
        return lambda batch, part, directions: plain(batch.features, batch.gradients)
    scores = scorecam.masked_scores(cut, images.shape[1:3])
    return lambda batch, part, directions: scorecam.score_cam(
        cut, images[part], batch.features, directions, method, scores
    )


def _on_pixels(
    model: Any, images: NDArray[Any], method: OnPixels, target: Target, batch_size: int
) -> Explanations:
    once = len(images) <= batch_size and not isinstance(method, Occlusion)
    lens = model if isinstance(model, Lens) else pixels.lens(model, once=once)
    asked = question(target, len(images), lens.graph.classes)
    logits = pixels.all_logits(lens, images, batch_size)
    directions = resolved(asked, logits, slice(None))
    raw, residuals = pixels.explain(
        lens, images, directions, method, batch_size=batch_size
    )
    found = _explanations(method, asked, raw, logits)
    sigmoid = lens.graph.sigmoid
    return replace(found, layer="pixels", residuals=residuals, sigmoid=sigmoid)


def _on_attention(
    model: Any,
    images: NDArray[Any],
    method: AttentionRollout,
    target: Target,
    grid: Grid | None,
    leading: int,
    batch_size: int,
) -> Explanations:
    raw, logits = rollout.explain(
        model, images, method, grid=grid, leading=leading, batch_size=batch_size
    )
    asked = question(target, len(images), logits.shape[1])
    found = _explanations(method, asked, raw, logits)
    return replace(found, layer="attention", sigmoid=read(model).sigmoid)


def resolved(asked: Question, logits: Logits, part: slice) -> Directions:
    """The direction of every image's score, once its answer is known."""
    identity = np.eye(logits.shape[1], dtype=np.float32)
    answers = identity[logits.argmax(axis=1)]
    rows: Directions = asked.directions[part] + np.float32(asked.predicted) * answers
    return rows


def _explanations(
    method: Method, asked: Question, raw: Heatmaps, logits: Logits
) -> Explanations:
    """What is common to all methods."""
    predicted: Labels = logits.argmax(axis=1).astype(np.int32)
    targets, against = asked.classes(predicted)
    return Explanations(
        raw=raw,
        targets=targets,
        predicted=predicted,
        logits=logits,
        reasons=blank.reasons(raw, None),
        layer="",
        method=method.label,
        cautions=cautions(method, logits),
        against=against,
    )


def _residual(
    cut: Cut, raw: Heatmaps, batch: Batch, directions: Directions
) -> NDArray[np.float32]:
    """Sum of each map minus what the layer adds to the score, where that is affine."""
    shape = (1, *(n or 1 for n in cut.place.shape))
    if cut.place.grid is None:
        shape = (1, *batch.features.shape[1:])
    empty = keras.ops.zeros(shape, "float32")
    (without,) = graphs.run(cut.graph, {cut.place.key: empty}, [cut.graph.logits])
    change = batch.logits - keras.ops.convert_to_numpy(without)
    gain: NDArray[np.float32] = (change * directions).sum(axis=1)
    missed: NDArray[np.float32] = raw.sum(axis=(1, 2)) - gain
    return missed
