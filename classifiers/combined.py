"""The classifier that ships: a linear part for every text, an encoder for the doubtful ones.

The linear part is one regression over n-grams and lexicon hits, read over the whole text and over
its best sentence. A text that it leaves in doubt is read by the encoder too, and the two are
calibrated together. The encoder also reads a text whose stance the cues leave in doubt.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.decision import Chosen, Policy, decide
from classifiers.encoder.evidence import worth_of_words
from classifiers.encoder.joined import Joined, ScoresTexts, is_unsure
from classifiers.features import FloatArray
from classifiers.learned_stance import LearnedStance, StanceCase, log_shares
from classifiers.linear import Linear
from classifiers.reading import Reading, read
from classifiers.stance_shares import StanceShares
from lagesbild.records import STANCES, Classified, Stance
from lagesbild.themes import load_themes

_AT_ONCE = 256  # texts; the next ones are read while the encoder is at work on these
_MOST_WORDS = 4  # of an implicit text, shown as evidence
_ENOUGH = 0.4  # of the best word's contribution
# The share of the likeliest stance: by the cues alone, below which the encoder is asked; at last,
# below which a person should look (docs/decisions.md, 35).
_SURE = 0.95
_CLEAR = 0.8


@dataclass(frozen=True, slots=True)
class Model:
    """All that is trained. `subthemes` has one column for each of `subtheme_keys`; `by_cues` weighs
    the cues' word on stance, `by_both` the encoder's beside it; `joined` is None where there is no
    encoder."""

    linear: Linear
    subthemes: Linear
    subtheme_keys: tuple[str, ...]
    stance: LearnedStance
    by_cues: StanceShares
    by_both: StanceShares | None
    calibration: Calibration
    languages: tuple[str, ...]
    joined: Joined | None = None

    def state(self) -> dict[str, Any]:
        return {
            "linear": self.linear.state(),
            "subthemes": self.subthemes.state(),
            "subtheme_keys": list(self.subtheme_keys),
            "stance": self.stance.state(),
            "by_cues": self.by_cues.state(),
            "by_both": self.by_both.state() if self.by_both else None,
            "calibration": self.calibration.state(),
            "languages": list(self.languages),
            "themes": list(load_themes().decided),
            "joined": self.joined.state() if self.joined else None,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], encoder: ScoresTexts | None = None) -> Model:
        return cls(
            Linear.from_state(state["linear"]),
            Linear.from_state(state["subthemes"]),
            tuple(state["subtheme_keys"]),
            LearnedStance.from_state(state["stance"]),
            StanceShares.from_state(state["by_cues"]),
            StanceShares.from_state(state["by_both"]) if state["by_both"] else None,
            Calibration.from_state(state["calibration"]),
            tuple(state["languages"]),
            Joined.from_state(state["joined"], encoder) if encoder else None,
        )


@dataclass(frozen=True, slots=True)
class _Scored:
    """`stances`: what the encoder said of each theme's stance, by the identity of the reading."""

    probabilities: FloatArray
    stances: Mapping[int, FloatArray]


class CombinedClassifier:
    """One calibrated regression a theme; where it is unsure, the encoder is asked as well."""

    name = "combined"

    def __init__(self, model: Model, version: str) -> None:
        self.themes = load_themes().decided
        self.version = version
        self.model = model
        last = model.joined.calibration if model.joined else model.calibration
        self._policy = Policy(self.themes, last.limits, model.languages, version)

    def probabilities(
        self, texts: Sequence[str], questions: Sequence[str | None] | None = None
    ) -> FloatArray:
        return self._begin(read(texts, questions))().probabilities

    def classify(
        self, texts: Sequence[str], questions: Sequence[str | None] | None = None
    ) -> list[Classified]:
        asked = questions if questions is not None else [None] * len(texts)
        parts = [slice(start, start + _AT_ONCE) for start in range(0, len(texts), _AT_ONCE)]
        begun = []
        for part in parts:
            readings = read(texts[part], asked[part])
            begun.append((readings, self._begin(readings)))
        return [one for readings, wait in begun for one in self._decided(readings, wait())]

    def _decided(self, readings: Sequence[Reading], scored: _Scored) -> list[Classified]:
        return decide(readings, scored.probabilities, self._policy, _Told(self.model, scored))

    def _begin(self, readings: Sequence[Reading]) -> Callable[[], _Scored]:
        """Scores by the linear part, and returns what waits for the encoder's word on the rest."""
        linear = self.model.linear.whole_and_best(readings)
        probabilities = self.model.calibration.probabilities(linear)
        joined = self.model.joined
        unsure = np.flatnonzero(is_unsure(probabilities)) if joined else np.empty(0, dtype=np.intp)
        if joined is None or not unsure.size:
            return lambda: _Scored(probabilities, {})
        asked = [readings[int(i)] for i in unsure]
        told = joined.encoder.begin(asked)

        def wait() -> _Scored:
            encoded = told()
            probabilities[unsure] = joined.probabilities(linear[unsure], encoded)
            return _Scored(probabilities, dict(zip(map(id, asked), encoded.stances, strict=True)))

        return wait


