"""Everything that is published together from one snapshot, counted and protected as one family.

The same tables always give the same family, whatever part of it somebody asks for: an export of
three months hides exactly what the export of all months hides, so that the two can't be compared.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from lagesbild.errors import UsageError
from lagesbild.publish import (
    disclosure,
    disclosure_exchange,
    disclosure_lines,
    disclosure_programme,
    disclosure_solver,
    disclosure_unions,
)
from lagesbild.publish.disclosure import Axis, Cell, Family, Protected, Sum, protect
from lagesbild.publish.periods import SetOfMonths, coarser, sums_of
from lagesbild.records import digest
from lagesbild.settings import Publish
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
# The same tables with the keys of the reports summed instead of the reports. A key is the first
# four bytes of HMAC-SHA256 (RFC 2104), as disclosure.record_key makes it.
_KEYED = """
create or replace temp table keyed as
select submission_id, ('0x' || sha256($outer || unhex(sha256($inner || encode(submission_id))))[:8])
    ::ubigint as key
from counted_submission
"""
_KEY_SOURCES = {
    "themes": """(sum(n_keys) % 4294967296)::bigint as n from (
        select d.*, t.theme, t.subtheme, t.stance, k.key as n_keys from dated_submission d
        join assigned_theme t using (submission_id) join keyed k using (submission_id))""",
    "reports": """(sum(n_keys) % 4294967296)::bigint as n from (
        select d.*, k.key as n_keys from dated_submission d join keyed k using (submission_id)
        where submission_id in (
            select submission_id from assigned_theme where theme <> 'drift_underhall'))""",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """Which axes each published table crosses.

    Reports of each theme, and of all themes of safety together: reports with any of them, which are
    no sum, since a report may have several. What is broken down by area and theme is so by area.
    `subthemes`: every theme with its subthemes. `periods`: weeks, or months with their quarters,
    tertials and years (whichever of the two is named: both are protected together). `windows`:
    further sets of months, such as those before and after a promise.
    """

    crossed: tuple[tuple[str, ...], ...]
    periods: Literal["quarters", "tertials", "weeks"] = "quarters"
    subthemes: bool = False
    windows: tuple[SetOfMonths, ...] = ()

    def __post_init__(self) -> None:
        if self.periods == "tertials":
            object.__setattr__(self, "periods", "quarters")
        if not {"area", "theme", "period"} <= set(self.axes):
            object.__setattr__(self, "windows", ())
        for table in self.crossed:
            unknown = set(table) - set(AXES)
            if unknown:
                raise UsageError(f"Okänd indelning: {', '.join(sorted(unknown))}.")

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that any table crosses, in their fixed order."""
        used = {name for table in self.crossed for name in table}
        return tuple(name for name in AXES if name in used)


def published_together(publish: Publish, windows: Sequence[SetOfMonths] = ()) -> Tables:
    """All counts that are published: one family, whatever part of it is exported."""
    tables = [tuple(name for name in AXES if name in table) for table in publish.family]
    tables.append(("area", "period"))  # reports, whatever their theme
    return Tables(
        tuple(dict.fromkeys(tables)),
        periods="weeks" if publish.periods == "weeks" else "quarters",
        subthemes=any("subtheme" in table for table in publish.family),
        windows=() if publish.periods == "weeks" else tuple(windows),
    )


@dataclass(frozen=True, slots=True)
class Published:
    """A protected family, asked by the names of its axes; an axis not named is taken whole.

    Of the themes, the whole is reports with any theme of safety.
    `rounding`: what is done to the shown counts when they are published; see disclosure.py.
    """

    protected: Protected
    axes: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]
    rounding: Literal["none", "five", "cell_key"] = "none"
    keys: Mapping[Cell, int] = field(default_factory=dict)  # of the reports in each cell, summed

    def rounded(self, cell: Cell) -> int | None:
        """The count as it is published, or None where it is hidden."""
        count = self.protected.shown(cell)
        if count is None or self.rounding == "none":
            return count
        if self.rounding == "five":
            return disclosure.rounded(count)
        return disclosure.perturbed(count, self.keys.get(cell, 0))

    def cell(self, **codes: str) -> Cell:
        return tuple(codes.get(axis, ROOT) for axis in self.axes)

    def shown(self, **codes: str) -> int | None:
        """The count, or None where it is hidden."""
        return self.protected.shown(self.cell(**codes))


