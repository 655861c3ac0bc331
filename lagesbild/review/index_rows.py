"""What the index holds of one report: its rows and its words, written, judged anew, removed."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lagesbild.review.overview import Overview, Verdict, verdict
from lagesbild.review.search import folded_words
from lagesbild.text import fold

GAP = 256  # between two items of a new index: room for reports that come late
PART = 50_000  # reports in each part of the word index: the newest parts often have enough hits
COMMON = 100  # a word that more reports of a part have is listed, with how many
_BATCH = 5000
_N_GIVEN = 19  # columns from the snapshot; those after them are the verdict
# The words are those of search.py, so nothing is left to the tokenizer but to cut at spaces.
_WORDS_OF_PART = """
create virtual table word_{part} using fts5(
    text, content = '', detail = none, tokenize = 'ascii'
)
"""

Row = Sequence[Any]  # of the query of the index, or of the table item after its item_id


def part_of(item_id: int) -> int:
    return item_id // (GAP * PART)


def add(db: sqlite3.Connection, rows: Sequence[Row], ids: Sequence[int], known: Overview) -> None:
    """Write the rows of these reports; their words are for `add_words`."""
    items, themes, areas, changed = [], [], [], []
    for item_id, row in zip(ids, rows, strict=True):
        found = verdict(row, known)
        kept = (*row[:14], int(row[14]), *row[15:_N_GIVEN])
        items.append((item_id, *kept, *_told(found)))
        themes += [(m["theme"], found.worth, item_id, m["stance"]) for m in json.loads(row[16])]
        areas += [(area, found.worth, item_id) for area in _areas(row)]
        changed += [(item_id,)] if found.was_decided else []
    marks = ", ".join("?" * (1 + _N_GIVEN + 5))
    db.executemany(f"insert into item values ({marks})", items)
    db.executemany("insert into item_theme values (?, ?, ?, ?)", themes)
    db.executemany("insert into item_area values (?, ?, ?)", areas)
    db.executemany("insert into changed_text values (?)", changed)


def _told(found: Verdict) -> tuple[Any, ...]:
    return (found.worth, found.reasons, found.new_words, found.weight, found.blind_rank)


def _areas(row: Row) -> list[str]:
    return [f"{place['type']}/{place['code']}" for place in json.loads(row[18])]


def remove(db: sqlite3.Connection, item_ids: Sequence[int]) -> None:
    """Remove the rows of these items; their words are for `remove_words`."""
    for item_id, row in _items(db, item_ids):
        _move(db, item_id, row, None)
    for table in ("item", "changed_text"):
        db.executemany(f"delete from {table} where item_id = ?", [(i,) for i in item_ids])


def _items(db: sqlite3.Connection, item_ids: Iterable[int]) -> Iterator[tuple[int, Row]]:
    for chosen in _batched(item_ids):
        query = "select * from item where item_id in (select value from json_each(?))"
        for row in db.execute(query, [json.dumps(chosen)]).fetchall():
            yield row[0], row[1:]


def _batched(item_ids: Iterable[int]) -> Iterator[list[int]]:
    numbers = iter(item_ids)
    while batch := list(itertools.islice(numbers, _BATCH)):
        yield batch


def _move(db: sqlite3.Connection, item_id: int, row: Row, worth: float | None) -> None:
    """Give the rows that are found by worth another one, or remove them."""
    keys = [("item_theme", "theme", m["theme"]) for m in json.loads(row[16])]
    keys += [("item_area", "area", area) for area in _areas(row)]
    for table, column, value in keys:
        where = f"where {column} = ? and worth = ? and item_id = ?"
        at = (value, row[_N_GIVEN], item_id)
        if worth is None:
            db.execute(f"delete from {table} {where}", at)
        else:
            db.execute(f"update {table} set worth = ? {where}", (worth, *at))


def judge_again(db: sqlite3.Connection, item_ids: Iterable[int], known: Overview) -> None:
    """Bring what depends on other reports up to date, where it is not."""
    for item_id, row in _items(db, sorted(item_ids)):
        found = verdict(row, known)
        if _told(found) == tuple(row[_N_GIVEN:]):
            continue
        db.execute(
            "update item set worth = ?, reasons = ?, new_words = ?, weight = ?, blind_rank = ? "
            "where item_id = ?",
            (*_told(found), item_id),
        )
        if found.worth != row[_N_GIVEN]:
            _move(db, item_id, row, found.worth)
        db.execute("delete from changed_text where item_id = ?", [item_id])
        if found.was_decided:
            db.execute("insert into changed_text values (?)", [item_id])


# --- words ----------------------------------------------------------------------------------------

Text = tuple[int, str]  # item_id, text


def add_words(db: sqlite3.Connection, texts: Iterable[Text]) -> set[int]:
    """Index the words of these texts; returns the parts they are in."""
    parts = set()
    for part, found in itertools.groupby(texts, key=lambda text: part_of(text[0])):
        parts.add(part)
        if not _has_part(db, part):
            db.execute(_WORDS_OF_PART.format(part=part))
        rows = [(item_id, _words(text)) for item_id, text in found]
        db.executemany(f"insert into word_{part} (rowid, text) values (?, ?)", rows)
    return parts


def remove_words(db: sqlite3.Connection, texts: Iterable[Text]) -> set[int]:
    """`texts`: the very texts that were indexed. Their words stay in the file for a while."""
    parts = set()
    for item_id, text in texts:
        part = part_of(item_id)
        parts.add(part)
        db.execute(
            f"insert into word_{part} (word_{part}, rowid, text) values ('delete', ?, ?)",
            [item_id, _words(text)],
        )
    return parts


def index_anew(db: sqlite3.Connection, part: int) -> None:
    """Index a part's words from its items: nothing is left in the file of what it had before."""
    if _has_part(db, part):
        db.execute(f"drop table word_{part}")
    first = part * GAP * PART
    query = "select item_id, text from item where item_id between ? and ? order by item_id"
    texts = db.execute(query, [first, first + GAP * PART - 1]).fetchall()
    db.execute(_WORDS_OF_PART.format(part=part))
    add_words(db, texts)


def _words(text: str) -> str:
    return " ".join(folded_words(fold(text)))


def _has_part(db: sqlite3.Connection, part: int) -> bool:
    query = "select 1 from sqlite_master where name = ?"
    return db.execute(query, [f"word_{part}"]).fetchone() is not None


def count_words(db: sqlite3.Connection, parts: Iterable[int]) -> None:
    """How many reports these parts have, and how many of them each common word."""
    for part in sorted(parts):
        db.execute(f"create virtual table temp.counted using fts5vocab(main, word_{part}, row)")
        db.execute(
            f"insert or replace into part select ?, count(*) from word_{part}_docsize", [part]
        )
        db.execute("delete from common_word where part = ?", [part])
        db.execute(
            "insert into common_word select ?, term, doc from counted where doc > ?",
            [part, COMMON],
        )
        db.execute("drop table temp.counted")
