"""A graph in the making: ONNX nodes, constants, and values in either layout.

Keras keeps channels last, ONNX's convolutions and poolings channels first. A value
remembers its layout and is turned only where an operation needs the other one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

FIRST = (0, 3, 1, 2)
"""NHWC to NCHW."""

LAST = (0, 2, 3, 1)
"""NCHW to NHWC."""


@dataclass(frozen=True)
class Value:
    """A tensor of the graph."""

    name: str
    channels_first: bool = False


@dataclass
class Graph:
    """Nodes and constants collected so far; names are unique."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    _turned: dict[Value, Value] = field(default_factory=dict)
    _count: int = 0

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add an array; return its name."""
        name = self._fresh("constant")
        array: NDArray[Any] = np.ascontiguousarray(values, dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node with one output; return the output's name."""
        output = name or self._fresh(kind)
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def split(self, value: str, parts: int) -> Sequence[str]:
        """Cut the last axis into equal parts."""
        outputs = [self._fresh("part") for _ in range(parts)]
        self.nodes.append(helper.make_node("Split", [value], outputs, axis=-1))
        return outputs

    def first(self, value: Value) -> str:
        """The value with channels first."""
        return value.name if value.channels_first else self._turn(value, FIRST).name

    def last(self, value: Value) -> str:
        """The value with channels last."""
        return self._turn(value, LAST).name if value.channels_first else value.name

    def _turn(self, value: Value, order: tuple[int, ...]) -> Value:
        if value not in self._turned:
            name = self.node("Transpose", value.name, perm=order)
            self._turned[value] = Value(name, not value.channels_first)
        return self._turned[value]

    def _fresh(self, kind: str) -> str:
        self._count += 1
        return f"{kind.lower()}_{self._count}"
