"""Reading from the newest snapshot's index, with what people have decided since laid over it."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lagesbild.errors import LagesbildError
from lagesbild.review import index
from lagesbild.settings import Review
from lagesbild.store import snapshots
from lagesbild.store.decisions import Decisions
from lagesbild.store.hiding import HIDDEN_SIGN, Mark, Span, hide, left_of, spans_in
from lagesbild.store.redactions import is_waiting, marks_from
from lagesbild.store.warehouse import redaction_ids
from lagesbild.themes import CodePlan


@dataclass(frozen=True, slots=True)
class Mention:
    """One theme that the machine found in a text."""

    theme: str
    subtheme: str | None
    probability: float
    stance: str
    evidence: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Report:
    """A report as staff may see it: what somebody marked as personal data is hidden already."""

    item_id: int
    submission_id: str
    text_sha256: str
    source: str
    kind: str
    question: str | None
    category: str | None
    status: str | None
    reported_at: str
    reported_date: str
    lat: float | None
    lon: float | None
    text: str
    language: str
    abstain: str | None
    needs_review: bool
    classifier_version: str
    mentions: Sequence[Mention]
    probabilities: Mapping[str, float]
    areas: Sequence[Mapping[str, str]]
    worth: float
    reasons: Sequence[str]
    new_words: Sequence[str]
    weight: float
    blind_rank: float | None
    reading_id: str | None = None  # the reading in force
    outcome: str | None = None
    was_read_blind: bool = False
    is_hidden_in: bool = False  # some of the text was marked as personal data

    @property
    def machine(self) -> tuple[str, ...]:
        return tuple(mention.theme for mention in self.mentions)

    @property
    def is_of_resident(self) -> bool:
        return self.kind in ("report", "answer")

    @property
    def is_reserved(self) -> bool:
        """Drawn for the blind sample and not read yet: nobody may see the machine's answer."""
        return self.blind_rank is not None and not self.was_read_blind


