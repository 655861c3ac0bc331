"""Rows of named text values -> records, by a mapping the user wrote.

Shared by every source whose shape is told in the configuration. What is not mapped is dropped
before a record is made, so that contact data never reaches the store; whoever reported becomes a
keyed hash at the same moment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from lagesbild.errors import SourceError
from lagesbild.records import (
    Parsed,
    ParsedSubmission,
    RawSubmission,
    Reason,
    Rejection,
    Stance,
    canonical_json,
    digest,
)
from lagesbild.sources.base import PullContext, SourceConfig
from lagesbild.sources.presets import PRESETS, Preset
from lagesbild.sources.tablefile import Row, column_name
from lagesbild.sources.values import (
    Crs,
    Status,
    has_words,
    is_hidden,
    is_test_text,
    keyed_hash,
    read_id,
    read_lat_lon,
    read_point,
    read_stance,
    read_status,
    read_time,
    repair,
)

REPORTER = "_reporter_hash"  # the payload's one key that is no column of the file
REQUIRED = ("id", "text", "reported_at")
# What may change while a report stays the same report; left out of an id made from the row.
_CHANGING = (
    "id",
    "status",
    "updated_at",
    "closed_at",
    "category",
    "subcategory",
    "type",
    "reporter",
)


class Columns(BaseModel):
    """Which column (in JSON: dotted path) holds what. See docs of the tabular source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str | None = None
    text: str | tuple[str, ...] | None = None
    category: str | None = None
    subcategory: str | None = None
    reported_at: str | None = None
    occurred_at: str | None = None
    updated_at: str | None = None
    closed_at: str | tuple[str, ...] | None = None
    status: str | None = None
    lat: str | None = None
    lon: str | None = None
    latlon: str | None = None
    areas: Mapping[str, str] = {}
    type: str | None = None
    reporter: str | None = None

    def names(self, role: str) -> tuple[str, ...]:
        """The columns of one role, none, one or several."""
        value = getattr(self, role)
        if isinstance(value, Mapping):
            return tuple(value.values())
        if isinstance(value, str):
            return (value,)
        return tuple(value or ())

    def roles(self) -> dict[str, tuple[str, ...]]:
        return {role: names for role in type(self).model_fields if (names := self.names(role))}


class MappedConfig(SourceConfig):
    """Keys of every source with mapped columns.

    `keep`: columns stored with the raw record beside the mapped ones. `timezone`: of times without
    an offset. `day_first`: how 03/04/2026 is meant; without it such a date is refused. `crs`:
    wgs84 (degrees) or sweref99tm (EPSG:3006; then `lat` is N and `lon` is E); no other system is
    read. `status_words`, `type_words`: the source's own words for open and closed, and for the
    kind of remark.
    """

    preset: Preset | None = None
    columns: Columns = Columns()
    keep: tuple[str, ...] = ()
    timezone: str = "Europe/Stockholm"
    day_first: bool | None = None
    crs: Crs = "wgs84"
    status_words: Mapping[str, Status] = {}
    type_words: Mapping[str, Stance] = {}

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @model_validator(mode="after")
    def _enough_columns(self) -> Self:
        columns = self.mapped
        for role in ("text", "reported_at"):
            if not columns.names(role):
                raise ValueError(f"columns.{role} saknas: ange vilken kolumn som är {role}")
        if bool(columns.lat) != bool(columns.lon):
            raise ValueError("columns.lat och columns.lon måste anges tillsammans")
        others = [n for r, names in columns.roles().items() if r != "reporter" for n in names]
        if columns.reporter and columns.reporter in (*others, *self.keep):
            raise ValueError("kolumnen för reporter får inte också sparas som något annat")
        return self

    @property
    def mapped(self) -> Columns:
        """The preset's columns under the user's own."""
        own = self.columns.model_dump(exclude_unset=True)
        return Columns(**{**self._preset("columns"), **own})

    @property
    def all_status_words(self) -> Mapping[str, Status]:
        return {**self._preset("status_words"), **self.status_words}

    def _preset(self, part: str) -> Mapping[str, Any]:
        return PRESETS[self.preset].get(part, {}) if self.preset else {}


