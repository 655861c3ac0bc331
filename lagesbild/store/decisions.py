"""People's decisions: append-only, in a file of their own that no night ever writes.

A `Reading` is what a person did with one report; the rows of `decision`, one for each theme, follow
from it and are what nights merge. Undoing adds a reading too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from lagesbild.errors import LagesbildError
from lagesbild.store.connections import Connections
from lagesbild.store.warehouse import Warehouse, connect
from lagesbild.themes import load_themes

Mode = Literal["open", "bulk", "blind", "second", "settle", "undo"]
Outcome = Literal["decided", "cannot_decide", "withdrawn"]

_COLUMNS = (
    "decision_id, submission_id, theme, verdict, subtheme, stance, reviewer, decided_at, "
    "text_sha256, classifier_version"
)
_READING_COLUMNS = (
    "reading_id, submission_id, text_sha256, classifier_version, reviewer, read_at, mode, outcome, "
    "themes, machine, weight, note, batch_id, undoes"
)
_SCHEMA_VERSION = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person said of one theme in a report."""

    subtheme: str | None = None
    stance: str = "problem"


@dataclass(frozen=True, slots=True)
class Reading:
    """One person's act on one report. `machine`: the themes the classifier had decided.

    `weight`: for the blind sample, one over the probability of having been drawn.
    """

    reading_id: str
    submission_id: str
    text_sha256: str
    classifier_version: str
    reviewer: str
    mode: Mode
    outcome: Outcome = "decided"
    themes: Mapping[str, Choice] = field(default_factory=dict)
    machine: Sequence[str] = ()
    weight: float | None = None
    note: str = ""
    batch_id: str | None = None
    undoes: str | None = None
    read_at: str = ""


class ConflictError(LagesbildError):
    """Somebody else decided in between; `newest` is what they said (None: they undid it)."""

    def __init__(self, newest: Reading | None) -> None:
        super().__init__("Någon annan har hunnit besluta om rapporten; läs deras beslut först.")
        self.newest = newest


