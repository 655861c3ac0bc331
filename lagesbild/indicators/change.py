"""Has it changed? Ratios between two periods, with "cannot be told" as an answer.

Every test takes a `Dispersion`; without one, chance is understated and too much looks changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot, inf, log
from typing import Literal

from scipy.stats import beta, false_discovery_control, norm

from lagesbild.indicators.dispersion import POISSON, Dispersion
from lagesbild.indicators.estimate import LEVEL, Estimate

Verdict = Literal["more", "fewer", "cannot_be_told"]
VERDICTS_SV: Mapping[Verdict, str] = {
    "more": "fler",
    "fewer": "färre",
    "cannot_be_told": "går inte att avgöra",
}


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

    Each ratio gets its interval as in `change`; they are joined by MOVER on the log scale (Donner
    & Zou, Statistical Methods in Medical Research 21, 2012). 64 to 42 here against 58 to 55 there:
    0.69 (0.40-1.18), cannot be told. Other explanations stay: regression to the mean, a promise
    that raises reporting by itself.
    """
    shrink = spread.allowed()
    low_1, mid_1, high_1 = _log_odds(here, shrink)
    low_2, mid_2, high_2 = _log_odds(there, shrink)
    middle = mid_1 - mid_2
    down, up = hypot(mid_1 - low_1, high_2 - mid_2), hypot(high_1 - mid_1, mid_2 - low_2)
    z = float(norm.ppf((1 + LEVEL) / 2)) * abs(middle) / (down if middle > 0 else up)
    low, high = exp(middle - down), exp(middle + up)
    return Change(Estimate(exp(middle), low, high), 2 * float(norm.sf(z)), _verdict(low, high))


def _log_odds(pair: tuple[int, int], shrink: float) -> tuple[float, float, float]:
    """Low, middle and high of log(now / before)."""
    law = beta(pair[0] / shrink + 0.5, pair[1] / shrink + 0.5)
    low, middle, high = law.ppf([(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return (log(_odds(low)), log(_odds(middle)), log(_odds(high)))
