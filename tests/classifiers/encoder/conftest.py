"""A tiny encoder with random weights, made by the same code as the real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from scipy.special import softmax

from classifiers.encoder.graph import Reach, onnx_bytes
from classifiers.encoder.model import GRAPH_FILE, MOST_PIECES, PIECES_FILE, Encoder, encoded
from classifiers.encoder.source import Array, SourceEncoder
from classifiers.encoder.vocabulary import tokenizer
from lagesbild.records import STANCES
from lagesbild.themes import load_themes

WIDTH, N_HEADS, N_LAYERS, EPSILON = 32, 2, 2, 1e-12
TEXTS = ["lampan", "knark vid lampan", "det är mörkt och trasigt", "a" * 900, ""]
PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    *"abcdefghijklmnopqrstuvwxyzåäö:",
    "▁lampan",
    "▁knark",
)


def random_state() -> dict[str, Array]:
    """Weights by the names of network.Network; word vectors in the tokenizer's order."""
    chance = np.random.default_rng(1)

    def array(*shape: int, scale: float = 0.2) -> Array:
        return chance.normal(0, scale, shape).astype(np.float32)

    n_outputs = len(load_themes().decided) * (1 + len(STANCES))
    state = {
        "word.weight": array(len(PIECES) - 1, WIDTH, scale=1.0),
        "place": array(MOST_PIECES, WIDTH),
        "norm.weight": 1 + array(WIDTH),
        "norm.bias": array(WIDTH),
        "center": array(2 * WIDTH),
        "spread": 1 + np.abs(array(2 * WIDTH)),
        "head.weight": array(n_outputs, 2 * WIDTH),
        "head.bias": array(n_outputs),
    }
    shapes = {"qkv": (3 * WIDTH, WIDTH), "attended": (WIDTH, WIDTH)}
    shapes |= {"widen": (4 * WIDTH, WIDTH), "narrow": (WIDTH, 4 * WIDTH)}
    for layer in range(N_LAYERS):
        for name, shape in shapes.items():
            state[f"layers.{layer}.{name}.weight"] = array(*shape)
            state[f"layers.{layer}.{name}.bias"] = array(shape[0])
        for name in ("attended_norm", "narrow_norm"):
            state[f"layers.{layer}.{name}.weight"] = 1 + array(WIDTH)
            state[f"layers.{layer}.{name}.bias"] = array(WIDTH)
    return state


def tiny_source() -> SourceEncoder:
    scores = -np.arange(len(PIECES), dtype=np.float32) / 10
    scores[-2:] = 0.0  # whole words are likelier than their letters
    vectors = np.arange(len(PIECES) * 4, dtype=np.float32).reshape(-1, 4)
    return SourceEncoder(N_HEADS, EPSILON, PIECES, scores, {"emb.word": vectors}, 0, 2, 3)


def normed(x: Array, state: dict[str, Array], name: str) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    result: Array = centred / spread * state[f"{name}.weight"] + state[f"{name}.bias"]
    return result


def slowly(
    ids: list[int], state: dict[str, Array], reaches: dict[str, Reach] | None = None
) -> Array:
    """One text at a time in full precision, as the paper on BERT describes a layer.

    `reaches`: widened to what goes into each matrix.
    """

    def times(x: Array, name: str) -> Array:
        if reaches is not None:
            least, most = reaches.get(name, (x[0], x[0]))
            reaches[name] = (np.minimum(least, x.min(axis=0)), np.maximum(most, x.max(axis=0)))
        result: Array = x @ state[f"{name}.weight"].T + state[f"{name}.bias"]
        return result

    x = normed(state["word.weight"][ids] + state["place"][: len(ids)], state, "norm")
    for layer in range(N_LAYERS):
        own = f"layers.{layer}"
        q, k, v = np.split(times(x, f"{own}.qkv"), 3, axis=1)
        heads = []
        for cut in np.split(np.arange(WIDTH), N_HEADS):
            close = q[:, cut] @ k[:, cut].T / np.sqrt(WIDTH // N_HEADS)
            heads.append(softmax(close, axis=1) @ v[:, cut])
        mixed = times(np.concatenate(heads, axis=1), f"{own}.attended")
        x = normed(x + mixed, state, f"{own}.attended_norm")
        wide = times(x, f"{own}.widen")
        wide = 0.5 * wide * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)))
        x = normed(x + times(wide, f"{own}.narrow"), state, f"{own}.narrow_norm")
    pooled = (np.concatenate([x.mean(0), x.max(0)]) - state["center"]) / state["spread"]
    return times(pooled, "head")


@pytest.fixture(scope="session")
def state() -> dict[str, Array]:
    return random_state()


@pytest.fixture(scope="session")
def encoder_folder(state: dict[str, Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    pieces = tokenizer(tiny_source(), np.arange(4, len(PIECES)))
    spelt = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    reaches: dict[str, Reach] = {}
    for text in TEXTS:
        slowly(encoded(spelt, text, None), state, reaches)
    told = {"themes": load_themes().decided, "stances": STANCES, "card": {"n_texts": 0}}
    (folder / GRAPH_FILE).write_bytes(onnx_bytes(state, reaches, N_HEADS, EPSILON, told))
    (folder / PIECES_FILE).write_bytes(pieces)
    return folder


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> Encoder:
    return Encoder.load(encoder_folder)
