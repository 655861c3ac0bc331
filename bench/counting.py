"""Theme x area x month over ten million classifications: seconds and peak memory.

    python -m bench.counting [--rows 10000000] [--seed 1]

Fills a store's own tables with invented reports (no text worth the name) and runs the store's own
views, the very SQL of a night. DuckDB runs in a process of its own, so that its peak memory is
not that of the filling.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from lagesbild.store import warehouse

STORE = Path(warehouse.__file__).parent
N_AREAS, N_MONTHS, N_THEMES = 60, 48, 15

# Hashes of the row number stand in for chance, so that the same seed gives the same rows.
SUBMISSIONS = """
insert into submission by name
select printf('%032x', i) as submission_id, 1 as version, true as is_current, i as raw_id,
    's' || (hash(i, $seed) % 5) as source, i::varchar as source_record_id, '' as part,
    'report' as kind, 'x' as text, 'x' as text_sha256, 'x' as content_sha256, 'sv' as language,
    day as reported_at, day::date as reported_date, 0 as n_redacted, '1' as redactor_version
from (select i, timestamp '2022-01-01' + to_days((hash(i, $seed, 1) % 1460)::integer) as day
      from range($n) t(i))
"""
AREAS = """
insert into submission_area by name
select printf('%032x', i) as submission_id, 1 as version, 'stadsdel' as area_type,
    printf('a%02d', sqrt(hash(i, $seed, 2) % 3600)::integer % 60) as area_code,
    '2025' as geo_version, 'field' as method
from range($n) t(i)
"""
CLASSIFIED = """
insert into classified_text by name
select printf('%032x', i) as submission_id, 'x' as text_sha256,
    $version as classifier_version, true as is_current, false as needs_review, 'sv' as language,
    map([]::varchar[], []::float[]) as probabilities
from range($n) t(i)
"""
# Every report has one theme, and every second one another: 2/3 n reports, n classifications.
THEMES = """
insert into classification by name
select printf('%032x', i) as submission_id, 'x' as text_sha256,
    $version as classifier_version, 't' || ((hash(i, $seed, 3) % 15 + k * 7) % 15) as theme,
    0.9 as probability, 'problem' as stance, [[0, 1]] as evidence
from range($n) t(i), range(2) u(k) where k = 0 or i % 2 = 0
"""
COUNT = """
create table counted as
select area_code, period, theme, sum(n_reports)::bigint as n
from theme_recount where period_type = 'month' and area_type = 'stadsdel' group by all
"""


def fill(file: Path, n_classified: int, seed: int, version: str = "1") -> None:
    """A store with this many classifications and two thirds as many reports.

    `version`: of the classifier that is said to have made them.
    """
    n_reports = n_classified * 2 // 3
    with duckdb.connect(str(file)) as db:
        db.execute((STORE / "tables.sql").read_text(encoding="utf-8"))
        db.execute((STORE / "views.sql").read_text(encoding="utf-8"))
        db.execute("insert into area values ('stadsdel', 'a00', 'A', '2025')")
        for query in (SUBMISSIONS, AREAS, CLASSIFIED, THEMES):
            uses = {"n": n_reports, "seed": seed, "version": version}
            db.execute(query, {k: v for k, v in uses.items() if f"${k}" in query})


def count(file: Path) -> list[tuple[str, str, str, int]]:
    """Theme x area x month by the store's own views."""
    with duckdb.connect(str(file)) as db:
        db.execute(COUNT)
        return db.execute("select * from counted order by all").fetchall()


def measure(file: Path) -> None:
    """Print cells, sum, seconds and peak memory of this process."""
    began = time.monotonic()
    rows = count(file)
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    peak = used.ru_maxrss / 1024
    total = sum(row[-1] for row in rows)
    print(
        f"{len(rows)} cells, {total} counted, {seconds:.1f} s ({cpu:.0f} s of processor), "
        f"peak {peak:.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.duckdb"
        began = time.monotonic()
        fill(file, options.rows, options.seed)
        print(
            f"{options.rows} classifications filled in {time.monotonic() - began:.1f} s", flush=True
        )
        command = [sys.executable, "-m", "bench.counting", "--measure", str(file)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
