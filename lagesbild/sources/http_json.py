"""Reports from a paged JSON interface, described by configuration. Sundsvall's shape, for example:

    [sources.felanmalan]
    kind = "http_json"
    url = "https://api.example.se/incident/2281/incident"
    paging = "page"                  # page, offset, cursor, next_link or none
    page_param = "pageNumber"
    page_start = 0
    size_param = "pageSize"
    page_size = 100
    token_env = "FELANMALAN_TOKEN"
    [sources.felanmalan.columns]
    id = "incidentId"
    text = "description"
    category = "category.title"
    reported_at = "created"
    updated_at = "updated"
    status = "status"
    latlon = "mapCoordinates"

Columns are dotted paths into one item. Only mapped and kept paths are stored, so personId, email
and phoneNumber above never are. With `since_param`, only what was updated since the newest seen,
less `overlap_hours`, is asked for; otherwise everything is, each time.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import httpx
from pydantic import Field, model_validator

from lagesbild.errors import SourceError, UsageError
from lagesbild.polite import StatusError
from lagesbild.records import Page, Parsed, RawSubmission, Rejection, digest
from lagesbild.sources.base import PullContext, SourceConfig
from lagesbild.sources.columns import MappedConfig, RowMapper
from lagesbild.sources.tablefile import Row, column_name, flatten, load_json
from lagesbild.sources.values import read_time


class HttpJsonConfig(MappedConfig):
    """`items`: path to the list in an answer, "" where the answer is the list.

    `total_pages`: path to their number. `cursor`, `next_link`: paths to what the next request
    needs. `since_param` takes the time in `since_format` (strftime, UTC). The token goes in the
    header `auth_header` after `auth_prefix`.
    """

    kind: Literal["http_json"] = "http_json"
    url: str
    params: Mapping[str, str | int | bool] = {}
    items: str = ""
    paging: Literal["page", "offset", "cursor", "next_link", "none"] = "none"
    page_param: str | None = None
    page_start: int = Field(default=1, ge=0)
    size_param: str | None = None
    page_size: int = Field(default=100, ge=1)
    total_pages: str | None = None
    cursor: str | None = None
    next_link: str | None = None
    max_pages: int = Field(default=1000, ge=1)
    since_param: str | None = None
    since_format: str = "%Y-%m-%dT%H:%M:%SZ"
    overlap_hours: float = Field(default=24.0, ge=0)
    token_env: str | None = None
    auth_header: str = "Authorization"
    auth_prefix: str = "Bearer "

    @model_validator(mode="after")
    def _paging_is_told(self) -> Self:
        needs = {
            "page": ("page_param",),
            "offset": ("page_param",),
            "cursor": ("cursor", "page_param"),
            "next_link": ("next_link",),
            "none": (),
        }
        for key in needs[self.paging]:
            if not getattr(self, key):
                raise ValueError(f'paging = "{self.paging}" behöver också {key}')
        if not self.mapped.id:
            raise ValueError("columns.id saknas: ange vilket fält som är id")
        if self.since_param and not self.mapped.updated_at:
            raise ValueError("since_param behöver också columns.updated_at")
        return self


class HttpJsonSource:
    """Items of a JSON interface as raw records, and those as reports."""

    Config: ClassVar[type[SourceConfig]] = HttpJsonConfig

    def __init__(self, name: str, config: HttpJsonConfig) -> None:
        self.name = name
        self.config = config
        self._mapper = RowMapper(name, config)
        self._zone = ZoneInfo(config.timezone)
        self.drift_fields = self._mapper.drift_fields

    def request_headers(self) -> Mapping[str, str]:
        """Headers of every request, the token from the environment among them."""
        if self.config.token_env is None:
            return {}
        token = os.environ.get(self.config.token_env, "")
        if not token:
            raise UsageError(
                f"Källan {self.name!r} behöver miljövariabeln {self.config.token_env}, "
                "som inte är satt."
            )
        return {self.config.auth_header: self.config.auth_prefix + token}

    def fetch(self, context: PullContext) -> Iterator[Page]:
        """One page for each answer; the watermark moves only when the last one has come."""
        state = dict(context.state)
        newest = state.get("updated_until", "")
        seen: Counter[str] = Counter()
        notes: list[str] = []
        is_first = True
        for items, is_last in self._answers(context, notes):
            rows = [_row(number, item) for number, item in enumerate(items, 1)]
            if is_first and rows:
                header = list(dict.fromkeys(key for row in rows for key in row.cells))
                notes += self._mapper.check_header(self._where, header, is_json=True)
                is_first = False
            records, refused = self._records(rows, context, seen)
            newest = max([newest, *map(self._updated, rows)])
            if is_last and newest and self.config.since_param:
                state["updated_until"] = newest
            yield Page(records, dict(state), refused, notes=tuple(notes))
            notes.clear()

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        return self._mapper.parse(raw)

    @property
    def _where(self) -> str:
        return f"{self.name} (JSON)"

    def _records(
        self, rows: Sequence[Row], context: PullContext, seen: Counter[str]
    ) -> tuple[list[RawSubmission], list[tuple[str, Rejection]]]:
        made = [self._mapper.make_raw(row, self._where, context, seen) for row in rows]
        records = [item for item in made if isinstance(item, RawSubmission)]
        return records, [item for item in made if not isinstance(item, RawSubmission)]

    def _updated(self, row: Row) -> str:
        path = self._mapper.columns.updated_at
        time = read_time(row.cells.get(path or "", ""), self._zone, self.config.day_first)
        return time.isoformat() if time else ""

    # --- paging -----------------------------------------------------------------------------------

    def _answers(
        self, context: PullContext, notes: list[str]
    ) -> Iterator[tuple[Sequence[Any], bool]]:
        """The items of each answer, and whether it was the last."""
        url, params = self.config.url, self._first_params(context)
        seen_pages: set[str] = set()
        for number in range(self.config.max_pages):
            answer = self._get(context, url, params, is_later=number > 0)
            may_lack = number > 0 or "updated_until" in context.state
            items = _items(self._where, answer, self.config.items, may_lack=may_lack)
            page_digest = digest(json.dumps(items, sort_keys=True))
            if items and page_digest in seen_pages:
                notes.append(f"{self._where}: samma sida kom två gånger; hämtningen slutade där.")
                items = []
            seen_pages.add(page_digest)
            if not items:
                yield [], True
                return
            following = self._next(answer, items, number, params)
            yield items, following is None
            if following is None:
                return
            url, params = self._same_host(following[0], url), following[1]
        raise SourceError(
            f"{self._where}: fler än {self.config.max_pages} sidor; kontrollera sidbläddringen "
            "eller höj max_pages."
        )

    def _first_params(self, context: PullContext) -> dict[str, Any]:
        config = self.config
        params: dict[str, Any] = dict(config.params)
        if config.paging == "page":
            params[str(config.page_param)] = config.page_start
        elif config.paging == "offset":
            params[str(config.page_param)] = 0
        if config.size_param:
            params[config.size_param] = config.page_size
        if config.since_param and (until := context.state.get("updated_until")):
            since = dt.datetime.fromisoformat(until) - dt.timedelta(hours=config.overlap_hours)
            params[config.since_param] = since.strftime(config.since_format)
        return params

    def _get(
        self, context: PullContext, url: str, params: Mapping[str, Any], is_later: bool
    ) -> Any:
        try:
            response = context.client.get(url, params or None)
        except StatusError as error:
            if is_later and error.status == 404:
                return []  # how some servers say that there are no more pages
            raise
        try:
            return load_json(response.text)
        except json.JSONDecodeError:
            raise SourceError(
                f"{self._where}: svaret är inte JSON; kontrollera url och token_env."
            ) from None

    def _next(
        self, answer: Any, items: Sequence[Any], number: int, params: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]] | None:
        """Link and parameters of the next request, or None after the last."""
        config = self.config
        total = _at(answer, config.total_pages) if config.total_pages else None
        if total is not None and str(total).isdigit() and number + 1 >= int(total):
            return None
        param = str(config.page_param)
        if config.paging == "page":
            return "", {**params, param: int(params[param]) + 1}
        if config.paging == "offset":
            return "", {**params, param: int(params[param]) + len(items)}
        if config.paging == "cursor":
            cursor = _at(answer, config.cursor)
            return ("", {**params, param: cursor}) if cursor else None
        link = _at(answer, config.next_link) if config.paging == "next_link" else None
        return (str(link), {}) if link else None

    def _same_host(self, link: str, url: str) -> str:
        """`link` seen from `url`. The token goes with every request, and never to strangers."""
        here = httpx.URL(url)
        try:
            target = here.join(link)
        except httpx.InvalidURL:
            raise SourceError(f"{self._where}: länken till nästa sida går inte att läsa.") from None
        if (target.scheme, target.netloc) != (here.scheme, here.netloc):
            raise SourceError(
                f"{self._where}: nästa sida ligger hos en annan värd; den hämtas inte."
            )
        return str(target)


def _row(number: int, item: Any) -> Row:
    if not isinstance(item, dict):
        return Row(number, {}, ("unexpected_shape", f"post {number} är inte ett objekt"))
    return Row(number, {column_name(key): value for key, value in flatten(item).items()})


def _items(where: str, answer: Any, path: str, *, may_lack: bool) -> Sequence[Any]:
    """The list in an answer; some servers leave out a list that is empty."""
    found = _at(answer, path) if path and isinstance(answer, dict) else answer
    if found is None and may_lack:
        return []
    if not isinstance(found, list):
        raise SourceError(
            f"{where}: svaret har ingen lista på {path or 'översta nivån'!r} (items)."
        )
    return found


def _at(value: Any, path: str | None) -> Any:
    for part in (path or "").split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