class Reports:
    """The newest index, reopened when a night has published another. Safe to share by threads."""

    def __init__(
        self, folder: Path, decisions: Decisions, settings: Review, plan: CodePlan
    ) -> None:
        self._folder = folder
        self._decisions = decisions
        self._settings = settings
        self._plan = plan
        self._local = threading.local()
        self._lock = threading.Lock()
        self._making: set[Path] = set()
        self._newest: tuple[tuple[int, int], Path] | None = None
        self._taken_out: dict[Path, frozenset[str]] = {}

    def snapshot(self) -> Path:
        """The newest snapshot. Raises LagesbildError before the first night."""
        return snapshots.current(self._folder)

    def db(self) -> sqlite3.Connection:
        """This thread's connection to the newest index; the decisions are attached as `said`."""
        snapshot = self._readable()
        opened: tuple[Path, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened and opened[0] == snapshot:
            return opened[1]
        db = self._open(index.path_of(snapshot))
        if opened:
            opened[1].close()
        self._local.opened = (snapshot, db)
        self._local.taken_out = self._taken_out_of(snapshot)
        return db

    def _taken_out_of(self, snapshot: Path) -> frozenset[str]:
        with self._lock:  # asking takes a while, and every thread needs to know
            if snapshot not in self._taken_out:
                self._taken_out = {snapshot: frozenset(redaction_ids(snapshot))}
            return self._taken_out[snapshot]

    def _readable(self) -> Path:
        """The newest snapshot whose index is made.

        While the newest one's index is not, a thread makes it unless the night does, and everybody
        reads the one before; only where there is none at all does the reader have to wait.
        """
        pointer, known = snapshots.pointer(self._folder), self._newest
        if known and known[0] == pointer:
            return known[1]
        newest = self.snapshot()
        if index.path_of(newest).exists():
            self._newest = (pointer, newest)
            return newest
        older = [path for path in self._folder.glob("*.duckdb") if index.path_of(path).exists()]
        if not older:
            index.ensure_index(newest, self._decisions, self._settings, self._plan)
            return newest
        with self._lock:
            if newest not in self._making:
                self._making.add(newest)
                arguments = (newest, self._decisions, self._settings, self._plan)
                threading.Thread(target=index.ensure_index, args=arguments, daemon=True).start()
        return max(older)

    def _open(self, path: Path) -> sqlite3.Connection:
        with self._decisions.lent():
            pass  # its tables must be there before it is attached
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        db.execute("attach ? as said", [f"{self._decisions.path.resolve().as_uri()}?mode=ro"])
        db.execute("pragma mmap_size = 1073741824")
        return db

    def get(self, submission_id: str) -> Report | None:
        return next(iter(self.select("i.submission_id = ?", [submission_id], limit=1)), None)

    def select(
        self,
        condition: str,
        values: Sequence[Any],
        *,
        order: str = "",
        limit: int,
    ) -> list[Report]:
        """Reports for a condition over `i` (the item) and `st` (its state), redactions applied."""
        db = self.db()
        rows = db.execute(
            "select i.*, st.reading_id, st.outcome, coalesce(st.is_blind, 0) as was_read_blind "
            "from item i left join said.report_state st on st.submission_id = i.submission_id "
            f"and st.text_sha256 = i.text_sha256 where {condition} {order} limit ?",
            [*values, limit],
        ).fetchall()
        reports = [_report(row) for row in rows]
        marked = _marked(db, [report.submission_id for report in reports])
        return [
            _redacted(report, self._hidden_now(db, report))
            if report.submission_id in marked
            else _redacted(report, ())
            for report in reports
        ]

    def ids(
        self,
        condition: str,
        values: Sequence[Any],
        *,
        source: str,
        order: str = "",
        limit: int,
    ) -> list[int]:
        """Only the item ids of what `select` would give."""
        rows = self.db().execute(
            f"select i.item_id from {source} left join said.report_state st "
            "on st.submission_id = i.submission_id and st.text_sha256 = i.text_sha256 "
            f"where {condition} {order} limit ?",
            [*values, limit],
        )
        return [row[0] for row in rows.fetchall()]

    def by_ids(self, item_ids: Sequence[int]) -> list[Report]:
        """These reports, in this order."""
        marks = ", ".join("?" * len(item_ids))
        found = self.select(f"i.item_id in ({marks})", item_ids, limit=max(len(item_ids), 1))
        place = {item_id: number for number, item_id in enumerate(item_ids)}
        return sorted(found, key=lambda report: place[report.item_id])

    def _hidden_now(self, db: sqlite3.Connection, report: Report) -> list[Span]:
        """Where people have marked personal data that no night has taken out of the text yet."""
        marks = marks_from(db, report.submission_id, "said")
        return spans_in(report.text, marks, self._local.taken_out)

    def marks(self, submission_id: str) -> list[tuple[Mark, bool]]:
        """What of the report is marked as personal data; and whether that can be taken back yet."""
        found = [m for m in marks_from(self.db(), submission_id, "said") if not m.is_undone]
        return [(mark, is_waiting(mark, self._local.taken_out)) for mark in found]

    def whole_text(self, submission_id: str) -> str:
        """The text as it was indexed, with what people have hidden since; only to find more in."""
        row = (
            self.db()
            .execute("select text from item where submission_id = ?", [submission_id])
            .fetchone()
        )
        return str(row[0]) if row else ""

    def areas(self) -> list[tuple[str, str, str]]:
        """(key, type, name) of every area that some report lies in."""
        rows = self.db().execute(
            "select area, area_type, area_name from area order by area_type, area_name"
        )
        return [tuple(row) for row in rows.fetchall()]

    def sources(self) -> list[str]:
        rows = self.db().execute(
            # one step in the index for each source, however many reports there are
            "with recursive s(source) as (select min(source) from item union all "
            "select (select min(source) from item where source > s.source) from s "
            "where s.source is not null) select source from s where source is not null"
        )
        return [row[0] for row in rows.fetchall()]

    def fact(self, key: str) -> str:
        row = self.db().execute("select value from fact where key = ?", [key]).fetchone()
        if row is None:
            raise LagesbildError(f"Ögonblicksbildens register saknar {key}; kör en ny natt.")
        return str(row[0])


def _marked(db: sqlite3.Connection, submission_ids: Sequence[str]) -> set[str]:
    """Those of the reports in which somebody has marked something."""
    query = (
        "select distinct submission_id from said.redaction where submission_id in "
        "(select value from json_each(?))"
    )
    return {row[0] for row in db.execute(query, [json.dumps(submission_ids)])}


def _report(row: sqlite3.Row) -> Report:
    values = dict(row)
    mentions = [
        Mention(
            m["theme"],
            m["subtheme"],
            m["probability"],
            m["stance"],
            tuple((start, end) for start, end in m["evidence"]),
        )
        for m in json.loads(values.pop("themes"))
    ]
    for key in ("probabilities", "areas", "reasons", "new_words"):
        values[key] = json.loads(values[key])
    values["needs_review"] = bool(values["needs_review"])
    values["was_read_blind"] = bool(values["was_read_blind"])
    return Report(mentions=mentions, **values)


def _redacted(report: Report, marked: Sequence[Span]) -> Report:
    """The report without what was marked; evidence keeps pointing at what it pointed at."""
    if not marked:
        return replace(report, is_hidden_in=HIDDEN_SIGN in report.text)
    mentions = [
        replace(mention, evidence=tuple(left_of(mention.evidence, marked)))
        for mention in report.mentions
    ]
    text = hide(report.text, marked)
    return replace(report, text=text, mentions=mentions, new_words=(), is_hidden_in=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and the themes it is evidence for, in the order of the machine's answer."""

    text: str
    themes: tuple[str, ...]


def pieces(report: Report) -> list[Piece]:
    """The text cut where evidence begins or ends."""
    length = len(report.text)
    spans = [
        (max(start, 0), min(end, length), mention.theme)
        for mention in report.mentions
        for start, end in mention.evidence
        if start < min(end, length)
    ]
    cuts = sorted({0, length, *(s for s, _, _ in spans), *(e for _, e, _ in spans)})
    return [
        Piece(report.text[start:end], _themes_at(start, end, spans))
        for start, end in itertools.pairwise(cuts)
    ]


def _themes_at(start: int, end: int, spans: Sequence[tuple[int, int, str]]) -> tuple[str, ...]:
    found = [theme for s, e, theme in spans if s <= start and end <= e]
    return tuple(dict.fromkeys(found))