class Decisions:
    """The file of decisions. `path` is made, with its tables, when it is first written to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connections = Connections(path, self.open)

    # --- what nights need ---------------------------------------------------------------------

    def append(self, **decision: Any) -> None:
        """Store one decision durably; the same `decision_id` again adds nothing."""
        with self.transaction() as db:
            _insert_decision(db, decision)

    def ids(self) -> set[str]:
        if not self.path.exists():
            return set()
        with self.lent() as db:
            return {row[0] for row in db.execute("select decision_id from decision")}

    def unmerged(self, warehouse: Warehouse) -> list[tuple[Any, ...]]:
        """Decisions the warehouse does not hold yet, oldest first, each with how it was read."""
        if not self.path.exists():
            return []
        with self.lent() as db:
            columns = ", ".join(f"d.{name}" for name in _COLUMNS.split(", "))
            rows = db.execute(
                f"select {columns}, r.mode from decision d left join reading r on r.reading_id = "
                "substr(d.decision_id, 1, length(d.decision_id) - length(d.theme) - 1) "
                "order by d.rowid"
            ).fetchall()
        if not warehouse.exists():
            return rows
        with connect(warehouse.path, read_only=True) as db_merged:
            merged = {r[0] for r in db_merged.execute("select decision_id from review").fetchall()}
        return [row for row in rows if row[0] not in merged]

    # --- what people do -----------------------------------------------------------------------

    def record(self, reading: Reading, seen: str | None, now: datetime) -> None:
        """Store a reading and the decisions that follow; the same id again adds nothing.

        `seen`: id of the reading in force that the person had before them. Raises ConflictError
        when another one holds by now. A second reader sees nothing, so `seen` is not asked there.
        """
        with self.transaction() as db:
            if _is_stored(db, reading.reading_id):
                return
            earlier = _readings(db, reading.submission_id, reading.text_sha256)
            newest = in_force(earlier)
            if reading.mode != "second" and (newest.reading_id if newest else None) != seen:
                raise ConflictError(newest)
            _store(db, reading, newest, _moment(now, earlier))

    def record_batch(self, readings: Iterable[Reading], now: datetime) -> int:
        """Store bulk readings in one transaction, leaving out what somebody has decided already."""
        n_stored = 0
        with self.transaction() as db:
            for reading in readings:
                if _is_stored(db, reading.reading_id):
                    n_stored += 1
                    continue
                earlier = _readings(db, reading.submission_id, reading.text_sha256)
                if in_force(earlier) is None:
                    _store(db, reading, None, _moment(now, earlier))
                    n_stored += 1
        return n_stored

    def has_batch(self, batch_id: str) -> bool:
        with self.lent() as db:
            row = db.execute("select 1 from reading where batch_id = ?", [batch_id]).fetchone()
        return row is not None

    def undo(self, reading_id: str, new_id: str, reviewer: str, now: datetime) -> bool:
        """Take back a reading that is still in force; what held before it holds again."""
        with self.transaction() as db:
            if _is_stored(db, new_id):
                return True
            return _undo(db, reading_id, new_id, reviewer, now)

    def undo_batch(self, batch_id: str, new_id: str, reviewer: str, now: datetime) -> int:
        """Take back what of a bulk decision still holds. Returns how many reports."""
        with self.transaction() as db:
            rows = db.execute(
                "select reading_id from reading where batch_id = ? and mode = 'bulk'", [batch_id]
            ).fetchall()
            return sum(
                _undo(db, reading_id, f"{new_id}:{number}", reviewer, now)
                for number, (reading_id,) in enumerate(rows)
            )

    def history(self, submission_id: str, text_sha256: str) -> list[Reading]:
        """Every reading of this very text, oldest first."""
        with self.lent() as db:
            return _readings(db, submission_id, text_sha256)

    def readings(self, *modes: Mode) -> list[Reading]:
        """Readings of these modes that nobody has undone, oldest first."""
        marks = ", ".join("?" * len(modes))
        with self.lent() as db:
            rows = db.execute(
                f"select {_READING_COLUMNS} from reading r where mode in ({marks}) and not exists "
                "(select 1 from reading u where u.undoes = r.reading_id) order by rowid",
                modes,
            ).fetchall()
        return [_reading(row) for row in rows]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write alone, durably: committed once the block has ended, or not at all."""
        with self.lent() as db:
            db.execute("begin immediate")
            yield db
            db.commit()

    def lent(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for the block, to read with."""
        return self._connections.lent()

    def open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self.path.touch(mode=0o600)
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("pragma synchronous = full")
        if db.execute("pragma user_version").fetchone()[0] < _SCHEMA_VERSION:
            db.execute("pragma journal_mode = wal")
            sql = files("lagesbild.store").joinpath("review.sql").read_text(encoding="utf-8")
            db.executescript(f"{sql}; pragma user_version = {_SCHEMA_VERSION};")
        return db


def in_force(readings: Sequence[Reading]) -> Reading | None:
    """Of one report's readings, the one that holds: the last not undone, second readings aside."""
    undone = {reading.undoes for reading in readings}
    for reading in reversed(readings):
        if reading.mode not in ("undo", "second") and reading.reading_id not in undone:
            return reading
    return None


def verdicts(reading: Reading, earlier: Reading | None) -> dict[str, str]:
    """What a reading says of each theme: those chosen, those of the machine, those chosen before.

    Empty when the person could not decide, and for a second reader, whose word counts only once
    the two have settled.
    """
    if reading.outcome != "decided" or reading.mode == "second":
        return {}
    named = {*reading.machine, *reading.themes, *(earlier.themes if earlier else ())}
    return {theme: _verdict(theme, reading) for theme in sorted(named)}


def _verdict(theme: str, reading: Reading) -> str:
    if theme not in reading.themes:
        return "rejected"
    return "accepted" if theme in reading.machine else "added"


def _store(db: sqlite3.Connection, reading: Reading, earlier: Reading | None, at: str) -> None:
    _insert_reading(db, reading, at)
    for theme, verdict in verdicts(reading, earlier).items():
        _insert_theme(db, reading, theme, verdict, reading.themes.get(theme), at)
    _set_state(db, reading.submission_id, reading.text_sha256)


def _undo(
    db: sqlite3.Connection, reading_id: str, new_id: str, reviewer: str, now: datetime
) -> bool:
    row = db.execute(
        f"select {_READING_COLUMNS} from reading where reading_id = ?", [reading_id]
    ).fetchone()
    if row is None:
        return False
    undone = _reading(row)
    readings = _readings(db, undone.submission_id, undone.text_sha256)
    newest = in_force(readings)
    if newest is None or newest.reading_id != reading_id:
        return False
    at = _moment(now, readings)
    before = in_force(
        [r for r in readings if r.reading_id != reading_id and r.undoes != reading_id]
    )
    undoing = Reading(
        new_id,
        undone.submission_id,
        undone.text_sha256,
        undone.classifier_version,
        reviewer,
        "undo",
        "withdrawn",
        undoes=reading_id,
    )
    _insert_reading(db, undoing, at)
    restored = verdicts(before, None) if before else {}
    touched = {
        row[0]
        for row in db.execute(
            "select theme from decision where submission_id = ? and text_sha256 = ?",
            [undone.submission_id, undone.text_sha256],
        )
    }
    for theme in sorted(touched | restored.keys()):
        choice = before.themes.get(theme) if before else None
        _insert_theme(db, undoing, theme, restored.get(theme, "withdrawn"), choice, at)
    _set_state(db, undone.submission_id, undone.text_sha256)
    return True


def _set_state(db: sqlite3.Connection, submission_id: str, text_sha256: str) -> None:
    readings = _readings(db, submission_id, text_sha256)
    newest = in_force(readings)
    db.execute(
        "delete from report_state where submission_id = ? and text_sha256 = ?",
        [submission_id, text_sha256],
    )
    if newest:
        undone = {reading.undoes for reading in readings}
        is_blind = any(r.mode == "blind" and r.reading_id not in undone for r in readings)
        db.execute(
            "insert into report_state values (?, ?, ?, ?, ?)",
            [submission_id, text_sha256, newest.reading_id, newest.outcome, int(is_blind)],
        )


def _is_stored(db: sqlite3.Connection, reading_id: str) -> bool:
    found = db.execute("select 1 from reading where reading_id = ?", [reading_id]).fetchone()
    return found is not None


def _moment(now: datetime, earlier: Sequence[Reading]) -> str:
    """When, in UTC without zone; later than every earlier reading even where clocks disagree."""
    moment = now.astimezone(UTC).replace(tzinfo=None)
    if earlier:
        latest = max(datetime.fromisoformat(reading.read_at) for reading in earlier)
        moment = max(moment, latest + timedelta(microseconds=1))
    return moment.isoformat(timespec="microseconds")


def _insert_reading(db: sqlite3.Connection, reading: Reading, at: str) -> None:
    themes = {
        theme: {"subtheme": choice.subtheme, "stance": choice.stance}
        for theme, choice in reading.themes.items()
    }
    values = (
        reading.reading_id,
        reading.submission_id,
        reading.text_sha256,
        reading.classifier_version,
        reading.reviewer,
        at,
        reading.mode,
        reading.outcome,
        json.dumps(themes, sort_keys=True),
        json.dumps(list(reading.machine)),
        reading.weight,
        reading.note,
        reading.batch_id,
        reading.undoes,
    )
    marks = ", ".join("?" * len(values))
    db.execute(f"insert into reading ({_READING_COLUMNS}) values ({marks})", values)


def _insert_theme(
    db: sqlite3.Connection,
    reading: Reading,
    theme: str,
    verdict: str,
    choice: Choice | None,
    at: str,
) -> None:
    _insert_decision(
        db,
        {
            "decision_id": f"{reading.reading_id}:{theme}",
            "submission_id": reading.submission_id,
            "theme": theme,
            "verdict": verdict,
            "subtheme": choice.subtheme if choice else None,
            "stance": choice.stance if choice else None,
            "reviewer": reading.reviewer,
            "decided_at": at,
            "text_sha256": reading.text_sha256,
            "classifier_version": reading.classifier_version,
        },
    )


def _insert_decision(db: sqlite3.Connection, decision: Mapping[str, Any]) -> None:
    marks = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
    db.execute(f"insert or ignore into decision ({_COLUMNS}) values ({marks})", decision)


def _readings(db: sqlite3.Connection, submission_id: str, text_sha256: str) -> list[Reading]:
    rows = db.execute(
        f"select {_READING_COLUMNS} from reading where submission_id = ? and text_sha256 = ? "
        "order by rowid",
        [submission_id, text_sha256],
    ).fetchall()
    return [_reading(row) for row in rows]


def _reading(row: tuple[Any, ...]) -> Reading:
    values = dict(zip(_READING_COLUMNS.split(", "), row, strict=True))
    plan = load_themes()
    themes: dict[str, Choice] = {}
    for said, choice in json.loads(values["themes"]).items():
        theme, subtheme = plan.recoded(said, choice["subtheme"])
        themes.setdefault(theme, Choice(subtheme, choice["stance"]))
    values["themes"] = themes
    given = (plan.recoded(theme)[0] for theme in json.loads(values["machine"]))
    values["machine"] = tuple(dict.fromkeys(given))
    return Reading(**values)
