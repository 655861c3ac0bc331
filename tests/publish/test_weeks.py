"""Weeks beside published months: what they share tells no small count."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.joint_attack import attack_chain
from lagesbild.publish.disclosure import Axis, Cell, Family, protect
from lagesbild.publish.families import ROOT, Published
from lagesbild.publish.weeks import beside_months, ranges

PARTS = [("V04", "jan"), ("V05", "jan"), ("V05", "feb"), ("V06", "feb")]
MOST = 6  # of a hidden count, so that all tables can be tried


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.sets(st.integers(0, 4)))
def test_ranges_are_those_of_all_tables(numbers: list[int], hidden: set[int]) -> None:
    counts = _counts(numbers)
    bounds = {
        code: (1, MOST) if nth in hidden and 0 < n <= MOST else (n, n)
        for nth, (code, n) in enumerate(counts.items())
    }
    tables = [
        table
        for table in map(_counts, itertools.product(range(MOST + 1), repeat=4))
        if all(low <= table[code] <= high for code, (low, high) in bounds.items())
    ]
    by_trying = {c: (min(t[c] for t in tables), max(t[c] for t in tables)) for c in counts}
    assert ranges(bounds, PARTS) == by_trying


def _counts(numbers: Sequence[int]) -> dict[str, int]:
    found = dict.fromkeys(("jan", "feb", "V04", "V05", "V06"), 0)
    for n, part in zip(numbers, PARTS, strict=True):
        for code in part:
            found[code] += n
    return found


def published(days: Sequence[date], form: str) -> Published:
    """One theme in one place, nothing hidden but small counts."""
    counts: dict[Cell, int] = dict(Counter((ROOT, "trafik", f"{day:{form}}") for day in days))
    axes = (Axis("area", root=ROOT), Axis("theme", root=ROOT), Axis("period"))
    between = (min(days) + timedelta(days=n) for n in range((max(days) - min(days)).days + 1))
    codes = {"period": tuple(sorted({f"{day:{form}}" for day in between}))}
    return Published(protect(Family(axes, counts)), ("area", "theme", "period"), codes)


def told(family: Published) -> Mapping[str, tuple[int, int | None]]:
    """Of every period the count, and what is shown of it."""
    counts = family.protected.family.counts
    return {
        code: (counts.get((ROOT, "trafik", code), 0), family.shown(theme="trafik", period=code))
        for code in family.codes["period"]
    }


def spread(*by_day: tuple[int, int]) -> list[date]:
    """So many reports on each day of 2025."""
    return [date(2025, 1, 1) + timedelta(days=day) for day, n in by_day for _ in range(n)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 80), min_size=1).map(lambda days: spread(*((d, 1) for d in days))))
@example(spread((6, 9), (13, 9), (20, 3)))  # January is 21: the third week is 3
@example(spread((34, 1), (41, 2), (48, 2)))  # 5 in three weeks: none can be 4
def test_weeks_beside_months_tell_no_small_count(days: list[date]) -> None:
    months, weeks = published(days, "%Y-%m"), published(days, "%G-V%V")
    sheet = beside_months(weeks, months)
    assert sheet.protected.small == weeks.protected.small
    assert sheet.protected.complementary >= weeks.protected.complementary
    assert attack_chain(told(months), told(sheet), 99, is_rounded=False).narrowed == 0


def test_a_week_that_its_month_tells_is_hidden_with_another() -> None:
    days = spread((6, 9), (13, 8), (20, 3))
    months, weeks = published(days, "%Y-%m"), published(days, "%G-V%V")
    apart = attack_chain(told(months), told(weeks), 99, is_rounded=False)
    assert (apart.n_small, apart.known) == (1, 1)
    sheet = beside_months(weeks, months)
    assert sheet.shown(theme="trafik", period="2025-V03") is None
    assert sheet.shown(theme="trafik", period="2025-V02") == 9
    assert attack_chain(told(months), told(sheet), 99, is_rounded=False).narrowed == 0


def test_where_no_week_with_reports_is_shown_those_without_are_hidden() -> None:
    """5 in a month, in three weeks that all have some: none can be 4, unless one may be 0."""
    days = spread((20, 9), (34, 1), (41, 2), (48, 2), (62, 9))
    months, weeks = published(days, "%Y-%m"), published(days, "%G-V%V")
    apart = attack_chain(told(months), told(weeks), 99, is_rounded=False)
    assert (apart.n_small, apart.narrowed) == (3, 3)
    sheet = beside_months(weeks, months)
    assert weeks.shown(theme="trafik", period="2025-V09") == 0
    assert sheet.shown(theme="trafik", period="2025-V09") is None
    assert attack_chain(told(months), told(sheet), 99, is_rounded=False).narrowed == 0


def test_a_month_with_reports_in_each_week_tells_none_of_them() -> None:
    """6 in a month whose five weeks all have some: none can be 3, unless one may be 0."""
    days = spread((34, 1), (39, 1), (46, 1), (53, 2), (58, 1))
    months, weeks = published(days, "%Y-%m"), published(days, "%G-V%V")
    sheet = beside_months(weeks, months)
    assert months.shown(theme="trafik", period="2025-02") == 6
    assert {shown for _, shown in told(sheet).values()} == {None}
    assert attack_chain(told(months), told(sheet), 99, is_rounded=False).narrowed == 0
