"""A taught network, written as the encoder that ONNX Runtime reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from classifiers.encoder.graph import MATRICES, Reach, onnx_bytes
from classifiers.encoder.losses import n_kept
from classifiers.encoder.model import GRAPH_FILE, PIECES_FILE
from classifiers.encoder.network import Network
from classifiers.encoder.source import SourceEncoder
from classifiers.encoder.task import Ids, tensors
from classifiers.encoder.vocabulary import MARKS
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

_REACH_TEXTS = 512
_REACH_BATCH = 64


def write_encoder(
    folder: Path,
    network: Network,
    source: SourceEncoder,
    ids: Ids,
    spelt: bytes,
    card: Mapping[str, Any],
) -> None:
    """The graph and the tokenizer `spelt`; `card` goes along with the network's size. `ids`: texts
    that tell how far activations reach."""
    network.cpu()
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    state |= {name: state[name][: n_kept()] for name in ("head.weight", "head.bias")}
    sizes = {"n_pieces": len(state["word.weight"]) - MARKS, "n_layers": len(network.layers)}
    told = {
        "themes": list(load_themes().decided),
        "stances": list(STANCES),
        "card": {**card, **sizes, "torch": str(torch.__version__)},
    }
    reaches = _reaches(network, ids)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PIECES_FILE).write_bytes(spelt)
    (folder / GRAPH_FILE).write_bytes(
        onnx_bytes(state, reaches, source.n_heads, source.epsilon, told)
    )


def _reaches(network: Network, ids: Ids) -> dict[str, Reach]:
    """How far the inputs of the layers' matrices go on some of the texts, column by column."""
    found: dict[str, Reach] = {}

    def note(name: str, given: Tensor) -> None:
        flat = given.detach().float().flatten(0, -2).numpy()
        least, most = flat.min(axis=0), flat.max(axis=0)
        if name in found:
            least, most = np.minimum(least, found[name][0]), np.maximum(most, found[name][1])
        found[name] = (least, most)

    hooks = [
        module.register_forward_pre_hook(lambda _, given, name=name: note(name, given[0]))
        for name, module in network.named_modules()
        if name.rpartition(".")[2] in MATRICES
    ]
    chosen = np.random.default_rng(0).permutation(len(ids))[:_REACH_TEXTS]
    network.eval()
    with torch.no_grad():
        for batch in np.array_split(chosen, math.ceil(len(chosen) / _REACH_BATCH)):
            network.pooled(*tensors(ids, batch, network.center.device))
    for hook in hooks:
        hook.remove()
    return found
