"""What the season explains: the same week of other years, the month, the trend, the hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from zoneinfo import ZoneInfo

from statsmodels.tsa.seasonal import STL  # type: ignore[import-untyped]

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MONTHS_FOR_STL = 36


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Trend, season and rest of each month; they sum to the counts."""

    trend: tuple[float, ...]
    season: tuple[float, ...]
    rest: tuple[float, ...]


def decompose(monthly: Sequence[int]) -> Decomposition | None:
    """Trend and season of consecutive months; None for fewer than three years.

    STL, robust: R. B. Cleveland et al., Journal of Official Statistics 6 (1990) 3-73, as in
    statsmodels. One odd month does not bend the trend.
    """
    if len(monthly) < MONTHS_FOR_STL:
        return None
    fit = STL([float(n) for n in monthly], period=12, robust=True).fit()
    return Decomposition(*(tuple(map(float, p)) for p in (fit.trend, fit.seasonal, fit.resid)))


def month_index(monthly: Mapping[str, int]) -> dict[int, float]:
    """How each month of the year compares with an average month, 100 = as usual.

    `monthly`: "2025-03" -> count. Only whole calendar years count, at least two; else empty. Each
    year is set to 100 by itself, so growth does not pass for season.
    """
    years = {period[:4] for period in monthly}
    whole = [y for y in years if all(f"{y}-{m:02d}" in monthly for m in range(1, 13))]
    means = {y: fmean(monthly[f"{y}-{m:02d}"] for m in range(1, 13)) for y in whole}
    whole = [year for year in whole if means[year] > 0]
    if len(whole) < 2:
        return {}
    return {
        m: 100 * fmean(monthly[f"{year}-{m:02d}"] / means[year] for year in whole)
        for m in range(1, 13)
    }


def weekday_hour(moments: Iterable[datetime]) -> list[list[int]]:
    """Counts by weekday (Monday first) and hour in Stockholm. `moments`: when things happened,
    aware; when they were reported says more about the reporter's evening than about the place."""
    matrix = [[0] * 24 for _ in range(7)]
    for moment in moments:
        if moment.tzinfo is None:
            raise ValueError("a moment without time zone")
        local = moment.astimezone(STOCKHOLM)
        matrix[local.weekday()][local.hour] += 1
    return matrix