@lru_cache(maxsize=8)
def published(snapshot: Path, tables: Tables) -> Published:
    """Count and protect all the tables at once. Snapshots never change, so neither does this."""
    with connect(snapshot, read_only=True) as db:
        periods = periods_of(db, tables)
        named = {p: (*codes, ROOT) for p, codes in coarser_periods(periods, tables).items()}
        counts = count_tables(db, tables, named)
    family, codes = family_of(counts, tables)
    return Published(_remembered(family, snapshot), tables.axes, codes)


def family_of(
    counts: Mapping[Cell, int], tables: Tables, *, has_total: bool = True
) -> tuple[Family, Mapping[str, tuple[str, ...]]]:
    """The family that these counts make, and the codes on each of its axes.

    `has_total`: whether there is a total of all periods.
    """
    codes = {
        name: tuple(sorted({cell[place] for cell in counts} - {ROOT}))
        for place, name in enumerate(tables.axes)
    }
    axes = tuple(_axis(name, codes[name], tables) for name in tables.axes)
    if not has_total:
        axes = tuple(_without_total(axis) if axis.name == "period" else axis for axis in axes)
    return Family(axes, counts, tables.crossed, rare_cells(tables)), codes


def rare_cells(tables: Tables) -> dict[str, frozenset[Cell]]:
    """The cells that a further set of months is published for."""
    found: dict[str, frozenset[Cell]] = {}
    for window in tables.windows:
        known = {"area": window.areas, "theme": window.themes, "period": (window.name,)}
        choices = [known.get(name, (ROOT,)) for name in tables.axes]
        found[window.name] = frozenset(itertools.product(*choices))
    return found


def periods_of(db: Any, tables: Tables) -> list[str]:
    """Every month, or week, with a report."""
    kind = "week" if tables.periods == "weeks" else "month"
    query = "select distinct period from report_count where period_type = ? order by 1"
    return [row[0] for row in db.execute(query, [kind]).fetchall()]


def coarser_periods(periods: Sequence[str], tables: Tables) -> dict[str, tuple[str, ...]]:
    """Each month or week, and every period that it is counted in."""
    if tables.periods == "weeks":
        return {week: (week,) for week in periods}
    quarters, tertials = coarser(periods, "Q"), coarser(periods, "T")
    named = {m: tuple(dict.fromkeys((*quarters[m], *tertials[m]))) for m in periods}
    for window in tables.windows:
        named |= {m: (*named[m], window.name) for m in window.months if m in named}
    return named


def count_tables(
    db: Any, tables: Tables, named: Mapping[str, Sequence[str]], secret: bytes | None = None
) -> dict[Cell, int]:
    """Every cell of all the tables. `named`: each month or week, and what it is counted in.

    With a `secret`, the sums of the reports' keys instead of the reports.
    """
    if secret is not None:
        _key_reports(db, secret)
    sources = _SOURCES if secret is None else _KEY_SOURCES
    rows = [(period, code) for period, codes in named.items() for code in codes]
    db.execute("create or replace temp table period_of (period varchar, code varchar)")
    if rows:
        places = ", ".join("(?, ?)" for _ in rows)
        db.execute(f"insert into period_of values {places}", [v for row in rows for v in row])
    counts: dict[Cell, int] = {}
    for table in tables.crossed:
        if "theme" in table:
            counts.update(_counts(db, tables, table, sources["themes"]))
        whole = [name for name in table if name not in ("theme", "stance")]
        counts.update(_counts(db, tables, whole, sources["reports"]))
    rare = rare_cells(tables)
    return {
        cell: n
        for cell, n in counts.items()
        if all(cell in rare.get(code, (cell,)) for code in cell)
    }


