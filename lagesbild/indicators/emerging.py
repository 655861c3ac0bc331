"""What is new: words and themes that are more common now than they used to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, hypergeom

from lagesbild.indicators.change import Change, change, discoveries
from lagesbild.indicators.dispersion import POISSON, Dispersion
from lagesbild.publish.disclosure import SMALLEST_SHOWN


@dataclass(frozen=True, slots=True)
class EmergingTerm:
    """A word now more common. `p_value`: how often chance alone would give as much."""

    term: str
    n_now: int
    n_before: int
    p_value: float


def emerging_terms(
    now: Mapping[str, int],
    before: Mapping[str, int],
    n_now: int,
    n_before: int,
    rate: float = 0.05,
) -> list[EmergingTerm]:
    """Words in more of `now`'s reports than `before`'s lead to expect, strongest first.

    `now`, `before`: word -> reports with it, of `n_now` and `n_before`. Fisher's
    exact test, one-sided (Statistical Methods for Research Workers, 1934, 21.02), with
    Benjamini & Hochberg's limit `rate` on false finds. It also finds words that were not there at
    all before, which log odds with a small prior (Monroe, Colaresi & Quinn, Political Analysis 16,
    2008) never call certain. Words in fewer than five reports now are never named.
    """
    terms = sorted(set(now) | set(before))
    if not terms:
        return []
    used = np.array([now.get(term, 0) for term in terms])
    together = used + np.array([before.get(term, 0) for term in terms])
    p_values = hypergeom.sf(used - 1, n_now + n_before, together, n_now)
    adjusted = false_discovery_control(p_values)
    found = [
        EmergingTerm(term, now[term], before.get(term, 0), float(p))
        for term, p, limit in zip(terms, p_values, adjusted, strict=True)
        if limit <= rate and now.get(term, 0) >= SMALLEST_SHOWN
    ]
    return sorted(found, key=lambda f: (f.p_value, f.term))


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
