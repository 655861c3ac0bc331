"""The encoder as a PyTorch network, begun from the bundled one; used for training only."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from classifiers.encoder.model import MOST_PIECES
from classifiers.encoder.source import Array, SourceEncoder

_DROPPED = 26  # of 256
_FAR = -1e4  # added to the attention to padding, and below any activation


class Dropout(nn.Module):
    """As PyTorch's own, but on a processor with NumPy's random bytes, many times as quick."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.random = random

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, _DROPPED / 256)
        drawn = np.frombuffer(bytearray(self.random.bytes(x.numel())), dtype=np.uint8)
        kept = torch.from_numpy(drawn).view(x.shape) >= _DROPPED
        return x * kept.to(x.dtype).mul_(256 / (256 - _DROPPED))


class Layer(nn.Module):
    """One transformer layer, normalised after each half as BERT does."""

    def __init__(
        self, width: int, n_heads: int, inner: int, epsilon: float, dropout: Dropout
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.attended_norm = nn.LayerNorm(width, epsilon)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.narrow_norm = nn.LayerNorm(width, epsilon)
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        n, length, width = x.shape
        split = self.qkv(x).view(n, length, 3, self.n_heads, width // self.n_heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        attention = (q @ k.transpose(-1, -2)) * (width // self.n_heads) ** -0.5 + mask
        mixed = self.dropout(attention.softmax(-1).to(v.dtype)) @ v
        mixed = mixed.transpose(1, 2).reshape(n, length, width)
        x = self.attended_norm(x + self.dropout(self.attended(mixed)))
        inner = functional.gelu(self.widen(x))
        normed: Tensor = self.narrow_norm(x + self.dropout(self.narrow(inner)))
        return normed


class Network(nn.Module):
    """Pieces to scores: mean and maximum over the pieces, centred, then one linear layer."""

    def __init__(self, source: SourceEncoder, vectors: Array, n_outputs: int) -> None:
        super().__init__()
        width = vectors.shape[1]
        self.word = nn.Embedding.from_pretrained(torch.tensor(vectors), freeze=False)
        places = source.tensors["emb.pos"][:MOST_PIECES] + source.tensors["emb.type"][0]
        self.place = nn.Parameter(torch.tensor(places))
        self.norm = nn.LayerNorm(width, source.epsilon)
        # one for all layers: each with its own would drop the same places in every layer
        self.dropout = Dropout(np.random.Generator(np.random.SFC64(0)))
        inner = source.tensors["l0.fi.w"].shape[0]
        self.layers = nn.ModuleList(
            Layer(width, source.n_heads, inner, source.epsilon, self.dropout)
            for _ in range(source.n_layers)
        )
        self.register_buffer("center", torch.zeros(2 * width))
        self.register_buffer("spread", torch.ones(2 * width))
        self.head = nn.Linear(2 * width, n_outputs)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.head.weight, std=0.01)
        self.load_state_dict(_begun(source.tensors, source.n_layers), strict=False)

    def with_layers(self, kept: Sequence[int]) -> Network:
        """A copy with some of the layers only."""
        copied = copy.deepcopy(self)
        copied.layers = nn.ModuleList(copied.layers[layer] for layer in kept)
        return copied

    def forward(self, pieces: Tensor, lengths: Tensor) -> Tensor:
        return self.decide(self.pooled(pieces, lengths))

    def decide(self, pooled: Tensor) -> Tensor:
        scores: Tensor = self.head(self.dropout((pooled - self.center) / self.spread))
        return scores

    def pooled(self, pieces: Tensor, lengths: Tensor) -> Tensor:
        there = torch.arange(pieces.shape[1], device=pieces.device)[None] < lengths[:, None]
        mask = torch.where(there, 0.0, _FAR)[:, None, None, :]
        x = self.dropout(self.norm(self.word(pieces) + self.place[: pieces.shape[1]]))
        for layer in self.layers:
            x = layer(x, mask)
        x, on = x.float(), there.unsqueeze(-1)
        mean = (x * on).sum(1) / lengths[:, None]
        return torch.cat([mean, x.masked_fill(~on, _FAR).amax(1)], dim=1)


def _begun(tensors: Mapping[str, Array], n_layers: int) -> dict[str, Tensor]:
    """The bundled tensors by the names they have in `Network`."""
    named = {"norm.weight": tensors["emb.ln.w"], "norm.bias": tensors["emb.ln.b"]}
    parts = {"ao": "attended", "fi": "widen", "fo": "narrow"}
    parts |= {"aln": "attended_norm", "oln": "narrow_norm"}
    for layer in range(n_layers):
        for ours, theirs in (("weight", "w"), ("bias", "b")):
            attention = [tensors[f"l{layer}.{part}.{theirs}"] for part in "qkv"]
            named[f"layers.{layer}.qkv.{ours}"] = np.concatenate(attention)
            for part, name in parts.items():
                named[f"layers.{layer}.{name}.{ours}"] = tensors[f"l{layer}.{part}.{theirs}"]
    return {name: torch.tensor(array) for name, array in named.items()}
