"""The weights of an encoder that graph.py wrote, read back so that it can be taught further."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from classifiers.encoder.source import Array
from lagesbild.errors import LagesbildError

_PRODUCTS = 6  # of a layer: queries, keys, values, then as below
_AFTER_ATTENTION = ("attended", "widen", "narrow")


def read_weights(graph: bytes, n_heads: int) -> dict[str, Array]:
    """By the names of network.Network, to within the rounding to 8 bits. The features' centre and
    spread have gone into the last layer, and are nought and one.

    Raises LagesbildError where an earlier program wrote the graph in another form.
    """
    read = _Read(onnx.load_model_from_string(graph).graph)
    norms = [node for node in read.nodes if node.op_type == "LayerNormalization"]
    products = [node for node in read.nodes if node.op_type == "MatMulIntegerToFloat"]
    if not products or (len(norms) - 1) * _PRODUCTS != 2 * len(products):
        raise LagesbildError("Kodaren är skriven i en äldre form: gör om den från grunden.")
    state = read.word_and_place() | read.norm(norms[0], "norm") | read.head()
    for layer in range(len(products) // _PRODUCTS):
        name, first = f"layers.{layer}", layer * _PRODUCTS
        q, k, v, *others = map(read.product, products[first : first + _PRODUCTS])
        share = (len(q[1]) // n_heads) ** 0.5
        for i, part in enumerate(("weight", "bias")):
            state[f"{name}.qkv.{part}"] = np.concatenate([share * q[i], k[i], v[i]])
            for kind, other in zip(_AFTER_ATTENTION, others, strict=True):
                state[f"{name}.{kind}.{part}"] = other[i]
        after_attention, after_all = norms[1 + 2 * layer : 3 + 2 * layer]
        state |= read.norm(after_attention, f"{name}.attended_norm")
        state |= read.norm(after_all, f"{name}.narrow_norm")
    return state


class _Read:
    """A graph's nodes in their order, and its constants by name."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes = list(graph.node)
        self._constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
        self._made_by = {output: node for node in self.nodes for output in node.output}

    def product(self, node: onnx.NodeProto) -> tuple[Array, Array]:
        """The weight and the bias of graph._Graph.times, the easing undone."""
        small, by_column, bias = (self._constants[node.input[i]] for i in (1, 3, 6))
        even = self._made_by[self._made_by[node.input[0]].input[0]]
        weight: Array = (small.astype(np.float32) * by_column).T * self._constants[even.input[1]]
        return weight, bias

    def norm(self, node: onnx.NodeProto, name: str) -> dict[str, Array]:
        _, weight, bias = node.input
        return {f"{name}.weight": self._constants[weight], f"{name}.bias": self._constants[bias]}

    def word_and_place(self) -> dict[str, Array]:
        small, scale = (self._of("Gather", i)[0] for i in (0, 1))
        (places,) = (found for i in (0, 1) for found in self._of("Slice", i) if found.ndim == 2)
        return {"word.weight": small.astype(np.float32) * scale, "place": places}

    def _of(self, kind: str, number: int) -> list[Array]:
        """The constants that go into the node of that kind, counted from the first."""
        node = [node for node in self.nodes if node.op_type == kind][number]
        return [self._constants[name] for name in node.input if name in self._constants]

    def head(self) -> dict[str, Array]:
        last = self.nodes[-1]
        (weight,) = (self._constants[name] for name in self._made_by[last.input[0]].input[1:])
        width = weight.shape[0]
        return {
            "head.weight": np.ascontiguousarray(weight.T),
            "head.bias": self._constants[last.input[1]],
            "center": np.zeros(width, np.float32),
            "spread": np.ones(width, np.float32),
        }
