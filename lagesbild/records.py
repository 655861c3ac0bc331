"""One frozen record for each seam of the data's way. All datetimes are aware and in UTC."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Stance = Literal["problem", "forbattring", "franvaro", "onskemal", "berom", "fraga", "oklart"]
STANCES: tuple[Stance, ...] = (
    "problem",
    "forbattring",
    "franvaro",
    "onskemal",
    "berom",
    "fraga",
    "oklart",
)

Abstention = Literal["none_of_these", "unsure", "too_little_text", "language"]

# report: a resident's remark; answer: an open survey answer; notice: a police notice of one event;
# summary: a notice that bundles many events, kept but never counted as one event.
Kind = Literal["report", "answer", "notice", "summary"]

# Why a record was refused. Swedish wording for people: REASONS_SV.
Reason = Literal[
    "empty_text",
    "test_row",
    "missing_id",
    "missing_time",
    "bad_time",
    "unreadable",
    "unexpected_shape",
    "missing_field",
    "incomplete_answer",
    "moderated",
]
REASONS_SV: Mapping[str, str] = {
    "empty_text": "texten är tom",
    "test_row": "testrad",
    "missing_id": "id saknas",
    "missing_time": "tidpunkt saknas",
    "bad_time": "tidpunkten går inte att läsa",
    "unreadable": "går inte att läsa",
    "unexpected_shape": "okänd form",
    "missing_field": "ett obligatoriskt fält saknas",
    "incomplete_answer": "enkätsvaret är inte färdigt",
    "moderated": "borttagen eller dold hos källan",
}


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values, whatever the order of keys.

    Half a character (a surrogate left where a source cut its text) becomes "?": the text can be
    stored and digested.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="replace").decode()


def digest(*parts: str) -> str:
    """Hex SHA-256 of the parts, unambiguous where parts contain any character."""
    return hashlib.sha256("".join(f"{len(p)}:{p}" for p in parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RawSubmission:
    """One record as the source sent it, contact fields already dropped. `payload` is JSON text."""

    source: str
    source_record_id: str
    payload: str
    fetched_at: datetime

    @property
    def payload_sha256(self) -> str:
        return hashlib.sha256(self.payload.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record set aside, with a reason. `detail` names a field or position, never a text."""

    source: str
    source_record_id: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer from a source held, stored together with `state` in one transaction.

    `state`: what the source wants handed to its next `fetch`, JSON-able; saved with the page, so
    that a run cut off goes on from its last stored page.
    `gap`: set when the source's window began after our last pull ended, so that records may have
    come and gone unseen between the two times.
    `refused`: (payload, rejection) pairs for what could not even be made a record.
    """

    records: Sequence[RawSubmission]
    state: Mapping[str, Any]
    refused: Sequence[tuple[str, Rejection]] = ()
    gap: tuple[datetime, datetime] | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ParsedSubmission:
    """One remark understood but not yet cleaned: `text` may still hold personal data.

    `part` tells several remarks of one raw record apart (survey questions); "" where there is one.
    `reported_at`: when the source says it was sent or published. `occurred_at`: the event's own
    time where the source tells. `lat`, `lon`: WGS 84 degrees, only when they mean the place itself
    and not the middle of a municipality. `areas`: (area_type, name or code) as the source said it.
    `reporter_hash`: keyed hash of whoever reported, never anything that names them.
    """

    source: str
    source_record_id: str
    kind: Kind
    text: str
    reported_at: datetime
    part: str = ""
    question: str | None = None
    category: str | None = None
    status: Literal["open", "closed"] | None = None
    occurred_at: datetime | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    areas: Sequence[tuple[str, str]] = ()
    stance_hint: Stance | None = None
    reporter_hash: str | None = None
    wave: str | None = None

    @property
    def submission_id(self) -> str:
        return digest(self.source, self.source_record_id, self.part)[:32]


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """One closed survey item answered, mapped by key and never classified (coding rule R11)."""

    source: str
    source_record_id: str
    respondent_hash: str
    wave: str
    item: str
    value: str
    answered_at: datetime


Parsed = ParsedSubmission | SurveyAnswer | Rejection


@dataclass(frozen=True, slots=True, order=True)
class Area:
    """An area of one type in one version of the geography. `area_code` is text, zeros kept."""

    area_type: str
    area_code: str
    area_name: str
    geo_version: str


UNKNOWN_AREA = "okand"  # the code of "we do not know where", a value in every count


@dataclass(frozen=True, slots=True)
class PlacedArea:
    """An area and how we know it: coordinates, the source's own field, or a name in the text."""

    area: Area
    method: Literal["coordinates", "field", "text"]


@dataclass(frozen=True, slots=True)
class Redacted:
    """Text without personal data. `kinds` has one entry for each thing taken out, in text order."""

    text: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """A cleaned remark, fit to store: redacted, in one normal form, placed."""

    parsed: ParsedSubmission  # with `text` and `question` replaced by their redacted forms
    n_redacted: int
    language: str
    areas: tuple[PlacedArea, ...]
    redactor_version: str

    @property
    def submission_id(self) -> str:
        return self.parsed.submission_id

    @property
    def text_sha256(self) -> str:
        return hashlib.sha256(self.parsed.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ThemeMention:
    """One theme decided for a text. `evidence`: half-open character spans in the text as given."""

    theme: str
    subtheme: str | None
    probability: float
    stance: Stance
    evidence: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Classified:
    """What the classifier decided for one text, most probable theme first.

    `abstain` says why `themes` is empty, and is None otherwise. `probabilities` has every theme.
    """

    themes: tuple[ThemeMention, ...]
    abstain: Abstention | None
    needs_review: bool
    language: str
    classifier_version: str
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about a source that a person should look at. `severity` fail holds the source."""

    source: str
    check: str
    severity: Literal["fail", "warn"]
    message: str
