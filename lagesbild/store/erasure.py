"""What people marked as personal data, taken out of every version of a text in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from lagesbild.store.hiding import (
    Mark,
    Span,
    hide,
    joined,
    left_of,
    sha256,
    spans_alike,
    spans_in,
)

Key = tuple[str, str]  # submission_id, text_sha256


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of a report as it stands in the warehouse; `spans`: what is to be hidden in it."""

    key: Key
    text: str
    spans: Sequence[Span]


def take_out(db: duckdb.DuckDBPyConnection, marks: Sequence[Mark]) -> None:
    """Hide what the marks say, in the open transaction; texts keep the digest they are known by.

    So people's decisions, and the classifier's, stay with the text: only the words are gone, and
    evidence is moved with them. `redacted_text` has the digest of what is left.
    """
    merged = {row[0] for row in db.execute("select redaction_id from redaction").fetchall()}
    by_report: dict[str, list[Mark]] = {}
    for mark in marks:
        by_report.setdefault(mark.submission_id, []).append(mark)
    texts = _texts(db, list(by_report))
    for submission_id, same in by_report.items():
        found = _with_spans(texts.get(submission_id, {}), same, merged)
        for text in found:
            _rewrite(db, text)
        n_places = sum(len(text.spans) for text in found)
        for mark in same:
            if mark.redaction_id not in merged and not mark.is_undone:
                row = [mark.redaction_id, submission_id, n_places]
                db.execute("insert into redaction values (?, ?, ?, false)", row)


def _texts(
    db: duckdb.DuckDBPyConnection, submission_ids: Sequence[str]
) -> dict[str, dict[Key, str]]:
    rows = db.execute(
        "select distinct submission_id, text_sha256, text from submission "
        "where submission_id in (select unnest(?::varchar[]))",
        [list(submission_ids)],
    ).fetchall()
    found: dict[str, dict[Key, str]] = {}
    for submission_id, text_sha256, text in rows:
        found.setdefault(submission_id, {})[submission_id, text_sha256] = text
    return found


def _with_spans(texts: Mapping[Key, str], marks: Sequence[Mark], merged: set[str]) -> list[_Text]:
    """The texts that something is to be hidden in: where it was marked, and where it stands too."""
    marked = {key: spans_in(text, marks, merged) for key, text in texts.items()}
    found = []
    for key, text in texts.items():
        alike = [
            span
            for other, spans in marked.items()
            if other != key and spans
            for span in spans_alike(texts[other], spans, text)
        ]
        if spans := joined([*marked[key], *alike]):
            found.append(_Text(key, text, spans))
    return found


def _rewrite(db: duckdb.DuckDBPyConnection, text: _Text) -> None:
    left = hide(text.text, text.spans)
    db.execute(
        "update submission set text = ?, n_redacted = n_redacted + ? "
        "where submission_id = ? and text_sha256 = ?",
        [left, len(text.spans), *text.key],
    )
    rows = db.execute(
        "select theme, classifier_version, evidence from classification "
        "where submission_id = ? and text_sha256 = ?",
        [*text.key],
    ).fetchall()
    for theme, version, evidence in rows:
        kept = [list(span) for span in left_of([(s, e) for s, e in evidence], text.spans)]
        db.execute(
            "update classification set evidence = ?::integer[][] where submission_id = ? "
            "and text_sha256 = ? and theme = ? and classifier_version = ?",
            [kept, *text.key, theme, version],
        )
    db.execute("delete from redacted_text where submission_id = ? and text_sha256 = ?", text.key)
    db.execute("insert into redacted_text values (?, ?, ?)", [*text.key, sha256(left)])
