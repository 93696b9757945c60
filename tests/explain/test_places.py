"""A layer is found by its name, or refused with the ones that could be meant."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import places, reading
from tessera.explain.graph import CoarseGrid, ExplainError


def graph(net):
    return reading.read(net)


def stages(side, *, layers_after=()):
    """Three convolutions, the last two of half and a quarter of the side."""
    pixels = values = keras.Input((side, side, 1))
    for i in range(3):
        values = layers.Conv2D(2, 3, 1 + (i > 0), "same", name=f"conv{i}")(values)
    for layer in layers_after:
        values = layer(values)
    pooled = layers.GlobalAveragePooling2D(name="pool")(values)
    return keras.Model(pixels, layers.Dense(2, name="top")(pooled))


def test_a_wrong_name_lists_the_right_ones_with_their_shapes(hybrid):
    with pytest.raises(ExplainError, match="features: 8 x 8 x 6") as caught:
        places.find(graph(hybrid()), "feature")
    message = str(caught.value)
    assert "64 x 4 (tokens)" in message
    assert "Received: 'feature'. Did you mean 'features'" in message


def test_a_layer_of_a_nested_model_by_its_bare_name_gets_its_path():
    backbone = stages(16)
    pixels = keras.Input((16, 16, 1))
    net = keras.Model(pixels, layers.Dense(2)(backbone(pixels)))
    path = f"{backbone.name}/conv1"
    with pytest.raises(ExplainError, match=f"'conv1'. Did you mean '{path}'"):
        places.find(graph(net), "conv1")


def test_a_layer_without_places_is_no_candidate():
    with pytest.raises(ExplainError, match="Received: 'pool'"):
        places.find(graph(stages(16)), "pool")


def test_a_long_list_is_cut_to_its_end():
    more = [layers.Conv2D(2, 3, 1, "same", name=f"more{i}") for i in range(30)]
    with pytest.raises(ExplainError, match="more29: 4 x 4 x 2") as caught:
        places.find(graph(stages(16, layers_after=more)), "?")
    assert "more0:" not in str(caught.value)
    assert "and 9 before them" in str(caught.value)  # 3 + 30 - 24


@pytest.mark.parametrize("side, accepted", [(3, False), (4, True), (7, True)])
def test_a_grid_below_4_is_refused(side, accepted):
    pixels = keras.Input((side, side, 1))
    maps = layers.Conv2D(2, 1, name="features")(pixels)
    net = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(maps)))
    if accepted:
        assert places.find(graph(net), "features").shape == (side, side, 2)
    else:
        with pytest.raises(CoarseGrid, match=r"cannot show a place.*3 x 3"):
            places.find(graph(net), "features")


@pytest.mark.parametrize("side, chosen", [(32, "conv2"), (16, "conv2"), (8, "conv1")])
def test_the_default_is_the_last_map_of_at_least_4_cells_a_side(side, chosen):
    assert places.find(graph(stages(side)), None).path == chosen


def test_the_default_of_a_hybrid_is_the_map_that_its_branches_share(hybrid):
    assert places.find(graph(hybrid()), None).path == "features"


@pytest.mark.parametrize(
    "layer",
    [layers.ZeroPadding2D(1), layers.Reshape((4, 8, 1)), layers.Permute((3, 1, 2))],
    ids=["padding", "reshape", "permute"],
)
def test_what_only_rearranges_is_never_the_default(layer):
    assert places.find(graph(stages(16, layers_after=[layer])), None).path == "conv2"


def test_with_no_map_fine_enough_the_finest_is_named():
    with pytest.raises(CoarseGrid, match="The finest is 3 x 3"):
        places.find(graph(stages(3)), None)


def test_with_no_shared_map_a_name_is_asked_for():
    pixels = keras.Input((8, 8, 1))
    halves = [layers.Conv2D(2, 3, name=f"half{i}")(pixels) for i in range(2)]
    pooled = [layers.GlobalAveragePooling2D()(half) for half in halves]
    net = keras.Model(pixels, layers.Dense(2)(layers.Concatenate()(pooled)))
    with pytest.raises(ExplainError, match=r"no map is shared.*\n.*half0: 6 x 6"):
        places.find(graph(net), None)


def test_a_model_without_maps_is_told_what_explains_it():
    pixels = keras.Input((8, 8, 1))
    net = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(pixels)))
    with pytest.raises(ExplainError, match="Received: none; integrated gradients"):
        places.find(graph(net), None)


def tokens(number):
    pixels = keras.Input((8, 8, 1))
    values = layers.Dense(number * 2)(layers.Flatten()(pixels))
    values = layers.Reshape((number, 2), name="tokens")(values)
    pooled = layers.GlobalAveragePooling1D()(values)
    return graph(keras.Model(pixels, layers.Dense(2)(pooled)))


def test_the_grid_of_tokens_is_never_guessed():
    with pytest.raises(ExplainError, match=r"16 tokens, whose places.*State the grid"):
        places.find(tokens(16), "tokens")


def test_tokens_fill_the_stated_grid_row_by_row():
    place = places.find(tokens(24), "tokens", grid=(4, 6))
    cells = place.as_maps(np.arange(48).reshape(1, 24, 2))
    assert cells.shape == (1, 4, 6, 2)
    assert cells[0, 1, 2].tolist() == [16, 17]  # token 1 * 6 + 2 = 8


def test_leading_tokens_belong_to_no_cell():
    place = places.find(tokens(17), "tokens", grid=(4, 4), leading=1)
    cells = place.as_maps(np.arange(34).reshape(1, 17, 2))
    assert cells[0, 0, 0].tolist() == [2, 3]


@pytest.mark.parametrize(
    "grid, leading, message",
    [
        ((4, 5), 0, r"16 tokens of 'tokens'. Received: 4 x 5 \+ 0 = 20"),
        ((4, 4), 1, r"Received: 4 x 4 \+ 1 = 17"),
        ((2, 8), 0, "at least 4 x 4 cells"),
        ((1, 17), -1, "at least 4 x 4 cells"),
        ("4x4", 0, r"expected \(height, width\) in cells.*'4x4' and 0"),
        ((4, 4), None, r"\(4, 4\) and None"),
        (16, 0, "Received: 16 and 0"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused(grid, leading, message):
    with pytest.raises(ExplainError, match=message):
        places.find(tokens(16), "tokens", grid=grid, leading=leading)


def test_fewer_leading_tokens_than_none_are_refused():
    with pytest.raises(ExplainError, match=r"Received: 4 x 5 \+ -4 = 16"):
        places.find(tokens(16), "tokens", grid=(4, 5), leading=-4)


@pytest.mark.parametrize("layer", ["conv1", None])
@pytest.mark.parametrize("stated", [{"grid": (8, 8)}, {"leading": 1}])
def test_a_grid_and_leading_tokens_of_a_map_are_refused(layer, stated):
    with pytest.raises(ExplainError, match=r"a map already.*name of their layer"):
        places.find(graph(stages(16)), layer, **stated)