def known_zone(value: str) -> str:
    """A time zone's name, checked. Raises ValueError with a sentence for the user."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"tidszonen {value!r} finns inte; skriv till exempel Europe/Stockholm"
        ) from None
    return value


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """A column's name as it is compared: case and spaces aside."""
    return column_name(name).casefold()


def find_columns(wanted: Iterable[str], header: Iterable[str]) -> dict[str, str]:
    """wanted name -> the header's own spelling, for those that are there."""
    spelled = {normal(name): name for name in header}
    return {name: spelled[normal(name)] for name in wanted if normal(name) in spelled}


class RowMapper:
    """Turns rows into raw records, and raw records into parsed ones, for one configured source."""

    def __init__(self, name: str, config: MappedConfig) -> None:
        self.name = name
        self.config = config
        self.columns = config.mapped
        self._zone = ZoneInfo(config.timezone)
        self._status_words = config.all_status_words

    @property
    def drift_fields(self) -> tuple[str, ...]:
        """Keys of the payload whose values are few and tell what the source means."""
        roles = ("category", "subcategory", "status", "type", "areas")
        return tuple(name for role in roles for name in self.columns.names(role))

    # --- fetch side -------------------------------------------------------------------------------

    def check_header(self, where: str, header: Sequence[str], *, is_json: bool) -> list[str]:
        """Notes on mapped columns that are missing. Raises SourceError where one is needed.

        In JSON a key may be left out where it has no value, so only the required ones count there.
        """
        chosen = set() if is_json else self.config.columns.model_fields_set
        notes = []
        for role, names in self.columns.roles().items():
            found = find_columns(names, header)
            missing = [name for name in names if name not in found]
            is_needed = role in chosen or (role in REQUIRED and not found)
            if missing and is_needed:
                raise SourceError(
                    f"{where}: kolumnen {missing[0]!r} (columns.{role}) saknas; "
                    "se filens kolumner med lagesbild source map."
                )
            notes += [f"{where}: kolumnen {name!r} ({role}) saknas." for name in missing]
        return notes

    def dropped(self, header: Iterable[str]) -> list[str]:
        """Columns that are neither mapped nor kept."""
        used = {normal(name) for name in self._used()}
        return [name for name in header if normal(name) not in used]

    def make_raw(
        self, row: Row, where: str, context: PullContext, seen: Counter[str]
    ) -> RawSubmission | tuple[str, Rejection]:
        """A raw record of the mapped columns, under the mapping's names for them.

        A row that can be no record is refused, and nothing of its content is kept. `seen` counts
        ids made from rows, so that two equal rows stay two.
        """
        if row.fault:
            return self._refuse(where, row.number, row.fault[0], row.fault[1])
        cells = find_columns(self._used(), row.cells)
        content: dict[str, Any] = {
            wanted: row.cells[spelled]
            for wanted, spelled in cells.items()
            if wanted != self.columns.reporter
        }
        if not any(value.strip() for value in content.values()):
            return self._refuse(where, row.number, "empty_text", "alla valda fält är tomma")
        record_id = self._record_id(content, seen)
        if not record_id:
            return self._refuse(where, row.number, "missing_id", f"columns.id = {self.columns.id}")
        reporter = row.cells.get(cells.get(self.columns.reporter or "", ""), "").strip()
        if reporter:
            content[REPORTER] = keyed_hash(context.hash_key, self.name, reporter)
        return RawSubmission(self.name, record_id, canonical_json(content), context.now)

    def misplaced(self, records: Iterable[RawSubmission]) -> int:
        """How many records have coordinates that are no place in the configured system."""
        if not (self.columns.lat or self.columns.latlon):
            return 0
        return sum(self._is_misplaced(_row_of(record)) for record in records)

    def _used(self) -> list[str]:
        mapped = [name for names in self.columns.roles().values() for name in names]
        return list(dict.fromkeys((*mapped, *self.config.keep)))

    def _record_id(self, content: Mapping[str, str], seen: Counter[str]) -> str:
        if self.columns.id:
            return read_id(_get(content, self.columns.id))
        roles = {r: n for r, n in self.columns.roles().items() if r not in _CHANGING}
        stable = [_get(content, name) for names in roles.values() for name in names]
        made = digest(*stable)[:32]
        seen[made] += 1
        return made if seen[made] == 1 else f"{made}-{seen[made]}"

    def _refuse(
        self, where: str, number: int, reason: Reason, detail: str
    ) -> tuple[str, Rejection]:
        payload = canonical_json({"file": where, "row": number})
        record_id = "rad:" + digest(where, str(number))[:16]
        return payload, Rejection(self.name, record_id, reason, f"{where} rad {number}: {detail}")

    def _is_misplaced(self, row: Mapping[str, str]) -> bool:
        written = [_get(row, n) for n in (self.columns.lat, self.columns.latlon) if n]
        return any(w.strip(" 0.,;") for w in written) and self._point(row) is None

    # --- parse side -------------------------------------------------------------------------------

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        """One parsed remark or the reason why there is none."""
        try:
            row = _row_of(raw)
        except (ValueError, AttributeError):
            return [self._reject(raw, "unreadable", "payload")]
        text = self._text(row)
        if refused := self._refusal(raw, row, text):
            return [refused]
        written = self._one(row, "reported_at")
        reported_at = read_time(written, self._zone, self.config.day_first)
        if reported_at is None:
            reason: Reason = "bad_time" if written else "missing_time"
            return [self._reject(raw, reason, f"columns.reported_at = {self.columns.reported_at}")]
        closed_at = self._time(row, "closed_at")
        status = read_status(self._one(row, "status"), self._status_words)
        lat, lon = self._point(row) or (None, None)
        return [
            ParsedSubmission(
                source=self.name,
                source_record_id=raw.source_record_id,
                kind="report",
                text=text,
                reported_at=reported_at,
                category=self._category(row),
                status=status or ("closed" if closed_at else None),
                occurred_at=self._time(row, "occurred_at"),
                updated_at=self._time(row, "updated_at"),
                closed_at=closed_at,
                lat=lat,
                lon=lon,
                areas=self._areas(row),
                stance_hint=read_stance(self._one(row, "type"), self.config.type_words),
                reporter_hash=row.get(REPORTER),
            )
        ]

    def _refusal(self, raw: RawSubmission, row: Mapping[str, str], text: str) -> Rejection | None:
        if is_hidden(self._one(row, "status")):
            return self._reject(raw, "moderated", f"columns.status = {self.columns.status}")
        if not has_words(text):
            return self._reject(raw, "empty_text", f"columns.text = {self.columns.text}")
        if is_test_text(text):
            return self._reject(raw, "test_row", f"columns.text = {self.columns.text}")
        return None

    def _reject(self, raw: RawSubmission, reason: Reason, detail: str) -> Rejection:
        return Rejection(self.name, raw.source_record_id, reason, detail)

    def _text(self, row: Mapping[str, str]) -> str:
        parts: list[str] = []
        for name in self.columns.names("text"):
            part = repair(_get(row, name))
            if parts and part.casefold().startswith(parts[-1].casefold()):
                parts.pop()  # a title that is the beginning of the text says nothing more
            if part:
                parts.append(part)
        return "\n".join(parts)

    def _one(self, row: Mapping[str, str], role: str) -> str:
        """The first value there is among the columns of a role."""
        values = (repair(_get(row, name)) for name in self.columns.names(role))
        return next((value for value in values if value), "")

    def _time(self, row: Mapping[str, str], role: str) -> Any:
        return read_time(self._one(row, role), self._zone, self.config.day_first)

    def _category(self, row: Mapping[str, str]) -> str | None:
        parts = [self._one(row, role) for role in ("category", "subcategory")]
        return " / ".join(part for part in parts if part) or None

    def _areas(self, row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        named = ((area, repair(_get(row, name))) for area, name in self.columns.areas.items())
        return tuple((area, value) for area, value in named if value)

    def _point(self, row: Mapping[str, str]) -> tuple[float, float] | None:
        crs = self.config.crs
        if self.columns.latlon:
            return read_point(_get(row, self.columns.latlon), crs)
        if self.columns.lat and self.columns.lon:
            return read_lat_lon(_get(row, self.columns.lat), _get(row, self.columns.lon), crs)
        return None


def _row_of(raw: RawSubmission) -> dict[str, str]:
    return {normal(name): str(value) for name, value in json.loads(raw.payload).items()}


def _get(row: Mapping[str, str], name: str) -> str:
    return row.get(normal(name), row.get(name, ""))
