"""The warehouse: cleaned, classified, counted. Written by nights only, in one short transaction."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from lagesbild.errors import LagesbildError
from lagesbild.store.erasure import take_out
from lagesbild.store.hiding import Mark
from lagesbild.store.incidents import regroup
from lagesbild.store.recoding import recode
from lagesbild.store.staging import staged_files
from lagesbild.themes import load_themes

_LOCK_TRIES = 12


@contextmanager
def connect(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database, waiting while another process holds it. Nothing outside it is reachable."""
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    db = _open(path, read_only, config)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def kept_open(path: Path) -> Iterator[None]:
    """Whoever opens this database to read meanwhile, if it exists, is spared DuckDB's start."""
    if not path.exists():
        yield
        return
    with connect(path, read_only=True):
        yield


def _open(path: Path, read_only: bool, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    for attempt in range(_LOCK_TRIES):
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            time.sleep(min(0.05 * 2**attempt, 2.0) * random.uniform(0.5, 1.0))  # noqa: S311
    raise LagesbildError(
        f"Databasen {path.name} används av ett annat program; stäng det och försök igen."
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What the warehouse already holds of one remark: its newest version."""

    submission_id: str
    source_record_id: str
    version: int
    raw_id: int
    content_sha256: str
    text_sha256: str
    is_current: bool
    classifier_version: str | None  # of the text's classification in force


class Warehouse:
    """Reads and merges. Each method opens the file for as long as it needs it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return self.path.exists()

    def create(self) -> None:
        """Make the file with its tables and views, or bring the views up to date."""
        with connect(self.path, read_only=False) as db:
            _define(db)

    def merged(self) -> dict[str, int]:
        """For each source, the raw_id up to which its inbox is in here."""
        if not self.exists():
            return {}
        with connect(self.path, read_only=True) as db:
            return dict(db.execute("select source, raw_id from merge_cursor").fetchall())

    def known(self, source: str, record_ids: Sequence[str]) -> list[Known]:
        """The newest version of every remark of these records."""
        if not self.exists():
            return []
        with connect(self.path, read_only=True) as db:
            rows = db.execute(
                "select s.submission_id, s.source_record_id, s.version, s.raw_id, "
                "s.content_sha256, s.text_sha256, s.is_current, t.classifier_version "
                "from (select * from submission where source = ? "
                "and source_record_id in (select unnest(?::varchar[])) qualify row_number() over "
                "(partition by submission_id order by version desc) = 1) s "
                "left join classified_text t on t.submission_id = s.submission_id "
                "and t.text_sha256 = s.text_sha256 and t.is_current",
                [source, list(record_ids)],
            ).fetchall()
        return [Known(*row) for row in rows]

    def outdated(self, classifier_version: str, limit: int) -> list[tuple[str, str, str, str]]:
        """(submission_id, text_sha256, text, question) not classified by this version yet."""
        if not self.exists():
            return []
        with connect(self.path, read_only=True) as db:
            return db.execute(
                "select submission_id, text_sha256, text, question from submission s "
                "where is_current and not exists (select 1 from classified_text t "
                "where t.submission_id = s.submission_id and t.text_sha256 = s.text_sha256 "
                "and t.classifier_version = ?) order by submission_id limit ?",
                [classifier_version, limit],
            ).fetchall()

    def open_record_ids(self, source: str) -> list[str]:
        """Records last seen open at the source, least recently reported first."""
        if not self.exists():
            return []
        with connect(self.path, read_only=True) as db:
            rows = db.execute(
                "select source_record_id, min(reported_at) as t from submission "
                "where source = ? and is_current and status = 'open' group by all order by t, 1",
                [source],
            ).fetchall()
        return [row[0] for row in rows]

    def rejected_raw_ids(self, source: str) -> list[int]:
        if not self.exists():
            return []
        with connect(self.path, read_only=True) as db:
            rows = db.execute(
                "select distinct raw_id from rejected_submission where source = ? order by raw_id",
                [source],
            ).fetchall()
        return [row[0] for row in rows]

    def merge(
        self,
        folders: Sequence[Path],
        cursors: Mapping[str, int],
        decisions: Sequence[tuple[Any, ...]] = (),
        marks: Sequence[Mark] = (),
    ) -> None:
        """Take in staged files, decisions and marks, move the cursors and recount: all or none."""
        with connect(self.path, read_only=False) as db:
            _define(db)
            db.execute("begin")
            try:
                _load(db, folders)
                _load_decisions(db, decisions)
                take_out(db, marks)
                for source, raw_id in sorted(cursors.items()):
                    db.execute(
                        "insert into merge_cursor values (?, ?) "
                        "on conflict (source) do update set raw_id = excluded.raw_id",
                        [source, raw_id],
                    )
                _recount(db)
                db.execute("commit")
            except BaseException:
                db.execute("rollback")
                raise
            db.execute("checkpoint")

    # --- what people marked as personal data --------------------------------------------------

    def redaction_ids(self) -> set[str]:
        """The marks that have been taken out."""
        return redaction_ids(self.path) if self.exists() else set()

    def redacted_texts(self) -> dict[str, dict[str, str]]:
        """For each report that something was taken out of: its texts by digest, oldest first."""
        if not self.redaction_ids():
            return {}
        found: dict[str, dict[str, str]] = {}
        with connect(self.path, read_only=True) as db:
            rows = db.execute(
                "select submission_id, text_sha256, text from submission semi join redacted_text "
                "using (submission_id) order by submission_id, version"
            ).fetchall()
        for submission_id, text_sha256, text in rows:
            texts = found.setdefault(submission_id, {})
            texts.pop(text_sha256, None)
            texts[text_sha256] = text
        return found

    def texts(self, submission_ids: Sequence[str]) -> dict[str, list[str]]:
        """Every version's text of these reports, the newest first."""
        if not self.exists():
            return {}
        with connect(self.path, read_only=True) as db:
            rows = db.execute(
                "select submission_id, text from submission where submission_id in "
                "(select unnest(?::varchar[])) order by submission_id, version desc",
                [list(submission_ids)],
            ).fetchall()
        found: dict[str, list[str]] = {}
        for submission_id, text in rows:
            found.setdefault(submission_id, []).append(text)
        return found

    def erase(self) -> bool:
        """Write the file anew where something was taken out: freed blocks keep what they held.

        The old file is there, whole, until the new one takes its place. False: nothing to erase.
        """
        if not self.redaction_ids():
            return False
        with connect(self.path, read_only=True) as db:
            found = db.execute("select 1 from redaction where not is_erased limit 1").fetchone()
        if found is None:
            return False
        with connect(self.path, read_only=False) as db:
            db.execute("checkpoint")  # so that no journal is left to the new file
        fresh = self.path.with_suffix(".erasing")
        for left in (fresh, Path(f"{fresh}.wal")):  # by a night that was killed
            left.unlink(missing_ok=True)
        _copy(self.path, fresh)
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.replace(self.path)
        return True


def has_table(db: duckdb.DuckDBPyConnection, name: str) -> bool:
    """False for one that a later version brought, until the next night that merges anything."""
    query = "select 1 from duckdb_tables() where table_name = ?"
    return db.execute(query, [name]).fetchone() is not None


def redaction_ids(path: Path) -> set[str]:
    """The marks that have been taken out of a warehouse or snapshot."""
    with connect(path, read_only=True) as db:
        if not has_table(db, "redaction"):
            return set()
        return {row[0] for row in db.execute("select redaction_id from redaction").fetchall()}


def _copy(path: Path, fresh: Path) -> None:
    with connect(fresh, read_only=False) as db:
        _define(db)
        quoted = str(path).replace("'", "''")
        db.execute(f"attach '{quoted}' as old (read_only)")
        rows = db.execute(
            "select table_name from duckdb_tables() where database_name = 'old' order by all"
        ).fetchall()
        for (table,) in rows:
            db.execute(f"insert into {table} by name select * from old.{table}")
        db.execute("update redaction set is_erased = true")
        db.execute("detach old")
        db.execute("checkpoint")


def _define(db: duckdb.DuckDBPyConnection) -> None:
    package = files("lagesbild.store")
    db.execute(package.joinpath("tables.sql").read_text(encoding="utf-8"))
    db.execute(package.joinpath("views.sql").read_text(encoding="utf-8"))


def _stage(db: duckdb.DuckDBPyConnection, folders: Sequence[Path], table: str) -> bool:
    """Make the temporary view `staged` over a table's files; False where there are none."""
    paths = staged_files(folders, table)
    if not paths:
        return False
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    db.execute(f"create or replace temp view staged as select * from read_parquet([{listed}])")
    return True


def _load(db: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    if _stage(db, folders, "retried"):
        db.execute("delete from rejected_submission where raw_id in (select raw_id from staged)")
    if _stage(db, folders, "submission"):
        db.execute(
            "update submission set is_current = false where is_current "
            "and submission_id in (select submission_id from staged)"
        )
        db.execute(
            "insert into submission by name select *, version = max(version) over "
            "(partition by submission_id) as is_current from staged"
        )
    if _stage(db, folders, "withdrawn"):
        db.execute(
            "update submission set is_current = false from staged where is_current "
            "and submission.submission_id = staged.submission_id "
            "and submission.raw_id < staged.raw_id"
        )
    for table in ("submission_area", "rejected_submission"):
        if _stage(db, folders, table):
            db.execute(f"insert into {table} by name select * from staged")
    if _stage(db, folders, "area"):
        db.execute(
            "insert into area by name select distinct on (area_type, area_code, geo_version) * "
            "from staged on conflict do nothing"
        )
    if _stage(db, folders, "reanswered"):
        db.execute(
            "update survey_answer set is_current = false where is_current "
            "and (source, source_record_id) in (select (source, source_record_id) from staged)"
        )
    if _stage(db, folders, "survey_answer"):
        db.execute(
            "insert into survey_answer by name select *, raw_id = max(raw_id) over "
            "(partition by source, source_record_id) as is_current from staged"
        )
    _load_redacted(db, folders)
    _load_classifications(db, folders)


def _load_redacted(db: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    if _stage(db, folders, "redacted_text"):
        db.execute(
            "insert into redacted_text by name select distinct * from staged "
            "anti join redacted_text using (submission_id, text_sha256)"
        )


def _load_classifications(db: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    keys = "submission_id, text_sha256, classifier_version"
    if _stage(db, folders, "classification"):  # before classified_text: that one tells what is new
        db.execute(
            "insert into classification by name "
            f"select * from staged anti join classified_text using ({keys})"
        )
    if _stage(db, folders, "classified_text"):
        db.execute(
            "update classified_text t set is_current = t.classifier_version = s.classifier_version "
            "from staged s where t.submission_id = s.submission_id "
            "and t.text_sha256 = s.text_sha256"
        )
        db.execute(
            "insert into classified_text by name select *, true as is_current "
            f"from staged anti join classified_text using ({keys})"
        )


def _load_decisions(db: duckdb.DuckDBPyConnection, decisions: Sequence[tuple[Any, ...]]) -> None:
    for row in decisions:
        marks = ", ".join("?" * len(row))
        db.execute(f"insert into review values ({marks}) on conflict do nothing", list(row))


def _recount(db: duckdb.DuckDBPyConnection) -> None:
    regroup(db)
    recode(db, load_themes())
    db.execute("delete from earlier_total")
    db.execute(
        "insert into earlier_total select theme, sum(n_reports) from theme_count "
        "where area_type = 'alla' and period_type = 'month' group by all order by all"
    )
    for table, view in (("theme_count", "theme_recount"), ("report_count", "report_recount")):
        db.execute(f"delete from {table}")
        db.execute(f"insert into {table} by name select * from {view} order by all")
