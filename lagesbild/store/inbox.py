"""The inbox: what sources sent, as received, and the ledger of every pull.

SQLite, because it takes small durable transactions page by page, and because `secure_delete`
overwrites what is purged. The file may hold personal data: only its owner can read it, nothing is
logged or exported from it, and it is never part of a snapshot.

`raw_id` grows by one with every stored version of a record, so the warehouse knows what it has
merged from a single number for each source.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lagesbild.records import Alarm, Page, RawSubmission, Rejection

_TABLES = """
create table if not exists raw_submission (
    raw_id integer primary key autoincrement,
    source text not null,
    source_record_id text not null,
    payload_sha256 text not null,
    payload text,                     -- null once purged
    fetched_at text not null,
    refused_reason text,              -- set when the source could not make a record of it
    refused_detail text
) strict;
create index if not exists raw_by_source on raw_submission (source, raw_id);
create table if not exists seen_record (   -- never purged: a digest tells nobody anything
    source text not null,
    source_record_id text not null,
    payload_sha256 text not null,
    raw_id integer not null,
    primary key (source, source_record_id)
) strict, without rowid;
create table if not exists source_state (source text primary key, state text not null) strict;
create table if not exists pull (
    pull_id integer primary key autoincrement,
    source text not null,
    started_at text not null,
    ended_at text,                    -- null: cut off
    ledger text not null              -- JSON of PullLedger
) strict;
create table if not exists alarm (
    alarm_id integer primary key autoincrement,
    pull_id integer not null references pull,
    source text not null, check_name text not null, severity text not null, message text not null
) strict;
create table if not exists gallring_log (
    gallring_id integer primary key autoincrement,
    decision_id text not null, purged_at text not null, source text not null,
    older_than text not null, n_payloads integer not null
) strict;
"""


@dataclass
class PullLedger:
    """What one pull of one source brought; counts of records."""

    received: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    duplicates_on_page: int = 0
    pages: int = 0
    gap_from: str | None = None
    gap_to: str | None = None
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)  # see checks.py; counts, never texts


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One stored version of a record. `refusal` is set when the source could not read it."""

    raw_id: int
    raw: RawSubmission
    refusal: Rejection | None


