"""Asking an Open311 server: its format, its way to write dates, and what its refusals mean.

What a server turns out to want is kept in `learned` (plain JSON values), which travels in the
source's state so that the next night does not have to find out again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient, StatusError
from lagesbild.sources.base import SourceConfig
from lagesbild.sources.open311_parse import (
    Answer,
    UnreadableAnswerError,
    read_answer,
    service_names,
)

Format = Literal["json", "xml"]
DateStyle = Literal["zulu", "local"]

# Statuses of a server that does not have the format asked for, or does not take the dates.
WRONG_FORMAT_FIRST = frozenset({400, 404, 406, 415})
WRONG_FORMAT_LATER = frozenset({406, 415})
WRONG_DATES = frozenset({400, 422, 500})
# Refusals that say nothing about one page: asking differently does not help.
HOPELESS = frozenset({401, 403, 429})

KIND_SV: Mapping[str, str] = {
    "services": "en lista av kategorier",
    "service_definition": "en beskrivning av en kategori",
    "discovery": "en beskrivning av tjänsten",
    "tokens": "kvittonummer",
    "receipts": "kvitton",
    "errors": "ett felmeddelande",
    "database_dump": "en databasdump",
    "unknown": "något okänt",
}


class Open311Config(SourceConfig):
    """`row_cap`: most rows the server gives in one answer, when it has no paging.

    `start_date`: where the very first pull begins (default: one window back). `overlap_hours`:
    how far before the newest report seen the next pull begins, for reports that arrive late.
    `repoll_open`: how many open reports are asked for by id in one night, to see their closing.
    `api_key_env`: name of the environment variable that holds the key.
    """

    url: str
    format: Literal["json", "xml", "auto"] = "auto"
    jurisdiction_id: str | None = None
    api_key_env: str | None = None
    page_size: int = Field(default=100, ge=1, le=1000)
    paging: Literal["page", "window", "auto"] = "auto"
    row_cap: int | None = Field(default=None, ge=2)
    window_days: float = Field(default=30, gt=0, le=90)
    start_date: date | None = None
    overlap_hours: float = Field(default=48, ge=0)
    updated_after: bool | Literal["auto"] = "auto"
    repoll_open: int = Field(default=200, ge=0)
    drop_fields: tuple[str, ...] = ()
    extensions: bool = False
    time_zone: str = "Europe/Stockholm"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise ValueError(f"tidszonen {name} finns inte") from None
        return name


class PageError(SourceError):
    """One answer failed in a way that may be about that page alone."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status


