"""Words that residents have begun to use: in the newest texts, and in none before."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from lagesbild.review.index_rows import part_of
from lagesbild.review.search import folded_words
from lagesbild.text import fold

_RECENT_DAYS = 30
_SHORTEST = 4
_FEWEST = 2  # so often must a word stand in the newest texts to be a new word, not a slip


def find_new_words(db: sqlite3.Connection) -> frozenset[str]:
    """By an index whose items and words are all there; none where nothing is older."""
    (newest,) = db.execute("select max(reported_date) from item").fetchone()
    if newest is None:
        return frozenset()
    since = str(date.fromisoformat(newest) - timedelta(days=_RECENT_DAYS))
    (last_old,) = db.execute(
        "select max(item_id) from item where reported_date <= ?", [since]
    ).fetchone()
    if last_old is None:
        return frozenset()
    recent = Counter[str]()
    for (text,) in db.execute("select text from item where reported_date > ?", [since]):
        recent.update(set(_candidates(text)))
    often = [word for word, n in recent.items() if n >= _FEWEST]
    return frozenset(word for word in often if not _is_old(db, word, since, last_old))


def _candidates(text: str) -> Iterable[str]:
    words = folded_words(fold(text))
    return (word for word in words if len(word) >= _SHORTEST and word.isascii() and word.isalpha())


def _is_old(db: sqlite3.Connection, word: str, since: str, last_old: int) -> bool:
    return any(
        db.execute(
            f"select 1 from word_{part} w cross join item i on i.item_id = w.rowid "
            f"where word_{part} match ? and w.rowid <= ? and i.reported_date <= ? limit 1",
            [f'"{word}"', last_old, since],
        ).fetchone()
        for part in _parts(db, last_old)
    )


def with_words(db: sqlite3.Connection, words: Iterable[str]) -> set[int]:
    """Items whose text has any of these words."""
    (last,) = db.execute("select max(item_id) from item").fetchone()
    found: set[int] = set()
    for word in words:
        for part in _parts(db, last):
            query = f"select rowid from word_{part} where word_{part} match ?"
            found.update(row[0] for row in db.execute(query, [f'"{word}"']))
    return found


def _parts(db: sqlite3.Connection, last: int) -> list[int]:
    """Up to that of an item, newest first."""
    query = "select part from part where part <= ? order by part desc"
    return [row[0] for row in db.execute(query, [part_of(last)])]
