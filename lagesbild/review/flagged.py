"""What people marked as personal data, for the redactor's tests: its looks, not its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lagesbild.night import Store
from lagesbild.privacy import redact
from lagesbild.store.hiding import HIDDEN_SIGN, Mark, hide, joined, moved, sha256, spans_in
from lagesbild.store.redactions import marks

_WORDS_AROUND = 6


def flagged(store: Store) -> Iterator[dict[str, Any]]:
    """One entry for each hidden place, oldest first. Marks that were taken back are left out.

    `before` and `after` are the words around it, redacted like everything else; None where the text
    is not there any more as it was marked.
    """
    by_report: dict[str, list[Mark]] = {}
    for mark in marks(store.decisions):
        by_report.setdefault(mark.submission_id, []).append(mark)
    texts = store.warehouse.texts(list(by_report))
    merged = store.warehouse.redaction_ids()
    for submission_id, same in by_report.items():
        hidden = [_as_shown(text, same, merged) for text in texts.get(submission_id, [])]
        for mark in same:
            if not mark.is_undone:
                yield from _places(mark, same, hidden)


def _as_shown(text: str, same: Sequence[Mark], merged: set[str]) -> str:
    return hide(text, spans_in(text, same, merged))


def _places(mark: Mark, same: Sequence[Mark], hidden: Sequence[str]) -> Iterator[dict[str, Any]]:
    others = [m for m in same if m.text_sha256 == mark.text_sha256 and not m.is_undone]
    beside = joined([span for other in others for span in other.spans])
    for (start, end), looks in zip(mark.spans, mark.shapes, strict=True):
        first = next(s for s, e in beside if s <= start and end <= e)
        at = moved(first, [span for span in beside if span[1] <= first])
        before, after = _around(at, hidden)
        yield {
            "id": sha256(f"{mark.redaction_id}:{start}")[:12],
            "kind": mark.kind,
            "length": end - start,
            "shape": looks,
            "before": before,
            "after": after,
            "marked_at": mark.marked_at,
        }


def _around(at: int, hidden: Sequence[str]) -> tuple[str | None, str | None]:
    """The words around the sign at this place, in the first text that has one there."""
    for text in hidden:
        if text.startswith(HIDDEN_SIGN, at):
            before, after = redact(text[:at]).text, redact(text[at + len(HIDDEN_SIGN) :]).text
            return (
                " ".join(before.split()[-_WORDS_AROUND:]),
                " ".join(after.split()[:_WORDS_AROUND]),
            )
    return None, None
