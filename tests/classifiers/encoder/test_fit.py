"""The whole fine-tuning on a tiny encoder; only where PyTorch is installed (`.[encoder]`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.model import Encoder
from classifiers.encoder.source import SourceEncoder
from classifiers.labelled import Labelled, Mention
from classifiers.reading import read
from lagesbild.errors import LagesbildError
from tests.classifiers.encoder.conftest import N_HEADS, PIECES, tiny_source

pytest.importorskip("torch", reason="fine-tuning needs PyTorch, which is not installed here")
WIDTH, INNER, N_LAYERS = 24, 48, 2
ABOUT = {
    "knark": ("knark i parken", "narkotika"),
    "lampan": ("lampan är trasig", "fysisk_miljo"),
    "bilar": ("bilar kör fort", "trafik"),
}


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


def rows(*words: str) -> list[Labelled]:
    """Forty texts for each of the words, about its theme."""
    return [
        Labelled(
            f"{word}-{n}",
            "v",
            f"{ABOUT[word][0]} {'igen ' * (n % 3)}",
            None,
            "sv",
            (Mention(ABOUT[word][1], None, frozenset({"problem"})),),
            (),
        )
        for n in range(40)
        for word in words
    ]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an encoder of one layer, taught by one of two."""
    from classifiers.encoder import fit, further
    from classifiers.encoder.course import Course

    for module in (fit, further):
        monkeypatch.setattr(module, "bundled_path", lambda: tmp_path)
        monkeypatch.setattr(module, "read_source", lambda _: source())
    monkeypatch.setattr(fit, "kept_pieces", lambda *_: np.arange(4, len(PIECES)))
    monkeypatch.setattr(fit, "_KEPT_LAYERS", (1,))
    monkeypatch.setattr(fit, "_WHOLE", Course(epochs=8, batch=16, rate=3e-3))
    monkeypatch.setattr(fit, "_HALF", Course(epochs=12, batch=16, rate=3e-3))
    told: list[str] = []
    fit.fit_encoder(rows("knark", "lampan"), tmp_path / "made", told.append)
    assert len(told) == 8 + 12
    return tmp_path / "made"


def test_the_half_learns_what_the_labels_say(made: Path) -> None:
    encoder = Encoder.load(made)
    assert encoder.card["n_layers"] == 1
    scores = encoder.scores(read(["knark i parken", "lampan är trasig"]))
    narcotics = encoder.themes.index("narkotika")
    light = encoder.themes.index("fysisk_miljo")
    assert scores.themes[0, narcotics] > 0 > scores.themes[0, light]
    assert scores.themes[1, light] > 0 > scores.themes[1, narcotics]
    problem = encoder.stances.index("problem")
    assert scores.stances[0, narcotics].argmax() == problem
    assert scores.stances[1, light].argmax() == problem


def test_what_is_learnt_further_is_added_to_what_was_known(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifiers.encoder import further
    from classifiers.encoder.course import Course

    monkeypatch.setattr(further, "_COURSE", Course(epochs=12, batch=16, rate=3e-3))
    was = Encoder.load(made)
    further.fit_further(rows(*ABOUT), made, tmp_path / "further", lambda _: None)
    encoder = Encoder.load(tmp_path / "further")
    assert encoder.card["n_epochs"] == [8, 12, 12]
    assert encoder.card["batches"] == ["bilar", "knark", "lampan"]
    assert encoder.card["n_pieces"] == was.card["n_pieces"]
    cars = encoder.themes.index("trafik")
    texts = read(["bilar kör fort", "knark i parken", "lampan är trasig"])
    now, before = encoder.scores(texts).themes, was.scores(texts).themes
    assert now[0, cars] > before[0, cars] + 1, (now[0, cars], before[0, cars])
    for row, theme in ((1, "narkotika"), (2, "fysisk_miljo")):
        assert now[row].argmax() == before[row].argmax() == encoder.themes.index(theme)


def test_new_texts_are_read_twice_and_half_of_the_known_ones_once() -> None:
    from classifiers.encoder.further import _mixed

    every = rows(*ABOUT)
    mixed = Counter(row.labelled_id for row in _mixed(every, frozenset({"knark", "lampan"})))
    assert all(mixed[row.labelled_id] == 2 for row in every if row.batch == "bilar")
    known = [mixed[row.labelled_id] for row in every if row.batch != "bilar"]
    assert sorted(known) == [0] * 40 + [1] * 40


def test_an_encoder_for_other_themes_is_not_taught_further(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifiers.encoder import further

    monkeypatch.setattr(further, "STANCES", ("problem",))
    with pytest.raises(LagesbildError, match="andra teman"):
        further.fit_further(rows(*ABOUT), made, tmp_path / "further", lambda _: None)
    assert not (tmp_path / "further").exists()


@pytest.mark.parametrize(("epochs", "learnt"), [(0, 0.75), (3, 0.0)])
def test_nothing_learnt_leaves_an_encoder_as_it_was(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int, learnt: float
) -> None:
    from classifiers.encoder import further
    from classifiers.encoder.course import Course

    monkeypatch.setattr(further, "_COURSE", Course(epochs=epochs, batch=16, rate=3e-3))
    monkeypatch.setattr(further, "_LEARNT", learnt)
    further.fit_further(rows(*ABOUT), made, tmp_path / "same", lambda _: None)
    texts = read(["knark i parken", "lampan är trasig", "bilar och knark"])
    was, now = (Encoder.load(folder).scores(texts) for folder in (made, tmp_path / "same"))
    assert np.abs(was.themes - now.themes).max() < 0.05 * np.abs(was.themes).max()
    assert np.abs(was.stances - now.stances).max() < 0.05 * np.abs(was.stances).max()
