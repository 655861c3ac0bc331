"""Reports that share a report's least common words."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from lagesbild.review.index_rows import COMMON
from lagesbild.review.reports import Report, Reports
from lagesbild.review.search import tokens

_WORDS = 6  # of the text, the rarest ones
_COMMONEST = 0.04  # a word in a larger share of the reports than this says little
_HITS = 100  # newest reports looked at for each word
_PARTS = 4  # the newest parts of the word index


def similar_reports(reports: Reports, report: Report, limit: int = 5) -> list[Report]:
    """Up to `limit` newer and older reports, most shared words first, at least two.

    None that are still to be read blind: beside this one they would not be.
    """
    db = reports.db()
    words = [word for word in dict.fromkeys(tokens(report.text, most=80)) if len(word) >= 4]
    shared = Counter[int]()
    query = "select part, n_items from part order by part desc limit ?"
    for part, n_items in db.execute(query, [_PARTS]).fetchall()[::-1]:
        for found in _of_rare_words(db, part, n_items, words):
            shared.update(found)
    shared.pop(report.item_id, None)
    best = [item_id for item_id, n in shared.most_common(limit * 2) if n >= 2]
    return _shown(reports, best)[:limit]


def _of_rare_words(
    db: sqlite3.Connection, part: int, n_items: int, words: Sequence[str]
) -> list[list[int]]:
    """For each of the rarest words, the newest items of a part that have it."""
    common = dict(
        db.execute(
            "select word, n_items from common_word where part = ? "
            "and word in (select value from json_each(?))",
            [part, json.dumps(words)],
        ).fetchall()
    )
    counted = []
    for word in words:
        if word not in common:  # so few reports have it that asking for all is quick
            found = _newest(db, part, word, COMMON)
            counted += [(len(found), word, found)] if found else []
        elif common[word] <= _COMMONEST * n_items:
            counted.append((common[word], word, []))
    rarest = sorted(counted)[:_WORDS]
    return [(found or _newest(db, part, word, _HITS))[:_HITS] for _, word, found in rarest]


def _newest(db: sqlite3.Connection, part: int, word: str, limit: int) -> list[int]:
    query = f"select rowid from word_{part} where word_{part} match ? order by rowid desc limit ?"
    return [row[0] for row in db.execute(query, [f'"{word}"', limit])]


def _shown(reports: Reports, item_ids: Sequence[int]) -> list[Report]:
    return [report for report in reports.by_ids(item_ids) if not report.is_reserved]
