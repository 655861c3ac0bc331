"""Every invariant of the stores: nothing lost, nothing twice, digests true, counts = recount."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import duckdb

from lagesbild.night import Store
from lagesbild.records import digest
from lagesbild.store import snapshots
from lagesbild.store.inbox import Inbox
from lagesbild.store.redactions import marks
from lagesbild.store.warehouse import connect, has_table

_UNIQUE = {
    "submission": "submission_id, version",
    "classified_text": "submission_id, text_sha256, classifier_version",
    "classification": "submission_id, text_sha256, theme, classifier_version",
    "submission_area": "submission_id, version, area_type",
    "redacted_text": "submission_id, text_sha256",
    "assigned_theme": "submission_id, theme",
    "merge_cursor": "source",
}


def verify(store: Store) -> list[str]:
    """What is broken, one Swedish sentence each; empty when all holds."""
    if not store.warehouse.exists():
        return []
    with connect(store.warehouse.path, read_only=True) as db:
        if not has_table(db, "redacted_text"):
            return ["Databasen är gjord av en äldre version; kör en natt först."]
        checks: list[Callable[[duckdb.DuckDBPyConnection], Iterator[str]]] = [
            _unique,
            _one_current,
            _digests,
            _classified,
            _counts,
        ]
        broken = [sentence for check in checks for sentence in check(db)]
        broken += _nothing_lost(store, db)
        broken += _decisions(store, db)
    return broken + list(_snapshot(store)) + list(_inbox_digests(store))


def _count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0


def _unique(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for table, key in _UNIQUE.items():
        n = _count(
            db, f"select count(*) from (select 1 from {table} group by {key} having count(*) > 1)"
        )
        if n:
            yield f"{n} rader i {table} finns mer än en gång."


def _one_current(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    n = _count(
        db,
        "select count(*) from (select submission_id from submission group by 1 having "
        "count(*) filter (where is_current) > 1 or max(version) <> count(*) "
        "or bool_or(is_current and version <> (select max(s.version) from submission s "
        "where s.submission_id = submission.submission_id)))",
    )
    if n:
        yield f"{n} synpunkter har fel gällande version eller luckor mellan sina versioner."


def _digests(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    n = _count(
        db,
        "select count(*) from submission left join redacted_text using (submission_id, text_sha256)"
        " where sha256(text) <> coalesce(redacted_sha256, text_sha256)",
    )
    if n:
        yield f"{n} texter stämmer inte med sin kontrollsumma."
    rows = db.execute(
        "select distinct submission_id, source, source_record_id, part from submission"
    )
    n = sum(digest(*parts)[:32] != submission_id for submission_id, *parts in rows.fetchall())
    if n:
        yield f"{n} synpunkter har ett id som inte stämmer med källa och post."


def _classified(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    n = _count(
        db,
        "select count(*) from submission s where is_current and (select count(*) "
        "from classified_text t where t.submission_id = s.submission_id "
        "and t.text_sha256 = s.text_sha256 and t.is_current) <> 1",
    )
    if n:
        yield f"{n} synpunkter saknar en gällande klassning."
    n = _count(
        db,
        "select count(*) from classification c anti join classified_text t "
        "using (submission_id, text_sha256, classifier_version)",
    )
    if n:
        yield f"{n} teman hör inte till någon klassad text."


def _counts(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for table, view in (("theme_count", "theme_recount"), ("report_count", "report_recount")):
        names = ", ".join(row[0] for row in db.execute(f"describe {table}").fetchall())
        n = _count(
            db,
            f"select count(*) from ((select {names} from {table} except all "
            f"select {names} from {view}) union all (select {names} from {view} except all "
            f"select {names} from {table}))",
        )
        if n:
            yield f"{n} rader i {table} skiljer sig från en omräkning."


def _nothing_lost(store: Store, db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    held = set(
        db.execute(
            "select source, source_record_id from submission union "
            "select source, source_record_id from survey_answer union "
            "select source, source_record_id from rejected_submission"
        ).fetchall()
    )
    cursors = dict(db.execute("select source, raw_id from merge_cursor").fetchall())
    with Inbox(store.inbox) as inbox:
        seen = {(source, record): raw_id for source, record, raw_id in inbox.record_keys()}
        newest = inbox.newest_raw_ids()
    lost = sum(
        1
        for (source, record), raw_id in seen.items()
        if raw_id <= cursors.get(source, 0) and (source, record) not in held
    )
    if lost:
        yield f"{lost} mottagna poster finns varken bland synpunkter, svar eller avvisade."
    unknown = len(held - seen.keys())
    if unknown:
        yield f"{unknown} poster i databasen har aldrig tagits emot."
    for source, raw_id in cursors.items():
        if raw_id > newest.get(source, 0):
            yield f"Källan {source} är inläst längre än vad inkorgen innehåller."


def _inbox_digests(store: Store) -> Iterator[str]:
    with Inbox(store.inbox) as inbox:
        n = sum(
            hashlib.sha256(payload.encode()).hexdigest() != expected
            for payload, expected in inbox.payload_digests()
        )
    if n:
        yield f"{n} poster i inkorgen stämmer inte med sin kontrollsumma."


def _decisions(store: Store, db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    merged = {row[0] for row in db.execute("select decision_id from review").fetchall()}
    unknown = merged - store.decisions.ids()
    if unknown:
        yield f"{len(unknown)} granskningsbeslut i databasen saknas i {store.decisions.path.name}."
    taken_out = dict(db.execute("select redaction_id, n_places from redaction").fetchall())
    unknown = taken_out.keys() - {mark.redaction_id for mark in marks(store.decisions)}
    if unknown:
        yield f"{len(unknown)} dolda personuppgifter saknas i {store.decisions.path.name}."
    n = sum(n_places == 0 for n_places in taken_out.values())
    if n:
        yield f"{n} personuppgifter som någon har markerat gick inte att hitta i texten."


def _snapshot(store: Store) -> Iterator[str]:
    if snapshots.is_stale(store.warehouse.path, store.snapshots):
        yield "Ögonblicksbilden är äldre än databasen; kör lagesbild night igen."
        return
    with connect(snapshots.current(store.snapshots), read_only=True) as db:
        broken = list(_counts(db))
    if broken:
        yield "Ögonblicksbildens antal stämmer inte med en omräkning."