def _key_reports(db: Any, secret: bytes) -> None:
    """A temporary table of every report's key."""
    padded = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    db.execute(_KEYED, {"inner": inner, "outer": outer})


def _counts(db: Any, tables: Tables, table: Sequence[str], source: str) -> dict[Cell, int]:
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
        f"select {', '.join(columns)}, {source} t "
        f"join period_of p using (period) where {' and '.join(conditions)} "
        f"group by {grouping or '()'} having n > 0"
    ).fetchall()
    return {tuple(_root(code) for code in row[:-1]): row[-1] for row in rows}


def _root(code: str) -> str:
    return ROOT if code == f"{ROOT}:{ROOT}" else code


def _axis(name: str, codes: Sequence[str], tables: Tables) -> Axis:
    if name == "theme":
        return Axis(name, (*_with_subthemes(codes), *_with_reports(codes)), ROOT)
    if name == "period" and tables.periods != "weeks":
        sums = [Sum(w.name, tuple(m for m in w.months if m in codes)) for w in tables.windows]
        calendar = [code for code in codes if ":" not in code]
        return Axis(name, (*sums_of(calendar, ROOT), *(s for s in sums if s.parts)), ROOT)
    groups: dict[str, list[str]] = {}
    for code in codes:  # areas of one type make up everything, and so do those of another
        groups.setdefault(code.partition(":")[0] if name == "area" else "", []).append(code)
    wholes = tuple(Sum(ROOT, tuple(group)) for group in groups.values())
    return Axis(name, wholes, ROOT, of="theme" if name == "stance" else None)


def _without_total(axis: Axis) -> Axis:
    return Axis(axis.name, tuple(rule for rule in axis.sums if rule.total != ROOT))


def _with_reports(codes: Sequence[str]) -> tuple[Sum, ...]:
    """A report may have several themes, so reports with any of them are no sum but a union."""
    mains = tuple(code for code in codes if "." not in code and code != RESIDUAL)
    return (Sum(ROOT, mains, overlap=True),) if mains else ()


def _with_subthemes(codes: Sequence[str]) -> tuple[Sum, ...]:
    groups: dict[str, list[str]] = {}
    for code in codes:
        theme, dot, _ = code.partition(".")
        if dot:
            groups.setdefault(theme, []).append(code)
    return tuple(Sum(theme, tuple(group)) for theme, group in groups.items())


# --- what was once protected is remembered --------------------------------------------------------

_RULES = (
    disclosure,
    disclosure_exchange,
    disclosure_lines,
    disclosure_programme,
    disclosure_solver,
    disclosure_unions,
)


def _remembered(family: Family, snapshot: Path) -> Protected:
    """Protecting takes a while, so its answer is kept beside the snapshots.

    The file's name is a digest of the family and of the rules: neither can change unnoticed.
    """
    rules = "".join(inspect.getsource(module) for module in _RULES)
    counted = json.dumps(sorted(family.counts.items()))
    rare = sorted((code, sorted(cells)) for code, cells in family.rare.items())
    name = digest(rules, repr((family.axes, family.tables, rare)), counted)
    file = snapshot.parent / "protected" / f"{name[:40]}.json"
    if file.exists():
        small, complementary, *numbers = json.loads(file.read_text(encoding="utf-8"))
        return Protected(family, cells_of(small), cells_of(complementary), *numbers)
    protected = protect(family)
    file.parent.mkdir(exist_ok=True)
    hidden = [sorted(protected.small), sorted(protected.complementary)]
    numbers = [protected.n_before, protected.n_given_up]
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps([*hidden, *numbers], ensure_ascii=False), encoding="utf-8")
    unfinished.replace(file)
    return protected


def cells_of(rows: Sequence[Sequence[str]]) -> frozenset[Cell]:
    return frozenset(tuple(row) for row in rows)
