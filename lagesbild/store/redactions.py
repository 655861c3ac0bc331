"""What people marked as personal data: kept with their decisions, where but never what."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from lagesbild.store.decisions import Decisions
from lagesbild.store.hiding import Mark
from lagesbild.store.warehouse import Warehouse


def mark(decisions: Decisions, marked: Mark, now: datetime) -> None:
    """Store a mark; the same `redaction_id` again adds nothing."""
    at = now.isoformat(timespec="seconds")
    places = zip(marked.spans, marked.shapes, strict=True)
    with decisions.transaction() as db:
        db.executemany(
            "insert or ignore into redaction values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    marked.redaction_id,
                    marked.submission_id,
                    marked.text_sha256,
                    start,
                    end,
                    looks,
                    marked.reviewer,
                    at,
                )
                for (start, end), looks in places
            ],
        )
        db.execute(
            "insert or ignore into redaction_kind values (?, ?)", [marked.redaction_id, marked.kind]
        )


def unmark(decisions: Decisions, redaction_id: str, reviewer: str, now: datetime) -> None:
    """Take a mark back. Of no effect on what a night has taken out already."""
    with decisions.transaction() as db:
        db.execute(
            "insert or ignore into redaction_undo values (?, ?, ?)",
            [redaction_id, reviewer, now.isoformat(timespec="seconds")],
        )


def marks(decisions: Decisions, submission_id: str | None = None) -> list[Mark]:
    """Every mark, or those of one report, oldest first; also those taken back."""
    if not decisions.path.exists():
        return []
    with decisions.lent() as db:
        return marks_from(db, submission_id)


def marks_from(
    db: sqlite3.Connection, submission_id: str | None, schema: str = "main"
) -> list[Mark]:
    """The same by an open connection, where the decisions may be attached as `schema`."""
    condition, values = ("r.submission_id = ?", [submission_id]) if submission_id else ("true", [])
    rows = db.execute(
        "select r.redaction_id, r.submission_id, r.text_sha256, r.start_at, r.end_at, r.shape, "
        "coalesce(k.kind, 'annat'), r.reviewer, r.marked_at, u.redaction_id is not null "
        f"from {schema}.redaction r left join {schema}.redaction_kind k using (redaction_id) "
        f"left join {schema}.redaction_undo u using (redaction_id) "
        f"where {condition} order by r.marked_at, r.redaction_id, r.start_at",
        values,
    ).fetchall()
    found: dict[str, list[Sequence[object]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(tuple(row))
    return [_mark(places) for places in found.values()]


def _mark(rows: Sequence[Sequence[object]]) -> Mark:
    redaction_id, submission_id, text_sha256, *_, kind, reviewer, marked_at, is_undone = map(
        str, rows[0]
    )
    return Mark(
        redaction_id,
        submission_id,
        text_sha256,
        tuple((int(str(row[3])), int(str(row[4]))) for row in rows),
        tuple(str(row[5]) for row in rows),
        kind,
        reviewer,
        marked_at,
        is_undone == "1",
    )


def waiting(decisions: Decisions, warehouse: Warehouse) -> list[Mark]:
    """All marks of the reports that have some which no night has taken out; empty if none has."""
    every = marks(decisions)
    merged = warehouse.redaction_ids()
    about = {m.submission_id for m in every if is_waiting(m, merged)}
    return [m for m in every if m.submission_id in about]


def is_waiting(marked: Mark, merged: Collection[str]) -> bool:
    return not marked.is_undone and marked.redaction_id not in merged
