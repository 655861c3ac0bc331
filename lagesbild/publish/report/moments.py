"""When in the week: weekday by time of day, where the numbers may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lagesbild.indicators.seasonality import weekday_hour
from lagesbild.publish.disclosure import is_hidden
from lagesbild.publish.report.breakdown import coarse, spread
from lagesbild.publish.report.source import Reader

_BANDS = ((5000, 1), (1000, 3), (0, 6))  # at least so many moments -> hours in one cell


@dataclass(frozen=True, slots=True)
class Moments:
    """Weekday (Monday first) by band of hours; None is not shown."""

    hours: int
    cells: Sequence[Sequence[int | None]]


def moments_of(reader: Reader) -> dict[str, Moments]:
    """Of events in notices and of reports; left out where every cell would be hidden."""
    found = {}
    for kind in ("notice", "report"):
        moments = reader.moments(kind == "notice")
        if not moments or is_hidden(len(moments)):
            continue
        hours = next(step for least, step in _BANDS if len(moments) >= least)
        matrix = weekday_hour(moments)
        counts = {
            f"{day}:{start}": sum(matrix[day][start : start + hours])
            for day in range(7)
            for start in range(0, 24, hours)
        }
        shown = coarse(spread({slot: n for slot, n in counts.items() if n}))
        cells = [
            [shown.get(f"{day}:{start}", 0) for start in range(0, 24, hours)] for day in range(7)
        ]
        if any(count for row in cells for count in row):  # else it says nothing but "few"
            found[kind] = Moments(hours, cells)
    return found