class Inbox:
    """The inbox file, opened for writing. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.executescript(
            "pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;"
        )
        self._db.executescript(_TABLES)

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("begin immediate")
        try:
            yield self._db
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    # --- pulling ----------------------------------------------------------------------------------

    def state(self, source: str) -> Mapping[str, Any]:
        """What the source's last stored page left for its next fetch; {} the first time."""
        row = self._db.execute(
            "select state from source_state where source = ?", (source,)
        ).fetchone()
        return json.loads(row[0]) if row else {}

    def begin_pull(self, source: str, started_at: datetime) -> int:
        with self._transaction() as db:
            row = db.execute(
                "insert into pull (source, started_at, ledger) values (?, ?, '{}') "
                "returning pull_id",
                (source, started_at.isoformat()),
            ).fetchone()
        return int(row[0])

    def store_page(self, source: str, page: Page, ledger: PullLedger, fetched_at: datetime) -> None:
        """Store a page and the source's state in one transaction, counting into `ledger`."""
        with self._transaction() as db:
            ledger.received += len(page.records)
            # the last of several with one id wins, so that a page repeated gives the same
            on_page = {raw.source_record_id: raw for raw in page.records}
            ledger.duplicates_on_page += len(page.records) - len(on_page)
            for raw in on_page.values():
                _store(db, raw, None, ledger)
            for payload, rejection in page.refused:
                ledger.received += 1
                ledger.refused += 1
                raw = RawSubmission(source, rejection.source_record_id, payload, fetched_at)
                _store(db, raw, rejection, ledger)
            ledger.pages += 1
            ledger.notes += [note for note in page.notes if note not in ledger.notes]
            if page.gap:
                ledger.gap_from, ledger.gap_to = (moment.isoformat() for moment in page.gap)
            db.execute(
                "insert into source_state values (?, ?) "
                "on conflict (source) do update set state = excluded.state",
                (source, json.dumps(page.state)),
            )

    def end_pull(
        self, pull_id: int, ended_at: datetime, ledger: PullLedger, alarms: Iterable[Alarm]
    ) -> None:
        with self._transaction() as db:
            db.execute(
                "update pull set ended_at = ?, ledger = ? where pull_id = ?",
                (ended_at.isoformat(), json.dumps(asdict(ledger)), pull_id),
            )
            db.executemany(
                "insert into alarm (pull_id, source, check_name, severity, message) "
                "values (?, ?, ?, ?, ?)",
                [(pull_id, a.source, a.check, a.severity, a.message) for a in alarms],
            )

    # --- reading ----------------------------------------------------------------------------------

    def rows_after(self, source: str, raw_id: int) -> Iterator[InboxRow]:
        """Stored versions of a source's records newer than `raw_id`, oldest first."""
        return self._rows("source = ? and raw_id > ? and payload is not null", (source, raw_id))

    def rows(self, raw_ids: Sequence[int]) -> Iterator[InboxRow]:
        """The stored versions with these ids whose payload is still there, oldest first."""
        return self._rows(
            "raw_id in (select value from json_each(?)) and payload is not null",
            (json.dumps(list(raw_ids)),),
        )

    def _rows(self, where: str, parameters: tuple[Any, ...]) -> Iterator[InboxRow]:
        with closing(self._db.cursor()) as cursor:
            cursor.execute(
                "select raw_id, source, source_record_id, payload, fetched_at, refused_reason, "
                f"refused_detail from raw_submission where {where} order by raw_id",
                parameters,
            )
            for raw_id, source, record_id, payload, fetched_at, reason, detail in cursor:
                raw = RawSubmission(source, record_id, payload, datetime.fromisoformat(fetched_at))
                refusal = Rejection(source, record_id, reason, detail) if reason else None
                yield InboxRow(raw_id, raw, refusal)

    def newest_raw_ids(self) -> dict[str, int]:
        """The largest raw_id stored for each source."""
        return dict(
            self._db.execute("select source, max(raw_id) from raw_submission group by source")
        )

    def record_keys(self) -> Iterator[tuple[str, str, int]]:
        """(source, source_record_id, raw_id of the newest version) of every record ever seen."""
        yield from self._db.execute(
            "select source, source_record_id, raw_id from seen_record order by raw_id"
        )

    def payload_digests(self) -> Iterator[tuple[str, str]]:
        """(payload, payload_sha256) of everything not purged."""
        yield from self._db.execute(
            "select payload, payload_sha256 from raw_submission where payload is not null"
        )

    def pulls(self, source: str, limit: int) -> list[tuple[int, str, str | None, PullLedger]]:
        """(pull_id, started_at, ended_at, ledger) of a source's latest pulls, newest first."""
        rows = self._db.execute(
            "select pull_id, started_at, ended_at, ledger from pull where source = ? "
            "order by pull_id desc limit ?",
            (source, limit),
        )
        return [(i, start, end, PullLedger(**json.loads(text))) for i, start, end, text in rows]

    def history(self, source: str, since: datetime) -> list[tuple[datetime, PullLedger]]:
        """(started_at, ledger) of a source's completed pulls since a time, newest first."""
        rows = self._db.execute(
            "select started_at, ledger from pull where source = ? and started_at >= ? "
            "and ended_at is not null order by pull_id desc",
            (source, since.isoformat()),
        )
        return [(datetime.fromisoformat(at), PullLedger(**json.loads(text))) for at, text in rows]

    def last_new_at(self, source: str) -> datetime | None:
        """When this source last brought a new or changed record."""
        (moment,) = self._db.execute(
            "select max(fetched_at) from raw_submission where source = ?", (source,)
        ).fetchone()
        return datetime.fromisoformat(moment) if moment else None

    def alarms(self, pull_id: int) -> list[Alarm]:
        rows = self._db.execute(
            "select source, check_name, severity, message from alarm where pull_id = ? "
            "order by alarm_id",
            (pull_id,),
        )
        return [Alarm(*row) for row in rows]

    # --- gallring ---------------------------------------------------------------------------------

    def purge(
        self, source: str, older_than: datetime, merged: int, decision_id: str, now: datetime
    ) -> int:
        """Overwrite payloads that are merged and older than a time. Returns how many; logs it."""
        with self._transaction() as db:
            n = db.execute(
                "update raw_submission set payload = null where source = ? and raw_id <= ? "
                "and fetched_at < ? and payload is not null",
                (source, merged, older_than.isoformat()),
            ).rowcount
            if n:
                db.execute(
                    "insert into gallring_log (decision_id, purged_at, source, older_than, "
                    "n_payloads) values (?, ?, ?, ?, ?)",
                    (decision_id, now.isoformat(), source, older_than.isoformat(), n),
                )
        if n:  # the write-ahead log keeps old pages until it is emptied
            self._db.execute("pragma wal_checkpoint(truncate)")
        return n

    def n_payloads(self) -> int:
        """How many raw payloads are still kept."""
        (n,) = self._db.execute(
            "select count(*) from raw_submission where payload is not null"
        ).fetchone()
        return int(n)

    def gallring_log(self) -> list[tuple[str, int]]:
        """(decision_id, n_payloads) of every purge, oldest first."""
        return self._db.execute(
            "select decision_id, n_payloads from gallring_log order by gallring_id"
        ).fetchall()


def _store(
    db: sqlite3.Connection, raw: RawSubmission, refusal: Rejection | None, ledger: PullLedger
) -> None:
    """Store a record unless its newest stored version is the same."""
    seen = db.execute(
        "select payload_sha256 from seen_record where source = ? and source_record_id = ?",
        (raw.source, raw.source_record_id),
    ).fetchone()
    if seen and seen[0] == raw.payload_sha256:
        ledger.unchanged += 1
        return
    if seen:
        ledger.changed += 1
    else:
        ledger.new += 1
    (raw_id,) = db.execute(
        "insert into raw_submission (source, source_record_id, payload_sha256, payload, "
        "fetched_at, refused_reason, refused_detail) values (?, ?, ?, ?, ?, ?, ?) "
        "returning raw_id",
        (
            raw.source,
            raw.source_record_id,
            raw.payload_sha256,
            raw.payload,
            raw.fetched_at.isoformat(),
            refusal.reason if refusal else None,
            refusal.detail if refusal else None,
        ),
    ).fetchone()
    db.execute(
        "insert into seen_record values (?, ?, ?, ?) on conflict (source, source_record_id) "
        "do update set payload_sha256 = excluded.payload_sha256, raw_id = excluded.raw_id",
        (raw.source, raw.source_record_id, raw.payload_sha256, raw_id),
    )
