"""A remark made fit to store: one normal form, personal data out, language and areas known."""

from __future__ import annotations

from dataclasses import replace

from lagesbild.places import Places
from lagesbild.privacy import REDACTOR_VERSION, redact
from lagesbild.records import ParsedSubmission, Rejection, Submission
from lagesbild.text import language, normalise

COORDINATE_DECIMALS = 4  # about ten metres; a report needs no more


def clean(parsed: ParsedSubmission, places: Places) -> Submission | Rejection:
    """The remark redacted and placed, or a rejection where nothing is left to read.

    Place names are looked for before redaction, since an address says where, but only the areas
    found are kept.
    """
    text = normalise(parsed.text)
    if not any(char.isalnum() for char in text):
        return Rejection(parsed.source, parsed.source_record_id, "empty_text")
    redacted = redact(text)
    category = redact(normalise(parsed.category)).text if parsed.category else None
    cleaned = replace(
        parsed,
        text=redacted.text,
        question=normalise(parsed.question) or None if parsed.question else None,
        category=category or None,
        lat=_rounded(parsed.lat),
        lon=_rounded(parsed.lon),
    )
    return Submission(
        parsed=cleaned,
        n_redacted=len(redacted.kinds),
        language=language(redacted.text),
        areas=places.locate(parsed.lat, parsed.lon, parsed.areas, text),
        redactor_version=REDACTOR_VERSION,
    )


def _rounded(degrees: float | None) -> float | None:
    return None if degrees is None else round(degrees, COORDINATE_DECIMALS)
