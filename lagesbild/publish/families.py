"""Everything that is published together from one snapshot, counted and protected as one family.

The same tables always give the same family, whatever part of it somebody asks for: an export of
three months hides exactly what the export of all months hides, so that the two can't be compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from lagesbild.errors import UsageError
from lagesbild.publish import disclosure, disclosure_solver
from lagesbild.publish.disclosure import Axis, Cell, Family, Protected, Sum, protect
from lagesbild.publish.periods import coarser, sums_of
from lagesbild.records import digest
from lagesbild.store.warehouse import connect

ROOT = "alla"  # everything together, on every axis
RESIDUAL = "drift_underhall"  # upkeep: counted as a theme, but not a question of safety
# The order of the axes in every family.
AXES = ("area", "theme", "period", "source", "stance")
_COLUMNS = {
    "area": "area_type || ':' || area_code",
    "theme": "theme",
    "period": "p.code",
    "source": "source",
    "stance": "stance",
}
# How the rows of a snapshot's table are chosen and summed.
_SOURCES = {
    "themes": "sum(n_reports)::bigint as n from theme_count",
    "reports": "sum(n_with_theme)::bigint as n from report_count",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """Which axes each published table crosses.

    `counted`: reports of each theme, or reports with any theme of safety at all. The two are
    families of their own: a report may have several themes, so one is not the sum of the other.
    `subthemes`: every theme with its subthemes. `periods`: months with their quarters and years,
    months with their tertials and years, or weeks. `windows`: further sets of months that are
    published, such as those before and after a promise: (name with a colon, its months).
    """

    crossed: tuple[tuple[str, ...], ...]
    counted: Literal["themes", "reports"] = "themes"
    periods: Literal["quarters", "tertials", "weeks"] = "quarters"
    subthemes: bool = False
    windows: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        for table in self.crossed:
            unknown = set(table) - set(AXES)
            if unknown:
                raise UsageError(f"Okänd indelning: {', '.join(sorted(unknown))}.")

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that any table crosses, in their fixed order."""
        used = {name for table in self.crossed for name in table}
        return tuple(name for name in AXES if name in used)


@dataclass(frozen=True, slots=True)
class Published:
    """A protected family, asked by the names of its axes; an axis not named is taken whole."""

    protected: Protected
    axes: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]

    def cell(self, **codes: str) -> Cell:
        return tuple(codes.get(axis, ROOT) for axis in self.axes)

    def shown(self, **codes: str) -> int | None:
        """The count, or None where it is hidden."""
        return self.protected.shown(self.cell(**codes))


@lru_cache(maxsize=8)
def published(snapshot: Path, tables: Tables) -> Published:
    """Count and protect all the tables at once. Snapshots never change, so neither does this."""
    with connect(snapshot, read_only=True) as db:
        _name_periods(db, tables)
        counts: dict[Cell, int] = {}
        for table in tables.crossed:
            counts.update(_counts(db, tables, table))
    codes = {
        name: tuple(sorted({cell[place] for cell in counts} - {ROOT}))
        for place, name in enumerate(tables.axes)
    }
    axes = tuple(_axis(name, codes[name], tables) for name in tables.axes)
    family = Family(axes, counts, tables.crossed)
    return Published(_remembered(family, snapshot), tables.axes, codes)


def _name_periods(db: Any, tables: Tables) -> None:
    """A temporary table: each month or week, and every period that it is counted in."""
    kind = "week" if tables.periods == "weeks" else "month"
    found = db.execute(
        "select distinct period from report_count where period_type = ? order by 1", [kind]
    ).fetchall()
    named: dict[str, tuple[str, ...]] = {row[0]: (row[0],) for row in found}
    if tables.periods != "weeks":
        named = coarser(list(named), "Q" if tables.periods == "quarters" else "T")
        for name, months in tables.windows:
            named |= {month: (*named[month], name) for month in months if month in named}
    db.execute("create or replace temp table period_of (period varchar, code varchar)")
    rows = [(period, code) for period, codes in named.items() for code in (*codes, ROOT)]
    if rows:
        places = ", ".join("(?, ?)" for _ in rows)
        db.execute(f"insert into period_of values {places}", [v for row in rows for v in row])


