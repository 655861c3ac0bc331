"""The lexicon as a classifier of its own: no training, every decision a word one can point at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifiers.decision import Chosen, Policy, decide, hit_subtheme
from classifiers.features import FloatArray
from classifiers.learned_stance import StanceCase, surroundings
from classifiers.lexicon import bundled_lexicon
from classifiers.limits import Limits
from classifiers.reading import Reading, read
from classifiers.stance import rule_stance
from lagesbild.records import Classified, Stance
from lagesbild.themes import load_themes

# How often a strong hit, a weak hit and no hit were right on our labelled texts, rounded.
_STRONG, _WEAK, _NONE = 0.6, 0.5, 0.05


class LexiconClassifier:
    """Probabilities are three steps only: a strong hit, a weak one, none."""

    name = "lexicon"
    languages = ("sv", "en")

    def __init__(self) -> None:
        plan = load_themes()
        self.themes = plan.decided
        self.version = f"lexicon-{plan.version}-{bundled_lexicon().version}"
        limits = Limits(np.full(len(self.themes), _WEAK))
        self._policy = Policy(self.themes, limits, self.languages, self.version)

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
        found = np.full((len(readings), len(self.themes)), _NONE)
        for row, reading in enumerate(readings):
            for hit in reading.found.hits:
                column = self.themes.index(hit.term.theme)
                step = _STRONG if hit.term.kind == "strong" else _WEAK
                found[row, column] = max(found[row, column], step)
        return found

    def words(self, chosen: Sequence[Chosen]) -> list[list[int]]:
        return [reading.theme_words(theme) for reading, theme in chosen]

    def subthemes(self, chosen: Sequence[Chosen]) -> list[str | None]:
        return [hit_subtheme(reading, theme) for reading, theme in chosen]

    def stances(self, cases: Sequence[StanceCase]) -> list[tuple[Stance, bool]]:
        stances = map(rule_stance, surroundings(cases))
        return [(stance, stance == "oklart") for stance in stances]
