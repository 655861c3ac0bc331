"""The index of a snapshot out of that of the one before: only what is new or another is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lagesbild.review.index_rows import (
    GAP,
    Row,
    add,
    add_words,
    index_anew,
    judge_again,
    part_of,
    remove,
    remove_words,
)
from lagesbild.review.index_whole import (
    areas,
    batches,
    finish,
    items_query,
    open_for_writing,
    path_of,
    stamp,
)
from lagesbild.review.overview import Overview, overview, touched
from lagesbild.settings import Review
from lagesbild.store.decisions import Decisions
from lagesbild.store.snapshots import copy_gently
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

_MOST_CHANGED = 0.25  # of the reports; more are quicker to index whole
# What a report's rows follow from. The text itself is in it, because words that people hide are
# taken out of a version that is stored already.
_KEYS = """
select s.submission_id, s.version, hash(s.text) as text_hash,
    hash(s.version, s.text, t.classifier_version) as content_hash
from counted_submission s join classified_text t on t.submission_id = s.submission_id
    and t.text_sha256 = s.text_sha256 and t.is_current
"""


class _NoRoomError(Exception):
    """More late reports between two others than the gap between their numbers has room for."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """Ids of submissions. `erased`: words were taken out of a version stored before."""

    gone: Sequence[str]
    written: Sequence[str]  # new or changed
    erased: frozenset[str]


def renew(
    snapshot: Path, target: Path, decisions: Decisions, settings: Review, plan: CodePlan
) -> bool:
    """Make the index out of the newest one there is; False where it has to be made whole."""
    before = _newest_before(snapshot)
    if before is None:
        return False
    made_by = stamp(settings, plan)
    copy_gently(path_of(before), target)
    with connect(snapshot, read_only=True) as source, closing(open_for_writing(target)) as db:
        facts = dict(db.execute("select key, value from fact").fetchall())
        if facts.get("made_by") != made_by or facts["snapshot"] != before.name:
            return False
        db.execute("begin")
        changes = _changes(before, source, db)
        if len(changes.gone) + len(changes.written) > _MOST_CHANGED * int(facts["n_items"]):
            return False
        known = overview(source, decisions, settings, plan)
        stale = set(touched(db, json.loads(facts["figures"]), known))
        try:
            parts = _apply(db, source, changes, known)
        except _NoRoomError:
            return False
        judge_again(db, stale, known)
        finish(db, source, snapshot, known, parts, made_by, plan)
    return True


def _newest_before(snapshot: Path) -> Path | None:
    older = (path for path in snapshot.parent.glob("*.duckdb") if path.name < snapshot.name)
    return max((path for path in older if path_of(path).exists()), default=None)


def _changes(before: Path, source: duckdb.DuckDBPyConnection, db: sqlite3.Connection) -> _Changes:
    with connect(before, read_only=True) as older:
        source.register("older", older.sql(_KEYS).to_arrow_table())
    source.execute(f"create temp table newer as {_KEYS}")

    def ids(query: str) -> list[str]:
        return [row[0] for row in source.execute(query).fetchall()]

    gone = ids("select submission_id from older anti join newer using (submission_id)")
    written = set(
        ids("select submission_id from newer anti join older using (submission_id, content_hash)")
    )
    erased = ids(
        "select submission_id from older o join newer n using (submission_id, version) "
        "where o.text_hash <> n.text_hash"
    )
    written |= _in_renamed_areas(source, db) - set(gone)
    return _Changes(sorted(gone), sorted(written), frozenset(erased))


def _in_renamed_areas(source: duckdb.DuckDBPyConnection, db: sqlite3.Connection) -> set[str]:
    names = {area: name for area, _, name in areas(source)}
    known = dict(db.execute("select area, area_name from area").fetchall())
    renamed = [area for area, name in names.items() if known.get(area, area) != name]
    found: set[str] = set()
    for area in renamed:
        query = "select submission_id from item_area join item using (item_id) where area = ?"
        found.update(row[0] for row in db.execute(query, [area]))
    return found


def _apply(
    db: sqlite3.Connection,
    source: duckdb.DuckDBPyConnection,
    changes: _Changes,
    known: Overview,
) -> set[int]:
    """Write the changes; returns the parts of the word index that have other words than before."""
    db.execute("pragma secure_delete = on")  # what people hid is not to stay in free space
    source.register("wanted", pa.table({"submission_id": pa.array(changes.written, pa.string())}))
    rows = [row for batch in batches(source, items_query("wanted")) for row in batch]
    old = _old(db, [*changes.gone, *changes.written])
    ids = _place(db, rows, old)
    fresh = {row[0]: (item_id, row[11]) for item_id, row in zip(ids, rows, strict=True)}
    anew = {part_of(old[name][0]) for name in changes.erased if name in old}
    anew |= {part_of(fresh[name][0]) for name in changes.erased if name in fresh}
    same = {name for name, (item_id, _, text) in old.items() if fresh.get(name) == (item_id, text)}
    removed = [(i, text) for name, (i, _, text) in old.items() if name not in same]
    added = sorted(text for name, text in fresh.items() if name not in same)
    parts = remove_words(db, (text for text in removed if part_of(text[0]) not in anew))
    remove(db, [item_id for item_id, _, _ in old.values()])
    add(db, rows, ids, known)
    parts |= add_words(db, (text for text in added if part_of(text[0]) not in anew))
    for part in anew:
        index_anew(db, part)
    return parts | anew


def _old(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, tuple[int, str, str]]:
    """submission_id -> (item_id, reported_at, text) as the index has them."""
    query = (
        "select submission_id, item_id, reported_at, text from item "
        "where submission_id in (select value from json_each(?))"
    )
    rows = db.execute(query, [json.dumps(names)]).fetchall()
    return {name: (item_id, at, text) for name, item_id, at, text in rows}


# --- where new items stand ------------------------------------------------------------------------


def _place(
    db: sqlite3.Connection, rows: Sequence[Row], old: dict[str, tuple[int, str, str]]
) -> list[int]:
    """A number for each row, in the order of the rows' times. Raises _NoRoomError.

    Who has a number already keeps it while the time is the same; nobody else gets it, even if
    its report is gone.
    """
    ids: dict[int, int] = {}
    groups: dict[int, list[int]] = {}  # the item before -> places in `rows`, in order of time
    for place, row in enumerate(rows):
        known = old.get(row[0])
        if known and known[1] == row[7]:
            ids[place] = known[0]
        else:
            groups.setdefault(_item_before(db, row[7], row[0]), []).append(place)
    for before, places in groups.items():
        following = db.execute("select min(item_id) from item where item_id > ?", [before])
        after = following.fetchone()[0]
        width = after - before if after else GAP * (len(places) + 1)
        if width <= len(places):
            raise _NoRoomError
        for number, place in enumerate(places, 1):
            ids[place] = before + number * width // (len(places) + 1)
    return [ids[place] for place in range(len(rows))]


def _item_before(db: sqlite3.Connection, at: str, submission_id: str) -> int:
    """The last item that stands before one of this time and id; 0 where none does.

    Numbers follow times, so that halving finds it.
    """
    query = (
        "select item_id, reported_at, submission_id from item where item_id <= ? "
        "order by item_id desc limit 1"
    )
    last: tuple[Any, ...] | None = db.execute(query, [2**62]).fetchone()
    low, high = 0, last[0] if last else 0
    middle = high
    while low < high:
        item_id, *key = db.execute(query, [middle]).fetchone() or (0, "", "")
        if tuple(key) < (at, submission_id):
            low = middle
        else:
            high = item_id - 1
        middle = (low + high + 1) // 2
    row = db.execute(query, [low]).fetchone()
    return int(row[0]) if row else 0
