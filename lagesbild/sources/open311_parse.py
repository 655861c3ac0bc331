"""Open311 GeoReport v2 in the dialects servers really speak: bytes -> rows -> one remark each."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree.ElementTree import Element, ParseError  # only types; defusedxml parses
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lagesbild.records import Parsed, ParsedSubmission, Reason, Rejection
from lagesbild.sources.values import (
    is_hidden,
    is_test_text,
    read_id,
    read_lat_lon,
    read_status,
    read_time,
    repair,
)
from lagesbild.text import normalise

AnswerKind = Literal[
    "requests",
    "services",
    "service_definition",
    "discovery",
    "tokens",
    "receipts",
    "errors",
    "database_dump",
    "unknown",
]
SERVICE_NAME_KEY = "_service_name"  # ours: the name the services list gives a code

_CONTACT = re.compile(
    r"(?:requestor|requester|submitter|reporter|citizen|contact|caller)(?:_.*)?"
    r"|e_?mail(?:_address)?|(?:mobile_?|tele)?phone(?:_number)?|mobile|first_?name|last_?name"
    r"|full_?name|surname|user_?name|account_id|device_id|person_?id|personnummer|ip(?:_address)?"
)
_STATUS_LINE = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})[^\n]*\n(?:[\w-]+:[^\n]*\n)*\s*")
_DECLARED = re.compile(rb"""<\?xml[^>]*encoding=["']([\w.-]+)["']""")
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")
_JSON_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w.+-])0\d+(?![\w.])', re.DOTALL)
_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_XML_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)(?:\w+;)?")


class UnreadableAnswerError(ValueError):
    """The body is not an Open311 answer. `is_html` tells a web page from mere noise."""

    def __init__(self, what: str, *, is_html: bool = False) -> None:
        super().__init__(what)
        self.is_html = is_html


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer turned out to be. `status`: of an HTTP status line inside the body."""

    kind: AnswerKind
    rows: Sequence[Any]
    status: int | None = None


def read_answer(body: bytes) -> Answer:
    """Whatever the bytes say, JSON or XML. Raises UnreadableAnswerError."""
    text = _decoded(body).lstrip("\ufeff \t\r\n")
    status = None
    if line := _STATUS_LINE.match(text):
        status, text = int(line[1]), text[line.end() :]
    start = text[:200].lstrip().casefold()
    if not start:
        raise UnreadableAnswerError("tomt svar")
    if start.startswith(("<!doctype html", "<html")):
        raise UnreadableAnswerError("webbsida", is_html=True)
    try:
        root = _from_xml(text) if start.startswith("<") else _from_json(text)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise UnreadableAnswerError("varken JSON eller XML") from None
    rows = _rows(root)
    if status is not None and status >= 400:
        return Answer("errors", rows, status)
    return Answer(_kind(root, rows), rows, status)


def service_names(rows: Sequence[Any]) -> dict[str, str]:
    """Category name by service code."""
    return {
        _scalar(row.get("service_code")): name
        for row in rows
        if isinstance(row, dict) and (name := repair(_scalar(row.get("service_name"))))
    }


def row_id(row: Mapping[str, Any]) -> str:
    """The service_request_id as text, "" when missing."""
    return read_id(_scalar(row.get("service_request_id")))


def without_contacts(value: Any, dropped: frozenset[str]) -> Any:
    """The row without whatever names or reaches the person who reported, at any depth."""
    if isinstance(value, dict):
        return {
            key: without_contacts(inner, dropped)
            for key, inner in value.items()
            if key.casefold() not in dropped and not _CONTACT.fullmatch(key.casefold())
        }
    if isinstance(value, list):
        return [without_contacts(inner, dropped) for inner in value]
    return value


def parse_row(source: str, record_id: str, row: Mapping[str, Any], zone: ZoneInfo) -> Parsed:
    """One service request, or why it is none."""

    def refused(reason: Reason, field: str) -> Rejection:
        return Rejection(source, record_id, reason, field)

    status = _scalar(row.get("status"))
    if is_hidden(status):
        return refused("moderated", "status")
    text = _row_text(row)
    if not text:
        return refused("empty_text", "description")
    if is_test_text(text):
        return refused("test_row", "description")
    requested = _scalar(row.get("requested_datetime"))
    reported_at = read_time(requested, zone)
    if reported_at is None:
        return refused("bad_time" if requested else "missing_time", "requested_datetime")
    updated_at = read_time(_scalar(row.get("updated_datetime")), zone)
    read = read_status(status)
    point = read_lat_lon(_scalar(row.get("lat")), _scalar(row.get("long", row.get("lon"))))
    return ParsedSubmission(
        source=source,
        source_record_id=record_id,
        kind="report",
        text=text,
        reported_at=reported_at,
        category=_category(row),
        status=read,
        updated_at=updated_at,
        # The specification: "for requests with status=closed, this will be the date closed".
        closed_at=updated_at if read == "closed" else None,
        lat=point[0] if point else None,
        lon=point[1] if point else None,
    )


def _row_text(row: Mapping[str, Any]) -> str:
    extended = row.get("extended_attributes")
    extended_title = extended.get("title") if isinstance(extended, dict) else None
    candidates = (row.get("description"), row.get("title"), extended_title)
    return next((text for value in candidates if (text := normalise(_scalar(value)))), "")


def _category(row: Mapping[str, Any]) -> str | None:
    keys = ("service_name", SERVICE_NAME_KEY, "service_code")
    return next((text for key in keys if (text := repair(_scalar(row.get(key))))), None)


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


# --- bytes to values ------------------------------------------------------------------------------


def _decoded(body: bytes) -> str:
    """UTF-8 where it is UTF-8, whatever the answer claims; else the declared charset or cp1252."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace")
    declared = _DECLARED.search(body[:200])
    for encoding in ("utf-8-sig", declared[1].decode() if declared else "cp1252", "cp1252"):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("latin-1")


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except ValueError:
        # Codes such as 001 are no JSON numbers; they are text, and keep their zeros.
        def quoted(piece: re.Match[str]) -> str:
            return piece[0] if piece[0].startswith('"') else f'"{piece[0]}"'

        return json.loads(_JSON_PIECE.sub(quoted, text), strict=False)


