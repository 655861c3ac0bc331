"""An invented family as large as a city's, to measure how long its protection takes.

Called by `python -m bench.attacker --large`. Areas, themes and sources are drawn with heavy tails,
as in life: most counts are 0 to 3. Areas make up districts of ten as well as the whole. A row is
one theme of a report; every sixth report has two, so reports with any theme are fewer than rows.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from lagesbild.publish.disclosure import Cell, Family, protect
from lagesbild.publish.families import ROOT, Tables, coarser_periods, family_of

N_SOURCES = 6
Whole = NDArray[np.int64]


def large_family(n_areas: int, n_months: int, n_themes: int, n_rows: int, seed: int = 1) -> Family:
    """Areas by themes by months, with quarters, tertials and years, and themes by sources."""
    draw = np.random.default_rng(seed)
    months = [f"{2024 + month // 12}-{month % 12 + 1:02}" for month in range(n_months)]
    tables = Tables((("area", "theme", "period"), ("theme", "period", "source")))
    named = {m: (*codes, ROOT) for m, codes in coarser_periods(months, tables).items()}
    periods = sorted({code for codes in named.values() for code in codes})
    into = np.array([[code in named[month] for code in periods] for month in months], dtype=int)
    theme, month = _drawn(draw, n_themes, 0.8, n_rows), draw.integers(n_months, size=n_rows)
    area, source = _drawn(draw, n_areas, 0.9, n_rows), _drawn(draw, N_SOURCES, 1.0, n_rows)
    is_new = np.ones(n_rows, dtype=bool)
    if n_themes > 1:  # every seventh row is one theme more of the report before it
        again = np.arange(1, n_rows, 7)
        is_new[again] = False
        for drawn in (month, area, source):
            drawn[again] = drawn[again - 1]
        theme[again] = (theme[again - 1] + draw.integers(1, n_themes, len(again))) % n_themes
    # behind the themes come the reports
    by_area = np.zeros((n_areas, n_themes + 1, n_months), dtype=int)
    by_source = np.zeros((N_SOURCES, n_themes + 1, n_months), dtype=int)
    np.add.at(by_area, (area, theme, month), 1)
    np.add.at(by_source, (source, theme, month), 1)
    reports = np.full(int(is_new.sum()), n_themes)
    np.add.at(by_area, (area[is_new], reports, month[is_new]), 1)
    np.add.at(by_source, (source[is_new], reports, month[is_new]), 1)
    n_districts = -(-n_areas // 10)
    districts = [by_area[first::n_districts].sum(axis=0) for first in range(n_districts)]
    areas = [f"stadsdel:{n:03}" for n in range(n_areas)]
    areas += [*(f"distrikt:{n:02}" for n in range(n_districts)), ROOT]
    themes = [*(f"t{n:02}" for n in range(n_themes)), ROOT]
    every_area = np.concatenate([by_area, np.array([*districts, by_area.sum(axis=0)])])
    counts: dict[Cell, int] = {}
    for (i, j, k), n in np.ndenumerate(every_area @ into):
        counts[areas[i], themes[j], periods[k], ROOT] = int(n)
    for (i, j, k), n in np.ndenumerate(by_source @ into):
        counts[ROOT, themes[j], periods[k], f"s{i}"] = int(n)
    return family_of({cell: n for cell, n in counts.items() if n}, tables)[0]


def _drawn(draw: np.random.Generator, n_codes: int, steepness: float, n_rows: int) -> Whole:
    weights = 1.0 / np.arange(1, n_codes + 1) ** steepness
    return draw.choice(n_codes, n_rows, p=weights / weights.sum())


def measure(n_areas: int, n_months: int, n_themes: int, n_rows: int) -> None:
    """Print the shape, what was hidden, and the seconds by the clock and of the processor."""
    family = large_family(n_areas, n_months, n_themes, n_rows)
    began, worked = time.monotonic(), time.process_time()
    protected = protect(family)
    seconds, worked = time.monotonic() - began, time.process_time() - worked
    print(
        f"areas {n_areas}  months {n_months}  themes {n_themes}  rows {n_rows}  "
        f"cells {len(family.counts)}  small {len(protected.small)}  "
        f"hidden {len(protected.small) + len(protected.complementary)}  "
        f"given up {protected.n_given_up}  {seconds:.1f} s ({worked:.1f} s of processor)",
        flush=True,
    )
