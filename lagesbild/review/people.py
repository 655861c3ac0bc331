"""Who may come in, what they may do, and what they did. In a file of its own: people.sqlite."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

import argon2

from lagesbild.errors import LagesbildError, UsageError
from lagesbild.store.connections import Connections

Role = Literal["reviewer", "planner", "admin"]
Right = Literal["texts", "counts", "people"]
ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: Mapping[Role, frozenset[Right]] = {
    "reviewer": frozenset({"texts", "counts"}),
    "planner": frozenset({"counts"}),  # never a text
    "admin": frozenset({"texts", "counts", "people"}),
}

SHORTEST_PASSWORD = 12
_WINDOW_S = 15 * 60
_MOST_FAILURES = {"person": 5, "address": 20, "name": 30}  # within the window
_SEEN_EVERY_S = 30  # how exactly we know when somebody was last seen
_IN_HAND_S = 10 * 60  # how long a report is kept for whoever was sent to it
_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: Role
    is_active: bool = True

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in. `csrf` must come with every form they send."""

    person: Person
    csrf: str
    token_sha256: str


class TooManyTriesError(LagesbildError):
    """So many failed log-ins that even the right password is refused for a while."""


class People:
    """The file of people. `hasher`: tests give a faster one."""

    def __init__(
        self,
        path: Path,
        *,
        session_s: float = 12 * 3600,
        idle_s: float = 3600,
        hasher: argon2.PasswordHasher | None = None,
    ) -> None:
        self.path = path
        self._connections = Connections(path, self._open)
        self._session_s = session_s
        self._idle_s = idle_s
        self._hasher = hasher or argon2.PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())  # unknown names cost as much as known

    # --- people -------------------------------------------------------------------------------

    def add(self, name: str, role: Role, password: str | None) -> None:
        """Add somebody, or give them a new role and password; their sessions end."""
        name = checked_name(name)
        if role not in ROLES:
            raise UsageError(f"Rollen {role!r} finns inte; välj {', '.join(ROLES)}.")
        if password is not None and len(password) < SHORTEST_PASSWORD:
            raise UsageError(f"Lösenordet ska ha minst {SHORTEST_PASSWORD} tecken.")
        hashed = self._hasher.hash(password) if password is not None else None
        with self._writing() as db:
            db.execute(
                "insert into person values (?, ?, ?, 1, ?) on conflict (name) do update set "
                "role = excluded.role, is_active = 1, "
                "password_hash = coalesce(excluded.password_hash, password_hash)",
                [name, role, hashed, _now()],
            )
            db.execute("delete from session where name = ?", [name])

    def set_active(self, name: str, *, is_active: bool) -> None:
        with self._writing() as db:
            db.execute("update person set is_active = ? where name = ?", [int(is_active), name])
            db.execute("delete from session where name = ?", [name])

    def everyone(self) -> list[Person]:
        with self._reading() as db:
            rows = db.execute("select name, role, is_active from person order by name").fetchall()
        return [Person(name, role, bool(is_active)) for name, role, is_active in rows]

    def find(self, name: str) -> Person | None:
        with self._reading() as db:
            row = db.execute(
                "select name, role, is_active from person where name = ?", [name]
            ).fetchone()
        return Person(row[0], row[1], bool(row[2])) if row else None

    # --- logging in ---------------------------------------------------------------------------

    def check_password(self, name: str, password: str, address: str) -> Person | None:
        """The person, if the password is theirs. Raises TooManyTriesError, told alike for all."""
        name = name.strip().lower()
        keys = {
            "person": f"person {name} {address}",
            "address": f"address {address}",
            "name": f"name {name}",
        }
        self._refuse_guessing(keys)
        with self._reading() as db:
            row = db.execute(
                "select password_hash from person where name = ? and is_active", [name]
            ).fetchone()
        hashed = row[0] if row and row[0] else self._nobody
        try:
            self._hasher.verify(hashed, password)
        except argon2.exceptions.VerificationError:
            with self._writing() as db:
                db.executemany(
                    "insert into failed_log_in values (?, ?)",
                    [(key, time.time()) for key in keys.values()],
                )
            return None
        if hashed == self._nobody:
            return None
        self._forget_failures(name, keys["person"], hashed, password)
        return self.find(name)

    def _refuse_guessing(self, keys: Mapping[str, str]) -> None:
        since = time.time() - _WINDOW_S
        with self._reading() as db:
            for kind, key in keys.items():
                n = db.execute(
                    "select count(*) from failed_log_in where key = ? and failed_at > ?",
                    [key, since],
                ).fetchone()[0]
                if n >= _MOST_FAILURES[kind]:
                    raise TooManyTriesError("För många försök; vänta en kvart och försök igen.")

    def _forget_failures(self, name: str, key: str, hashed: str, password: str) -> None:
        with self._writing() as db:
            db.execute(
                "delete from failed_log_in where key = ? or failed_at < ?",
                [key, time.time() - _WINDOW_S],
            )
            if self._hasher.check_needs_rehash(hashed):
                db.execute(
                    "update person set password_hash = ? where name = ?",
                    [self._hasher.hash(password), name],
                )

    # --- sessions -----------------------------------------------------------------------------

    def begin_session(self, person: Person) -> str:
        """A new session; returns the token for the person's cookie."""
        token = secrets.token_urlsafe(32)
        now = time.time()
        with self._writing() as db:
            db.execute("delete from session where created_at < ?", [now - self._session_s])
            db.execute(
                "insert into session values (?, ?, ?, ?, ?)",
                [_sha256(token), person.name, secrets.token_urlsafe(32), now, now],
            )
        return token

    def session(self, token: str) -> Session | None:
        """The session of a token, if it still holds; the role is read anew every time."""
        now = time.time()
        digest = _sha256(token)
        with self._reading() as db:
            row = db.execute(
                "select p.name, p.role, s.csrf, s.seen_at from session s join person p using (name)"
                " where s.token_sha256 = ? and p.is_active and s.created_at > ? and s.seen_at > ?",
                [digest, now - self._session_s, now - self._idle_s],
            ).fetchone()
        if row is None:
            return None
        if now - row[3] > _SEEN_EVERY_S:
            with self._writing() as db:
                db.execute("update session set seen_at = ? where token_sha256 = ?", [now, digest])
        return Session(Person(row[0], row[1]), row[2], digest)

    def end_session(self, session: Session, *, everywhere: bool = False) -> None:
        column, value = ("token_sha256", session.token_sha256)
        if everywhere:
            column, value = ("name", session.person.name)
        with self._writing() as db:
            db.execute(f"delete from session where {column} = ?", [value])

    def secret(self) -> str:
        """A random key of this store, for signing what the log-in form and OpenID Connect carry."""
        with self._writing() as db:
            db.execute("insert or ignore into secret values (1, ?)", [secrets.token_hex(32)])
            return str(db.execute("select value from secret").fetchone()[0])

    # --- what they have in hand ---------------------------------------------------------------

    def in_other_hands(self, name: str) -> list[str]:
        """The reports that others have been sent to just now."""
        with self._reading() as db:
            rows = db.execute(
                "select submission_id from in_hand where name <> ? and since > ?",
                [name, time.time() - _IN_HAND_S],
            ).fetchall()
        return [row[0] for row in rows]

    def take_in_hand(self, name: str, submission_id: str) -> bool:
        """Keep a report for this person instead of their last; False where another was quicker."""
        now = time.time()
        with self._writing() as db:
            others = db.execute(
                "select 1 from in_hand where submission_id = ? and name <> ? and since > ?",
                [submission_id, name, now - _IN_HAND_S],
            ).fetchone()
            if others is None:
                db.execute(
                    "insert or replace into in_hand values (?, ?, ?)", [name, submission_id, now]
                )
        return others is None

    # --- what they did ------------------------------------------------------------------------

    def log(self, name: str, action: str, submission_id: str = "", detail: str = "") -> None:
        with self._writing() as db:
            db.execute(
                "insert into audit (happened_at, name, action, submission_id, detail) "
                "values (?, ?, ?, ?, ?)",
                [_now(), name, action, submission_id, detail],
            )

    def audit(
        self, limit: int, before: int | None = None
    ) -> list[tuple[int, str, str, str, str, str]]:
        """(audit_id, happened_at, name, action, submission_id, detail), newest first."""
        with self._reading() as db:
            return db.execute(
                "select audit_id, happened_at, name, action, submission_id, detail from audit "
                "where audit_id < ? order by audit_id desc limit ?",
                [before if before is not None else 2**62, limit],
            ).fetchall()

    # --- the file -----------------------------------------------------------------------------

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._connections.lent()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connections.lent() as db:
            db.execute("begin immediate")
            yield db
            db.commit()

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self.path.touch(mode=0o600)
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        if db.execute("pragma user_version").fetchone()[0] < _SCHEMA_VERSION:
            db.execute("pragma journal_mode = wal")
            sql = files("lagesbild.review").joinpath("people.sql").read_text(encoding="utf-8")
            db.executescript(f"{sql} pragma user_version = {_SCHEMA_VERSION};")
        db.execute("pragma synchronous = normal")
        return db


def checked_name(name: str) -> str:
    """A user name in its one form. Raises UsageError for an empty or overlong one."""
    name = name.strip().lower()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise UsageError("Namnet ska ha 1–100 tecken, utan styrtecken.")
    return name


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
