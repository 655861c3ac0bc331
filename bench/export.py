"""A whole export of theme x area x month over ten million classifications: seconds and memory.

    python -m bench.export [--rows 10000000] [--seed 1]

Counting is the night's work (bench/counting.py); here the counts are read, protected as a family
and written in every format. Each step runs in this process, whose peak memory is told at the end.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import duckdb

from bench.counting import fill
from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.families import published
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


def timed(what: str, begin: float) -> float:
    now = time.perf_counter()
    print(f"{what:<28} {now - begin:8.1f} s", flush=True)
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "000001.duckdb"
        begin = time.perf_counter()
        fill(file, options.rows, options.seed)
        begin = timed("fill (not part of an export)", begin)
        count(file)
        begin = timed("count (the night's)", begin)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        family = published(file, Selection(BY).tables(Publish()))
        begin = timed("count and protect the family", begin)
        for style in STYLES:
            made = export_counts(file, Selection(BY), load_themes(), Path(folder), style=style)
            begin = timed(f"{style}, {made.stat().st_size / 1e6:.1f} MB", begin)
        protected = family.protected
        print(f"{len(protected.family.counts)} cells, {len(protected.small)} small, ", end="")
        print(f"{len(protected.complementary)} hidden to protect those")
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak memory {after / 1024:.0f} MB ({before / 1024:.0f} MB before the export)")


if __name__ == "__main__":
    main()
