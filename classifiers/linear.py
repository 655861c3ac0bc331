"""One logistic regression a theme over sparse features, and what each word gave to its score."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from classifiers.features import BLOCKS, Features, FloatArray
from classifiers.reading import Reading

STRENGTH = 3.0  # C, chosen by cross-validation over held-out voices


class Linear:
    """Weights of shape (features, classes) over fitted features."""

    def __init__(self, features: Features, weights: NDArray[Any], bias: NDArray[Any]) -> None:
        self.features = features
        self.weights = np.asarray(weights, dtype=np.float64)
        self.bias = np.asarray(bias, dtype=np.float64)

    @classmethod
    def fit(
        cls,
        readings: Sequence[Reading],
        wanted: NDArray[np.bool_],
        blocks: Sequence[str] = tuple(BLOCKS),
    ) -> Linear:
        """Fit on everything, keep what mattered most, and fit again on that."""
        features = Features.fit(readings, blocks)
        matrix = features.transform(readings)
        if any(len(v.names) > v.block.most for v in features.vocabularies.values()):
            weights, _ = _fit_each(matrix, wanted)
            features = features.pruned(np.abs(weights).max(axis=1))
            matrix = features.transform(readings)
        return cls(features, *_fit_each(matrix, wanted))

    def scores(self, readings: Sequence[Reading]) -> FloatArray:
        """Log odds, not yet calibrated, of shape (texts, classes)."""
        if not readings:
            return np.empty((0, len(self.bias)))
        scores: FloatArray = self.features.transform(readings) @ self.weights + self.bias
        return scores

    def whole_and_best(self, readings: Sequence[Reading]) -> FloatArray:
        """The score of each whole text and the best of any one sentence of it, of shape
        (texts, classes, 2); a theme named once in a long text would else drown in it."""
        whole = self.scores(readings)
        best = whole.copy()
        parts = [reading.sentences() for reading in readings]
        several = [row for row, sentences in enumerate(parts) if len(sentences) > 1]
        if several:
            scores = self.scores([sentence for row in several for sentence in parts[row]])
            starts = np.cumsum([0, *(len(parts[row]) for row in several[:-1])])
            best[several] = np.maximum.reduceat(scores, starts)
        return np.stack([whole, best], axis=2)

    def contributions(
        self, readings: Sequence[Reading], columns: Sequence[int]
    ) -> list[FloatArray]:
        """What each word of each text gave to the score of the class of the same place."""
        if not readings:
            return []
        matrix = self.features.transform(readings)
        return [
            self._by_word(reading, matrix, row, column)
            for row, (reading, column) in enumerate(zip(readings, columns, strict=True))
        ]

    def _by_word(
        self, reading: Reading, matrix: sp.csr_matrix, row: int, column: int
    ) -> FloatArray:
        own = slice(matrix.indptr[row], matrix.indptr[row + 1])
        indices = matrix.indices[own]
        worth = matrix.data[own] * self.weights[indices, column]
        value = dict(zip(indices.tolist(), worth.tolist(), strict=True))
        given = np.zeros(len(reading.words))
        columns = self.features.columns()
        if "characters" in columns:
            cut, start = self.features.vocabularies["characters"], columns["characters"].start
            worth_of = {place - start: given_by for place, given_by in value.items()}
            given += [sum(map(worth_of.__getitem__, cut.word_places(w))) for w in reading.words]
        if "words" in columns:
            self._add_words(reading, given, value, columns["words"].start)
        return given

    def _add_words(
        self, reading: Reading, given: FloatArray, value: Mapping[int, float], start: int
    ) -> None:
        vocabulary = self.features.vocabularies["words"]
        words = reading.words
        for i, word in enumerate(words):
            alone = vocabulary.place(word)
            if alone is not None:
                given[i] += value.get(start + alone, 0.0)
            pair = vocabulary.place(f"{word} {words[i + 1]}") if i + 1 < len(words) else None
            if pair is not None:
                given[i : i + 2] += value.get(start + pair, 0.0) / 2

    def state(self) -> dict[str, Any]:
        return {
            "features": self.features.state(),
            "weights": self.weights.astype(np.float16),
            "bias": self.bias.astype(np.float32),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Linear:
        return cls(Features.from_state(state["features"]), state["weights"], state["bias"])


def _fit_each(matrix: sp.csr_matrix, wanted: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """One regression a class; a class nobody labelled is never likely."""
    weights = np.zeros((matrix.shape[1], wanted.shape[1]))
    bias = np.full(wanted.shape[1], -10.0)

    def fit(column: int) -> None:
        model = LogisticRegression(C=STRENGTH, solver="liblinear", tol=1e-3, random_state=0)
        model.fit(matrix, wanted[:, column])
        weights[:, column] = model.coef_[0]
        bias[column] = model.intercept_[0]

    several = np.flatnonzero(wanted.any(axis=0) & ~wanted.all(axis=0)).tolist()
    # liblinear lets other threads run, but its sums must not start threads of their own.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fit, several))
    return weights, bias
