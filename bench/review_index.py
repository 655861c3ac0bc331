"""How long the review page's index takes for many reports, and how fast it is read.

    python -m bench.review_index [--n 1000000] [--store FOLDER]

The reports are drawn from invented phrases: enough for sizes and times, not for quality.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from lagesbild.night import Store
from lagesbild.review import index, queue
from lagesbild.review.index_whole import build
from lagesbild.review.reports import Reports
from lagesbild.review.similar import similar_reports
from lagesbild.settings import Settings
from lagesbild.store import snapshots
from lagesbild.store.decisions import Choice, Reading
from lagesbild.store.incidents import regroup
from lagesbild.store.warehouse import connect
from lagesbild.themes import load_themes

_WORDS = (  # noqa: SIM905 - a list would be one word a line
    "lampan trasig gångtunnel mörkt otryggt ungdomar moped buskör knark langare torget skolan park "
    "klotter vägg skräp papperskorg full buller fest granne bil parkerad fel hastighet övergång "
    "Ängen Östra Åsgatan station buss hållplats lekplats gunga bänk väktare polis fler kamera tack "
    "snö halka grop väg cykelbana stulen inbrott källare förråd bråk slagsmål rån hot rädd kväll"
).split()
_SYLLABLES = "ba de fi go hu ja ke li mo nu på ra se ti vo by dä fö gra ske sti tra".split()  # noqa: SIM905
_THEMES = (  # noqa: SIM905
    "narkotika alkohol ungdomar trafik vald_hot skadegorelse nedskrapning fysisk_miljo "
    "ordning_buller otrygghet narvaro_fortroende drift_underhall"
).split()


N_NEW, N_CHANGED = 2000, 1000  # of a night
# Two years of reports; those of a night come after them all.
_TIMES = "timestamp '2024-11-01' + to_seconds(((i * 7919) % 63000000)::bigint)"
_LATER = "timestamp '2026-11-01' + to_seconds(((i * 7919) % 86400)::bigint)"


def make_snapshot(settings: Settings, n: int) -> Path:
    """A published snapshot of `n` invented reports over two years, without any inbox behind it."""
    store = Store(settings)
    store.root.mkdir(parents=True, exist_ok=True)
    store.warehouse.create()
    with connect(store.warehouse.path, read_only=False) as db:
        db.execute(
            "insert into area select 'stadsdel', 'S' || i, 'Stadsdel ' || i, '2025' "
            "from range(60) t(i) union all select 'kommun', '9901', 'Ekstad', '2025'"
        )
        _fill(db, 0, n, _TIMES)
        _recount(db)
    return snapshots.publish(store.warehouse.path, store.snapshots, settings.keep_snapshots)


def next_night(settings: Settings, n: int, n_new: int, n_changed: int) -> Path:
    """Another snapshot: `n_new` reports more, and `n_changed` whose status has changed."""
    store = Store(settings)
    with connect(store.warehouse.path, read_only=False) as db:
        _fill(db, n, n + n_new, _LATER)
        db.execute(
            f"create temp table changed as select * from submission where raw_id < {n_changed}"
        )
        db.execute(f"update submission set is_current = false where raw_id < {n_changed}")
        db.execute(
            "insert into submission by name select * replace (2 as version, 'closed' as status) "
            "from changed"
        )
        db.execute(
            "insert into submission_area select * replace (2 as version) "
            "from submission_area semi join changed using (submission_id)"
        )
        _recount(db)
    return snapshots.publish(store.warehouse.path, store.snapshots, settings.keep_snapshots)


def _fill(db: duckdb.DuckDBPyConnection, first: int, last: int, times: str) -> None:
    words = ", ".join(f"'{word}'" for word in _WORDS)
    # one word in four is of the list, the others are made up: common ones, and ever rarer ones
    parts = ", ".join(f"'{part}'" for part in _SYLLABLES)
    made_up = "||".join(
        f"([{parts}])[1 + (pow(hash(i * 89 + j) % 10007 / 10007.0, 3) * {10**6})::int // {step} "
        f"% {len(_SYLLABLES)}]"
        for step in (1, 97, 9001)
    )
    themes = ", ".join(f"'{theme}'" for theme in _THEMES)
    db.execute(
        "create or replace temp table made as select i, substr(sha256(i::varchar), 1, 32) as id, "
        "array_to_string(list_transform(range(5 + i % 40), lambda j: "
        f"case when hash(i * 83 + j) % 4 = 0 then ([{words}])[1 + (hash(i * 97 + j) "
        f"% {len(_WORDS)})::int] else {made_up} end), ' ') || ' ' || i % 50000 as text, "
        f"{times} as at_time, "
        f"([{themes}])[1 + (pow(hash(i) % 1000 / 1000.0, 2) * {len(_THEMES)})::int "
        f"% {len(_THEMES)}] as theme, hash(i + 5) % 1000 / 1000.0 as p "
        f"from range({first}, {last}) t(i)"
    )
    db.execute(
        "insert into submission by name select id as submission_id, 1 as version, "
        "true as is_current, i as raw_id, 'app' || i % 4 as source, i::varchar as "
        "source_record_id, '' as part, 'report' as kind, text, sha256(text) as text_sha256, "
        "sha256(text) as content_sha256, at_time as reported_at, at_time::date as "
        "reported_date, 'sv' as language, 0 as n_redacted, '1' as redactor_version from made"
    )
    db.execute(
        "insert into submission_area select id, 1, 'stadsdel', 'S' || i % 60, '2025', 'field' "
        "from made union all select id, 1, 'kommun', '9901', '2025', 'field' from made"
    )
    db.execute(
        "insert into classified_text select id, sha256(text), 'bench-1', true, "
        "case when p < 0.2 then 'unsure' end, p between 0.4 and 0.6, 'sv', "
        f"map_from_entries(list_transform([{themes}], lambda t: "
        "{'k': t, 'v': (case when t = theme then p else 0.01 end)::float})) from made"
    )
    db.execute(
        "insert into classification select id, sha256(text), theme, 'bench-1', null, p, "
        "'problem', [[0, 6]] from made where p >= 0.2"
    )


def _recount(db: duckdb.DuckDBPyConnection) -> None:
    regroup(db)
    for table in ("theme", "report"):
        db.execute(f"delete from {table}_count")
        db.execute(f"insert into {table}_count by name select * from {table}_recount")
    db.execute("checkpoint")


def timed(name: str, what: Callable[[], object], times: int = 20) -> None:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        took.append((time.perf_counter() - began) * 1000)
    p95 = sorted(took)[int(times * 0.95) - 1]
    print(f"{name:<42} p50 {statistics.median(took):7.1f} ms   p95 {p95:7.1f} ms   n {times}")


def made(name: str, what: Callable[[], object]) -> None:
    began, used = time.perf_counter(), time.process_time()
    what()
    took, used = time.perf_counter() - began, time.process_time() - used
    print(f"{name}: {took:.1f} s, {used:.1f} s of processor", flush=True)


def measure(settings: Settings, n: int) -> None:
    began = time.perf_counter()
    snapshot = make_snapshot(settings, n)
    print(f"snapshot of {n} reports: {time.perf_counter() - began:.1f} s")
    store, plan = Store(settings), load_themes()
    made(
        "index made whole",
        lambda: index.ensure_index(snapshot, store.decisions, settings.review, plan),
    )
    later = next_night(settings, n, N_NEW, N_CHANGED)
    whole = later.with_suffix(".whole")
    made(
        "index of the next night, whole",
        lambda: build(later, whole, store.decisions, settings.review, plan),
    )
    whole.unlink()
    made(
        f"the same renewed: {N_NEW} new, {N_CHANGED} changed",
        lambda: index.ensure_index(later, store.decisions, settings.review, plan),
    )
    reports = Reports(store.snapshots, store.decisions, settings.review, plan)
    one = queue.find(reports, queue.Filter()).reports[0]
    filters = {
        "queue": queue.Filter(),
        "queue, theme and area": queue.Filter(theme="trafik", area="stadsdel/S7"),
        "queue, area, source and month": queue.Filter(
            area="stadsdel/S7", source="app3", first="2025-03-01", last="2025-03-31"
        ),
        "search, common word": queue.Filter(q="lamp"),
        "search, three words": queue.Filter(q="angen ostra rad"),
        "search, rare word": queue.Filter(q="49999"),
        "search, word and theme": queue.Filter(q="knark", theme="alkohol"),
        "search, no hit": queue.Filter(q="finnsinte"),
    }
    for name, chosen in filters.items():
        n_found = queue.find(reports, chosen).n_found
        timed(f"{name} ({n_found})", partial(queue.find, reports, chosen))
    timed("one report", lambda: reports.get(one.submission_id), 100)
    timed("similar reports", lambda: similar_reports(reports, one))
    timed("next open", lambda: queue.next_open(reports, queue.Filter(), "anna"))
    timed("next blind", lambda: queue.next_blind(reports, "anna"))
    pages = iter(queue.for_bulk(reports, queue.Filter(), 100))

    def decide() -> None:
        report = next(pages)
        chosen = Reading(
            f"bench-{report.item_id}",
            report.submission_id,
            report.text_sha256,
            report.classifier_version,
            "anna",
            "open",
            themes={"trafik": Choice()},
            machine=report.machine,
        )
        store.decisions.record(chosen, None, datetime.now(UTC))

    timed("decide", decide, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    folder = options.store or Path(tempfile.mkdtemp(prefix="lagesbild-"))
    settings = Settings(base_dir=folder, municipality_code="9901", sources={})
    try:
        measure(settings, options.n)
    finally:
        if options.store is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
