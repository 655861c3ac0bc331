"""The whole fine-tuning on a tiny encoder; only where PyTorch is installed (`.[encoder]`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.model import Encoder
from classifiers.encoder.source import SourceEncoder
from classifiers.labelled import Labelled, Mention
from classifiers.reading import read
from tests.classifiers.encoder.conftest import N_HEADS, PIECES, tiny_source

pytest.importorskip("torch", reason="fine-tuning needs PyTorch, which is not installed here")
WIDTH, INNER, N_LAYERS = 24, 48, 2


def source() -> SourceEncoder:
    chance = np.random.default_rng(2)
    shapes = {"emb.word": (len(PIECES), WIDTH), "emb.pos": (200, WIDTH), "emb.type": (1, WIDTH)}
    for layer in range(N_LAYERS):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            out, into = {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}.get(part, (WIDTH, WIDTH))
            shapes |= {f"l{layer}.{part}.w": (out, into), f"l{layer}.{part}.b": (out,)}
    tensors = {
        name: chance.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()
    }
    for norm in ("emb.ln", *(f"l{n}.{part}" for n in range(N_LAYERS) for part in ("aln", "oln"))):
        tensors |= {
            f"{norm}.w": np.ones(WIDTH, np.float32),
            f"{norm}.b": np.zeros(WIDTH, np.float32),
        }
    tiny = tiny_source()
    return SourceEncoder(N_HEADS, 1e-12, PIECES, tiny.scores, tensors, 0, 2, 3)


def rows() -> list[Labelled]:
    about = {"knark i parken": "narkotika", "lampan är trasig": "fysisk_miljo"}
    return [
        Labelled(
            f"{text}{n}",
            "v",
            f"{text} {'igen ' * (n % 3)}",
            None,
            "sv",
            (Mention(theme, None, frozenset({"problem"})),),
            (),
        )
        for n in range(40)
        for text, theme in about.items()
    ]


def test_the_half_learns_what_the_labels_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifiers.encoder import fit

    monkeypatch.setattr(fit, "bundled_path", lambda: tmp_path)
    monkeypatch.setattr(fit, "read_source", lambda _: source())
    monkeypatch.setattr(fit, "kept_pieces", lambda *_: np.arange(4, len(PIECES)))
    monkeypatch.setattr(fit, "_KEPT_LAYERS", (1,))
    for name, value in {"_RATE": 3e-3, "_HALF_RATE": 3e-3, "_BATCH": 16, "_HALF_BATCH": 16}.items():
        monkeypatch.setattr(fit, name, value)
    told: list[str] = []
    fit.fit_encoder(rows(), tmp_path / "made", told.append)
    encoder = Encoder.load(tmp_path / "made")
    assert len(told) == fit._EPOCHS + fit._HALF_EPOCHS
    assert encoder.card["n_layers"] == 1
    scores = encoder.scores(read(["knark i parken", "lampan är trasig"]))
    narcotics = encoder.themes.index("narkotika")
    light = encoder.themes.index("fysisk_miljo")
    assert scores.themes[0, narcotics] > 0 > scores.themes[0, light]
    assert scores.themes[1, light] > 0 > scores.themes[1, narcotics]
    problem = encoder.stances.index("problem")
    assert scores.stances[0, narcotics].argmax() == problem
    assert scores.stances[1, light].argmax() == problem
