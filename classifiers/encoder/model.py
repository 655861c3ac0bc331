"""Run the fine-tuned encoder: one ONNX file and one tokenizer, on the processor alone."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import sentencepiece
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from classifiers.features import FloatArray
from classifiers.reading import Reading
from lagesbild.errors import LagesbildError

GRAPH_FILE = "encoder.onnx"
PIECES_FILE = "encoder.spm"
MOST_PIECES = 160  # at once; a longer text is read in windows
_OVERLAP = 32  # pieces that a window has in common with the one before
# Padding included. Small batches stay in the processor's cache.
_BATCH_PIECES = 384
_BROKEN = (
    *(OSError, RuntimeError, ValueError, KeyError),
    *(onnx_errors.InvalidProtobuf, onnx_errors.InvalidGraph, onnx_errors.Fail),
)


class EncoderScores(NamedTuple):
    """Log odds of themes, shape (texts, themes), and of stances, shape (texts, themes, stances)."""

    themes: FloatArray
    stances: FloatArray


class Encoder:
    """`themes`, `stances`: what the columns stand for. `unseen_bucket`: voices it did not learn."""

    def __init__(self, graph: bytes, pieces: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1  # each core has a batch of its own instead
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._pieces = sentencepiece.SentencePieceProcessor(model_proto=pieces)
        told = json.loads(self._session.get_modelmeta().custom_metadata_map["lagesbild"])
        self.themes: tuple[str, ...] = tuple(told["themes"])
        self.stances: tuple[str, ...] = tuple(told["stances"])
        self.card: dict[str, Any] = told["card"]
        self.version = hashlib.sha256(graph + pieces).hexdigest()[:12]

    @classmethod
    def load(cls, folder: Path) -> Encoder:
        """The encoder in `folder`. Raises LagesbildError when it is missing or broken."""
        try:
            return cls((folder / GRAPH_FILE).read_bytes(), (folder / PIECES_FILE).read_bytes())
        except FileNotFoundError as error:
            raise LagesbildError(f"Kodaren saknas i {folder}: hämta modellen på nytt.") from error
        except _BROKEN as error:
            raise LagesbildError(f"Kodaren i {folder} går inte att läsa.") from error

    def scores(self, readings: Sequence[Reading]) -> EncoderScores:
        return self.begin(readings)()

    def begin(self, readings: Sequence[Reading]) -> Callable[[], EncoderScores]:
        """Starts on the readings, and returns what waits for their scores."""
        seen = [windows(self._pieces, r.text, r.question) for r in readings]
        ids = [window for own in seen for window in own]
        batches = list(_batches([len(own) for own in ids]))
        pool = _pool(os.getpid())
        runs = [pool.submit(self._run, [ids[i] for i in batch]) for batch in batches]

        def wait() -> EncoderScores:
            n_themes, n_stances = len(self.themes), len(self.stances)
            raw = np.zeros((len(ids), n_themes * (1 + n_stances)))
            # From the end, what no thread has begun on is done here instead of waiting for it.
            for batch, run in reversed(list(zip(batches, runs, strict=True))):
                raw[batch] = self._run([ids[i] for i in batch]) if run.cancel() else run.result()
            stances = raw[:, n_themes:].reshape(-1, n_themes, n_stances)
            return _of_texts(EncoderScores(raw[:, :n_themes], stances), [len(own) for own in seen])

        return wait

    def _run(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        padded, lengths = padded_ids(ids)
        scores: NDArray[np.float32]
        (scores,) = self._session.run(None, {"pieces": padded, "lengths": lengths})
        return scores


@functools.cache
def _pool(process: int) -> ThreadPoolExecutor:
    """A thread for every core but the one that reads the texts, for all encoders; a forked process
    needs threads of its own."""
    n_threads = max(1, (os.cpu_count() or 1) - 1)
    return ThreadPoolExecutor(n_threads, thread_name_prefix=f"encoder-{process}")


def _of_texts(scores: EncoderScores, n_windows: Sequence[int]) -> EncoderScores:
    """Each theme, and its stance, as in the text's window where the theme stands out most."""
    if all(n == 1 for n in n_windows):
        return scores
    ends = np.cumsum(n_windows)
    best = [
        end - n + scores.themes[end - n : end].argmax(axis=0)
        for n, end in zip(n_windows, ends, strict=True)
    ]
    rows, columns = np.stack(best), np.arange(scores.themes.shape[1])
    return EncoderScores(scores.themes[rows, columns], scores.stances[rows, columns])


def encoded(
    pieces: sentencepiece.SentencePieceProcessor, text: str, question: str | None
) -> list[int]:
    """The pieces of a text after its question, between the marks of beginning and end; the first
    window of a long text."""
    return windows(pieces, text, question)[0]


def windows(
    pieces: sentencepiece.SentencePieceProcessor, text: str, question: str | None
) -> list[list[int]]:
    """As many stretches of MOST_PIECES as a text takes, each begun before the last one's end."""
    inner: list[int] = pieces.encode(f"{question} {text}" if question else text)
    room = MOST_PIECES - 2
    starts = range(0, max(1, len(inner) - _OVERLAP), room - _OVERLAP)
    return [[pieces.bos_id(), *inner[at : at + room], pieces.eos_id()] for at in starts]


def padded_ids(ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """An array of shape (texts, longest), filled up with zeros, and the true lengths."""
    lengths = np.array([len(own) for own in ids], dtype=np.int64)
    padded = np.zeros((len(ids), int(lengths.max())), dtype=np.int64)
    for row, own in enumerate(ids):
        padded[row, : len(own)] = own
    return padded, lengths


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts of like length together, so that little is padding."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) + 1) * lengths[i] > _BATCH_PIECES:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
