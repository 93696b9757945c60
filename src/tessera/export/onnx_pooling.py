"""Maximum and ReLU change places in an ONNX graph, which costs a runtime less.

ReLU never decreases, so relu(max(x)) = max(relu(x)); and after it the zeros around a
map are never above its own values, so that the pooling may leave them out. The models
train in the order convolution, padding, pooling, ReLU. A runtime wants convolution,
ReLU, pooling: it computes the ReLU within the convolution, and keeps its own layout of
the map through all three.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from onnx import helper, numpy_helper


def relu_first(nodes: Sequence[Any], constants: Sequence[Any]) -> list[Any]:
    """The same graph with every MaxPool that a ReLU follows put behind it.

    Args:
        nodes: In the order of computation.
        constants: The initializers, of which a Pad's widths are read.
    """
    made = {output: node for node in nodes for output in node.output}
    uses = Counter(name for node in nodes for name in node.input)
    widths = {constant.name: constant for constant in constants}
    changed: dict[int, list[Any]] = {}
    for relu in nodes:
        pool = _before(relu, "Relu", "MaxPool", made, uses)
        if pool is None:
            continue
        pad = _before(pool, "MaxPool", "Pad", made, uses)
        pads = _pads(pad, pool, widths) if pad is not None else None
        source = pad.input[0] if pad is not None and pads else pool.input[0]
        gone = [pool] if not pads else [pool, pad]
        changed |= {id(node): [] for node in gone}
        changed[id(relu)] = _turned(source, pool, relu, pads)
    return [new for node in nodes for new in changed.get(id(node), [node])]


def _before(
    node: Any, kind: str, wanted: str, made: dict[str, Any], uses: Counter[str]
) -> Any | None:
    """The node before one of a kind, if it is a `wanted` and nothing else reads it."""
    if node.op_type != kind or uses[node.input[0]] != 1:
        return None
    found = made.get(node.input[0])
    return found if found is not None and found.op_type == wanted else None


def _pads(pad: Any, pool: Any, widths: dict[str, Any]) -> list[int] | None:
    """A Pad's widths as the pooling takes them; None where it cannot."""
    around = numpy_helper.to_array(widths[pad.input[1]]).tolist()
    pads = [*around[2:4], *around[6:8]]
    own = {a.name: helper.get_attribute_value(a) for a in pool.attribute}
    alone = own.get("auto_pad") == b"VALID" and max(pads) < min(own["kernel_shape"])
    return pads if alone else None


def _turned(source: str, pool: Any, relu: Any, pads: list[int] | None) -> list[Any]:
    """ReLU and then pooling; the result keeps the name that the ReLU's had."""
    own = {a.name: helper.get_attribute_value(a) for a in pool.attribute}
    if pads:
        own = {**own, "auto_pad": "NOTSET", "pads": pads}
    above = pool.output[0]
    return [
        helper.make_node("Relu", [source], [above]),
        helper.make_node("MaxPool", [above], relu.output, **own),
    ]
