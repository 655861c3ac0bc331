"""Which stretches of a report are released as quotes, as its page shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lagesbild.errors import UsageError
from lagesbild.review.reports import Report
from lagesbild.store import quotes
from lagesbild.store.decisions import Decisions
from lagesbild.store.hiding import Span, sha256


@dataclass(frozen=True, slots=True)
class Quote:
    """A release that nobody has taken back. `words` is None where the text is another by now."""

    release: quotes.Release
    words: str | None


def quotes_of(decisions: Decisions, report: Report) -> Sequence[Quote]:
    """What of a report is released."""
    shown = sha256(report.text)
    return [
        Quote(one, report.text[one.start : one.end] if one.shown_sha256 == shown else None)
        for one in quotes.releases(decisions, report.submission_id)
        if not one.is_undone
    ]


def span_of(text: str, words: str) -> Span:
    """Where the words stand, however they are broken into lines; the whole text without any."""
    if not words.split():
        return 0, len(text)
    found = re.search(r"\s+".join(map(re.escape, words.split())), text)
    if found is None:
        raise UsageError("Orden finns inte i texten; markera dem i texten i stället.")
    return found.span()
