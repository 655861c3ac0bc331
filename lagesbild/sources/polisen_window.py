"""What one answer of the police API says about the pulls before it: gaps, stale answers, drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lagesbild.sources.polisen_notice import (
    STOCKHOLM,
    area_type_of,
    location_name_of,
    published_at_of,
    read_place,
    record_id_of,
)

# Days with fewer notices than this say too little about what `location` means.
ENOUGH_NOTICES = 10
# Far apart, so that one odd day does not make the note come and go.
DRIFTED_SHARE, STEADY_SHARE = 0.3, 0.05
# Once an answer held four months of thin days; only the latest days tell what holds now.
LATEST = timedelta(days=3)
# An answer whose newest notice is this much older than one we have seen comes out of a cache.
STALE = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """The state to keep; (last pull's newest, this window's oldest) if they do not overlap."""

    state: Mapping[str, Any]
    gap: tuple[datetime, datetime] | None = None
    notes: Sequence[str] = field(default=())


def window_facts(items: Sequence[Any], before: Mapping[str, Any]) -> WindowFacts:
    """Compare the notices of one answer with the state of the last pull."""
    known = [item for item in items if isinstance(item, dict) and _number(item) is not None]
    times = [time for item in known if (time := published_at_of(item))]
    if not times:
        return WindowFacts(dict(before))
    ids = [number for item in known if (number := _number(item)) is not None]
    gap = None
    if "newest_id" in before:
        newest_id, newest_at = before["newest_id"], datetime.fromisoformat(before["newest_at"])
        if max(ids) < newest_id and max(times) < newest_at - STALE:
            note = "Svaret är äldre än det förra, troligen ur ett mellanlager."
            return WindowFacts(dict(before), notes=(note,))
        if min(ids) > newest_id and min(times) > newest_at:
            gap = (newest_at, min(times))
        ids, times = [*ids, newest_id], [*times, newest_at]
    days = _location_days(known, since=max(times) - LATEST)
    drifted = _drifted(days, before.get("location_drifted"))
    state = {
        "newest_id": max(ids),
        "newest_at": max(times).isoformat(),
        "location_days": days,
        "location_drifted": drifted,
    }
    return WindowFacts(state, gap, _drift_notes(before.get("location_drifted"), drifted))


def _number(item: Mapping[str, Any]) -> int | None:
    record_id = record_id_of(item) or ""
    return int(record_id) if record_id.isascii() and record_id.isdecimal() else None


def _location_days(items: Sequence[Mapping[str, Any]], since: datetime) -> dict[str, list[int]]:
    """By publication day: [notices named after a municipality, those located elsewhere].

    Notices of a whole county, such as summaries, are the same under both meanings.
    """
    notices: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    for item in items:
        published_at = published_at_of(item)
        place = read_place(item)
        if published_at is None or published_at < since or place is None:
            continue
        if area_type_of(place) == "kommun":
            day = published_at.astimezone(STOCKHOLM).date().isoformat()
            notices[day] += 1
            differing[day] += place != location_name_of(item)
    return {day: [notices[day], differing[day]] for day in sorted(notices)}


def _drifted(days: Mapping[str, Sequence[int]], before: bool | None) -> bool | None:
    """Whether the latest day that says enough has locations that are not the name's place."""
    telling = [counts for counts in days.values() if counts[0] >= ENOUGH_NOTICES]
    if not telling:
        return before
    n_notices, n_differing = telling[-1]
    return n_differing > (STEADY_SHARE if before else DRIFTED_SHARE) * n_notices


def _drift_notes(before: bool | None, after: bool | None) -> tuple[str, ...]:
    """One note on the pull that first sees `location` mean something else than it did."""
    if before is None or before == after:
        return ()
    if after:
        return ("location har bytt betydelse: den är inte längre platsen i notisens namn.",)
    return ("location är åter platsen i notisens namn.",)
