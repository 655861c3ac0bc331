"""What people marked as personal data, taken out of every version of a text in the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

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
_REWRITTEN = pa.schema(
    [
        ("submission_id", pa.string()),
        ("text_sha256", pa.string()),
        ("text", pa.string()),
        ("n_places", pa.int32()),
        ("redacted_sha256", pa.string()),
    ]
)
_MOVED = pa.schema(
    [
        ("submission_id", pa.string()),
        ("text_sha256", pa.string()),
        ("theme", pa.string()),
        ("classifier_version", pa.string()),
        ("evidence", pa.list_(pa.list_(pa.int32()))),
    ]
)


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
    rewritten, taken_out = list[_Text](), list[tuple[str, str, int]]()
    for submission_id, same in by_report.items():
        found = _with_spans(texts.get(submission_id, {}), same, merged)
        rewritten += found
        n_places = sum(len(text.spans) for text in found)
        taken_out += [
            (mark.redaction_id, submission_id, n_places)
            for mark in same
            if mark.redaction_id not in merged and not mark.is_undone
        ]
    _rewrite(db, rewritten)
    if taken_out:
        db.executemany("insert into redaction values (?, ?, ?, false)", taken_out)


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


def _rewrite(db: duckdb.DuckDBPyConnection, texts: Sequence[_Text]) -> None:
    """Every table is read through once, however many texts there are."""
    rows = []
    for text in texts:
        left = hide(text.text, text.spans)
        rows.append((*text.key, left, len(text.spans), sha256(left)))
    with _laid_out(db, "rewritten", _REWRITTEN, rows):
        db.execute(
            "update submission s set text = r.text, n_redacted = s.n_redacted + r.n_places "
            "from rewritten r where s.submission_id = r.submission_id "
            "and s.text_sha256 = r.text_sha256"
        )
        _move_evidence(db, {text.key: text.spans for text in texts})
        db.execute(
            "delete from redacted_text t using rewritten r "
            "where t.submission_id = r.submission_id and t.text_sha256 = r.text_sha256"
        )
        db.execute(
            "insert into redacted_text select submission_id, text_sha256, redacted_sha256 "
            "from rewritten"
        )


def _move_evidence(db: duckdb.DuckDBPyConnection, spans: Mapping[Key, Sequence[Span]]) -> None:
    found = db.execute(
        "select submission_id, text_sha256, theme, classifier_version, evidence "
        "from classification semi join rewritten using (submission_id, text_sha256)"
    ).fetchall()
    rows = [
        (*row[:4], left_of([(start, end) for start, end in row[4]], spans[row[0], row[1]]))
        for row in found
    ]
    with _laid_out(db, "moved", _MOVED, rows):
        db.execute(
            "update classification c set evidence = m.evidence from moved m "
            "where c.submission_id = m.submission_id and c.text_sha256 = m.text_sha256 "
            "and c.theme = m.theme and c.classifier_version = m.classifier_version"
        )


@contextmanager
def _laid_out(
    db: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, rows: Sequence[tuple[Any, ...]]
) -> Iterator[None]:
    """The rows as a table of this name, for the block."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    db.register(name, pa.Table.from_arrays(arrays, schema=schema))
    yield
    db.unregister(name)
