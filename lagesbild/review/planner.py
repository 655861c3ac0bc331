"""Counts over time as the exports have them: what is hidden there is hidden here.

Protecting them can take many minutes. So nights do it, right after publishing, and lay what a page
shows beside the snapshot; until they have, pages show the snapshot before. Where there are so many
counts that a night would have to wait for long, the first who asks waits.
"""

from __future__ import annotations

import fcntl
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lagesbild.publish.counts import Selection, counts, export_counts
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.promises import promises_of
from lagesbild.records import digest
from lagesbild.settings import Settings
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

# All of one family: protected together, so that none gives away what another hides.
OFFERED: Mapping[str, tuple[str, ...]] = {
    "area,theme,month": ("area", "theme", "month"),
    "area,theme,year": ("area", "theme", "year"),
    "theme,month": ("theme", "month"),
    "theme,quarter": ("theme", "quarter"),
    "theme,year": ("theme", "year"),
}
_SHOWN = (("theme", "month"), ("area", "theme", "month"))
_SUFFIX = ".counts.sqlite"
_MOST_COUNTS = 20_000  # rows of theme_count; the sample city has 8,000
_TABLES = """
create table area (area text primary key, area_type text not null, area_name text not null) strict;
create table month (month text primary key) strict;
create table month_count (
    area text not null,                   -- type/code; empty: everywhere
    theme text not null, month text not null,
    n integer, low real, high real,       -- null: hidden
    primary key (area, theme, month)
) strict, without rowid;
"""


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


def counts_path(snapshot: Path, settings: Settings, plan: CodePlan) -> Path:
    """Where the counts of a snapshot lie that these settings publish."""
    chosen = (repr(settings.publish), repr(promises_of(settings)), plan.version, _TABLES)
    published = digest(*chosen)[:16]
    return snapshot.with_suffix(f".{published}{_SUFFIX}")


def count_if_few(snapshot: Path, settings: Settings, plan: CodePlan) -> None:
    """For the night: `ensure_counts`, unless there are so many counts that hiding the small ones
    would keep the night waiting; then the first who asks for the page waits instead."""
    if not _has_many(snapshot):
        ensure_counts(snapshot, settings, plan)


def _has_many(snapshot: Path) -> bool:
    with connect(snapshot, read_only=True) as db:
        (n_counts,) = db.execute("select count(*) from theme_count").fetchall()[0]
    return bool(n_counts > _MOST_COUNTS)


def ensure_counts(snapshot: Path, settings: Settings, plan: CodePlan) -> Path:
    """Count and protect what pages show unless it is done; several processes may ask at once."""
    target = counts_path(snapshot, settings, plan)
    if target.exists():
        return target
    with (snapshot.parent / "counts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            unfinished = target.with_suffix(".making")
            unfinished.unlink(missing_ok=True)
            with closing(sqlite3.connect(unfinished)) as db:
                db.executescript(_TABLES)
                for by in _SHOWN:
                    _write(db, _rows(snapshot, by, settings, plan))
                db.commit()
            unfinished.replace(target)
        kept = {path.stem for path in snapshot.parent.glob("*.duckdb")}
        for old in snapshot.parent.glob(f"*{_SUFFIX}"):
            if old.name.partition(".")[0] not in kept:
                old.unlink()
    return target


def _rows(
    snapshot: Path, by: Sequence[str], settings: Settings, plan: CodePlan
) -> Iterator[dict[str, Any]]:
    table = counts(snapshot, Selection(tuple(by)), plan, settings)
    return (dict(zip(table.names, row, strict=True)) for row in table.rows)


def _write(db: sqlite3.Connection, rows: Iterator[dict[str, Any]]) -> None:
    for row in rows:
        area = ""
        if "area_type" in row:
            area = f"{row['area_type']}/{row['area_code']}"
            named = (area, row["area_type"], row["area_name"])
            db.execute("insert or ignore into area values (?, ?, ?)", named)
        is_hidden = row["n_reports"] == HIDDEN
        shown = [None if is_hidden else row[name] for name in ("n_reports", "n_low", "n_high")]
        db.execute("insert or ignore into month values (?)", [row["month"]])
        db.execute(
            "insert into month_count values (?, ?, ?, ?, ?, ?)",
            [area, row["theme"], row["month"], *shown],
        )


class Planner:
    """What planners see of published counts; everything is read from files that nights make."""

    def __init__(self, settings: Settings, plan: CodePlan) -> None:
        self._settings = settings
        self._plan = plan

    def ready(self, newest: Path) -> Path:
        """The newest snapshot whose counts are made; they are made now only where there is none,
        or where nights leave them for being too many."""
        older = (path for path in newest.parent.glob("*.duckdb") if path.name <= newest.name)
        made = [path for path in older if counts_path(path, self._settings, self._plan).exists()]
        if not made or (newest not in made and _has_many(newest)):
            ensure_counts(newest, self._settings, self._plan)
            return newest
        return max(made)

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
        query = "select area, area_type, area_name from area order by area_type, area_name, area"
        return self._read(snapshot, query)

    def series(self, snapshot: Path, area: str) -> list[Series]:
        """Every theme in the order of the plan; `area` is type/code, or empty for everywhere."""
        rows = self._read(snapshot, "select month from month order by month")
        months = _all_months([month for (month,) in rows])
        query = "select theme, month, n, low, high from month_count where area = ?"
        found = {
            (theme, month): None if n is None else Count(n, low, high)
            for theme, month, n, low, high in self._read(snapshot, query, area)
        }
        none = Count(0, 0.0, 0.0)
        return [
            Series(theme, months, [found.get((theme, month), none) for month in months])
            for theme in self._plan.decided
        ]

    def _read(self, snapshot: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
        path = counts_path(snapshot, self._settings, self._plan)
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            return db.execute(query, values).fetchall()


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
