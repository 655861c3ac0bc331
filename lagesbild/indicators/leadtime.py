"""From reported to closed, where some reports are still open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from scipy.stats import norm

from lagesbild.indicators.estimate import LEVEL, Estimate


@dataclass(frozen=True, slots=True)
class LeadTime:
    """Days until half, and nine in ten, are closed; None where too many are still open to say."""

    n_closed: int
    n_open: int
    median_days: Estimate | None
    p90_days: Estimate | None


def lead_time(days: Sequence[float], is_closed: Sequence[bool]) -> LeadTime:
    """Quantiles by the product-limit estimate, so that open reports count as long as they last.

    `days`: from reported to closed, or to today for open ones. E. L. Kaplan & P. Meier, JASA 53
    (1958) 457-481; intervals by Brookmeyer & Crowley, Biometrics 38 (1982), on the log-minus-log
    scale. The mean of closed reports alone would leave out exactly the slow ones.
    """
    if len(days) != len(is_closed):
        raise ValueError("one answer for each report")
    times, left, low, high = _still_open(np.asarray(days, float), np.asarray(is_closed, bool))
    return LeadTime(
        sum(is_closed),
        len(days) - sum(is_closed),
        _quantile(times, left, low, high, 0.5),
        _quantile(times, left, low, high, 0.9),
    )


def _still_open(
    days: np.ndarray, is_closed: np.ndarray
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Days with closings; the share still open after each; its interval."""
    z = float(norm.ppf((1 + LEVEL) / 2))
    times, left, low, high = [], [], [], []
    share, variance = 1.0, 0.0
    for day in np.unique(days[is_closed]):
        n_open = int((days >= day).sum())
        n_closed = int((is_closed & (days == day)).sum())
        share *= 1 - n_closed / n_open
        if n_open > n_closed:
            variance += n_closed / (n_open * (n_open - n_closed))
        times.append(float(day))
        left.append(share)
        reach = _exponent(share, variance, z)
        low.append(share**reach if share else 0.0)
        high.append(share ** (1 / reach) if share else 0.0)
    return times, left, low, high


def _exponent(share: float, variance: float, z: float) -> float:
    """Exponent that widens the share on the log-minus-log scale."""
    if share in (0.0, 1.0):
        return 1.0
    return float(np.exp(z * sqrt(variance) / abs(log(share))))


def _quantile(
    times: list[float], left: list[float], low: list[float], high: list[float], share: float
) -> Estimate | None:
    def first(curve: list[float]) -> float:
        reached = (t for t, s in zip(times, curve, strict=True) if s <= 1 - share + 1e-12)
        return next(reached, inf)

    value = first(left)
    return None if value == inf else Estimate(value, first(low), first(high))
