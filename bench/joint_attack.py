"""What counts that overlap tell about each other when they are published side by side.

    python -m bench.joint_attack STORE/snapshots/000001.duckdb [--most 200]

The attacker of bench/attacker.py has two kinds of counts at once:

- themes beside reports: the reports of a place and time are the union of its themes, so they are
  at most the themes' sum and at least the largest; one family, protected together;
- weeks beside months, of one theme in the whole place or all reports in one area: what a week and a
  month share is a part of both. As the weekly sheets show them, and as they would be apart.

A small count is *narrowed* if a value 1-4 is ruled out that the shown zeros alone allow, and
*known* if one value is left. `rounded`: the same where weeks show their counts rounded to
fives. `--most`: so many small counts are attacked, evenly chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import LinearConstraint
from scipy.sparse import csr_array

from bench.attacker import FAR, Attacker, zeros_only
from lagesbild.publish.disclosure import Cell, Protected, is_hidden, rounded
from lagesbild.publish.families import published, published_together
from lagesbild.publish.periods import week_days
from lagesbild.publish.weeks import closed_months, touching, week_counts, week_tables
from lagesbild.settings import Publish

Range = tuple[float, float]


def shown_as(count: int | None, *, is_rounded: bool) -> Range:
    """What a published count tells: None is hidden, and what is shown is 0 or at least 5."""
    if count is None:
        return 1.0, FAR
    if is_rounded and count:
        return float(max(rounded(count) - 2, 5)), float(rounded(count) + 2)
    return float(count), float(count)


@dataclass(frozen=True, slots=True)
class Found:
    """How many small counts were attacked, and what came out."""

    n_small: int
    narrowed: int
    known: int

    def with_(self, other: Found) -> Found:
        return Found(
            self.n_small + other.n_small, self.narrowed + other.narrowed, self.known + other.known
        )


def attack_jointly(reality: Attacker, zeros: Attacker, small: Sequence[Cell]) -> Found:
    reality.learn(small, (4, 1, 3, 2))
    narrowed = known = 0
    for cell in small:
        possible = reality.possible(cell, range(1, 5))
        missing = set(range(1, 5)) - possible
        if missing and zeros.possible(cell, missing):
            narrowed += 1
            known += len(possible | reality.possible(cell, [5])) == 1
    return Found(len(small), narrowed, known)


def chosen(cells: Sequence[Cell], most: int) -> list[Cell]:
    return sorted(cells)[:: max(-(-len(cells) // most), 1)]


# --- themes beside reports ------------------------------------------------------------------------


def themes_and_reports(snapshot: Path, most: int) -> Found:
    """All that is published by month at once: every sum, and the union in every place and time."""
    protected = published(snapshot, published_together(Publish())).protected
    family = protected.family

    def told(cell: Cell, _count: int) -> Range:
        return shown_as(protected.shown(cell), is_rounded=False)

    small = chosen([*protected.small], most)
    return attack_jointly(Attacker(family, told), zeros_only(family), small)


# --- weeks beside months --------------------------------------------------------------------------


def weeks_and_months(snapshot: Path, most: int, *, is_rounded: bool, is_apart: bool) -> Found:
    """Each theme of the whole place by itself, and the reports of each area."""
    together = published_together(Publish())
    months = published(snapshot, together)
    weeks = published(snapshot, week_tables(Publish()))
    if not is_apart:
        weeks = week_counts(snapshot, Publish(), together)
    n_shown = sum(not weeks.protected.is_hidden(cell) for cell in weeks.protected.family.counts)
    print(f"weeks' counts shown: {n_shown} of {len(weeks.protected.family.counts)}")
    total = Found(0, 0, 0)
    for area, theme in sorted({cell[:2] for cell in weeks.protected.family.counts}):
        by_month = {
            m: months.cell(area=area, theme=theme, period=m) for m in months.codes["period"]
        }
        by_month = {m: cell for m, cell in by_month.items() if len(m) == 7 and m[5] not in "QT"}
        by_week = {w: weeks.cell(area=area, theme=theme, period=w) for w in weeks.codes["period"]}
        total = total.with_(
            attack_chain(
                _read(months.protected, by_month),
                _read(weeks.protected, by_week),
                most,
                is_rounded=is_rounded,
            )
        )
    return total


def _read(protected: Protected, cells: Mapping[str, Cell]) -> dict[str, tuple[int, int | None]]:
    """The real count and what is shown of it."""
    counts = protected.family.counts
    return {code: (counts.get(cell, 0), protected.shown(cell)) for code, cell in cells.items()}


Series = Mapping[str, tuple[int, int | None]]


def attack_chain(months: Series, weeks: Series, most: int, *, is_rounded: bool) -> Found:
    """The months and weeks of one theme and area at once."""
    parts = [(w, m) for w in weeks for m in months if _share_days(w, m)]
    series = {**months, **weeks}
    small = [(code,) for code, (count, _) in series.items() if is_hidden(count)]

    hidden = {code for code, (_, shown) in series.items() if shown is None}
    # an attacker who knows the rule: where all weeks are hidden, any may be 0
    unsure = touching(closed_months(hidden, parts), parts)

    def told(code: str) -> Range:
        if code in unsure:
            return 0.0, FAR
        return shown_as(series[code][1], is_rounded=is_rounded and code in weeks)

    def zeros(code: str) -> Range:
        return (1.0, FAR) if series[code][0] else (0.0, 0.0)

    reality, by_zeros = (_Overlaps(parts, series, ranges) for ranges in (told, zeros))
    return attack_jointly(reality, by_zeros, chosen(small, most))


def _share_days(week: str, month: str) -> bool:
    monday, sunday = week_days(week)
    return f"{monday:%Y-%m}" == month or f"{sunday:%Y-%m}" == month


class _Overlaps(Attacker):
    """Months and weeks as sums of what they share. How the real counts fall on these is not known
    here, so no table is known from the start."""

    def __init__(
        self,
        parts: Sequence[tuple[str, str]],
        series: Series,
        ranges: Callable[[str], Range],
    ) -> None:
        self.cells = [*((code,) for code in series), *parts]
        self.at = {cell: n for n, cell in enumerate(self.cells)}
        self.counts = np.array([*(n for n, _ in series.values()), *(0 for _ in parts)])
        bounds = [*(ranges(code) for code in series), *((0.0, FAR) for _ in parts)]
        self.low, self.high = np.array(bounds).T
        rows = np.zeros((2 * len(series), len(self.cells)))
        for n, code in enumerate(series):
            rows[2 * n, n] = -1
            rows[2 * n, [self.at[part] for part in parts if code in part]] = 1
            rows[2 * n + 1] = -rows[2 * n]
        self.sums = LinearConstraint(csr_array(rows), 0.0, np.inf)
        self.seen = [set() for _ in self.cells]


def tell(name: str, found: Found) -> None:
    print(
        f"{name:30} small {found.n_small:5}  narrowed {found.narrowed:5}  known {found.known:5}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--most", type=int, default=200)
    options = parser.parse_args()
    tell("themes beside reports", themes_and_reports(options.snapshot, options.most))
    for name, is_apart, is_rounded in (
        ("weeks beside months", False, False),
        ("weeks protected apart", True, False),
        ("weeks apart, rounded", True, True),
    ):
        found = weeks_and_months(
            options.snapshot, options.most, is_apart=is_apart, is_rounded=is_rounded
        )
        tell(name, found)


if __name__ == "__main__":
    main()
