"""Where cells look, by hand, and by which pixels really move a cell."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera import explain
from tessera.experiment import Cnn, Hybrid
from tessera.explain import gradients, reading, spread
from tessera.models import build


def net(*inner, shape=(28, 28, 1)):
    maps = pixels = keras.Input(shape)
    for layer in inner:
        maps = layer(maps)
    mean = layers.GlobalAveragePooling2D()(maps)
    return keras.Model(pixels, layers.Dense(2)(mean))


def conv(size, stride=1, padding="valid", **more):
    return layers.Conv2D(1, size, strides=stride, padding=padding, **more)


TUTORIAL = [conv(3), layers.MaxPooling2D(2), conv(3), layers.MaxPooling2D(2)]


@pytest.mark.parametrize(
    ("inner", "shape", "pixels", "cells"),
    [
        # Cell 4 of 5 sees the pixels 16 to 25, so their middle is 20.5; it is drawn
        # over 22.4 to 28, whose middle is 25.2 - 0.5 = 24.7.
        (TUTORIAL, (28, 28, 1), 4.2, 0.75),
        # The first of 40 - 18 = 22 columns sees the pixels 0 to 18; it is drawn over
        # 40 / 22 of them, whose middle is 0.909 - 0.5.
        ([conv(7), conv(7), conv(7)], (31, 40, 1), 9 - 0.409, 8.591 * 22 / 40),
        # Windows that tile the image, or are padded alike on both sides.
        ([conv(4, 4)], (32, 40, 3), 0, 0),
        ([conv(3, padding="same"), layers.MaxPooling2D(2)], (32, 32, 3), 0, 0),
        # Padded by hand as "same" does it: no difference.
        ([layers.ZeroPadding2D(2), conv(3, dilation_rate=2)], (12, 15, 1), 0, 0),
        # Two rows fewer above: the first of 10 sees pixel 2, not 0.1.
        ([layers.Cropping2D(((2, 0), (0, 0)))], (12, 12, 1), 1.9, 1.9 / 1.2),
        # Turned, enlarged: not known.
        ([layers.Permute((2, 1, 3)), conv(7)], (31, 31, 1), 0, 0),
        ([conv(7), layers.UpSampling2D(2)], (31, 31, 1), 0, 0),
        ([conv(7)], (None, None, 1), 0, 0),
    ],
)
def test_distances_are_those_of_a_hand_computation(inner, shape, pixels, cells):
    graph = reading.read(net(*inner, shape=shape))
    found = spread.astray(graph, place(graph, inner[-1]))
    assert found == (pytest.approx(pixels, abs=2e-3), pytest.approx(cells, abs=2e-3))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_middle_is_that_of_the_pixels_that_move_a_cell(padding):
    inner = [conv(5, 2, padding), layers.DepthwiseConv2D(3, padding=padding)]
    model = net(*inner, shape=(37, 37, 1))
    single = np.eye(37 * 37, dtype=np.float32).reshape(-1, 37, 37, 1)
    moved = np.asarray(keras.Model(model.input, inner[-1].output)(single))
    cells = moved.shape[1]
    seen = [moved[:, i, cells // 2].reshape(37, 37).any(axis=1) for i in range(cells)]
    # A window that reaches over the edge has a hidden part; the others lie on a line.
    whole = [i for i in range(cells) if seen[i].sum() == 9]
    middles = [np.flatnonzero(seen[i]).mean() for i in whole]
    stride, first = np.polyfit(whole, middles, 1)
    ends = np.array([0, cells - 1])
    drawn = (ends + 0.5) * 37 / cells - 0.5
    graph = reading.read(model)
    pixels, share = spread.astray(graph, place(graph, inner[-1]))
    assert pixels == pytest.approx(np.abs(first + stride * ends - drawn).max())
    assert share == pytest.approx(pixels * cells / 37)


def test_a_map_drawn_beside_what_its_cells_see_comes_with_a_caution():
    images = np.random.default_rng(0).random((2, 28, 28, 1)).astype(np.float32)
    found = explain.explain(net(*TUTORIAL), images)
    assert any("up to 4 pixels" in caution for caution in found.cautions)


@pytest.mark.parametrize("kind", [Cnn(), Hybrid(depth=1)])
@pytest.mark.parametrize("size", [32, 50, 64])
def test_our_own_models_draw_cells_where_they_look(kind, size):
    cut = gradients.cut(build.build(kind, (size, size, 3), 4, seed=0), "features")
    assert spread.astray(cut.graph, cut.place.key)[1] < 0.5
    assert not gradients.cautions(cut, 8, 8)


def place(graph, layer):
    (step,) = [s for s in graph.steps if s.operation is layer]
    return step.outputs[0]
