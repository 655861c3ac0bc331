"""Write a trained encoder as an ONNX graph with 8-bit weights, which ONNX Runtime reads.

Word vectors are stored in 8 bits with one scale each; matrices in 8 bits with one scale a column,
and multiplied with 8-bit activations. Their scales are fixed, from what the training texts reach,
so that a text's scores do not depend on the texts beside it. A few of the activations reach far
further than the others: the weights take over part of that first (Xiao et al., SmoothQuant, 2023).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_OPSET = 20
_IR = 9
_FAR = -1e4
_RUNTIME = "com.microsoft"
# The share of the reach that the weights take over. Of 0.5 to 0.9, from here on the scores of
# held-out texts were nearest to those in full precision.
_EASING = 0.75
MATRICES = ("qkv", "attended", "widen", "narrow")  # of each layer


Reach = tuple[NDArray[np.float32], NDArray[np.float32]]  # the least and the most of each column


class _Small(NamedTuple):
    """Activations in 8 bits with their scale and zero, and what their columns were divided by."""

    whole: str
    scale: str
    zero: str
    eased: NDArray[np.float32]


class _Graph:
    """Nodes and constants in the order they were added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, n_outputs: int = 1, **how: Any) -> str:
        """The name of the (first) output; the others are that name with `_1`, `_2` added."""
        name = f"{kind}_{len(self.nodes)}"
        outputs = [name, *(f"{name}_{i}" for i in range(1, n_outputs))]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, **how))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.array(value, dtype=np.float32))

    def small(self, x: str, weight: NDArray[np.float32], reach: Reach) -> _Small:
        """`x` in 8 bits, to be multiplied by `weight` or some of its rows; `reach` bounds each
        column of `x`."""
        eased = _eased(weight, reach)
        least, most = ((end / eased).astype(np.float32) for end in reach)
        low, high = min(float(least.min()), 0.0), max(float(most.max()), 1e-6)
        scale = self.constant(np.array((high - low) / 255, dtype=np.float32))
        zero = self.constant(np.array(round(-low / ((high - low) / 255)), dtype=np.uint8))
        even = self.add("Mul", x, self.constant((1 / eased).astype(np.float32)))
        return _Small(self.add("QuantizeLinear", even, scale, zero), scale, zero, eased)

    def times(self, x: _Small, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """x @ weight.T + bias in 8 bits."""
        small, by_column = _in_eight_bits(weight * x.eased)
        columns = self.constant(np.ascontiguousarray(small.T))
        # ONNX Runtime's own: product, scales and bias in one step
        told = (x.whole, columns, x.scale, self.constant(by_column[:, 0]), x.zero, "")
        return self.add("MatMulIntegerToFloat", *told, self.constant(bias), domain=_RUNTIME)

    def normed(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32], e: float
    ) -> str:
        return self.add(
            "LayerNormalization", x, self.constant(weight), self.constant(bias), epsilon=e, axis=-1
        )


def _eased(weight: NDArray[np.float32], reach: Reach) -> NDArray[np.float32]:
    """By what each column of the activations is divided and of the weights multiplied."""
    far = np.maximum(np.maximum(np.abs(reach[0]), np.abs(reach[1])), 1e-5)
    heavy = np.maximum(np.abs(weight).max(axis=0), 1e-5)
    eased: NDArray[np.float32] = (far**_EASING / heavy ** (1 - _EASING)).astype(np.float32)
    return eased


