"""From probabilities to what is said about a text: themes, subthemes, stances, evidence."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import is_doubtful, is_general, reason_to_abstain, says_nothing
from classifiers.features import FloatArray
from classifiers.learned_stance import StanceCase
from classifiers.lexicon import merge_spans
from classifiers.limits import Limits
from classifiers.reading import Reading
from lagesbild.records import Classified, Stance, ThemeMention
from lagesbild.text import language
from lagesbild.themes import load_themes

Chosen = tuple[Reading, str]  # a reading and a theme decided for it


class Explainer(Protocol):
    """What a classifier can tell about the themes it decided, a batch at a time, in order."""

    def words(self, chosen: Sequence[Chosen]) -> Sequence[Sequence[int]]:
        """Places of the words that made each decision; may be empty."""

    def subthemes(self, chosen: Sequence[Chosen]) -> Sequence[str | None]: ...

    def stances(self, cases: Sequence[StanceCase]) -> Sequence[tuple[Stance, bool]]:
        """Each mention's stance, and whether a person should look at it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What decisions are made by: theme order, limits, languages served, version to name."""

    themes: tuple[str, ...]
    limits: Limits
    languages: tuple[str, ...]
    version: str


def decide(
    readings: Sequence[Reading], probabilities: FloatArray, policy: Policy, explainer: Explainer
) -> list[Classified]:
    """One decision a reading, in order."""
    allowed = policy.limits.decided(probabilities)
    themes = [_chosen(*case, policy) for case in zip(readings, probabilities, allowed, strict=True)]
    chosen = [(r, theme) for r, own in zip(readings, themes, strict=True) for theme in own]
    cases = [StanceCase(*pair, w) for pair, w in zip(chosen, explainer.words(chosen), strict=True)]
    stances = explainer.stances(cases)
    told = iter(zip(cases, explainer.subthemes(chosen), stances, strict=True))
    decided = []
    for reading, row, own in zip(readings, probabilities, themes, strict=True):
        by_theme = dict(zip(policy.themes, map(float, row), strict=True))
        mine = list(itertools.islice(told, len(own)))
        mentions = tuple(
            ThemeMention(c.theme, sub, by_theme[c.theme], stance, _spans(reading, c.words))
            for c, sub, (stance, _) in mine
        )
        unclear = any(is_unclear for _, _, (_, is_unclear) in mine)
        decided.append(_classified(reading, mentions, by_theme, policy, unclear=unclear))
    return decided


def _chosen(
    reading: Reading, probabilities: FloatArray, allowed: NDArray[np.bool_], policy: Policy
) -> list[str]:
    """The themes within the limits, most probable first, at most three."""
    if says_nothing(reading):
        return []
    order = np.argsort(-probabilities, kind="stable")
    above = [int(i) for i in order if allowed[i]]
    return [policy.themes[i] for i in above[: load_themes().max_themes_per_text]]


def _classified(
    reading: Reading,
    mentions: tuple[ThemeMention, ...],
    by_theme: dict[str, float],
    policy: Policy,
    *,
    unclear: bool,
) -> Classified:
    """`unclear`: whether some mention's stance is for a person to look at."""
    row = np.array(list(by_theme.values()))
    spoken = language(reading.text)
    if mentions:
        limit = dict(zip(policy.themes, policy.limits.thresholds, strict=True))
        doubtful = any(is_doubtful(m.probability, limit[m.theme]) for m in mentions)
        review = doubtful or unclear or reading.is_short or spoken not in policy.languages
        return Classified(mentions, None, review, spoken, policy.version, by_theme)
    reason = reason_to_abstain(reading, row, policy.limits.thresholds, spoken, policy.languages)
    too_short = reading.is_short and not says_nothing(reading)  # coding rule R14
    review = too_short or is_general(reading) or reason != "none_of_these"
    return Classified((), reason, review, spoken, policy.version, by_theme)


def _spans(reading: Reading, words: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Character spans of the words, neighbours joined; the whole text where no word stands out."""
    tokens = reading.found.tokens
    runs: list[tuple[int, int]] = []
    for word in sorted(set(words)):
        if runs and tokens.words[runs[-1][1] + 1 : word] == []:
            runs[-1] = (runs[-1][0], word)
        else:
            runs.append((word, word))
    spans = [(tokens.starts[first], tokens.ends[last]) for first, last in runs]
    if spans:
        return merge_spans(spans)
    return ((0, len(reading.text)),)


def hit_subtheme(reading: Reading, theme: str) -> str | None:
    """The subtheme most of the theme's hits speak for, the first of equals."""
    hits = [h.term for h in reading.found.hits if h.term.theme == theme and h.term.subtheme]
    if not hits:
        return None
    return Counter(term.subtheme for term in hits).most_common(1)[0][0]
