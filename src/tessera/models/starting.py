"""Weights to start from: a finished run's, for all of a model but its last layer.

What a network has learned of edges, textures and shapes serves other images too
(Yosinski et al. 2014, arXiv:1411.1792); what it says of classes does not.
"""

from typing import Any

from tessera.experiment import Start
from tessera.models.blocks import ModelError
from tessera.models.rebuild import begun, rebuild

HEAD = "logits"
"""The layer that is left as it is drawn: its outputs are another task's classes."""


def begin(net: Any, start: Start) -> None:
    """Give a model a finished run's weights, but for its last layer.

    Filters that were computed from images and the statistics of normalisation come
    with them.

    Args:
        net: A model that is built, of the run's own architecture.
        start: Where the run lies, and which weights are meant.

    Raises:
        RunError: See `rebuild.begun`.
        ModelError: The weights are another model's.
    """
    folder = begun(start)
    source = rebuild(folder).net
    try:
        for layer in net.layers:
            if layer.name != HEAD:
                layer.set_weights(source.get_layer(layer.name).get_weights())
    except ValueError as error:
        raise ModelError(
            f"{folder.path}: expected a run of the model {net.name!r} on images of "
            f"{list(net.input.shape[1:])}. Received: {source.name!r} on images of "
            f"{list(source.input.shape[1:])}, whose weights do not fit."
        ) from error
