"""How much of a week has come in: reports arrive late, so the latest weeks look too calm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

COMPLETE = 0.95


@dataclass(frozen=True, slots=True)
class WeekCompleteness:
    """`share`: expected share of the week's reports that have come (0-1)."""

    monday: date
    n_reports: int
    share: float

    @property
    def is_complete(self) -> bool:
        return self.share >= COMPLETE


def arrived_after(
    reports: Iterable[tuple[date, date]], since: date, until: date, n_weeks: int = 12
) -> list[float]:
    """Share of a week's reports that have come k weeks after it ended, for k = 0 .. n_weeks.

    `reports`: (day reported, day it reached us). `since`: the day regular pulls began; earlier
    weeks came all at once and say nothing about delay. `until`: the last day whose arrivals are
    known. Chain ladder over the triangle of weeks and delays, so that young weeks, whose late
    reports are still to come, do not make delays look short (Lawless, Canadian Journal of
    Statistics 22, 1994, 15-31). Later than `n_weeks` is taken as never.
    """
    triangle = _triangle(reports, since, until, n_weeks)
    shares = [1.0]
    for delay in range(n_weeks, 0, -1):
        known = [row for row in triangle if len(row) > delay]
        upto = sum(sum(row[: delay + 1]) for row in known)
        without = sum(sum(row[:delay]) for row in known)
        shares.append(shares[-1] * (without / upto if upto else 1.0))
    return shares[::-1]


def _triangle(
    reports: Iterable[tuple[date, date]], since: date, until: date, n_weeks: int
) -> list[list[int]]:
    """For each whole week: how many of its reports came with a delay of 0, 1, ... whole weeks."""
    first = since + timedelta(days=-since.weekday() % 7)
    counts: Counter[tuple[date, int]] = Counter()
    for reported, arrived in reports:
        monday = reported - timedelta(days=reported.weekday())
        if monday >= first and arrived <= until:
            counts[monday, max(0, (arrived - monday).days // 7)] += 1
    rows = []
    monday = first
    while monday + timedelta(days=6) <= until:
        age = (until + timedelta(days=1) - monday).days // 7  # whole weeks that have passed
        rows.append([counts[monday, delay] for delay in range(min(age, n_weeks + 1))])
        monday += timedelta(days=7)
    return rows


def completeness(
    weekly: Sequence[tuple[date, int]], arrived: Sequence[float], until: date
) -> list[WeekCompleteness]:
    """How complete each (Monday, reports) is on the day `until`; the newest are to be greyed."""
    found = []
    for monday, n_reports in weekly:
        age = (until + timedelta(days=1) - monday).days // 7 - 1
        share = 0.0 if age < 0 else arrived[min(age, len(arrived) - 1)]
        found.append(WeekCompleteness(monday, n_reports, share))
    return found
