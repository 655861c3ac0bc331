"""Which reports tell of one incident or belong to a campaign: grouped anew when anything changed.

Sketches of texts and what came of comparing them are kept, so that a night reads only new ones;
the grouping itself follows from the reports there are now, in whatever order they came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set

import duckdb
import pyarrow as pa

from lagesbild.duplicates import (
    N_BANDS,
    Told,
    candidates,
    groups,
    joined,
    nearly_identical,
    plain,
    sketches,
)

_BATCH = 50_000
_SKETCH = pa.schema([("text_hash", pa.uint64()), ("bands", pa.list_(pa.uint32(), N_BANDS))])
_PAIR = pa.schema([("text_hash", pa.uint64()), ("other_hash", pa.uint64())])
_COMPARED = _PAIR.append(pa.field("is_alike", pa.bool_()))
_INCIDENT = pa.schema([(n, pa.string()) for n in ("submission_id", "incident_id", "kind")])
_REPORT = "is_current and kind = 'report'"


def regroup(db: duckdb.DuckDBPyConnection) -> None:
    """Fill `incident_report` with every report that shares an incident or a campaign."""
    _sketch(db)
    texts = _shared_texts(db)
    clusters = _clusters(db, texts)
    rows = []
    for told in _told(db, clusters):
        for group in groups(told):
            named = group.submission_ids[0]
            rows += [(submission_id, named, group.kind) for submission_id in group.submission_ids]
    db.execute("delete from incident_report")
    _insert(db, "incident_report", _INCIDENT, sorted(rows))


def _sketch(db: duckdb.DuckDBPyConnection) -> None:
    """Sketch the texts that have none, and forget those of texts that are gone."""
    db.execute(
        "delete from text_sketch where text_hash not in "
        f"(select hash(text) from submission where {_REPORT})"
    )
    todo = (
        f"select distinct on (h) hash(text) as h, text from submission where {_REPORT} "
        f"and h not in (select text_hash from text_sketch) order by h limit {_BATCH}"
    )
    while rows := db.execute(todo).fetchall():
        found = sketches([text for _, text in rows])
        fresh = [(key, bands) for (key, _), bands in zip(rows, found.tolist(), strict=True)]
        _insert(db, "text_sketch", _SKETCH, fresh)


def _insert(
    db: duckdb.DuckDBPyConnection,
    table: str,
    schema: pa.Schema,
    rows: Sequence[tuple[object, ...]],
) -> None:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    db.register("fresh_rows", pa.Table.from_arrays(arrays, schema=schema))
    db.execute(f"insert into {table} by name select * from fresh_rows")
    db.unregister("fresh_rows")


def _shared_texts(db: duckdb.DuckDBPyConnection) -> list[int]:
    """Texts, by hash, that share a band with another text, or that several reports have."""
    rows = db.execute(
        "with band as (select text_hash, unnest(bands) as band, "
        "generate_subscripts(bands, 1) as number from text_sketch), "
        "shared as (select text_hash from band "
        "qualify count(*) over (partition by number, band) > 1) "
        "select text_hash from shared union "
        f"select hash(text) from submission where {_REPORT} group by all having count(*) > 1 "
        "order by all"
    ).fetchall()
    return [row[0] for row in rows]


def _clusters(db: duckdb.DuckDBPyConnection, hashes: Sequence[int]) -> dict[int, int]:
    """Hash of a text -> number of its cluster of nearly identical texts."""
    db.execute("create or replace temp table shared_text (text_hash ubigint)")
    _insert(db, "shared_text", pa.schema([("text_hash", pa.uint64())]), [(h,) for h in hashes])
    sketched = db.execute(
        "select text_hash, bands from text_sketch semi join shared_text using (text_hash) "
        "order by text_hash"
    ).fetchall()
    bands = (
        (number, band, place)
        for place, (_, own) in enumerate(sketched)
        for number, band in enumerate(own)
    )
    keys = [key for key, _ in sketched]
    pairs = [(keys[a], keys[b]) for a, b in sorted(candidates(bands))]
    place = {key: number for number, key in enumerate(keys)}
    alike = ((place[a], place[b]) for a, b in _alike(db, pairs))
    return dict(zip(keys, joined(len(keys), alike), strict=True))


def _alike(
    db: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The pairs of texts, by hash, that are nearly identical. Only new pairs are compared."""
    db.execute("create or replace temp table pair (text_hash ubigint, other_hash ubigint)")
    _insert(db, "pair", _PAIR, pairs)
    both = "using (text_hash, other_hash)"
    new = db.execute(f"select * from pair anti join compared_text {both} order by all").fetchall()
    texts = _plain_texts(db, {key for pair in new for key in pair})
    found = set(nearly_identical(texts, new))
    _insert(db, "compared_text", _COMPARED, [(*pair, pair in found) for pair in new])
    db.execute(
        "delete from compared_text where (text_hash, other_hash) not in "
        "(select (text_hash, other_hash) from pair)"
    )
    return db.execute(
        "select text_hash, other_hash from compared_text where is_alike order by all"
    ).fetchall()


def _plain_texts(db: duckdb.DuckDBPyConnection, hashes: Set[int]) -> dict[int, str]:
    db.execute("create or replace temp table wanted_text (text_hash ubigint)")
    schema = pa.schema([("text_hash", pa.uint64())])
    _insert(db, "wanted_text", schema, [(key,) for key in sorted(hashes)])
    rows = db.execute(
        "select distinct on (h) hash(text) as h, text from submission "
        f"where {_REPORT} and h in (select text_hash from wanted_text)"
    ).fetchall()
    return {key: plain(text) for key, text in rows}


def _told(db: duckdb.DuckDBPyConnection, clusters: dict[int, int]) -> list[list[Told]]:
    """The reports of each cluster of more than one."""
    rows = db.execute(
        "select hash(s.text), s.submission_id, s.reported_date, length(s.text), s.lat, s.lon, "
        "list(a.area_type || ':' || a.area_code) filter (where a.area_type not in "
        "('kommun', 'lan')), s.reporter_hash from submission s "
        "left join submission_area a using (submission_id, version) "
        f"where s.{_REPORT} and hash(s.text) in (select text_hash from shared_text) group by all"
    ).fetchall()
    found: dict[int, list[Told]] = defaultdict(list)
    for text_hash, submission_id, day, n_letters, lat, lon, areas, sender in rows:
        position = None if lat is None or lon is None else (lat, lon)
        told = Told(submission_id, day, n_letters, position, frozenset(areas or ()), sender)
        found[clusters[text_hash]].append(told)
    return [told for told in found.values() if len(told) > 1]
