"""Open311 GeoReport v2: service requests of a city, pulled by the time they were requested.

The state holds `watermark` (newest requested time seen), `pending` (windows not yet stored, so
that a pull cut off goes on where it was), `updated_watermark` for servers with updated_after,
`repoll_after` (the open report last asked for by id) and `learned` (what the server wants).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from lagesbild.records import (
    Page,
    Parsed,
    RawSubmission,
    Reason,
    Rejection,
    canonical_json,
    digest,
)
from lagesbild.sources.base import PullContext, SourceConfig
from lagesbild.sources.open311_parse import (
    SERVICE_NAME_KEY,
    parse_row,
    row_id,
    without_contacts,
)
from lagesbild.sources.open311_pull import (
    Batch,
    Window,
    WindowPull,
    row_time,
    windows,
)
from lagesbild.sources.open311_server import Open311Config, Open311Server, PageError

IDS_A_CALL = 50
# Windows end a day ahead, for servers whose clock or time zone is not ours.
AHEAD = timedelta(days=1)
MAX_FAILED_REPOLLS = 10


class Open311:
    """The source of kind "open311"."""

    Config: ClassVar[type[SourceConfig]] = Open311Config
    drift_fields: ClassVar[tuple[str, ...]] = ("service_code", "status")

    def __init__(self, name: str, config: Open311Config) -> None:
        self.name = name
        self._config = config
        self._zone = ZoneInfo(config.time_zone)

    def fetch(self, context: PullContext) -> Iterator[Page]:
        """New reports window by window, then status changes of older ones."""
        pull = _Pull(self.name, self._config, context)
        yield from pull.new_reports()
        yield from pull.status_changes()

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        """One report or one rejection."""
        try:
            row = json.loads(raw.payload)
        except ValueError:
            return [Rejection(self.name, raw.source_record_id, "unreadable", "payload")]
        if not isinstance(row, dict):
            return [Rejection(self.name, raw.source_record_id, "unexpected_shape", "payload")]
        return [parse_row(self.name, raw.source_record_id, row, self._zone)]


class _Pull:
    """One run of `fetch`, with the state as it grows."""

    def __init__(self, name: str, config: Open311Config, context: PullContext) -> None:
        self._name = name
        self._config = config
        self._context = context
        self._zone = ZoneInfo(config.time_zone)
        self._state = dict(context.state)
        self._server = Open311Server(name, config, context.client, context.state.get("learned", {}))
        self._windows = WindowPull(self._server, config)
        self._dropped = frozenset(key.casefold() for key in config.drop_fields)
        self._seen_ids: set[str] = set()
        self._newest_update: datetime | None = None
        self._repoll_failures = 0

    def new_reports(self) -> Iterator[Page]:
        """Everything requested since the watermark, less the overlap."""
        for batch in self._windows.batches(self._windows_to_ask()):
            self._state["pending"] = [window.to_state() for window in batch.pending]
            self._raise_watermark("watermark", self._newest(batch.rows, "requested_datetime"))
            yield self._page(batch)

    def status_changes(self) -> Iterator[Page]:
        """What happened to older reports: by updated_after where it works, else by asking."""
        before = self._state.get("updated_watermark")
        is_answered = False
        if before is not None and self._may_ask_updated_after():
            is_answered = yield from self._updated_since(datetime.fromisoformat(before))
        self._raise_watermark("updated_watermark", self._newest_update)
        if not is_answered:
            yield from self._repoll()
        yield Page([], self._saved_state())

    # --- which windows

    def _windows_to_ask(self) -> list[Window]:
        end = self._context.now + AHEAD
        pending = [Window.from_state(saved) for saved in self._state.get("pending", [])]
        overlap = timedelta(hours=self._config.overlap_hours)
        if pending:
            start = pending[-1].end - AHEAD - overlap
        elif "watermark" in self._state:
            start = datetime.fromisoformat(self._state["watermark"]) - overlap
        elif self._config.start_date is not None:
            start = datetime.combine(self._config.start_date, time(), self._zone).astimezone(UTC)
        else:
            start = end - timedelta(days=self._config.window_days)
        return pending + windows(start, end, self._config.window_days)

    def _newest(self, rows: Iterable[Any], key: str) -> datetime | None:
        """The newest time that is not in the future: one report dated 2099 must not end all."""
        times = (row_time(row, key, self._zone) for row in rows)
        return max((t for t in times if t and t <= self._context.now), default=None)

    def _raise_watermark(self, key: str, newest: datetime | None) -> None:
        before = self._state.get(key)
        if newest and (before is None or newest > datetime.fromisoformat(before)):
            self._state[key] = newest.isoformat()

    # --- rows to records

    def _page(self, batch: Batch) -> Page:
        records: list[RawSubmission] = []
        refused: list[tuple[str, Rejection]] = []
        for position, row in enumerate(batch.rows):
            made = self._record(position, row)
            if isinstance(made, RawSubmission):
                records.append(made)
            else:
                refused.append(made)
        for where in batch.bad:
            refused.append(self._refusal(canonical_json({"where": where}), "unreadable", where))
        newest = self._newest(batch.rows, "updated_datetime")
        newest = newest or self._newest(batch.rows, "requested_datetime")
        self._newest_update = max(filter(None, (newest, self._newest_update)), default=None)
        return Page(records, self._saved_state(), refused, notes=batch.notes)

    def _record(self, position: int, row: Any) -> RawSubmission | tuple[str, Rejection]:
        where = f"position {position}"
        if not isinstance(row, dict):
            return self._refusal(canonical_json(row), "unexpected_shape", where)
        kept = without_contacts(row, self._dropped)
        record_id = row_id(kept)
        if not record_id:
            is_blank = not any(kept.values())
            reason: Reason = "empty_text" if is_blank else "missing_id"
            return self._refusal(canonical_json(kept), reason, where)
        self._seen_ids.add(record_id)
        if not kept.get("service_name") and kept.get("service_code") is not None:
            name = self._server.services().get(str(kept["service_code"]))
            kept |= {SERVICE_NAME_KEY: name} if name else {}
        return RawSubmission(self._name, record_id, canonical_json(kept), self._context.now)

    def _refusal(self, payload: str, reason: Reason, where: str) -> tuple[str, Rejection]:
        """A refusal of something without an id is known by its content instead."""
        record_id = f"utan-id-{digest(payload)[:16]}"
        return payload, Rejection(self._name, record_id, reason, where)

    def _saved_state(self) -> dict[str, Any]:
        state = self._state | {"learned": dict(self._server.learned)}
        return {key: value for key, value in state.items() if key != "pending" or value}

    # --- status changes

    def _may_ask_updated_after(self) -> bool:
        if self._config.updated_after != "auto":
            return self._config.updated_after
        return bool(self._server.learned.get("updated_after", True))

    def _updated_since(self, watermark: datetime) -> Generator[Page, None, bool]:
        """Pages of changed reports. Returns whether the server can be trusted to have told all."""
        start = watermark - timedelta(hours=self._config.overlap_hours)
        asked = Window(start, self._context.now + AHEAD, by="updated")
        is_found_out = self._config.updated_after == "auto"
        if is_found_out and not self._windows.heeds("updated"):
            self._server.learned["updated_after"] = False
            return False
        has_rows = False
        try:
            for batch in self._windows.batches([asked]):
                has_rows = has_rows or bool(batch.rows)
                yield self._page(batch)
        except PageError:
            if not is_found_out:
                raise
            self._server.learned["updated_after"] = False
            return False
        # Nothing at all may as well mean a server that does not understand the question.
        return has_rows or not is_found_out

    def _repoll(self) -> Iterator[Page]:
        """Ask for open reports by id, as many as one night allows, going on where we stopped."""
        ids = sorted(set(self._context.open_record_ids()) - self._seen_ids)
        after = self._state.get("repoll_after", "")
        ids = [i for i in ids if i > after] + [i for i in ids if i <= after]
        ids = ids[: self._config.repoll_open]
        for begin in range(0, len(ids), IDS_A_CALL):
            some = ids[begin : begin + IDS_A_CALL]
            rows = self._rows_of(some)
            self._state["repoll_after"] = some[-1]
            missing = len(set(some) - {row_id(row) for row in rows})
            notes = [f"{missing} öppna ärenden finns inte längre hos källan."] if missing else []
            yield self._page(Batch(rows, [], notes=notes))

    def _rows_of(self, ids: Sequence[str]) -> list[Any]:
        """The asked reports in one call, in ever smaller lots where that gives none of them."""
        if len(ids) == 1:
            return self._rows_of_one(ids[0])
        answered: list[Any] = []
        try:
            answered = self._server.requests({"service_request_id": ",".join(ids)}, tries=2)
        except PageError as error:
            self._count_repoll_failure(error)
        asked = set(ids)
        rows = [row for row in answered if isinstance(row, dict) and row_id(row) in asked]
        if rows:
            return rows
        if answered:  # about other reports: the server does not heed a list of ids
            return [row for one in ids for row in self._rows_of_one(one)]
        middle = len(ids) // 2
        return self._rows_of(ids[:middle]) + self._rows_of(ids[middle:])

    def _rows_of_one(self, record_id: str) -> list[Any]:
        try:
            rows = self._server.one(record_id)
        except PageError as error:
            self._count_repoll_failure(error)
            return []
        return [row for row in rows if isinstance(row, dict) and row_id(row) == record_id]

    def _count_repoll_failure(self, error: PageError) -> None:
        self._repoll_failures += error.status != 404
        if self._repoll_failures > MAX_FAILED_REPOLLS:
            raise error
