"""Taking out of a text what people marked as personal data: where it stands, and what is left.

Nothing here opens a database. Spans are half-open character positions.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lagesbild.text import fold

HIDDEN_SIGN = "[dolt]"
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person marked in one text. `text_sha256`: of the very text that the spans point into.

    `shapes`: one for each span, letters as A and a, digits as 9; the words themselves are not kept.
    """

    redaction_id: str
    submission_id: str
    text_sha256: str
    spans: Sequence[Span]
    shapes: Sequence[str]
    kind: str
    reviewer: str
    marked_at: str
    is_undone: bool = False


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def shape(text: str) -> str:
    """What a stretch looks like, without what it says."""
    return "".join(
        "9" if c.isdigit() else ("A" if c.isupper() else "a") if c.isalpha() else c for c in text
    )


def joined(spans: Collection[Span]) -> list[Span]:
    """In order; those that touch are one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def hide(text: str, spans: Collection[Span]) -> str:
    """The text with a sign in place of each span."""
    parts, at = [], 0
    for start, end in joined(spans):
        parts += [text[at:start], HIDDEN_SIGN]
        at = end
    return "".join([*parts, text[at:]])


def moved(position: int, spans: Collection[Span]) -> int:
    """Where a position of the text, outside the spans, is once they are hidden."""
    shifts = (len(HIDDEN_SIGN) - (e - s) for s, e in joined(spans) if e <= position)
    return position + sum(shifts)


def left_of(evidence: Sequence[Span], spans: Collection[Span]) -> list[Span]:
    """The evidence that hiding leaves, at its new places."""
    return [
        (moved(start, spans), moved(end, spans))
        for start, end in evidence
        if not any(s < end and start < e for s, e in spans)
    ]


def places_of(text: str, word: str) -> list[Span]:
    """Where the word stands, however it is written: as whole words, with or without a genitive s.

    As part of other words only where it stands nowhere by itself.
    """
    folded, wanted = fold(text), re.escape(fold(word))
    found = [m.span() for m in re.finditer(rf"(?<!\w){wanted}(?::?s)?(?!\w)", folded)]
    found = found or [m.span() for m in re.finditer(wanted, folded)]
    signs = [m.span() for m in re.finditer(re.escape(HIDDEN_SIGN), text)]
    return [(a, b) for a, b in found if not any(s < b and a < e for s, e in signs)]


def spans_in(text: str, marks: Sequence[Mark], merged: Collection[str]) -> list[Span]:
    """Where in this very text the marks are that no night has taken out of it yet.

    `merged`: ids of the marks that have been taken out. A mark made while a night ran points into
    the text as it was before: it is moved by what that night took out.
    """
    digest, found = sha256(text), list[Span]()
    for base, group in itertools.groupby(_by_base(marks), lambda mark: mark.text_sha256):
        same = list(group)
        gone = [span for m in same if m.redaction_id in merged for span in m.spans]
        if base != digest and not gone:
            continue
        gone = [] if base == digest else joined(gone)
        waiting = [m for m in same if m.redaction_id not in merged and not m.is_undone]
        for mark in waiting:
            found += _placed(text, mark, gone)
    return joined(found)


def _by_base(marks: Sequence[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: mark.text_sha256)


def _placed(text: str, mark: Mark, gone: Sequence[Span]) -> Iterator[Span]:
    for (start, end), looks in zip(mark.spans, mark.shapes, strict=True):
        place = (moved(start, gone), moved(end, gone))
        is_gone = any(s <= start and end <= e for s, e in gone)
        if not is_gone and shape(text[slice(*place)]) == looks:
            yield place


def spans_alike(marked: str, spans: Sequence[Span], other: str) -> list[Span]:
    """Where another version of a text says what was marked in this one."""
    if joined(spans) == [(0, len(marked))]:
        return [(0, len(other))]
    words = {marked[start:end] for start, end in spans}
    return joined([place for word in words for place in places_of(other, word)])


_WORD = re.compile(rf"{re.escape(HIDDEN_SIGN)}|\w+")


def spans_carried(hidden: str, text: str) -> list[Span]:
    """Where a newer text has something in place of the signs of the older one.

    Goes by the words around, for the hidden words are kept nowhere. Where those have changed too,
    more is hidden rather than less.
    """
    old = [word[0] for word in _WORD.finditer(hidden)]
    new = list(_WORD.finditer(text))
    words, n = [word[0] for word in new], len(new)
    # From the end as well: a word that stands on both sides of a sign may be taken for either.
    found = [
        *_instead(old, words),
        *((n - b2, n - b1) for b1, b2 in _instead(old[::-1], words[::-1])),
    ]
    return joined([(new[b1].start(), new[b2 - 1].end()) for b1, b2 in sorted(found)])


def _instead(old: Sequence[str], new: Sequence[str]) -> list[Span]:
    """Places of the new words that stand where the old ones have a sign."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        (b1, b2)
        for _, a1, a2, b1, b2 in matcher.get_opcodes()
        if b2 > b1 and HIDDEN_SIGN in old[a1:a2] and list(new[b1:b2]) != list(old[a1:a2])
    ]