class _Told:
    """What the model tells about the themes decided for one batch of readings."""

    def __init__(self, model: Model, scored: _Scored) -> None:
        self._model = model
        self._scored = scored
        self._themes = load_themes().decided

    def words(self, chosen: Sequence[Chosen]) -> list[list[int]]:
        """The lexicon's hits; where there are none, the words that gave most to the linear score;
        where none gave anything, those whose loss lowers the encoder's score most."""
        found = [reading.theme_words(theme) for reading, theme in chosen]
        bare = [i for i, words in enumerate(found) if not words]
        pairs = [(chosen[i][0], self._themes.index(chosen[i][1])) for i in bare]
        given = self._model.linear.contributions([r for r, _ in pairs], [c for _, c in pairs])
        for i, pair, worth in zip(bare, pairs, given, strict=True):
            found[i] = heaviest(worth) or self._missed_most(*pair)
        return found

    def _missed_most(self, reading: Reading, column: int) -> list[int]:
        if self._model.joined is None or id(reading) not in self._scored.stances:
            return []
        return heaviest(worth_of_words(self._model.joined.encoder, reading, column))

    def subthemes(self, chosen: Sequence[Chosen]) -> list[str | None]:
        """The likeliest of the theme's subthemes; None for a theme that has none."""
        scores = self._model.subthemes.scores([reading for reading, _ in chosen])
        return [self._subtheme(theme, row) for (_, theme), row in zip(chosen, scores, strict=True)]

    def _subtheme(self, theme: str, scores: FloatArray) -> str | None:
        keys = self._model.subtheme_keys
        best = max(_columns(keys, theme), key=scores.__getitem__, default=None)
        return None if best is None else keys[best].partition(".")[2]

    def stances(self, cases: Sequence[StanceCase]) -> list[tuple[Stance, bool]]:
        """The likeliest stance by the cues, and by the encoder where it was asked; unclear where
        its share is small."""
        if not cases:
            return []
        own = self._model.stance.scores(cases)
        shares = self._model.by_cues.of([own])
        told = {**self._scored.stances, **self._asked_too(cases, shares)}
        both = [row for row, case in enumerate(cases) if id(case.reading) in told]
        if both and self._model.by_both:
            columns = [self._themes.index(cases[row].theme) for row in both]
            encoded = [told[id(cases[row].reading)] for row in both]
            theirs = np.array([e[c] for e, c in zip(encoded, columns, strict=True)])
            shares[both] = self._model.by_both.of([own[both], log_shares(theirs)])
        likeliest = [STANCES[best] for best in shares.argmax(axis=1)]
        unclear = shares.max(axis=1) < np.log(_CLEAR)
        return [(s, s == "oklart" or bool(u)) for s, u in zip(likeliest, unclear, strict=True)]

    def _asked_too(self, cases: Sequence[StanceCase], shares: FloatArray) -> dict[int, FloatArray]:
        """The encoder's word on texts whose themes were sure, where the cues leave a stance in
        doubt."""
        joined = self._model.joined
        doubtful = {
            id(case.reading): case.reading
            for case, row in zip(cases, shares, strict=True)
            if row.max() < np.log(_SURE) and id(case.reading) not in self._scored.stances
        }
        if joined is None or not doubtful:
            return {}
        encoded = joined.encoder.scores(list(doubtful.values()))
        return dict(zip(doubtful, encoded.stances, strict=True))


@functools.cache
def _columns(keys: tuple[str, ...], theme: str) -> list[int]:
    """Where the theme's own subthemes stand."""
    return [column for column, key in enumerate(keys) if key.startswith(f"{theme}.")]


def heaviest(given: NDArray[np.float64]) -> list[int]:
    """The few words that gave most; none where nothing spoke for the theme."""
    if not given.size or given.max() <= 0:
        return []
    order = np.argsort(-given, kind="stable")[:_MOST_WORDS]
    return sorted(int(i) for i in order if given[i] >= _ENOUGH * given.max())
