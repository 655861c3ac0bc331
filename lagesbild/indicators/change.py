"""Has it changed? Ratios between two periods, with "cannot be told" as an answer.

Reports come in bursts (one event, one neighbour who writes often), so counts vary more than
Poisson's law says. Every test here takes a `Dispersion`, estimated from the history of the same
kind of counts; without one, chance is understated and too much looks changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import Literal

import numpy as np
from scipy.stats import beta, false_discovery_control, norm
from scipy.stats import t as student

from lagesbild.indicators.estimate import LEVEL, Estimate

Verdict = Literal["more", "fewer", "cannot_be_told"]
VERDICTS_SV: Mapping[Verdict, str] = {
    "more": "fler",
    "fewer": "färre",
    "cannot_be_told": "går inte att avgöra",
}


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Variance over mean of counts under unchanged conditions; `df`: how much it rests on."""

    factor: float = 1.0
    df: float = inf

    def allowed(self, level: float = LEVEL) -> float:
        """The factor, enlarged for being an estimate itself: Student's t for the normal."""
        if self.df == inf:
            return self.factor
        tail = (1 + level) / 2
        return self.factor * float((student.ppf(tail, self.df) / norm.ppf(tail)) ** 2)


POISSON = Dispersion()


def dispersion(history: Sequence[Sequence[int]]) -> Dispersion:
    """From a table of counts, one row for each area (or theme), one column for each period.

    Pearson's chi-square over its degrees of freedom in the model "row x column": seasons common to
    all rows do not count as noise (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5 and
    6.2.3). Never below 1. Rows should be of about the same size as the counts to be tested.
    """
    table = np.asarray(history, dtype=float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError("at least two rows and two periods with reports are needed")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    chi_square = float(((table - expected) ** 2 / expected).sum())
    return Dispersion(max(1.0, chi_square / df), df)


@dataclass(frozen=True, slots=True)
class Change:
    """`ratio`: now over before. `p_value`: how often chance alone would give as much."""

    ratio: Estimate
    p_value: float
    verdict: Verdict


def change(
    now: int,
    before: int,
    spread: Dispersion = POISSON,
    exposure: tuple[float, float] = (1.0, 1.0),
    level: float = LEVEL,
) -> Change:
    """The rate ratio of two counts. `exposure`: days or residents of the two periods.

    Given the sum of both, `now` is binomial (Przyborowski & Wilenski, Biometrika 31, 1940). The
    interval of that share is Jeffreys' (beta quantiles, half a report added to each; Brown, Cai &
    DasGupta, Statistical Science 16, 2001); overdispersed counts enter as count/dispersion
    independent reports. Nothing in both periods: cannot be told.
    """
    if now < 0 or before < 0:
        raise ValueError("a count is never negative")
    scale = exposure[1] / exposure[0]
    if now + before == 0:
        return Change(Estimate(float("nan"), 0.0, inf), 1.0, "cannot_be_told")
    shrink = spread.allowed(level)
    law = beta(now / shrink + 0.5, before / shrink + 0.5)
    tail = (1 - level) / 2
    low = 0.0 if now == 0 else _odds(float(law.ppf(tail))) * scale
    high = inf if before == 0 else _odds(float(law.ppf(1 - tail))) * scale
    even = exposure[0] / (exposure[0] + exposure[1])
    below = float(law.cdf(even))
    ratio = inf if before == 0 else now / before * scale
    return Change(
        Estimate(ratio, low, high), min(1.0, 2 * min(below, 1 - below)), _verdict(low, high)
    )


def _odds(p: float) -> float:
    return inf if p >= 1 else p / (1 - p)


def _verdict(low: float, high: float) -> Verdict:
    if low > 1:
        return "more"
    return "fewer" if high < 1 else "cannot_be_told"


@dataclass(frozen=True, slots=True)
class Detectable:
    """How few or many reports it takes to tell. `at_most` is None where even 0 tells nothing."""

    before: int
    at_most: int | None
    at_least: int


def detectable(before: int, spread: Dispersion = POISSON) -> Detectable:
    """The counts from which `change` would answer "fewer" or "more" after `before` reports."""
    at_least = max(before, 1)
    while change(at_least, before, spread).verdict != "more":
        at_least += 1
    fewer = [n for n in range(before) if change(n, before, spread).verdict == "fewer"]
    return Detectable(before, max(fewer, default=None), at_least)


def discoveries(changes: Sequence[Change], rate: float = 0.05) -> list[bool]:
    """Which of many changes to believe, so that at most a share `rate` of them is chance.

    Y. Benjamini & Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995) 289-300.
    """
    if not changes:
        return []
    adjusted = false_discovery_control([c.p_value for c in changes], method="bh")
    return [bool(p <= rate) for p in adjusted]


def compared_change(
    here: tuple[int, int], there: tuple[int, int], spread: Dispersion = POISSON
) -> Change:
    """The ratio of ratios: (now, before) here against (now, before) in a comparison area.

    Normal on the log scale with half a report added to each count (Gart; Agresti, Categorical Data
    Analysis, 2013, 3.1). 64 to 42 here against 58 to 55 there: 0.69 (0.41-1.18), cannot be told.
    Other explanations stay: regression to the mean, a promise that raises reporting by itself.
    """
    counts = [n + 0.5 for n in (*here, *there)]
    middle = log(counts[0] / counts[1] / (counts[2] / counts[3]))
    error = sqrt(spread.allowed() * sum(1 / n for n in counts))
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    low, high = exp(middle - reach), exp(middle + reach)
    p_value = 2 * float(norm.sf(abs(middle) / error))
    return Change(Estimate(exp(middle), low, high), p_value, _verdict(low, high))