def _from_xml(text: str) -> dict[str, Any]:
    text = _DECLARATION.sub("", text, count=1).strip()
    try:
        root = fromstring(text, forbid_dtd=True)
    except ParseError:
        repaired = _XML_AMPERSAND.sub(_escaped, _XML_FORBIDDEN.sub("", text))
        root = fromstring(repaired, forbid_dtd=True)
    return {_tag(root): _element(root)}


def _escaped(ampersand: re.Match[str]) -> str:
    """A bare & as &amp;, an entity only HTML knows as its character."""
    return html.escape(html.unescape(ampersand[0]), quote=False)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _element(element: Element) -> Any:
    """Children as a dict, repeated ones as a list; text otherwise, None when empty or nil."""
    if len(element) == 0:
        return (element.text or "").strip() or None
    found: dict[str, Any] = {}
    for child in element:
        tag, value = _tag(child), _element(child)
        if tag not in found:
            found[tag] = value
        elif isinstance(found[tag], list):
            found[tag].append(value)
        else:
            found[tag] = [found[tag], value]
    return found


# --- which kind of answer -------------------------------------------------------------------------

_WRAPPERS = frozenset(
    {"service_requests", "requests", "request", "services", "service", "errors", "error"}
)


def _rows(root: Any) -> list[Any]:
    """The list inside whatever wraps it: {"service_requests": {"request": […]}} and its kin."""
    value = root
    while isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _WRAPPERS:
        value = next(iter(value.values()))
    if value is None:
        return []
    rows = value if isinstance(value, list) else [value]
    unwrapped: list[Any] = []
    for row in rows:
        inner = row.get("request") if isinstance(row, dict) and len(row) == 1 else None
        unwrapped += inner if isinstance(inner, list) else [inner or row]
    return unwrapped


def _kind(root: Any, rows: Sequence[Any]) -> AnswerKind:
    by_root = _kind_of_root(root)
    if by_root is not None:
        return by_root
    dicts = [row for row in rows if isinstance(row, dict)]
    if not dicts:
        return "unknown" if root is None or not isinstance(root, list | dict) else "requests"
    return _kind_of_row(max(dicts, key=len))


def _kind_of_root(root: Any) -> AnswerKind | None:
    if not isinstance(root, dict):
        return None
    if root.keys() & {"errors", "error"}:
        return "errors"
    if root.keys() & {"discovery", "endpoints"}:
        return "discovery"
    if "service_definition" in root or {"service_code", "attributes"} <= root.keys():
        return "service_definition"
    return "services" if "services" in root else None


def _kind_of_row(row: Mapping[str, Any]) -> AnswerKind:
    """Told from the fullest row, since any row may lack any field."""
    keys = row.keys()
    if not keys:
        return "requests"  # an empty row, to be refused on its own
    if {"model", "fields"} <= keys:
        return "database_dump"
    if keys & {"requested_datetime", "status", "description", "updated_datetime"} and (
        keys & {"service_request_id", "requested_datetime"}
    ):
        return "requests"
    if "token" in keys:
        return "tokens"
    if "service_request_id" in keys:
        return "receipts" if keys & {"service_notice", "account_id"} else "requests"
    if "service_code" in keys:
        return "services"
    return "errors" if {"code", "description"} <= keys else "unknown"
