"""Counts over time as the exports have them: what is hidden there is hidden here."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lagesbild.publish.counts import Selection, counts, export_counts
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.settings import Settings
from lagesbild.themes import CodePlan

# All of one family: protected together, so that none gives away what another hides.
OFFERED: Mapping[str, tuple[str, ...]] = {
    "area,theme,month": ("area", "theme", "month"),
    "area,theme,year": ("area", "theme", "year"),
    "theme,month": ("theme", "month"),
    "theme,quarter": ("theme", "quarter"),
    "theme,year": ("theme", "year"),
}
_REMEMBERED = 4


@dataclass(frozen=True, slots=True)
class Count:
    """A count with its 95 % interval; 0 where nothing was reported."""

    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """One theme, month by month; None is hidden."""

    theme: str
    months: Sequence[str]
    counts: Sequence[Count | None]


class Planner:
    """Published counts of the newest snapshot, remembered until there is a newer one."""

    def __init__(self, settings: Settings, plan: CodePlan) -> None:
        self._settings = settings
        self._plan = plan
        self._lock = threading.Lock()
        self._known: dict[tuple[Path, tuple[str, ...]], list[dict[str, Any]]] = {}

    def download(
        self, snapshot: Path, by: Sequence[str], style: str, profile: str
    ) -> tuple[str, bytes]:
        """(file name, bytes) of the very export that `lagesbild export counts` writes."""
        with tempfile.TemporaryDirectory() as folder:
            target = export_counts(
                snapshot,
                Selection(tuple(by)),
                self._plan,
                Path(folder),
                profile=profile,
                style=style,
                settings=self._settings,
            )
            return target.name, target.read_bytes()

    def areas(self, snapshot: Path) -> list[tuple[str, str, str]]:
        """(type/code, type, name) of the areas that counts are published for."""
        found = {
            (f"{row['area_type']}/{row['area_code']}", row["area_type"], row["area_name"])
            for row in self._rows(snapshot, "area,theme,month")
        }
        return sorted(found, key=lambda area: (area[1], area[2]))

    def series(self, snapshot: Path, area: str) -> list[Series]:
        """Every theme in the order of the plan; `area` is type/code, or empty for everywhere."""
        rows = self._rows(snapshot, "area,theme,month" if area else "theme,month")
        months = _all_months(sorted({row["month"] for row in rows}))
        found = {
            (row["theme"], row["month"]): _count(row)
            for row in rows
            if not area or f"{row['area_type']}/{row['area_code']}" == area
        }
        none = Count(0, 0.0, 0.0)
        return [
            Series(theme, months, [found.get((theme, month), none) for month in months])
            for theme in self._plan.decided
        ]

    def _rows(self, snapshot: Path, name: str) -> list[dict[str, Any]]:
        by = OFFERED[name]
        with self._lock:  # the first to ask waits for the protection, the others for the first
            if (snapshot, by) not in self._known:
                table = counts(snapshot, Selection(by), self._plan, self._settings)
                rows = [dict(zip(table.names, row, strict=True)) for row in table.rows]
                while len(self._known) >= _REMEMBERED:
                    self._known.pop(next(iter(self._known)))
                self._known[snapshot, by] = rows
            return self._known[snapshot, by]


def _count(row: Mapping[str, Any]) -> Count | None:
    if row["n_reports"] == HIDDEN:
        return None
    return Count(int(row["n_reports"]), float(row["n_low"]), float(row["n_high"]))


def _all_months(months: Sequence[str]) -> list[str]:
    """Every month from the first to the last, also those without a report."""
    if not months:
        return []
    year, month = (int(part) for part in months[0].split("-"))
    found = [months[0]]
    while found[-1] < months[-1]:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        found.append(f"{year:04}-{month:02}")
    return found
