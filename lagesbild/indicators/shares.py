"""Shares of reports, with an interval."""

from __future__ import annotations

from math import sqrt

from scipy.special import ndtri

from lagesbild.indicators.estimate import LEVEL, Estimate


def share(part: int, whole: int, level: float = LEVEL) -> Estimate | None:
    """The share `part` of `whole` (0-1) with Wilson's score interval; None where there is nothing.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22
    (1927) 209-212. Good for small numbers too: 12 of 25 gives 30-67 %. The reports are taken as a
    sample of what might have been reported, not of the residents.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} is no share")
    if whole == 0:
        return None
    z = float(ndtri((1 + level) / 2))
    p = part / whole
    middle = (p + z * z / (2 * whole)) / (1 + z * z / whole)
    reach = z / (1 + z * z / whole) * sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return Estimate(p, min(p, max(0.0, middle - reach)), max(p, min(1.0, middle + reach)))