def _counts(db: Any, tables: Tables, table: Sequence[str]) -> dict[Cell, int]:
    """Every cell of one table and of its margins. Areas and periods hold their totals as rows."""
    columns: list[str] = []
    margins: list[str] = []
    fixed: list[str] = []
    for name in tables.axes:
        column = _COLUMNS[name]
        if name not in table:
            columns.append(f"'{ROOT}'")
            continue
        (margins if name in ("source", "stance") else fixed).append(column)
        if name == "theme" and tables.subthemes:
            margins.append("subtheme")
            column = "case when grouping(subtheme) = 1 then theme else theme || '.' || subtheme end"
        columns.append(f"coalesce({column}, '{ROOT}')")
    grouping = ", ".join([*fixed, *([f"cube ({', '.join(margins)})"] if margins else [])])
    kind = "week" if tables.periods == "weeks" else "month"
    conditions = [f"period_type = '{kind}'"]
    conditions += [] if "area" in table else ["area_type = 'alla'"]
    conditions += [] if "period" in table else [f"p.code = '{ROOT}'"]
    rows = db.execute(
        f"select {', '.join(columns)}, {_SOURCES[tables.counted]} t "
        f"join period_of p using (period) where {' and '.join(conditions)} "
        f"group by {grouping or '()'} having n > 0"
    ).fetchall()
    return {tuple(_root(code) for code in row[:-1]): row[-1] for row in rows}


def _root(code: str) -> str:
    return ROOT if code == f"{ROOT}:{ROOT}" else code


def _axis(name: str, codes: Sequence[str], tables: Tables) -> Axis:
    if name == "theme":  # a report may have several: no theme is the rest of the others
        return Axis(name, _with_subthemes(codes))
    if name == "period" and tables.periods != "weeks":
        sums = [Sum(w, tuple(m for m in months if m in codes)) for w, months in tables.windows]
        calendar = [code for code in codes if ":" not in code]
        return Axis(name, (*sums_of(calendar, ROOT), *(s for s in sums if s.parts)), ROOT)
    groups: dict[str, list[str]] = {}
    for code in codes:  # areas of one type make up everything, and so do those of another
        groups.setdefault(code.partition(":")[0] if name == "area" else "", []).append(code)
    return Axis(name, tuple(Sum(ROOT, tuple(group)) for group in groups.values()), ROOT)


def _with_subthemes(codes: Sequence[str]) -> tuple[Sum, ...]:
    groups: dict[str, list[str]] = {}
    for code in codes:
        theme, dot, _ = code.partition(".")
        if dot:
            groups.setdefault(theme, []).append(code)
    return tuple(Sum(theme, tuple(group)) for theme, group in groups.items())


# --- what was once protected is remembered --------------------------------------------------------


def _remembered(family: Family, snapshot: Path) -> Protected:
    """Protecting takes a while, so its answer is kept beside the snapshots.

    The file's name is a digest of the family and of the rules: neither can change unnoticed.
    """
    rules = Path(disclosure.__file__).read_text() + Path(disclosure_solver.__file__).read_text()
    counted = json.dumps(sorted(family.counts.items()))
    name = digest(rules, repr((family.axes, family.tables)), counted)
    file = snapshot.parent / "protected" / f"{name[:40]}.json"
    if file.exists():
        small, complementary = json.loads(file.read_text(encoding="utf-8"))
        return Protected(family, _cells(small), _cells(complementary))
    protected = protect(family)
    file.parent.mkdir(exist_ok=True)
    hidden = [sorted(protected.small), sorted(protected.complementary)]
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(hidden, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(file)
    return protected


def _cells(rows: Sequence[Sequence[str]]) -> frozenset[Cell]:
    return frozenset(tuple(row) for row in rows)
