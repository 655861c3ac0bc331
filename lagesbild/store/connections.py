"""Connections to one SQLite file that stay open between uses."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MOST_IDLE = 8
_File = tuple[int, int]  # what tells one file from another of the same name


class Connections:
    """Lends each connection to one user at a time; safe to share by threads.

    Opening anew for every use would cost more than most uses, and whoever closes the last
    connection to a file makes SQLite carry its whole journal over, on the disk, there and then.
    """

    def __init__(self, path: Path, make: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._make = make
        self._idle: list[tuple[_File, sqlite3.Connection]] = []
        weakref.finalize(self, _close, self._idle)

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """A connection for the block; what the block has not committed is rolled back."""
        file, db = self._take()
        try:
            yield db
        finally:
            if db.in_transaction:
                db.rollback()
            self._idle.append((file, db))
            if len(self._idle) > _MOST_IDLE:
                self._idle.pop(0)[1].close()

    def _take(self) -> tuple[_File, sqlite3.Connection]:
        while self._idle:
            try:
                file, db = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if file == _identity(self._path):
                return file, db
            db.close()  # another file has taken its place, from a backup, say
        db = self._make()
        return _identity(self._path), db


def _identity(path: Path) -> _File:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_dev, status.st_ino


def _close(idle: list[tuple[_File, sqlite3.Connection]]) -> None:
    for _, db in idle:
        db.close()
