"""Names of periods (2025-03, 2025-Q1, 2025, 2025-V09) and what each is compared with."""

from __future__ import annotations

import re
from datetime import date, timedelta

_NAME = re.compile(r"(\d{4})(?:-(?:(\d\d)|Q([1-4])|V(\d\d)))?")


def first_day(period: str) -> date:
    """The period's first day. Raises ValueError for what is not a period."""
    found = _NAME.fullmatch(period)
    if found is None:
        raise ValueError(f"not a period: {period}")
    year, month, quarter, week = found.groups()
    if week:
        return date.fromisocalendar(int(year), int(week), 1)
    return date(int(year), int(month or 3 * int(quarter or 1) - 2), 1)


def _named(day: date, like: str) -> str:
    """The period of the same type as `like` that holds the day."""
    if "-V" in like:
        year, week, _ = day.isocalendar()
        return f"{year}-V{week:02d}"
    if "-Q" in like:
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day.year}-{day.month:02d}" if "-" in like else f"{day.year}"


def previous(period: str) -> str:
    """The period just before."""
    return _named(first_day(period) - timedelta(days=1), period)


def year_before(period: str) -> str | None:
    """The same season last year; None for a week 53 whose last year had 52."""
    start = first_day(period)
    year, _, rest = period.partition("-")
    earlier = f"{int(year) - 1}-{rest}" if rest else str(int(year) - 1)
    if rest == "V53":
        return earlier if _has_week_53(start.isocalendar().year - 1) else None
    return earlier


def _has_week_53(year: int) -> bool:
    return date(year, 12, 28).isocalendar().week == 53


def months(period: str) -> tuple[str, ...]:
    """The months of a month, quarter or year. Raises ValueError for a week."""
    start = first_day(period)
    if "-V" in period:
        raise ValueError(f"a week has no whole months: {period}")
    n = 3 if "-Q" in period else 1 if "-" in period else 12
    return tuple(f"{start.year}-{month:02d}" for month in range(start.month, start.month + n))
