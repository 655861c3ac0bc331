"""Counts over time as the exports have them: what is hidden there is hidden here."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.themes import CodePlan, load_themes

OFFERED: Mapping[str, tuple[str, ...]] = {
    "area,theme,month": ("area", "theme", "month"),
    "theme,month": ("theme", "month"),
    "theme,stance,month": ("theme", "stance", "month"),
    "theme,source,month": ("theme", "source", "month"),
    "theme,week": ("theme", "week"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One count for each month; None is hidden, and 0 really is none."""

    months: Sequence[str]
    counts: Sequence[int | None]


def download(snapshot: Path, by: Sequence[str], style: str, profile: str) -> tuple[str, bytes]:
    """(file name, bytes) of the very export that `lagesbild export counts` writes."""
    with tempfile.TemporaryDirectory() as folder:
        target = export_counts(
            snapshot,
            Selection(tuple(by)),
            load_themes(),
            Path(folder),
            profile=profile,
            style=style,
        )
        return target.name, target.read_bytes()


@lru_cache(maxsize=8)
def _rows(snapshot: Path, by: tuple[str, ...]) -> list[dict[str, str]]:
    _, data = download(snapshot, by, "csv", "open_data")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def areas(snapshot: Path) -> list[tuple[str, str, str]]:
    """(key, type, name) of the areas that counts are published for."""
    found = {
        (f"{row['area_type']}/{row['area_code']}", row["area_type"], row["area_name"])
        for row in _rows(snapshot, ("area", "theme", "month"))
    }
    return sorted(found, key=lambda area: (area[1], area[2]))


def series(snapshot: Path, theme: str, area: str) -> Series:
    """The months of one theme; `area` is type/code, or empty for all of the municipality."""
    by = ("area", "theme", "month") if area else ("theme", "month")
    all_rows = _rows(snapshot, by)
    months = sorted({row["month"] for row in all_rows})
    rows = [
        row
        for row in all_rows
        if row["theme"] == theme and (not area or f"{row['area_type']}/{row['area_code']}" == area)
    ]
    counted = {row["month"]: _count(row["n_reports"]) for row in rows}
    whole = _all_months(months)
    return Series(whole, [counted.get(month, 0) for month in whole])


def totals(snapshot: Path, plan: CodePlan, area: str) -> list[tuple[str, Series]]:
    """(theme, its series) in the order of the plan."""
    return [(theme, series(snapshot, theme, area)) for theme in plan.decided]


def _count(text: str) -> int | None:
    return None if text == HIDDEN else int(text)


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
