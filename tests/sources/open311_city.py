"""A pretended Open311 server whose habits can be chosen, for tests of pulling."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import httpx

Row = dict[str, Any]
START = datetime(2026, 1, 1, tzinfo=UTC)


def report(number: int, hours: float, **fields: Any) -> Row:
    """Report number so and so, requested so many hours after the New Year of 2026."""
    requested = (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    base = {
        "service_request_id": f"R{number:05}",
        "status": "open",
        "service_code": "001",
        "description": f"Lampa {number} är trasig.",
        "requested_datetime": requested,
        "updated_datetime": requested,
    }
    return base | fields


def reports(count: int, *, every_hours: float = 1.0) -> list[Row]:
    return [report(number, number * every_hours) for number in range(1, count + 1)]


@dataclass
class City:
    """Answers newest first. `calls` are the queries of every call to requests, in order."""

    rows: list[Row]
    page_cap: int = 50
    has_pages: bool = True
    heeds_page_size: bool = True
    past_the_end: str = "empty"  # or "repeat", "404", "500"
    heeds_window: bool = True
    takes_z: bool = True
    has_updated_after: bool = False
    takes_id_lists: bool = True
    bad_ids: frozenset[str] = frozenset()
    formats: tuple[str, ...] = ("json", "xml")
    needs_jurisdiction: bool = False
    is_down: Callable[[int], bool] = lambda call: False
    services: list[Row] = field(
        default_factory=lambda: [{"service_code": "001", "service_name": "Belysning"}]
    )
    calls: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, _, format_ = request.url.path.rpartition("/v2/")[2].rpartition(".")
        query = dict(request.url.params)
        self.paths.append(path)
        if self.needs_jurisdiction and "jurisdiction_id" not in query:
            return httpx.Response(200, text="<!DOCTYPE html><title>Karta</title>")
        if format_ not in self.formats:
            return httpx.Response(406)
        if path == "services":
            return self._written(self.services, "services", format_)
        self.calls.append(query)
        if self.is_down(len(self.calls)):
            return httpx.Response(500)
        if path.startswith("requests/"):
            return self._one(path.removeprefix("requests/"), format_)
        return self._list(query, format_)

    def _one(self, record_id: str, format_: str) -> httpx.Response:
        found = [row for row in self.rows if str(row["service_request_id"]) == record_id]
        return self._guarded(found, format_) if found else httpx.Response(404)

    def _list(self, query: dict[str, str], format_: str) -> httpx.Response:
        if not self.takes_z and any(v.endswith("Z") for k, v in query.items() if "_" in k):
            return httpx.Response(500)
        asked = query.get("service_request_id")
        if asked and self.takes_id_lists:
            ids = set(asked.split(","))
            return self._guarded([r for r in self.rows if r["service_request_id"] in ids], format_)
        found = sorted(self._within(query), key=lambda r: r["requested_datetime"], reverse=True)
        if not self.has_pages:
            return self._guarded(found[: self.page_cap], format_)
        return self._page(found, query, format_)

    def _page(self, found: list[Row], query: dict[str, str], format_: str) -> httpx.Response:
        asked = int(query.get("page_size", self.page_cap)) if self.heeds_page_size else 10**6
        size = min(asked, self.page_cap)
        page = int(query.get("page", 1))
        if page > 1 and (page - 1) * size >= len(found):
            if self.past_the_end in ("404", "500"):
                return httpx.Response(int(self.past_the_end))
            if self.past_the_end == "repeat":
                page = max(1, -(-len(found) // size))
        return self._guarded(found[(page - 1) * size : page * size], format_)

    def _within(self, query: dict[str, str]) -> list[Row]:
        if "updated_after" in query and self.has_updated_after:
            after = _time(query["updated_after"])
            return [row for row in self.rows if _time(row["updated_datetime"]) >= after]
        if not self.heeds_window or "start_date" not in query:
            return list(self.rows)
        first, last = _time(query["start_date"]), _time(query["end_date"])
        return [row for row in self.rows if first <= _time(row["requested_datetime"]) <= last]

    def _guarded(self, rows: list[Row], format_: str) -> httpx.Response:
        if any(row["service_request_id"] in self.bad_ids for row in rows):
            return httpx.Response(500)
        return self._written(rows, "service_requests", format_)

    def _written(self, rows: list[Row], root: str, format_: str) -> httpx.Response:
        if format_ == "json":
            return httpx.Response(200, text=json.dumps(rows))
        item = {"services": "service"}.get(root, "request")
        inner = "".join(
            f"<{item}>"
            + "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in row.items())
            + f"</{item}>"
            for row in rows
        )
        return httpx.Response(200, text=f"<{root}>{inner}</{root}>")


def _time(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
