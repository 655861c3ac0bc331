"""The encoder as it runs: a slow NumPy encoder agrees, whatever stands beside a text."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder import model
from classifiers.encoder.evidence import worth_of_words
from classifiers.encoder.model import GRAPH_FILE, MOST_PIECES, Encoder, encoded, windows
from classifiers.encoder.source import Array
from classifiers.reading import Reading, read
from lagesbild.errors import LagesbildError
from lagesbild.records import STANCES
from lagesbild.themes import load_themes
from tests.classifiers.encoder.conftest import TEXTS, slowly


def test_the_graph_gives_what_a_slow_encoder_gives(
    encoder: Encoder, state: dict[str, Array]
) -> None:
    readings = read(TEXTS)
    scores = encoder.scores(readings)
    n_themes = len(load_themes().decided)
    for row, reading in enumerate(readings):
        wanted = slowly(encoded(encoder._pieces, reading.text, None), state)
        got = np.concatenate([scores.themes[row], scores.stances[row].ravel()])
        # weights and activations are rounded to 8 bits
        assert np.corrcoef(got, wanted)[0, 1] > 0.99
        assert np.abs(got - wanted).max() < 0.2 * np.abs(wanted).max()
    assert scores.themes.shape == (len(TEXTS), n_themes)
    assert scores.stances.shape == (len(TEXTS), n_themes, len(STANCES))


@given(st.lists(st.text("abcdeå ö", max_size=40), min_size=1, max_size=6))
def test_a_text_scores_alike_alone_and_in_company(encoder: Encoder, texts: list[str]) -> None:
    together = encoder.scores(read(texts)).themes
    alone = np.concatenate([encoder.scores(read([text])).themes for text in texts])
    assert np.allclose(together, alone, atol=1e-4)


@pytest.fixture
def busy_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No thread has time for the encoder until the test is over."""
    free = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(free.wait)
        monkeypatch.setattr(model, "_pool", lambda process: pool)
        yield
        free.set()


@pytest.mark.usefixtures("busy_pool")
def test_who_waits_does_what_no_thread_has_begun(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "_BATCH_PIECES", 8)  # a batch for each text
    readings = read(TEXTS)
    alone = np.concatenate([_alone(encoder, reading) for reading in readings])
    assert np.array_equal(encoder.scores(readings).themes, alone)


@pytest.mark.usefixtures("busy_pool")
def test_an_error_in_a_batch_reaches_who_waits(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Encoder, "_run", lambda self, ids: 1 / 0)
    wait = encoder.begin(read(TEXTS))
    with pytest.raises(ZeroDivisionError):
        wait()


def _alone(encoder: Encoder, reading: Reading) -> Array:
    found = windows(encoder._pieces, reading.text, reading.question)
    raw = np.concatenate([encoder._run([window]) for window in found])
    scores: Array = raw[:, : len(encoder.themes)].max(axis=0, keepdims=True)
    return scores


def test_no_texts_give_no_scores(encoder: Encoder) -> None:
    assert encoder.scores([]).themes.shape[0] == 0


def test_long_texts_are_read_in_windows_and_questions_come_first(encoder: Encoder) -> None:
    pieces = encoder._pieces
    text = " ".join("abcde"[at % 5] for at in range(900))
    found = windows(pieces, text, None)
    assert encoded(pieces, text, None) == found[0]
    assert all(len(own) <= MOST_PIECES for own in found)
    inner = [own[1:-1] for own in found]
    joined = inner[0] + [piece for own in inner[1:] for piece in own[model._OVERLAP :]]
    assert joined == pieces.encode(text)
    assert all(a[-model._OVERLAP :] == b[: model._OVERLAP] for a, b in itertools.pairwise(inner))
    asked = encoded(pieces, "lampan", "knark")
    assert pieces.decode(asked) == "knark lampan"


@pytest.mark.parametrize("n_pieces", [157, 158, 159, 284, 285])
def test_a_window_begins_only_where_text_is_left(encoder: Encoder, n_pieces: int) -> None:
    text = "a" * n_pieces
    n_pieces = len(encoder._pieces.encode(text))
    room, step = MOST_PIECES - 2, MOST_PIECES - 2 - model._OVERLAP
    found = windows(encoder._pieces, text, None)
    assert len(found) == 1 + max(0, -(-(n_pieces - room) // step))
    assert sum(map(len, found)) == n_pieces + 2 * len(found) + model._OVERLAP * (len(found) - 1)


def test_a_long_text_has_the_themes_of_all_its_windows(encoder: Encoder) -> None:
    texts = ["lampan " * 200 + "knark vid lampan", "lampan", "abcde " * 150]
    scores = encoder.scores(read(texts))
    for row, text in enumerate(texts):
        found = windows(encoder._pieces, text, None)
        raw = np.concatenate([encoder._run([window]) for window in found])
        for column in range(len(encoder.themes)):
            best = int(raw[:, column].argmax())
            stances = raw[best, len(encoder.themes) :].reshape(-1, len(STANCES))[column]
            assert scores.themes[row, column] == pytest.approx(raw[:, column].max(), abs=1e-4)
            assert np.allclose(scores.stances[row, column], stances, atol=1e-4)


def test_worth_in_a_long_text_is_found_in_one_stretch(encoder: Encoder) -> None:
    text = "lampan " * 50 + "knark vid lampan " + "lampan " * 70
    worth = worth_of_words(encoder, read([text])[0], 3)
    where = np.flatnonzero(worth)
    assert len(worth) == 123
    assert where.size
    assert where.max() // 40 == where.min() // 40


def test_worth_is_what_is_lost_without_the_word(encoder: Encoder) -> None:
    whole, without = "knark vid lampan", "knark vid "
    worth = worth_of_words(encoder, read([whole])[0], 3)
    scores = encoder.scores(read([whole, without])).themes[:, 3]
    assert worth.shape == (3,)
    assert worth[2] == pytest.approx(scores[0] - scores[1], abs=0.2)


def test_a_missing_or_broken_encoder_is_told(encoder_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LagesbildError, match="saknas"):
        Encoder.load(tmp_path)
    for path in encoder_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / GRAPH_FILE).write_bytes(b"no graph")
    with pytest.raises(LagesbildError, match="går inte att läsa"):
        Encoder.load(tmp_path)
