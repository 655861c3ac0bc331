"""How late reports reach us: the day each was reported, and the day it was first pulled.

Reads numbers and times of the inbox only, never what was sent.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from lagesbild.store.warehouse import connect

LOCAL_ZONE = ZoneInfo("Europe/Stockholm")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`reports`: (day reported, day it reached us). `since`: the day of the very first pull."""

    since: date
    until: date
    reports: tuple[tuple[date, date], ...]


def arrivals(inbox: Path, snapshot: Path, n_weeks: int) -> Arrivals | None:
    """The last `n_weeks` weeks of arrivals that the snapshot knows; None without any.

    What a source sent from before it was first pulled came all at once and is left out.
    """
    if not inbox.exists():
        return None
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select raw_id, source, reported_date from submission "
            "where version = 1 and kind <> 'summary' and reported_date > "
            "(select max(reported_date) from submission) - ?::integer",
            [7 * n_weeks],
        ).fetchall()
    if not rows:
        return None
    numbers = [raw_id for raw_id, _, _ in rows]
    pulled, began = _pulled(inbox, min(numbers), max(numbers))
    found = tuple(
        (reported, pulled[raw_id])
        for raw_id, source, reported in rows
        if raw_id in pulled and reported >= began[source]
    )
    since = max(min(began.values()), min(row[2] for row in rows)) if began else None
    return Arrivals(since, max(pulled.values()), found) if since and pulled else None


def _pulled(inbox: Path, first: int, last: int) -> tuple[dict[int, date], dict[str, date]]:
    """The day each record was pulled, and the day each source was pulled first."""
    with closing(sqlite3.connect(f"file:{inbox}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "select raw_id, fetched_at from raw_submission where raw_id between ? and ?",
            (first, last),
        ).fetchall()
        began = db.execute(
            "select source, min(fetched_at) from raw_submission group by source"
        ).fetchall()
    return {raw_id: _day(at) for raw_id, at in rows}, {source: _day(at) for source, at in began}


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(LOCAL_ZONE).date()


def whole_weeks(found: Arrivals) -> int:
    """Whole weeks from the first pull on."""
    monday = found.since + timedelta(days=-found.since.weekday() % 7)
    return max(0, (found.until + timedelta(days=1) - monday).days // 7)
