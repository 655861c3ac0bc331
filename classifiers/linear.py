"""One logistic regression a theme over sparse features, and what each word gave to its score."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from classifiers.features import BLOCKS, Features, FloatArray, Vocabulary
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
        """What each word of each text gave to the score of the class of the same place; a pair of
        words gave half to each."""
        if not readings:
            return []
        ends = np.cumsum([len(reading.words) for reading in readings])
        given = np.zeros(ends[-1])
        own = self.features.columns()
        for block in ("characters", "words"):
            if block in own:
                vocabulary, weights = self.features.vocabularies[block], self.weights[own[block]]
                said = _Said.of(readings, vocabulary)
                worth = said.values(vocabulary.transform(readings)) * vocabulary.shares[said.places]
                worth *= weights[said.places, np.asarray(columns)[said.texts]]
                given += np.bincount(said.words, worth, minlength=len(given))
        return np.split(given, ends[:-1])

    def state(self) -> dict[str, Any]:
        return {
            "features": self.features.state(),
            "weights": self.weights.astype(np.float16),
            "bias": self.bias.astype(np.float32),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Linear:
        return cls(Features.from_state(state["features"]), state["weights"], state["bias"])


class _Said(NamedTuple):
    """Every feature of every word of some texts, in three arrays of one length: the feature's
    column, its text, and its word, counted through all texts."""

    places: NDArray[np.intp]
    texts: NDArray[np.intp]
    words: NDArray[np.intp]

    @classmethod
    def of(cls, readings: Sequence[Reading], vocabulary: Vocabulary) -> _Said:
        said = [own for reading in readings for own in vocabulary.by_word(reading.words)]
        n_said = np.array([len(own) for own in said], dtype=np.intp)
        places = np.fromiter(itertools.chain.from_iterable(said), np.intp, count=n_said.sum())
        texts = np.repeat(np.arange(len(readings)), [len(reading.words) for reading in readings])
        return cls(places, np.repeat(texts, n_said), np.repeat(np.arange(len(said)), n_said))

    def values(self, matrix: sp.csr_matrix) -> FloatArray:
        """What the matrix has at each text and column; its columns stand in order."""
        n_columns = matrix.shape[1]
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        wanted = self.texts * n_columns + self.places
        found: FloatArray = matrix.data[np.searchsorted(rows * n_columns + matrix.indices, wanted)]
        return found


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
