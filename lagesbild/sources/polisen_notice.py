"""One notice of the police, as the API and the archives write it: pure functions of a dict."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lagesbild.sources.values import read_time

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MONTHS: Sequence[str] = (
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
)
_NAME = re.compile(
    r"(?P<day>\d{1,2})\s+(?P<month>[a-z]+)\s+(?P<hour>\d{1,2})[.:](?P<minute>\d{2})"
    r"\s*,\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
# A time after publication is a slip of the pen, so it weighs as much as this many times earlier.
SLIP_WEIGHT = 24


@dataclass(frozen=True, slots=True)
class NoticeName:
    """What a notice's name tells. `place` is a municipality, a county or missing."""

    occurred_at: datetime | None
    place: str | None


def read_name(name: str, event_type: str, published_at: datetime) -> NoticeName:
    """Read "DD månad HH.MM, Typ, Plats". The type may hold commas, the year is never there."""
    match = _NAME.fullmatch(name.strip())
    if match is None:
        return NoticeName(None, None)
    return NoticeName(_event_time(match, published_at), _place(match["rest"], event_type))


def read_place(item: Mapping[str, Any]) -> str | None:
    """The place in a notice's name alone; `location` is no part of it."""
    match = _NAME.fullmatch(text_of(item, "name"))
    return _place(match["rest"], event_type_of(item)) if match else None


def _place(rest: str, event_type: str) -> str | None:
    """The last comma part, unless it belongs to the type."""
    rest = rest.strip()
    if event_type and rest.casefold().startswith(event_type.casefold()):
        rest = rest[len(event_type) :]
    # The type may have been edited since the name was written. "Mord/dråp, försök" has no place:
    # qualifiers of types are not written with a capital.
    _, comma, last = rest.rpartition(",")
    last = last.strip()
    return last if comma and last[:1].isupper() else None


def _event_time(match: re.Match[str], published_at: datetime) -> datetime | None:
    """The event's time, in the year (and the turn of October's double hour) nearest before."""
    month = match["month"].casefold()
    if month not in MONTHS:
        return None
    year = published_at.astimezone(STOCKHOLM).year
    candidates = [
        local.astimezone(UTC)
        for candidate_year in (year - 1, year, year + 1)
        for fold in (0, 1)
        if (local := _local_time(match, candidate_year, MONTHS.index(month) + 1, fold))
    ]

    def distance(time: datetime) -> timedelta:
        early = published_at - time
        return early if early >= timedelta(0) else -early * SLIP_WEIGHT

    return min(candidates, key=distance, default=None)


def _local_time(match: re.Match[str], year: int, month: int, fold: int) -> datetime | None:
    try:
        day, hour, minute = int(match["day"]), int(match["hour"]), int(match["minute"])
        return datetime(year, month, day, hour, minute, tzinfo=STOCKHOLM, fold=fold)
    except ValueError:
        return None


def notice_text(item: Mapping[str, Any]) -> str:
    """Summary and body, without the type and the address, which say the theme in words."""
    summary = text_of(item, "summary") or text_of(item, "text")
    body = text_of(item, "body")
    if body.startswith(summary):
        return body
    return f"{summary}\n{body}".strip()


def area_type_of(place: str) -> str:
    """The county is "lan", any other place "kommun"."""
    return "lan" if place.casefold().endswith(" län") else "kommun"


def text_of(item: Mapping[str, Any], key: str) -> str:
    """The stripped text of a field; "" when it is missing or no text."""
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""


def event_type_of(item: Mapping[str, Any]) -> str:
    """The police's own type: `type` in the API, `label` in archives."""
    return text_of(item, "type") or text_of(item, "label")


def location_name_of(item: Mapping[str, Any]) -> str | None:
    """What `location` names, at whatever level it means this year."""
    location = item.get("location")
    return (text_of(location, "name") or None) if isinstance(location, dict) else None


def record_id_of(item: Mapping[str, Any]) -> str | None:
    """The id as text, None when there is no usable one."""
    value = item.get("id")
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value).strip() or None


def published_at_of(item: Mapping[str, Any]) -> datetime | None:
    """When the notice was published, in UTC; None when missing or unreadable."""
    return read_time(text_of(item, "datetime"), STOCKHOLM)
