"""How many reports really are about a theme, given that the classifier errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri
from scipy.stats import qmc

from lagesbild.indicators.estimate import LEVEL, Estimate

_DRAWS = 4_000
_SEED = 20_240_229  # any fixed number: the same counts give the same interval
_POINTS = 10  # as a power of two
_KNOTS = np.linspace(-3.6, 3.6, 25)  # of a normal distribution; no point lies further out
_AT_ONCE = 64  # cells; with many more the numbers leave the processor's cache
_ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Validation:
    """How the classifier did on one theme, on texts it was not trained on and people decided.

    `true_positive`: has the theme and was given it, and so on. From a sensitivity and n texts with
    the theme, and a specificity and m without: `Validation.of(sensitivity, n, specificity, m)`.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @classmethod
    def of(cls, sensitivity: float, n: int, specificity: float, m: int) -> Validation:
        found, right = round(sensitivity * n), round(specificity * m)
        return cls(found, m - right, n - found, right)


def corrected_count(n_found: int, n_reports: int, validation: Validation) -> Estimate | None:
    """How many of `n_reports` have the theme when the classifier found it in `n_found`.

    None where the classifier is no better than chance. See `corrected_counts`.
    """
    return corrected_counts([(n_found, n_reports)], validation)[0]


def corrected_counts(
    cells: Sequence[tuple[int, int]], validation: Validation
) -> list[Estimate | None]:
    """The same for many cells, (n_found, n_reports), of one theme: quick for tens of thousands.

    Rogan & Gladen's estimate (American Journal of Epidemiology 107, 1978, 71-76): it needs the
    classifier to err as often here as in the validation, but not that the theme is as common. The
    interval is for the real number among these very reports. Sensitivity, specificity and the rate
    of finding have beta distributions (half a text added); of the found and of the rest, as many
    have the theme as two binomial distributions say (normal, with their skewness, after Cornish &
    Fisher 1938). All four are taken at the same evenly spread points (Sobol 1967) for every cell.
    """
    if any(not 0 <= n_found <= n_reports for n_found, n_reports in cells):
        raise ValueError("more was found than there is")
    hit, alarm, _, _ = points = _points(validation)
    if np.quantile(hit - alarm, _ENDS[0]) <= 0:
        return [None] * len(cells)
    found: list[Estimate | None] = []
    for first in range(0, len(cells), _AT_ONCE):
        some = cells[first : first + _AT_ONCE]
        real = _real(np.array(some, dtype=np.float64), points)
        low, high = np.rint(np.quantile(real, _ENDS, axis=1))
        found += [
            _estimate(n_found, n_reports, validation, float(a), float(b))
            for (n_found, n_reports), a, b in zip(some, low, high, strict=True)
        ]
    return found


@lru_cache(maxsize=64)
def _points(v: Validation) -> tuple[Floats, Floats, Floats, Floats]:
    """Sensitivity, false alarms, and two standard normal numbers, at every point."""
    even = qmc.Sobol(4, scramble=False).random_base2(_POINTS) + 0.5 / 2**_POINTS
    hit = betaincinv(v.true_positive + 0.5, v.false_negative + 0.5, even[:, 0])
    alarm = betaincinv(v.false_positive + 0.5, v.true_negative + 0.5, even[:, 1])
    return _within(hit), _within(alarm), ndtri(even[:, 2]), ndtri(even[:, 3])


def _within(rate: Floats) -> Floats:
    """Never 0 or 1, which some of many digits become."""
    return np.clip(rate, 1e-12, 1 - 1e-12)


def _real(cells: Floats, points: tuple[Floats, Floats, Floats, Floats]) -> Floats:
    """How many have the theme: a row for each cell, a column for each point."""
    hit, alarm, of_rate, of_number = points
    n_found, n_reports = cells[:, :1], cells[:, 1:]
    n_rest = n_reports - n_found
    rate = _beta(n_found + 0.5, n_rest + 0.5, of_rate)
    share = np.clip((rate - alarm) / (hit - alarm), 0.0, 1.0)
    right = share * hit / (share * hit + (1 - share) * alarm)
    missed = share * (1 - hit) / (share * (1 - hit) + (1 - share) * (1 - alarm))
    spread_found, spread_rest = n_found * right * (1 - right), n_rest * missed * (1 - missed)
    variance = spread_found + spread_rest + 1e-12
    skew = (spread_found * (1 - 2 * right) + spread_rest * (1 - 2 * missed)) / variance
    spread = np.sqrt(variance)
    bent = np.minimum(spread, 1.0) * skew * (of_number**2 - 1) / 6  # far less than one: no number
    real = n_found * right + n_rest * missed + spread * of_number + bent
    return np.clip(real, 0, n_reports)


def _beta(a: Floats, b: Floats, at: Floats) -> Floats:
    """Beta distributed rates, a row for each a and b; logits are straight between the knots."""
    exact = _within(betaincinv(a, b, ndtr(_KNOTS)))
    logits = np.log(exact / (1 - exact))
    place = (at - _KNOTS[0]) / (_KNOTS[1] - _KNOTS[0])
    left = place.astype(int)
    between = logits[:, left] + (place - left) * (logits[:, left + 1] - logits[:, left])
    rate: Floats = 1 / (1 + np.exp(-between))
    return rate


def _estimate(n_found: int, n_reports: int, v: Validation, low: float, high: float) -> Estimate:
    value = n_reports * _point(n_found / n_reports, v) if n_reports else 0.0
    return Estimate(value, min(low, value), max(high, value))


def post_stratified_count(n_found: int, n_reports: int, read: Validation) -> Estimate | None:
    """How many of `n_reports` have the theme, when people read a random sample of these very ones.

    Unlike `corrected_count` it needs nothing of the classifier: were it to err otherwise here than
    anywhere before, the sample would tell. Texts found and not found are counted apart (W. G.
    Cochran, Sampling Techniques, 1977, 5A.9); each rest not read is drawn from a beta-binomial
    distribution, half a text added. None where nothing was read among the found or the others.
    """
    strata = (
        (n_found, read.true_positive, read.false_positive),
        (n_reports - n_found, read.false_negative, read.true_negative),
    )
    if any(real + other > n for n, real, other in strata):
        raise ValueError("more was read than there is")
    if any(n > 0 == real + other for n, real, other in strata):
        return None
    rng, value, drawn = np.random.default_rng(_SEED), 0.0, np.zeros(_DRAWS)
    for n, real, other in strata:
        rest = n - real - other
        if n:
            value += n * real / (real + other)
            drawn += real + rng.binomial(rest, rng.beta(real + 0.5, other + 0.5, _DRAWS))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(min(floor(low), value)), float(max(ceil(high), value)))


def _point(rate: float, v: Validation) -> float:
    hit = (v.true_positive + 0.5) / (v.true_positive + v.false_negative + 1)
    alarm = (v.false_positive + 0.5) / (v.false_positive + v.true_negative + 1)
    return min(1.0, max(0.0, (rate - alarm) / (hit - alarm)))