class Open311Server:
    """One server during one pull. Every failure is a SourceError; PageError may be narrowed."""

    def __init__(
        self, name: str, config: Open311Config, client: PoliteClient, learned: Mapping[str, Any]
    ) -> None:
        self.learned: dict[str, Any] = dict(learned)
        self._name = name
        self._config = config
        self._client = client
        self._zone = ZoneInfo(config.time_zone)
        self._services: dict[str, str] | None = None

    def requests(self, query: Mapping[str, str], *, tries: int | None = None) -> list[Any]:
        """The rows that answer the query."""
        return list(self._ask("requests", query, tries).rows)

    def dated(
        self,
        bounds: Mapping[str, datetime],
        query: Mapping[str, str],
        *,
        tries: int | None = None,
    ) -> list[Any]:
        """The rows within the bounds, written the way this server takes times."""
        known: DateStyle | None = self.learned.get("dates")
        styles = (known,) if known else get_args(DateStyle)
        for style in styles:
            dates = {key: self._written(time, style) for key, time in bounds.items()}
            is_last = style == styles[-1]
            try:
                rows = self.requests({**dates, **query}, tries=tries if is_last else 2)
            except PageError as error:
                if is_last or error.status not in WRONG_DATES:
                    raise
            else:
                self.learned["dates"] = style
                return rows
        raise AssertionError("the last style returns or raises")

    def one(self, record_id: str) -> list[Any]:
        """The rows of requests/ID, none when the server no longer has it."""
        try:
            answer = self._ask(f"requests/{quote(record_id, safe='')}", {}, 2)
        except PageError as error:
            if error.status in (404, 410):
                return []
            raise
        return list(answer.rows)

    def services(self) -> Mapping[str, str]:
        """Category names by code, {} where the server keeps no list; asked for once."""
        if self._services is None:
            try:
                answer = self._ask("services", {}, 2)
            except SourceError:
                self._services = {}
            else:
                self._services = service_names(answer.rows)
        return self._services

    def is_alive(self) -> bool:
        """Whether the server answers at all, so that a failing page is about the page."""
        return bool(self.services())

    def _written(self, time: datetime, style: DateStyle) -> str:
        if style == "zulu":
            return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return time.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M:%S")

    def _ask(self, path: str, query: Mapping[str, str], tries: int | None) -> Answer:
        formats = self._formats()
        for format_ in formats:
            try:
                answer = self._ask_in(format_, path, query, tries)
            except PageError as error:
                first_time = "format" not in self.learned
                wrong = WRONG_FORMAT_FIRST if first_time else WRONG_FORMAT_LATER
                if format_ == formats[-1] or (
                    error.status is not None and error.status not in wrong
                ):
                    raise
            else:
                self.learned["format"] = format_
                return answer
        raise AssertionError("the last format returns or raises")

    def _formats(self) -> Sequence[Format]:
        if self._config.format != "auto":
            return (self._config.format,)
        first: Format = self.learned.get("format", "json")
        return (first, "xml" if first == "json" else "json")

    def _ask_in(
        self, format_: Format, path: str, query: Mapping[str, str], tries: int | None
    ) -> Answer:
        url = f"{self._config.url.rstrip('/')}/{path}.{format_}"
        try:
            response = self._client.get(url, {**self._standing_query(), **query}, tries=tries)
        except StatusError as error:
            if error.status in HOPELESS:
                raise
            raise PageError(str(error), error.status) from None
        try:
            answer = read_answer(response.content)
        except UnreadableAnswerError as error:
            raise PageError(self._unreadable_message(error), None) from None
        self._expect(answer, "services" if path == "services" else "requests")
        return answer

    def _expect(self, answer: Answer, kind: str) -> None:
        if answer.kind == kind or (not answer.rows and answer.kind != "errors"):
            return
        message = (
            f"Källan {self._name} svarade med {KIND_SV.get(answer.kind, 'ärenden')} "
            "i stället för det vi bad om; kontrollera url."
        )
        if answer.kind != "errors":
            raise SourceError(message)
        status = answer.status or _error_code(answer.rows)
        if status in HOPELESS:
            raise SourceError(f"Källan {self._name} nekar oss (status {status}).")
        raise PageError(message, status)

    def _unreadable_message(self, error: UnreadableAnswerError) -> str:
        if not error.is_html:
            return f"Källan {self._name} skickade ett svar som inte går att läsa ({error})."
        hint = (
            "kontrollera jurisdiction_id"
            if self._config.jurisdiction_id
            else ("servern vill troligen ha jurisdiction_id")
        )
        return f"Källan {self._name} svarade med en webbsida i stället för ärenden; {hint}."

    def _standing_query(self) -> dict[str, str]:
        query: dict[str, str] = {}
        if self._config.jurisdiction_id:
            query["jurisdiction_id"] = self._config.jurisdiction_id
        if self._config.extensions:
            query["extensions"] = "true"
        if self._config.api_key_env:
            key = os.environ.get(self._config.api_key_env)
            if not key:
                raise SourceError(
                    f"Källan {self._name} behöver miljövariabeln {self._config.api_key_env}."
                )
            query["api_key"] = key
        return query


def _error_code(rows: Sequence[Any]) -> int | None:
    first = rows[0] if rows else None
    code = first.get("code") if isinstance(first, dict) else None
    return int(code) if isinstance(code, int | str) and str(code).isdecimal() else None
