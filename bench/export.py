"""A whole export of theme x area x month over ten million classifications: seconds and memory.

    python -m bench.export [--rows 10000000] [--seed 1] [--uneven]

Counting is the night's work (bench/counting.py); here the counts are read, protected as a family
and written in every format. Each step runs in this process, whose peak memory is told at the end.

`--uneven`: only counting and protecting, of counts as a town has them: few areas and few themes
have most of the rows, and many combinations have none. Even rows are harder to protect the fewer
they are (300,000 are seven in each combination), and easy when there are ten million.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas

from bench.counting import STORE, fill
from lagesbild.publish.correction import known_errors, model_digests
from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.families import Published, published
from lagesbild.resources import data_path
from lagesbild.settings import Publish
from lagesbild.themes import load_themes

BY = ("area", "theme", "month")
STYLES = ("csv", "parquet", "xlsx", "json")


def count(file: Path) -> None:
    """What a night does last: the counts out of the classifications, under the plan's themes."""
    themes = load_themes().decided
    with duckdb.connect(str(file)) as db:
        for table, view in (("theme_count", "theme_recount"), ("report_count", "report_recount")):
            db.execute(f"insert into {table} by name select * from {view}")
        for number in range(15):
            old, new = f"t{number}", themes[number % len(themes)]
            db.execute("update theme_count set theme = ? where theme = ?", [new, old])


def fill_unevenly(file: Path, n_rows: int, seed: int) -> None:
    """Counts of 60 areas, 36 months and 14 themes, drawn with Zipf's weights."""
    themes = load_themes().decided
    n_areas, n_months, n_themes = 60, 36, len(themes)
    weights = np.einsum(
        "a,m,t->amt",
        1 / np.arange(1, n_areas + 1),
        1 + 0.3 * np.sin(np.arange(n_months) * np.pi / 6),
        1 / np.arange(1, n_themes + 1),
    ).ravel()
    drawn = np.random.default_rng(seed).multinomial(n_rows, weights / weights.sum())
    counted = pandas.DataFrame({"n": drawn, "i": np.arange(len(drawn))}).query("n > 0")
    with duckdb.connect(str(file)) as db:
        db.execute((STORE / "tables.sql").read_text(encoding="utf-8"))
        db.execute("insert into area values ('stadsdel', 'a00', 'A', '2025')")
        db.register("counted", counted)
        for area_type, code in (
            ("stadsdel", f"printf('a%02d', i // {n_months * n_themes})"),
            ("alla", "'alla'"),
        ):
            place = (
                f"select '{area_type}' as area_type, {code} as area_code, 'month' as period_type, "
                f"strftime(date '2023-01-01' + to_months((i // {n_themes} % {n_months})::integer), "
                f"'%Y-%m') as period, 's' as source, sum(n)::bigint as n"
            )
            db.execute(
                "insert into theme_count by name select * exclude (n), n as n_reports from ("
                f"{place}, ($1)[i % {n_themes} + 1] as theme, '' as subtheme, 'problem' as stance "
                "from counted group by all)",
                [themes],
            )
            db.execute(
                "insert into report_count by name select * exclude (n), n as n_reports, "
                f"n as n_with_theme, 0 as n_undecided from ({place} from counted group by all)"
            )


def timed(what: str, begin: float) -> float:
    now = time.perf_counter()
    print(f"{what:<28} {now - begin:8.1f} s", flush=True)
    return time.perf_counter()


def tell(family: Published) -> None:
    protected = family.protected
    n_complementary = len(protected.complementary)
    print(f"{len(protected.family.counts)} cells: {len(protected.small)} small,", end=" ")
    print(f"{n_complementary} hidden to protect those", end=" ")
    print(f"({protected.n_before - n_complementary} more before the needless were shown again),")
    print(f"{protected.n_given_up} groups given up")


def measure_uneven(n_rows: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "000001.duckdb"
        fill_unevenly(file, n_rows, seed)
        begin, used = time.perf_counter(), time.process_time()
        family = published(file, Selection(BY).tables(Publish()))
        timed("count and protect the family", begin)
        print(f"{'of which processor':<28} {time.process_time() - used:8.1f} s")
        tell(family)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--uneven", action="store_true", help="protect only, uneven counts")
    options = parser.parse_args()
    if options.uneven:
        measure_uneven(options.rows, options.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "000001.duckdb"
        begin = time.perf_counter()
        made_by = f"bench-{model_digests(data_path('model'))[0]}"  # so its errors are known
        fill(file, options.rows, options.seed, made_by)
        begin = timed("fill (not part of an export)", begin)
        count(file)
        begin = timed("count (the night's)", begin)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        family = published(file, Selection(BY).tables(Publish()))
        begin = timed("count and protect the family", begin)
        for style in STYLES:
            made = export_counts(file, Selection(BY), load_themes(), Path(folder), style=style)
            begin = timed(f"{style}, {made.stat().st_size / 1e6:.1f} MB", begin)
        tell(family)
        n_corrected = len(known_errors(file, None, load_themes()))
        print(f"{n_corrected} themes with corrected counts among them")
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak memory {after / 1024:.0f} MB ({before / 1024:.0f} MB before the export)")


if __name__ == "__main__":
    main()
