"""The classifier that ships: parts that score, calibrated together, with learnt stance.

The parts today are one regression over n-grams and lexicon hits, read over the whole text and over
its best sentence. A further part (a sentence encoder) is a further entry of `parts` here and in
training.held_out_scores, and a further row in the calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.decision import Chosen, Policy, decide
from classifiers.features import FloatArray
from classifiers.learned_stance import LearnedStance, StanceCase
from classifiers.linear import Linear
from classifiers.reading import Reading, read
from lagesbild.records import Classified, Stance
from lagesbild.themes import load_themes

_MOST_WORDS = 4  # of an implicit text, shown as evidence
_ENOUGH = 0.4  # of the best word's contribution


# Scores readings in one or more ways: log odds or anything that grows with them, of shape
# (texts, themes, ways).
Part = Callable[[Sequence[Reading]], FloatArray]


@dataclass(frozen=True, slots=True)
class Model:
    """All that is trained. `subthemes` has one column for each of `subtheme_keys`."""

    linear: Linear
    subthemes: Linear
    subtheme_keys: tuple[str, ...]
    stance: LearnedStance
    calibration: Calibration
    languages: tuple[str, ...]

    def state(self) -> dict[str, Any]:
        return {
            "linear": self.linear.state(),
            "subthemes": self.subthemes.state(),
            "subtheme_keys": list(self.subtheme_keys),
            "stance": self.stance.state(),
            "calibration": self.calibration.state(),
            "languages": list(self.languages),
            "themes": list(load_themes().decided),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Model:
        return cls(
            Linear.from_state(state["linear"]),
            Linear.from_state(state["subthemes"]),
            tuple(state["subtheme_keys"]),
            LearnedStance.from_state(state["stance"]),
            Calibration.from_state(state["calibration"]),
            tuple(state["languages"]),
        )


class CombinedClassifier:
    """N-grams and lexicon hits in one calibrated regression a theme."""

    name = "combined"

    def __init__(self, model: Model, version: str) -> None:
        self.themes = load_themes().decided
        self.version = version
        self.model = model
        self.parts: tuple[Part, ...] = (model.linear.whole_and_best,)
        self._policy = Policy(self.themes, model.calibration.thresholds, model.languages, version)

    def probabilities(
        self, texts: Sequence[str], questions: Sequence[str | None] | None = None
    ) -> FloatArray:
        return self._probabilities(read(texts, questions))

    def classify(
        self, texts: Sequence[str], questions: Sequence[str | None] | None = None
    ) -> list[Classified]:
        readings = read(texts, questions)
        return decide(readings, self._probabilities(readings), self._policy, self)

    def _probabilities(self, readings: Sequence[Reading]) -> FloatArray:
        scores = np.concatenate([part(readings) for part in self.parts], axis=2)
        return self.model.calibration.probabilities(scores)

    def words(self, chosen: Sequence[Chosen]) -> list[list[int]]:
        """The lexicon's hits; where there are none, the words that gave most to the score."""
        found = [reading.theme_words(theme) for reading, theme in chosen]
        bare = [pair for pair, words in zip(chosen, found, strict=True) if not words]
        columns = [self.themes.index(theme) for _, theme in bare]
        given = iter(self.model.linear.contributions([r for r, _ in bare], columns))
        return [words or heaviest(next(given)) for words in found]

    def subthemes(self, chosen: Sequence[Chosen]) -> list[str | None]:
        """The likeliest of the theme's subthemes; None for a theme that has none."""
        scores = self.model.subthemes.scores([reading for reading, _ in chosen])
        return [self._subtheme(theme, row) for (_, theme), row in zip(chosen, scores, strict=True)]

    def _subtheme(self, theme: str, scores: FloatArray) -> str | None:
        keys = self.model.subtheme_keys
        own = [column for column, key in enumerate(keys) if key.startswith(f"{theme}.")]
        best = max(own, key=lambda column: float(scores[column]), default=None)
        return None if best is None else keys[best].partition(".")[2]

    def stances(self, cases: Sequence[StanceCase]) -> list[Stance]:
        return self.model.stance.choose(cases)


def heaviest(given: NDArray[np.float64]) -> list[int]:
    """The few words that gave most; none where nothing spoke for the theme."""
    if not given.size or given.max() <= 0:
        return []
    order = np.argsort(-given, kind="stable")[:_MOST_WORDS]
    return sorted(int(i) for i in order if given[i] >= _ENOUGH * given.max())
