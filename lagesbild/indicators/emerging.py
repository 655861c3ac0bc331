"""What is new: words and themes that are more common now than they used to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt

from scipy.stats import false_discovery_control, norm

from lagesbild.indicators.change import Change, change, discoveries
from lagesbild.indicators.dispersion import POISSON, Dispersion
from lagesbild.publish.disclosure import SMALLEST_SHOWN


@dataclass(frozen=True, slots=True)
class EmergingTerm:
    """A word now more common. `z`: log odds over its standard error."""

    term: str
    n_now: int
    n_before: int
    z: float


def emerging_terms(
    now: Mapping[str, int],
    before: Mapping[str, int],
    n_now: int,
    n_before: int,
    rate: float = 0.05,
) -> list[EmergingTerm]:
    """Words in more of `now`'s reports than `before`'s lead to expect, strongest first.

    `now`, `before`: word -> number of reports with it, among `n_now` and `n_before` reports. Log
    odds ratio with an informative Dirichlet prior from both together (Monroe, Colaresi & Quinn,
    Fightin' words, Political Analysis 16, 2008, 372-403), one-sided, with Benjamini & Hochberg's
    limit `rate` on false finds. Words in fewer than five reports now are never named.
    """
    terms = sorted(set(now) | set(before))
    scores = {
        term: _score(now.get(term, 0), before.get(term, 0), n_now, n_before) for term in terms
    }
    if not terms:
        return []
    adjusted = false_discovery_control([float(norm.sf(scores[term])) for term in terms])
    found = [
        EmergingTerm(term, now[term], before.get(term, 0), scores[term])
        for term, p in zip(terms, adjusted, strict=True)
        if p <= rate and now.get(term, 0) >= SMALLEST_SHOWN
    ]
    return sorted(found, key=lambda f: (-f.z, f.term))


def _score(now: int, before: int, n_now: int, n_before: int) -> float:
    """The z score of one word; the prior weighs as much as one report in both periods."""
    prior = (now + before) / (n_now + n_before)
    a, b = now + prior, before + prior
    rest_a, rest_b = n_now + 1 - a, n_before + 1 - b
    if rest_a <= 0 or rest_b <= 0:  # a word in every report says nothing
        return 0.0
    return (log(a / rest_a) - log(b / rest_b)) / sqrt(1 / a + 1 / b)


@dataclass(frozen=True, slots=True)
class EmergingTheme:
    """A theme with more reports now than before, beyond chance."""

    theme: str
    change: Change


def emerging_themes(
    now: Mapping[str, int],
    before: Mapping[str, int],
    spread: Mapping[str, Dispersion] | None = None,
    exposure: tuple[float, float] = (1.0, 1.0),
) -> list[EmergingTheme]:
    """Themes (or subthemes, or theme and area) that grew, largest growth first; see `change`."""
    keys = sorted(set(now) | set(before))
    spread = spread or {}
    changes = [
        change(now.get(key, 0), before.get(key, 0), spread.get(key, POISSON), exposure)
        for key in keys
    ]
    found = [
        EmergingTheme(key, one)
        for key, one, is_real in zip(keys, changes, discoveries(changes), strict=True)
        if is_real and one.verdict == "more" and now.get(key, 0) >= SMALLEST_SHOWN
    ]
    return sorted(found, key=lambda f: (-f.change.ratio.low, f.theme))
