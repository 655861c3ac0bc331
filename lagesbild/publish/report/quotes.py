"""What residents say in their own words, where a reviewer has released it.

A quote stands only under a theme whose count is shown, so it tells nothing of a count that is not;
and only while the text reads exactly as it did when it was released, with nothing in it marked as
personal data since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lagesbild.publish.report.source import HERE, Place
from lagesbild.store import quotes, redactions
from lagesbild.store.decisions import Decisions
from lagesbild.store.hiding import sha256
from lagesbild.store.quotes import Release
from lagesbild.store.warehouse import connect, redaction_ids

_MOST = 3  # of each theme


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a resident, and the language they are in."""

    words: str
    language: str


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    language: str
    themes: Sequence[str]


Quotes = Mapping[str, Sequence[Quote]]


def quotes_of(
    snapshot: Path,
    decisions: Decisions,
    place: Place,
    months: Sequence[str],
    themes: Sequence[str],
) -> Quotes:
    """Theme -> its quotes, the newest released first; each stands under one theme only.

    `themes`: those whose counts are shown, in the order in which they may claim a quote.
    """
    released = {r.submission_id: r for r in _in_force(snapshot, decisions)}
    found: dict[str, list[Quote]] = {}
    used: set[str] = set()
    texts = _texts(snapshot, released, place, months)
    newest = sorted(released.values(), key=lambda r: (r.released_at, r.release_id), reverse=True)
    for theme in themes:
        for release in newest:
            text = texts.get((release.submission_id, release.text_sha256))
            if text is None or theme not in text.themes or release.submission_id in used:
                continue
            found.setdefault(theme, []).append(_quoted(text, release))
            used.add(release.submission_id)
            if len(found.get(theme, ())) == _MOST:
                break
    return found


def _in_force(snapshot: Path, decisions: Decisions) -> list[Release]:
    """Releases that hold, the newest of each report last; none of a text waiting to be redacted."""
    merged = redaction_ids(snapshot)
    marked = {
        m.submission_id for m in redactions.marks(decisions) if redactions.is_waiting(m, merged)
    }
    return [
        r for r in quotes.releases(decisions) if not r.is_undone and r.submission_id not in marked
    ]


def _texts(
    snapshot: Path, released: Mapping[str, Release], place: Place, months: Sequence[str]
) -> dict[tuple[str, str], _Text]:
    """By report and digest: residents' current texts from here that read as when released."""
    if not released:
        return {}
    values: list[Any] = [place.area_type, place.area_code, list(months), list(released)]
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select s.submission_id, s.text_sha256, s.text, s.language, list(distinct a.theme) "
            "from "
            + HERE.replace("where", "join assigned_theme a using (submission_id) where")
            + " and s.submission_id in (select unnest(?::varchar[])) "
            "and s.kind in ('report', 'answer') group by all",
            values,
        ).fetchall()
    return {
        (submission_id, digest): _Text(text, language, themes)
        for submission_id, digest, text, language, themes in rows
        if sha256(text) == released[submission_id].shown_sha256
    }


def _quoted(text: _Text, release: Release) -> Quote:
    """On one line, with signs where the text goes on."""
    whole = text.text
    words = " ".join(whole[release.start : release.end].split())
    before = "… " if whole[: release.start].strip() else ""
    after = " …" if whole[release.end :].strip() else ""
    return Quote(f"{before}{words}{after}", text.language)
