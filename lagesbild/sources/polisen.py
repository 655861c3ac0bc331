"""Notices of the Swedish police (polisen.se/api/events), live or from an archive in JSON lines.

The API gives the 500 latest notices and nothing older. `location` cannot be trusted to mean the
municipality (in January 2026 it became the county, without notice), so the place comes from the
notice's name: "20 januari 17.41, Trafikolycka, Mora". Notices are edited in place; every answer's
notices are handed on, and the store keeps each version once.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, ClassVar

from pydantic import Field

from lagesbild.errors import SourceError
from lagesbild.records import (
    Page,
    Parsed,
    ParsedSubmission,
    RawSubmission,
    Reason,
    Rejection,
    canonical_json,
    digest,
)
from lagesbild.sources.base import PullContext, SourceConfig
from lagesbild.sources.polisen_notice import (
    area_type_of,
    event_type_of,
    location_name_of,
    notice_text,
    published_at_of,
    read_name,
    read_place,
    record_id_of,
    text_of,
)
from lagesbild.sources.polisen_window import window_facts

LINES_A_PAGE = 2000


class PolisenConfig(SourceConfig):
    """`municipalities`: keep only notices whose name ends with one of these (or a county).

    `file`: a JSON lines file (.gz too) of archived notices, or a pattern for several, read
    instead of the API; relative to the configuration's folder.
    """

    url: str = "https://polisen.se/api/events"
    min_interval_s: float = Field(default=10.0, ge=0)
    municipalities: tuple[str, ...] = ()
    file: str | None = None


class Polisen:
    """The source of kind "polisen"."""

    Config: ClassVar[type[SourceConfig]] = PolisenConfig
    drift_fields: ClassVar[tuple[str, ...]] = ("type", "location.name")

    def __init__(self, name: str, config: PolisenConfig) -> None:
        self.name = name
        self._config = config
        self._wanted = {place.casefold() for place in config.municipalities}

    def fetch(self, context: PullContext) -> Iterator[Page]:
        """One page of the API's whole window, or pages of the lines not yet read of each file."""
        if self._config.file is None:
            yield self._fetch_window(context)
        else:
            yield from self._fetch_files(context, self._config.file)

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        """One notice or one rejection."""
        try:
            item = json.loads(raw.payload)
        except ValueError:
            return [self._rejection(raw.source_record_id, "unreadable", "payload")]
        if not isinstance(item, dict):
            return [self._rejection(raw.source_record_id, "unexpected_shape", "payload")]
        return [self._parse_item(raw.source_record_id, item)]

    def _fetch_window(self, context: PullContext) -> Page:
        items = self._answered_list(context)
        facts = window_facts(items, context.state)
        page = self._page(items, context, facts.state)
        return Page(page.records, page.state, page.refused, facts.gap, (*page.notes, *facts.notes))

    def _answered_list(self, context: PullContext) -> list[Any]:
        response = context.client.get(self._config.url)
        try:
            answer = json.loads(response.content.decode("utf-8-sig"))
        except ValueError:
            raise SourceError(
                f"Källan {self.name} svarade inte med JSON (kanske en felsida); försök igen senare."
            ) from None
        if not isinstance(answer, list):
            raise SourceError(
                f"Källan {self.name} svarade inte med en lista av notiser; kontrollera url."
            )
        return answer

    def _page(self, items: Sequence[Any], context: PullContext, state: Mapping[str, Any]) -> Page:
        """What the items are: records, refused, or notices of places nobody asked for."""
        records: list[RawSubmission] = []
        refused: list[tuple[str, Rejection]] = []
        for position, item in enumerate(items):
            if isinstance(item, bytes):
                text = item.decode(errors="replace")
                refused.append(self._refusal(text, "unreadable", position))
            elif not isinstance(item, dict):
                refused.append(self._refusal(canonical_json(item), "unexpected_shape", position))
            elif (record_id := record_id_of(item)) is None:
                refused.append(self._refusal(canonical_json(item), "missing_id", position))
            elif self._is_wanted(item):
                payload = canonical_json(item)
                records.append(RawSubmission(self.name, record_id, payload, context.now))
        notes: tuple[str, ...] = ()
        if self._wanted and items and not records:
            # How a change of meaning shows first: silence.
            notes = (f"municipalities släppte inte igenom någon av {len(items)} notiser.",)
        return Page(records, state, refused, notes=notes)

    def _is_wanted(self, item: Mapping[str, Any]) -> bool:
        if not self._wanted:
            return True
        place = read_place(item) or location_name_of(item)
        return place is not None and place.casefold() in self._wanted

    def _fetch_files(self, context: PullContext, pattern: str) -> Iterator[Page]:
        """A file is known by its digest, so that an unchanged one is not read again."""
        paths = _matching(context.base_dir, pattern)
        if not paths:
            raise SourceError(f"Källan {self.name}: ingen fil motsvarar {pattern}.")
        done: dict[str, Any] = dict(context.state.get("files", {}))
        for path in paths:
            file_sha256 = _file_sha256(path)
            before = done.get(path.name, {})
            start = before.get("lines", 0) if before.get("sha256") == file_sha256 else 0
            for n_lines, items in self._line_pages(path, start):
                done = done | {path.name: {"sha256": file_sha256, "lines": n_lines}}
                yield self._page(items, context, {"files": done})

    def _line_pages(self, path: Path, start: int) -> Iterator[tuple[int, list[Any]]]:
        """(lines read so far, items of the latest); a line that is no JSON stays bytes."""
        n_lines = start
        try:
            with _opened(path) as lines:
                rest = islice(lines, start, None)
                while page := list(islice(rest, LINES_A_PAGE)):
                    n_lines += len(page)
                    yield n_lines, [_line_item(line) for line in page if line.strip()]
        except (OSError, EOFError, zlib.error):
            raise SourceError(f"Källan {self.name}: {path.name} går inte att läsa.") from None

    def _parse_item(self, record_id: str, item: Mapping[str, Any]) -> Parsed:
        published_at = published_at_of(item)
        if published_at is None:
            missing = not text_of(item, "datetime")
            return self._rejection(record_id, "missing_time" if missing else "bad_time", "datetime")
        text = notice_text(item)
        if not text:
            return self._rejection(record_id, "empty_text", "summary")
        event_type = event_type_of(item)
        name = read_name(text_of(item, "name"), event_type, published_at)
        place = name.place or location_name_of(item)
        is_summary = event_type.casefold().startswith("sammanfattning")
        # gps is the middle of a municipality or county, never the place: no lat and lon.
        return ParsedSubmission(
            source=self.name,
            source_record_id=record_id,
            kind="summary" if is_summary else "notice",
            text=text,
            reported_at=published_at,
            category=event_type or None,
            occurred_at=name.occurred_at,
            areas=((area_type_of(place), place),) if place else (),
        )

    def _rejection(self, record_id: str, reason: Reason, detail: str) -> Rejection:
        return Rejection(self.name, record_id, reason, detail)

    def _refusal(self, payload: str, reason: Reason, position: int) -> tuple[str, Rejection]:
        """A refusal of something without an id is known by its content instead."""
        record_id = f"utan-id-{digest(payload)[:16]}"
        return payload, self._rejection(record_id, reason, f"position {position}")


def _matching(base_dir: Path, pattern: str) -> list[Path]:
    path = base_dir / pattern
    if path.is_file():
        return [path]
    return sorted(found for found in path.parent.glob(path.name) if found.is_file())


def _file_sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _line_item(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except ValueError:
        return line
