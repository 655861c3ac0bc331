"""Readings as sparse rows of numbers: n-grams, the question's words, the lexicon's hits.

TF-IDF as scikit-learn counts it (smoothed idf, sublinear tf, unit length a block), but cut word by
word and remembered, since residents use the same words again and again, and since evidence needs
to know which word an n-gram came from.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifiers.reading import Reading

FloatArray = NDArray[np.float64]

_SHORTEST, _LONGEST = 2, 5  # letters of a character n-gram, within a word and its edges
_CACHE_WORDS = 200_000


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of feature. `units`: what is counted, or None where each word is cut into n-grams.

    `weight` scales the block against the others; `most` features are kept when it is pruned, and
    those in fewer than `min_texts` texts never begin. `is_weighed`: TF-IDF of unit length, else 1.
    """

    units: Callable[[Reading], Iterable[str]] | None
    weight: float
    most: int
    min_texts: int = 2
    is_weighed: bool = True


def _one_and_two(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{a} {b}" for a, b in itertools.pairwise(words))]


# Chosen by cross-validation over held-out voices (bench/crossvalidate.py).
BLOCKS: Mapping[str, Block] = {
    "characters": Block(None, 1.0, 45_000),
    "words": Block(lambda reading: _one_and_two(reading.words), 1.0, 15_000),
    "question": Block(lambda reading: _one_and_two(reading.question_words), 0.5, 2_000),
    "lexicon_themes": Block(lambda r: r.lexicon_themes, 0.3, 1_000, 1, is_weighed=False),
    "lexicon_terms": Block(lambda r: r.lexicon_terms, 0.15, 5_000, 1, is_weighed=False),
}
NGRAMS = ("characters", "words", "question")


def character_ngrams(word: str) -> list[str]:
    """N-grams of the word with its edges marked by spaces; a short word whole."""
    padded = f" {word} "
    cut = [
        padded[i : i + n]
        for n in range(_SHORTEST, min(_LONGEST, len(padded)) + 1)
        for i in range(len(padded) - n + 1)
    ]
    return cut or [padded]


class Vocabulary:
    """The features of one block: their names in a fixed order, and how much each weighs."""

    def __init__(self, block: str, names: Sequence[str], idf: NDArray[Any]) -> None:
        self.block = BLOCKS[block]
        self.names = list(names)
        self.idf = np.asarray(idf, dtype=np.float64)
        self._places = {name: place for place, name in enumerate(self.names)}
        self._known: dict[str, list[int]] = {}

    @classmethod
    def fit(cls, block: str, readings: Sequence[Reading]) -> Vocabulary:
        options = BLOCKS[block]
        texts: Counter[str] = Counter()
        for reading in readings:
            texts.update(set(_units(options, reading)))
        names = sorted(name for name, n in texts.items() if n >= options.min_texts)
        counts = np.array([texts[name] for name in names], dtype=np.float64)
        idf = np.log((1 + len(readings)) / (1 + counts)) + 1
        return cls(block, names, idf if options.is_weighed else np.ones(len(names)))

    def places(self, reading: Reading) -> list[int]:
        """The column of everything counted in the text, as often as it stands there."""
        if self.block.units is None:
            return [*itertools.chain.from_iterable(map(self.word_places, reading.words))]
        units = self.block.units(reading)
        return [self._places[unit] for unit in units if unit in self._places]

    def word_places(self, word: str) -> list[int]:
        """The columns of the character n-grams of one word."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _CACHE_WORDS:
                self._known.clear()
            cut = character_ngrams(word)
            known = self._known[word] = [self._places[n] for n in cut if n in self._places]
        return known

    def by_word(self, words: Sequence[str]) -> list[list[int]]:
        """The columns that each word counts in, by itself or in a pair with a neighbour."""
        if self.block.units is None:
            return [self.word_places(word) for word in words]
        found = [[self._places[word]] if word in self._places else [] for word in words]
        for i, pair in enumerate(itertools.pairwise(words)):
            place = self._places.get(" ".join(pair))
            if place is not None:
                found[i].append(place)
                found[i + 1].append(place)
        return found

    @functools.cached_property
    def shares(self) -> FloatArray:
        """How much of a feature each of its words has: half of a pair."""
        pairs = self.block.units is not None
        return np.array([0.5 if pairs and " " in name else 1.0 for name in self.names])

    def transform(self, readings: Sequence[Reading]) -> sp.csr_matrix:
        counted = [self.places(reading) for reading in readings]
        ends = np.cumsum([0, *map(len, counted)])
        columns = np.fromiter(itertools.chain.from_iterable(counted), np.int32, count=ends[-1])
        shape = (len(readings), len(self.names))
        counts = sp.csr_matrix((np.ones(len(columns)), columns, ends), shape=shape)
        counts.sum_duplicates()
        return self._weighed(counts) * self.block.weight

    def _weighed(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        if not self.block.is_weighed:
            counts.data[:] = 1.0
            return counts
        counts.data = (1.0 + np.log(counts.data)) * self.idf[counts.indices]
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(rows, counts.data**2, minlength=counts.shape[0]))
        counts.data /= np.maximum(lengths, 1e-12)[rows]
        return counts

    def kept(self, wanted: NDArray[np.intp]) -> Vocabulary:
        """Only the wanted columns, in the same order."""
        name = next(key for key, block in BLOCKS.items() if block is self.block)
        order = np.sort(wanted)
        return Vocabulary(name, [self.names[i] for i in order], self.idf[order])


def _units(block: Block, reading: Reading) -> Iterable[str]:
    if block.units is not None:
        return block.units(reading)
    return (ngram for word in reading.words for ngram in character_ngrams(word))


class Features:
    """Vocabularies side by side in the columns of one sparse matrix."""

    def __init__(self, vocabularies: Mapping[str, Vocabulary]) -> None:
        self.vocabularies = dict(vocabularies)

    @classmethod
    def fit(cls, readings: Sequence[Reading], blocks: Sequence[str] = tuple(BLOCKS)) -> Features:
        return cls({block: Vocabulary.fit(block, readings) for block in blocks})

    def transform(self, readings: Sequence[Reading]) -> sp.csr_matrix:
        parts = [vocabulary.transform(readings) for vocabulary in self.vocabularies.values()]
        return sp.csr_matrix(sp.hstack(parts, format="csr"))

    def columns(self) -> dict[str, slice]:
        """Where each block's columns stand."""
        found, start = {}, 0
        for name, vocabulary in self.vocabularies.items():
            found[name] = slice(start, start + len(vocabulary.names))
            start = found[name].stop
        return found

    def pruned(self, importance: FloatArray) -> Features:
        """Only the most important columns of each block, at most as many as the block allows."""
        kept = {}
        for name, columns in self.columns().items():
            order = np.argsort(-importance[columns], kind="stable")[: BLOCKS[name].most]
            kept[name] = self.vocabularies[name].kept(order)
        return Features(kept)

    def state(self) -> dict[str, Any]:
        """Plain strings and arrays, for saving."""
        return {
            name: {"names": "\n".join(v.names), "idf": v.idf.astype(np.float32)}
            for name, v in self.vocabularies.items()
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Features:
        return cls(
            {
                name: Vocabulary(
                    name, saved["names"].split("\n") if saved["names"] else [], saved["idf"]
                )
                for name, saved in state.items()
            }
        )
