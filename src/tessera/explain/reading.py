"""A Keras model -> its calls in order, nested models opened, as a `Graph`.

Reads the graph of a functional or sequential model and changes nothing in it: no layer
is called on a symbolic tensor. A softmax or sigmoid at the end, or the logarithm of
one, is left away, so that the last value is the logits.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras

from tessera.explain.graph import ExplainError, Graph, Key, Step, Tensor


def read(net: keras.Model) -> Graph:
    """Read a model's graph.

    Args:
        net: A functional or sequential model, also with models nested in it: one image
            in; logits out, or a softmax or sigmoid of them, or the logarithm of one,
            which is left away. Channels last.

    Raises:
        ExplainError: There is no such graph, or no single input and output.
    """
    inputs = getattr(net, "inputs", None) or []
    outputs = getattr(net, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise ExplainError(
            f"model {net.name!r}: expected a built functional or sequential model "
            f"with one input and one output. Received: {len(inputs)} inputs and "
            f"{len(outputs)} outputs.{_way_out(len(inputs))}"
        )
    if len(outputs[0].shape) != 2 or outputs[0].shape[-1] is None:
        raise ExplainError(
            f"model {net.name!r}: expected an output [N, classes], one number for each "
            f"class of an image. Received: {list(outputs[0].shape)}."
        )
    steps = _named(_steps(net, "", [("", id(inputs[0]))]))
    _check_channels_last(steps)
    steps, logits, sigmoid = _to_logits(steps, ("", id(outputs[0])))
    return Graph(
        net=net,
        steps=steps,
        pixels=("", id(inputs[0])),
        logits=logits,
        classes=outputs[0].shape[-1],
        shape=tuple(inputs[0].shape[1:]),
        dtype=inputs[0].dtype,
        sigmoid=sigmoid,
    )


def _way_out(inputs: int) -> str:
    if inputs > 1:
        return ""
    if inputs == 1:
        return " Choose one output: keras.Model(model.inputs, model.outputs[0])."
    return (
        " Begin a sequential model with keras.Input, or call it once. A subclass of "
        "keras.Model has no such graph; methods on pixels explain it as one layer of "
        "keras.Model(pixels, model(pixels)), with pixels = keras.Input(shape)."
    )


def _steps(model: Any, scope: str, arguments: Sequence[Key]) -> Iterator[Step]:
    """The steps of a model called on given values; `scope` ends in / or is empty."""
    for symbol, key in zip(model.inputs, arguments, strict=True):
        if key != (scope, id(symbol)):
            yield _entrance(symbol, scope, key)
    for node in _nodes(model.inputs, model.outputs):
        inputs = tuple((scope, id(symbol)) for symbol in node.input_tensors)
        name = scope + node.operation.name
        if not _is_graph(node.operation):
            yield _layer(node, name, scope, inputs)
            continue
        inner = f"{name}@{id(node)}/"  # one scope for each call of a shared model
        yield from _steps(node.operation, inner, inputs)
        made = tuple((inner, id(symbol)) for symbol in node.operation.outputs)
        yield _step(node, name, scope, made, call=list)


def _nodes(inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
    """The calls that lead from inputs to outputs, each after those it needs."""
    known = {id(symbol) for symbol in inputs}
    ordered: list[Any] = []
    done: set[int] = set()
    waiting = [_node(symbol) for symbol in outputs if id(symbol) not in known]
    while waiting:
        node = waiting[-1]
        before = [_node(s) for s in node.input_tensors if id(s) not in known]
        missing = [other for other in before if id(other) not in done]
        if missing and id(node) not in done:
            waiting += reversed(missing)
            continue
        waiting.pop()
        if id(node) not in done:
            done.add(id(node))
            ordered.append(node)
    return ordered


def _node(symbol: Any) -> Any:
    history = symbol._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _is_graph(operation: Any) -> bool:
    return isinstance(operation, keras.Model) and bool(
        getattr(operation, "inputs", None) and getattr(operation, "outputs", None)
    )


def _entrance(symbol: Any, scope: str, argument: Key) -> Step:
    """A nested model's input: it casts to its own type, as its call would."""
    layer = symbol._keras_history.operation
    return Step(
        path=scope + layer.name,
        operation=layer,
        inputs=(argument,),
        outputs=((scope, id(symbol)),),
        shapes=(tuple(symbol.shape[1:]),),
        call=lambda values: [keras.ops.cast(values[0], symbol.dtype)],
    )


