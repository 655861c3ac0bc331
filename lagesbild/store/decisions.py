"""People's decisions: append-only, in a file of their own that no night ever writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from lagesbild.store.warehouse import Warehouse, connect

_TABLES = """
create table if not exists decision (
    decision_id text primary key,         -- made by the client, so that sending twice adds nothing
    submission_id text not null, theme text not null,
    verdict text not null check (verdict in ('accepted', 'rejected', 'added')),
    subtheme text, stance text,
    reviewer text not null, decided_at text not null,
    text_sha256 text not null, classifier_version text not null
) strict;
create trigger if not exists decision_is_final before update on decision
begin select raise(abort, 'decisions are never changed'); end;
create trigger if not exists decision_stays before delete on decision
begin select raise(abort, 'decisions are never removed'); end;
"""
_COLUMNS = (
    "decision_id, submission_id, theme, verdict, subtheme, stance, reviewer, decided_at, "
    "text_sha256, classifier_version"
)


class Decisions:
    """The file of decisions. `path` is made, with its table, when it is first written to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, **decision: Any) -> None:
        """Store one decision durably; the same `decision_id` again adds nothing."""
        with closing(self._open()) as db, db:
            marks = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
            db.execute(f"insert or ignore into decision ({_COLUMNS}) values ({marks})", decision)

    def ids(self) -> set[str]:
        if not self.path.exists():
            return set()
        with closing(self._open()) as db:
            return {row[0] for row in db.execute("select decision_id from decision")}

    def unmerged(self, warehouse: Warehouse) -> list[tuple[Any, ...]]:
        """Decisions the warehouse does not hold yet, oldest first."""
        if not self.path.exists():
            return []
        with closing(self._open()) as db:
            rows = db.execute(f"select {_COLUMNS} from decision order by rowid").fetchall()
        if not warehouse.exists():
            return rows
        with connect(warehouse.path, read_only=True) as db_merged:
            merged = {r[0] for r in db_merged.execute("select decision_id from review").fetchall()}
        return [row for row in rows if row[0] not in merged]

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=30)
        db.executescript("pragma journal_mode = wal; pragma synchronous = full;")
        db.executescript(_TABLES)
        return db
