"""Ekstad, the invented municipality of data/sample, as a server on this machine.

It answers as real ones do, so that the first night goes over HTTP, JSON and XML: two Open311
(GeoReport v2) departments and the police's list of notices. Nothing in it depends on today's date,
so the sample gives the same counts every day.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import defusedxml.ElementTree as SafeET

from lagesbild.resources import data_path

STOCKHOLM = ZoneInfo("Europe/Stockholm")
WINDOW = timedelta(days=90)  # GeoReport v2: 90 days or 1000 reports, whichever is smaller
MAX_ROWS = 1000

Record = Mapping[str, Any]


class SampleCity:
    """Serves data/sample from a free loopback port while the `with` block lasts.

    `url` is the address without a closing slash: `{url}/open311/v2`, `{url}/park/open311/v2` and
    `{url}/polisen/api/events`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or data_path("sample")
        self.url = ""

    def __enter__(self) -> Self:
        self._server = _Server(self._folder)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class BadQueryError(Exception):
    """A question that a GeoReport server answers with 400."""


@dataclass(frozen=True)
class Department:
    """One GeoReport v2 end point: its services and its reports, newest first."""

    services: Sequence[Record]
    requests: Sequence[Record]

    def select(self, query: Mapping[str, str]) -> list[Record]:
        """The page of reports that a query asks for. Raises BadQueryError."""
        if ids := query.get("service_request_id"):
            wanted = set(ids.split(","))
            return [r for r in self.requests if str(r["service_request_id"]) in wanted]
        window = self._window(query)
        found = [r for r in self.requests if self._matches(r, query, window)]
        size = min(_whole(query, "page_size", MAX_ROWS), MAX_ROWS)
        first = (_whole(query, "page", 1) - 1) * size
        return found[first : first + size]

    def _window(self, query: Mapping[str, str]) -> tuple[datetime, datetime] | None:
        """The span of requested times that will be answered for; None is all of them."""
        start, end = _time(query, "start_date"), _time(query, "end_date")
        if start is None and end is None and query.keys() & {"updated_after", "updated_before"}:
            return None
        if end is None:
            end = start + WINDOW if start else max(map(_requested_at, self.requests))
        return (max(start, end - WINDOW) if start else end - WINDOW), end

    def _matches(
        self, record: Record, query: Mapping[str, str], window: tuple[datetime, datetime] | None
    ) -> bool:
        if window and not window[0] <= _requested_at(record) <= window[1]:
            return False
        after, before = _time(query, "updated_after"), _time(query, "updated_before")
        updated_at = _read_time(record["updated_datetime"])
        if (after and updated_at < after) or (before and updated_at > before):
            return False
        return all(
            record[field] in query[field].split(",")
            for field in ("status", "service_code")
            if field in query
        )


def read_json_department(file: Path) -> Department:
    """A department kept as one JSON object with `services` and `requests`."""
    content = json.loads(file.read_text(encoding="utf-8"))
    return Department(content["services"], content["requests"])


def read_xml_department(file: Path) -> Department:
    """A department kept as XML, with every value as text and empty elements as nothing."""
    root = SafeET.fromstring(file.read_bytes())

    def rows(path: str) -> list[Record]:
        return [{field.tag: field.text for field in element} for element in root.iterfind(path)]

    return Department(rows("services/service"), rows("service_requests/request"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.departments = {
            "/open311/v2": read_json_department(folder / "open311_reports.json"),
            "/park/open311/v2": read_xml_department(folder / "open311_park.xml"),
        }
        self.events = (folder / "polisen_events.json").read_bytes()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/polisen/api/events":
            self._send(HTTPStatus.OK, "json", self.server.events)
            return
        asked = re.fullmatch(
            r"(?P<root>.*/v2)/(?P<what>services|requests)(?:/(?P<id>[^/]+))?\.(?P<style>json|xml)",
            address.path,
        )
        department = self.server.departments.get(asked["root"]) if asked else None
        if asked is None or department is None or (asked["what"] == "services" and asked["id"]):
            self._refuse(HTTPStatus.NOT_FOUND, "json", "Not found")
        else:
            query = dict(parse_qsl(address.query))
            if asked["id"]:
                query = {"service_request_id": asked["id"]}
            self._answer(department, asked["what"], asked["style"], query)

    def _answer(
        self, department: Department, what: str, style: str, query: Mapping[str, str]
    ) -> None:
        try:
            records = department.services if what == "services" else department.select(query)
        except BadQueryError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, style, str(error))
            return
        root = "services" if what == "services" else "service_requests"
        self._send(HTTPStatus.OK, style, _rendered(root, records, style))

    def _refuse(self, status: HTTPStatus, style: str, description: str) -> None:
        error = {"code": status.value, "description": description}
        self._send(status, style, _rendered("errors", [error], style))

    def _send(self, status: HTTPStatus, style: str, body: bytes) -> None:
        self.send_response(status)
        kind = "application/json" if style == "json" else "text/xml"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the demo's output is the night's, not the server's."""


def _rendered(root: str, records: Sequence[Record], style: str) -> bytes:
    if style == "json":
        return json.dumps(records, ensure_ascii=False).encode()
    top = ET.Element(root)
    singular = {"services": "service", "service_requests": "request", "errors": "error"}[root]
    for record in records:
        element = ET.SubElement(top, singular)
        for field, text in _as_text(record):
            ET.SubElement(element, field).text = text
    text = ET.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _as_text(record: Record) -> Iterator[tuple[str, str | None]]:
    for field, value in record.items():
        yield field, value if value is None or isinstance(value, str) else json.dumps(value)


def _requested_at(record: Record) -> datetime:
    return _read_time(record["requested_datetime"])


def _read_time(text: str) -> datetime:
    """An ISO 8601 time; some records lack the time zone, as in real systems, and mean ours."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=STOCKHOLM)


def _time(query: Mapping[str, str], key: str) -> datetime | None:
    if key not in query:
        return None
    try:
        return _read_time(query[key])
    except ValueError:
        raise BadQueryError(f"{key} is not an ISO 8601 time") from None


def _whole(query: Mapping[str, str], key: str, default: int) -> int:
    text = query.get(key, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise BadQueryError(f"{key} is not a whole number above 0")
    return int(text)
