"""A written encoder's weights can be read back, to within their 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from classifiers.encoder.graph import MATRICES
from classifiers.encoder.model import GRAPH_FILE
from classifiers.encoder.source import Array
from classifiers.encoder.weights import read_weights
from lagesbild.errors import LagesbildError
from tests.classifiers.encoder.conftest import N_HEADS

_ROUNDED = ("word.weight", *(f"{matrix}.weight" for matrix in MATRICES))


def test_weights_come_back_as_they_were_written(
    state: dict[str, Array], encoder_folder: Path
) -> None:
    read = read_weights((encoder_folder / GRAPH_FILE).read_bytes(), N_HEADS)
    assert read.keys() == state.keys()
    for name, wanted in state.items():
        if name.startswith(("head", "center", "spread")):
            continue
        is_rounded = name.endswith(_ROUNDED)
        apart = np.linalg.norm(read[name] - wanted) / np.linalg.norm(wanted)
        assert read[name].shape == wanted.shape
        assert apart < (0.02 if is_rounded else 1e-6), name


def test_the_last_layer_comes_back_with_the_centre_and_the_spread_in_it(
    state: dict[str, Array], encoder_folder: Path
) -> None:
    read = read_weights((encoder_folder / GRAPH_FILE).read_bytes(), N_HEADS)
    features = np.random.default_rng(3).normal(size=(5, len(state["center"])))

    def scores(own: dict[str, Array]) -> Array:
        even = (features - own["center"]) / own["spread"]
        result: Array = even @ own["head.weight"].T + own["head.bias"]
        return result

    assert np.allclose(scores(read), scores(state), atol=1e-4)


def test_a_graph_of_another_form_is_refused(encoder_folder: Path) -> None:
    model = onnx.load(encoder_folder / GRAPH_FILE)
    norm = next(node for node in model.graph.node if node.op_type == "LayerNormalization")
    model.graph.node.remove(norm)
    with pytest.raises(LagesbildError, match="äldre form"):
        read_weights(model.SerializeToString(), N_HEADS)