def _in_eight_bits(
    matrix: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers and the scale of each row."""
    scale = (np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-8) / 127).astype(np.float32)
    return np.round(matrix / scale).astype(np.int8), scale


def onnx_bytes(
    state: Mapping[str, NDArray[np.float32]],
    reaches: Mapping[str, Reach],
    n_heads: int,
    epsilon: float,
    told: Mapping[str, Any],
) -> bytes:
    """The graph: `pieces` and `lengths` in, `scores` out. `told` goes along as JSON.

    `state` has the names of network.Network; `reaches` how far the input of each of the layers'
    matrices goes, by the matrix's name without `.weight`.
    """
    graph = _Graph()
    length = graph.add("Slice", graph.add("Shape", "pieces"), graph.ints(1), graph.ints(2))
    x = _embedded(graph, state, length, epsilon)
    there = _there(graph, length)
    mask = graph.add("Unsqueeze", _mask(graph, there), graph.ints(1, 2))
    n_layers = sum(name.endswith(".qkv.weight") for name in state)
    for layer in range(n_layers):
        own = {k.split(".", 2)[2]: v for k, v in state.items() if k.startswith(f"layers.{layer}.")}
        reached = {name: reaches[f"layers.{layer}.{name}"] for name in MATRICES}
        x = _layer(graph, x, mask, own, reached, n_heads, epsilon)
    _head(graph, x, there, state)
    return _saved(graph, state["head.bias"].shape[0], told)


def _embedded(
    graph: _Graph, state: Mapping[str, NDArray[np.float32]], length: str, epsilon: float
) -> str:
    small, scale = _in_eight_bits(state["word.weight"])
    found = graph.add("Gather", graph.constant(small), "pieces")
    scales = graph.add("Gather", graph.constant(scale), "pieces")
    word = graph.add("Mul", graph.add("Cast", found, to=TensorProto.FLOAT), scales)
    places = graph.add("Slice", graph.constant(state["place"]), graph.ints(0), length)
    both = graph.add("Add", word, places)
    return graph.normed(both, state["norm.weight"], state["norm.bias"], epsilon)


def _there(graph: _Graph, length: str) -> str:
    """1.0 where a text has a piece, 0.0 in the padding, of shape (texts, longest)."""
    scalar = graph.add("Squeeze", length)
    zero, one = (graph.constant(np.array(n, dtype=np.int64)) for n in (0, 1))
    places = graph.add("Range", zero, scalar, one)
    inside = graph.add("Less", places, graph.add("Unsqueeze", "lengths", graph.ints(1)))
    return graph.add("Cast", inside, to=TensorProto.FLOAT)


def _mask(graph: _Graph, there: str) -> str:
    return graph.add("Mul", graph.add("Sub", graph.number(1.0), there), graph.number(_FAR))


def _layer(
    graph: _Graph,
    x: str,
    mask: str,
    own: Mapping[str, NDArray[np.float32]],
    reached: Mapping[str, Reach],
    n_heads: int,
    epsilon: float,
) -> str:
    def times(value: str, name: str) -> str:
        weight, bias = own[f"{name}.weight"], own[f"{name}.bias"]
        return graph.times(graph.small(value, weight, reached[name]), weight, bias)

    def normed(value: str, name: str) -> str:
        return graph.normed(value, own[f"{name}.weight"], own[f"{name}.bias"], epsilon)

    mixed = _attended(graph, x, mask, own, reached["qkv"], n_heads)
    x = normed(graph.add("Add", x, times(mixed, "attended")), "attended_norm")
    inner = graph.add("Gelu", times(x, "widen"))
    return normed(graph.add("Add", x, times(inner, "narrow")), "narrow_norm")


def _attended(
    graph: _Graph,
    x: str,
    mask: str,
    own: Mapping[str, NDArray[np.float32]],
    reach: Reach,
    n_heads: int,
) -> str:
    """Queries, keys and values are multiplied apart, so that no product has to be cut in three."""
    width = own["attended.bias"].shape[0]
    by_head = graph.ints(0, 0, n_heads, width // n_heads)
    small = graph.small(x, own["qkv.weight"], reach)

    def part(number: int, order: Sequence[int], share: float = 1.0) -> str:
        rows = slice(number * width, (number + 1) * width)
        weight, bias = (share * own[f"qkv.{name}"][rows] for name in ("weight", "bias"))
        split = graph.add("Reshape", graph.times(small, weight, bias), by_head)
        return graph.add("Transpose", split, perm=order)

    q = part(0, (0, 2, 1, 3), (width // n_heads) ** -0.5)
    k, v = part(1, (0, 2, 3, 1)), part(2, (0, 2, 1, 3))
    attention = graph.add("Softmax", graph.add("Add", graph.add("MatMul", q, k), mask), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", attention, v), perm=[0, 2, 1, 3])
    return graph.add("Reshape", mixed, graph.ints(0, 0, width))


def _head(graph: _Graph, x: str, there: str, state: Mapping[str, NDArray[np.float32]]) -> None:
    on = graph.add("Unsqueeze", there, graph.ints(2))
    total = graph.add("ReduceSum", graph.add("Mul", x, on), graph.ints(1), keepdims=0)
    n = graph.add("ReduceSum", there, graph.ints(1), keepdims=1)
    far = graph.add("Mul", graph.add("Sub", graph.number(1.0), on), graph.number(_FAR))
    most = graph.add("ReduceMax", graph.add("Add", x, far), graph.ints(1), keepdims=0)
    pooled = graph.add("Concat", graph.add("Div", total, n), most, axis=1)
    weight = state["head.weight"] / state["spread"]
    bias = state["head.bias"] - weight @ state["center"]
    scores = graph.add("MatMul", pooled, graph.constant(np.ascontiguousarray(weight.T)))
    graph.nodes.append(helper.make_node("Add", [scores, graph.constant(bias)], ["scores"]))


def _saved(graph: _Graph, n_outputs: int, told: Mapping[str, Any]) -> bytes:
    inputs: Sequence[tuple[str, list[str]]] = (("pieces", ["n", "t"]), ("lengths", ["n"]))
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in inputs],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", n_outputs])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_RUNTIME, 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=_IR)
    helper.set_model_props(
        model, {"lagesbild": json.dumps(told, ensure_ascii=False, sort_keys=True)}
    )
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized
