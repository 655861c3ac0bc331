"""From a parsed remark to one fit to store: one normal form, no personal data, placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lagesbild.places import Places
from lagesbild.privacy import REDACTOR_VERSION, redact
from lagesbild.records import ParsedSubmission, Redacted, Rejection, Submission
from lagesbild.text import language, normalise

_DECIMALS = 4  # some ten metres: enough for any area, too coarse for a flat


def clean(parsed: ParsedSubmission, places: Places) -> Submission | Rejection:
    """The submission to store, or why there is none.

    Place names are looked for in the text as it came, which is never kept: redaction may take a
    name that also is a place.
    """
    text = normalise(parsed.text)
    if not text:
        return Rejection(parsed.source, parsed.source_record_id, "empty_text", parsed.part)
    lat, lon = _position(parsed.lat, parsed.lon)
    placed = places.locate(lat, lon, parsed.areas, text)
    redacted = redact(text)
    question, category = _redact_field(parsed.question), _redact_field(parsed.category)
    areas, n_in_areas = _redact_areas(parsed.areas, places)
    kept = replace(
        parsed,
        text=redacted.text,
        question=question.text or None,
        category=category.text or None,
        lat=None if lat is None else round(lat, _DECIMALS),
        lon=None if lon is None else round(lon, _DECIMALS),
        areas=areas,
    )
    return Submission(
        parsed=kept,
        n_redacted=sum(len(r.kinds) for r in (redacted, question, category)) + n_in_areas,
        language=language(text),
        areas=placed,
        redactor_version=REDACTOR_VERSION,
    )


def _position(lat: float | None, lon: float | None) -> tuple[float | None, float | None]:
    """Both or none. Many systems write 0.0, 0.0 for "no position"."""
    if lat is None or lon is None or not (math.isfinite(lat) and math.isfinite(lon)):
        return None, None
    if (lat == 0 and lon == 0) or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None, None
    return lat, lon


def _redact_field(value: str | None) -> Redacted:
    return redact(normalise(value)) if value else Redacted("", ())


def _redact_areas(
    areas: Sequence[tuple[str, str]], places: Places
) -> tuple[tuple[tuple[str, str], ...], int]:
    """Area fields as the source said them; what names no area may be an address, so is redacted."""
    kept, n_redacted = [], 0
    for area_type, value in areas:
        if places.knows(area_type, value):
            kept.append((area_type, value.strip()))
            continue
        redacted = _redact_field(value)
        n_redacted += len(redacted.kinds)
        kept.append((area_type, redacted.text))
    return tuple(kept), n_redacted
