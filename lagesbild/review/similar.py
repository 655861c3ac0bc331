"""Reports that share a report's least common words."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

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
    n_parts = int(reports.fact("n_parts"))
    shared = Counter[int]()
    for part in range(max(n_parts - _PARTS, 0), n_parts):
        for word in _rare_words(db, part, report.text):
            rows = db.execute(
                f"select rowid from word_{part} where word_{part} match ? "
                "order by rowid desc limit ?",
                [f'"{word}"', _HITS],
            )
            shared.update(row[0] for row in rows)
    shared.pop(report.item_id, None)
    best = [item_id for item_id, n in shared.most_common(limit * 2) if n >= 2]
    return _shown(reports, best)[:limit]


def _rare_words(db: sqlite3.Connection, part: int, text: str) -> list[str]:
    n_items = db.execute(f"select count(*) from word_{part}_docsize").fetchone()[0]
    counted = []
    for word in dict.fromkeys(w for w in tokens(text, most=80) if len(w) >= 4):
        row = db.execute(f"select doc from word_count_{part} where term = ?", [word]).fetchone()
        if row and row[0] <= max(_COMMONEST * n_items, 5):
            counted.append((row[0], word))
    return [word for _, word in sorted(counted)[:_WORDS]]


def _shown(reports: Reports, item_ids: Sequence[int]) -> list[Report]:
    return [report for report in reports.by_ids(item_ids) if not report.is_reserved]