def _layer(node: Any, name: str, scope: str, inputs: tuple[Key, ...]) -> Step:
    operation, symbols = node.operation, node.input_tensors
    # A layer's own default may be training=True.
    mode = {"training": False} if _takes_training(operation) else {}

    def call(values: list[Tensor], **more: Any) -> list[Tensor]:
        known = {id(s): value for s, value in zip(symbols, values, strict=True)}
        positional, named = node.arguments.fill_in(known)
        result: list[Tensor] = keras.tree.flatten(
            operation(*positional, **(named | mode | more))
        )
        return result

    return _step(node, name, scope, inputs, call)


def _takes_training(operation: Any) -> bool:
    return bool(getattr(operation, "_call_has_training_arg", False))


def _step(
    node: Any,
    name: str,
    scope: str,
    inputs: tuple[Key, ...],
    call: Callable[..., list[Tensor]],
) -> Step:
    return Step(
        path=name,
        operation=node.operation,
        inputs=inputs,
        outputs=tuple((scope, id(symbol)) for symbol in node.outputs),
        shapes=tuple(tuple(symbol.shape[1:]) for symbol in node.outputs),
        call=call,
    )


def _named(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Paths without the marks of calls; a second call of a layer is `name:2`."""
    named: list[Step] = []
    taken: set[str] = set()
    for step in steps:
        parts = [part.split("@")[0] for part in step.path.split("/")]
        path, number = "/".join(parts), 2
        while path in taken:
            path, number = f"{'/'.join(parts)}:{number}", number + 1
        taken.add(path)
        named.append(replace(step, path=path))
    return tuple(named)


def _check_channels_last(steps: Iterable[Step]) -> None:
    for step in steps:
        if getattr(step.operation, "data_format", None) == "channels_first":
            raise ExplainError(
                f"layer {step.path!r}: expected channels last. Received: channels "
                "first, which Keras does not run on a CPU either."
            )


def _to_logits(
    steps: tuple[Step, ...], output: Key
) -> tuple[tuple[Step, ...], Key, bool]:
    """Leave a last softmax or sigmoid, or the logarithm of one, away.

    Returns:
        The steps, the value of the logits, and whether it was a sigmoid.
    """
    by_output = {key: step for step in steps for key in step.outputs}
    last = by_output.get(output)
    while last is not None and _passes_on(last.operation):
        output = last.inputs[0]
        last = by_output.get(output)
    squashing = None if last is None else _squashing(last.operation)
    if last is None or squashing is None:
        return steps, output, False
    sigmoid = squashing == "sigmoid"
    kinds = keras.layers.Softmax | keras.layers.Activation
    if isinstance(last.operation, kinds) or not _is_layer(last.operation):
        return steps, last.inputs[0], sigmoid
    if not isinstance(last.operation, keras.layers.Dense):
        raise ExplainError(
            f"layer {last.path!r}: expected logits. Received: probabilities, from an "
            "activation inside the layer, whose gradient vanishes where the model is "
            "sure. Build it without the activation, and put a keras.layers.Softmax() "
            "after it."
        )
    linear = replace(
        last, call=lambda values: [_before_activation(last.operation, values[0])]
    )
    steps = tuple(linear if step is last else step for step in steps)
    return steps, output, sigmoid


def _is_layer(operation: Any) -> bool:
    return isinstance(operation, keras.layers.Layer)


def _passes_on(operation: Any) -> bool:
    """Whether a last step leaves every number as it is, but perhaps for its type."""
    silent = keras.layers.Identity | keras.layers.Dropout
    linear = getattr(operation, "activation", None) is keras.activations.linear
    return (
        _is_graph(operation)
        or isinstance(operation, silent)
        or (isinstance(operation, keras.layers.Activation) and linear)
    )


def _squashing(operation: Any) -> str | None:
    """`softmax` or `sigmoid`, where that or its logarithm is what a step ends with."""
    name = type(operation).__name__.lower().removeprefix("log")
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    if not _is_layer(operation):  # keras.ops.softmax(x), keras.activations.softmax(x)
        return name if name in ("softmax", "sigmoid") else None
    named = {
        keras.activations.softmax: "softmax",
        keras.activations.log_softmax: "softmax",
        keras.activations.sigmoid: "sigmoid",
        keras.activations.log_sigmoid: "sigmoid",
    }
    activation = getattr(operation, "activation", None)
    return next((text for kind, text in named.items() if activation is kind), None)


def _before_activation(dense: Any, values: Tensor) -> Tensor:
    """A dense layer's output before its activation, in float32."""
    result = keras.ops.matmul(
        keras.ops.cast(values, "float32"), keras.ops.cast(dense.kernel, "float32")
    )
    if dense.bias is None:
        return result
    return result + keras.ops.cast(dense.bias, "float32")
