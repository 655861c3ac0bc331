"""The stance learnt from labelled mentions: the cues around a mention and the words of its text."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.features import Features, FloatArray
from classifiers.reading import Reading
from classifiers.stance import Surroundings, bundled_stance_reader
from lagesbild.records import STANCES, Stance

# Chosen by cross-validation over held-out voices (bench/crossvalidate.py).
_STRENGTH = 1.0
_WORDS_WEIGHT = 3.0
_CUES_WEIGHT = 0.5
_BLOCKS = ("words", "question")
_RARE = 0.02  # importance below which a word is not worth its room in the saved model


class StanceCase(NamedTuple):
    """One theme mentioned in one text, and the words that mention it (none when implicit)."""

    reading: Reading
    theme: str
    words: Sequence[int]


def surroundings(cases: Sequence[StanceCase]) -> list[Surroundings]:
    """The cues around each mention; those of a text with several mentions are found once."""
    reader = bundled_stance_reader()
    known: dict[int, list[tuple[str, int]]] = {}
    found = []
    for case in cases:
        key = id(case.reading)
        if key not in known:
            known[key] = reader.cues(case.reading.found.tokens)
        found.append(reader.around(case.reading.found, case.theme, case.words, known[key]))
    return found


def log_shares(scores: FloatArray) -> FloatArray:
    """Log odds of exclusive choices, along the last axis, as log probabilities."""
    top = scores.max(axis=-1, keepdims=True)
    shares: FloatArray = scores - top - np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))
    return shares


class LearnedStance:
    """Multinomial regression; `cues` are the names of the leading columns, in order."""

    def __init__(
        self,
        cues: Sequence[str],
        features: Features,
        weights: NDArray[Any],
        bias: NDArray[Any],
        stances: Sequence[Stance],
    ) -> None:
        self._cues = {name: place for place, name in enumerate(cues)}
        self._features = features
        self._weights = np.asarray(weights, dtype=np.float64)
        self._bias = np.asarray(bias, dtype=np.float64)
        self._stances = tuple(stances)

    @classmethod
    def fit(cls, cases: Sequence[StanceCase], stances: Sequence[Stance]) -> LearnedStance:
        around = surroundings(cases)
        cues = sorted({name for s in around for name in s.features()})
        features = Features.fit([case.reading for case in cases], _BLOCKS)
        fitted = cls._fit(cues, features, cases, around, stances)
        importance = np.abs(fitted._weights[len(cues) :]).max(axis=1)
        importance[importance < _RARE] = 0.0
        return cls._fit(cues, features.pruned(importance), cases, around, stances)

    @classmethod
    def _fit(
        cls,
        cues: Sequence[str],
        features: Features,
        cases: Sequence[StanceCase],
        around: Sequence[Surroundings],
        stances: Sequence[Stance],
    ) -> LearnedStance:
        seen = [stance for stance in STANCES if stance in set(stances)]
        unfitted = cls(cues, features, np.zeros((0, 0)), np.zeros(0), seen)
        model = LogisticRegression(C=_STRENGTH, max_iter=500)
        model.fit(unfitted._matrix(cases, around), [seen.index(stance) for stance in stances])
        weights, bias = model.coef_.T, model.intercept_
        if len(seen) == 2:  # scikit-learn keeps one column where there are two classes
            weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
        return cls(cues, features, weights, bias, seen)

    def choose(self, cases: Sequence[StanceCase]) -> list[Stance]:
        return [STANCES[best] for best in self.scores(cases).argmax(axis=1)] if cases else []

    def scores(self, cases: Sequence[StanceCase]) -> FloatArray:
        """Log probabilities of shape (cases, stances), the columns in the order of STANCES."""
        scores = self._matrix(cases, surroundings(cases)) @ self._weights + self._bias
        every = np.full((len(cases), len(STANCES)), -np.inf)
        every[:, [STANCES.index(stance) for stance in self._stances]] = log_shares(scores)
        return every

    def _matrix(self, cases: Sequence[StanceCase], around: Sequence[Surroundings]) -> sp.csr_matrix:
        own = [[self._cues[n] for n in s.features() if n in self._cues] for s in around]
        ends = np.cumsum([0, *map(len, own)])
        columns = np.fromiter(itertools.chain.from_iterable(own), np.int32, count=ends[-1])
        shape = (len(cases), len(self._cues))
        cues = sp.csr_matrix((np.full(len(columns), _CUES_WEIGHT), columns, ends), shape=shape)
        words = self._features.transform([case.reading for case in cases]) * _WORDS_WEIGHT
        return sp.csr_matrix(sp.hstack([cues, words], format="csr"))

    def state(self) -> dict[str, Any]:
        return {
            "cues": "\n".join(self._cues),
            "features": self._features.state(),
            "weights": self._weights.astype(np.float16),
            "bias": self._bias.astype(np.float32),
            "stances": list(self._stances),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LearnedStance:
        return cls(
            state["cues"].split("\n"),
            Features.from_state(state["features"]),
            state["weights"],
            state["bias"],
            state["stances"],
        )
