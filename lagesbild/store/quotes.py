"""Which words of a report may be quoted: released by a person, and taken back by one.

Kept with people's decisions, not in the snapshots: what is taken back is gone from the next page
that is written, without waiting for a night. Only places and digests are kept, never the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lagesbild.errors import UsageError
from lagesbild.store.decisions import Decisions

LONGEST = 300  # characters of one quote


@dataclass(frozen=True, slots=True)
class Release:
    """A stretch of one text, as it stood on the reviewer's page, that may be quoted.

    `text_sha256`: what the text is known by. `shown_sha256`: of the very text that `start` and
    `end` point into; once it reads otherwise, nothing of it is released.
    """

    release_id: str
    submission_id: str
    text_sha256: str
    shown_sha256: str
    start: int
    end: int
    reviewer: str
    released_at: str = ""
    is_undone: bool = False


def release(decisions: Decisions, released: Release, now: datetime) -> None:
    """Store a release; the same `release_id` again adds nothing. Raises UsageError if too long."""
    if not 0 <= released.start < released.end <= released.start + LONGEST:
        raise UsageError(f"Ett citat är högst {LONGEST} tecken: markera ett kortare stycke.")
    values = (
        released.release_id,
        released.submission_id,
        released.text_sha256,
        released.shown_sha256,
        released.start,
        released.end,
        released.reviewer,
        now.isoformat(timespec="seconds"),
    )
    with decisions.transaction() as db:
        db.execute("insert or ignore into quote_release values (?, ?, ?, ?, ?, ?, ?, ?)", values)


def withdraw(decisions: Decisions, release_id: str, reviewer: str, now: datetime) -> None:
    """Take a release back; doing so again adds nothing."""
    with decisions.transaction() as db:
        db.execute(
            "insert or ignore into quote_undo values (?, ?, ?)",
            [release_id, reviewer, now.isoformat(timespec="seconds")],
        )


def releases(decisions: Decisions, submission_id: str | None = None) -> list[Release]:
    """Every release, or those of one report, oldest first; also those taken back."""
    if not decisions.path.exists():
        return []
    condition, values = ("submission_id = ?", [submission_id]) if submission_id else ("true", [])
    with decisions.lent() as db:
        rows = db.execute(
            "select release_id, submission_id, text_sha256, shown_sha256, start_at, end_at, "
            "q.reviewer, released_at, u.release_id is not null from quote_release q "
            f"left join quote_undo u using (release_id) where {condition} "
            "order by released_at, release_id",
            values,
        ).fetchall()
    return [Release(*(*row[:8], bool(row[8]))) for row in rows]
