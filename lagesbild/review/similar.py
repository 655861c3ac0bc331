"""Reports that share a report's least common words."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from lagesbild.review.reports import Report, Reports
from lagesbild.review.search import tokens

_WORDS = 6  # of the text, the rarest ones
_COMMONEST = 2000  # a word in more reports than this says little
_HITS = 100  # newest reports looked at for each word


def similar_reports(reports: Reports, report: Report, limit: int = 5) -> list[Report]:
    """Up to `limit` reports, most shared words first, at least two; never any still to be read
    blind."""
    db = reports.db()
    shared = Counter[int]()
    for word in _rare_words(db, report.text):
        rows = db.execute(
            "select rowid from word where word match ? order by rowid desc limit ?",
            [f'"{word}"', _HITS],
        )
        shared.update(row[0] for row in rows)
    shared.pop(report.item_id, None)
    best = [item_id for item_id, n in shared.most_common(limit * 2) if n >= 2]
    return _in_order(reports, best)[:limit]


def _rare_words(db: sqlite3.Connection, text: str) -> list[str]:
    counted = []
    for word in dict.fromkeys(w for w in tokens(text, most=80) if len(w) >= 4):
        row = db.execute("select doc from word_count where term = ?", [word]).fetchone()
        if row and 1 < row[0] <= _COMMONEST:
            counted.append((row[0], word))
    return [word for _, word in sorted(counted)[:_WORDS]]


def _in_order(reports: Reports, item_ids: Sequence[int]) -> list[Report]:
    if not item_ids:
        return []
    marks = ", ".join("?" * len(item_ids))
    found = reports.select(f"i.item_id in ({marks})", item_ids, limit=len(item_ids))
    place = {item_id: number for number, item_id in enumerate(item_ids)}
    shown = [report for report in found if not report.is_reserved]
    return sorted(shown, key=lambda report: place[report.item_id])
