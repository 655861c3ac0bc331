"""One pull of an Open311 server: windows of time, their pages, and the bad record among them."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from lagesbild.records import canonical_json
from lagesbild.sources.open311_parse import row_id
from lagesbild.sources.open311_server import Open311Config, Open311Server, PageError
from lagesbild.sources.values import read_time

By = Literal["requested", "updated"]
BOUNDS: dict[By, tuple[str, str]] = {
    "requested": ("start_date", "end_date"),
    "updated": ("updated_after", "updated_before"),
}
NARROWEST = timedelta(minutes=1)
FAR_FUTURE = datetime(2090, 1, 1, tzinfo=UTC)
# Giving up on a pull, not on a record: more than this is no single bad record.
MAX_BAD_RECORDS = 5
MAX_FAILED_CALLS = 40
# Without a configured cap, a round number of rows from this size up may be one.
SMALLEST_LIKELY_CAP = 20
PAST_THE_END = frozenset({400, 404, 410, 416})


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time to ask for. `page` is where to begin in it."""

    start: datetime
    end: datetime
    by: By = "requested"
    page: int = 1

    def halves(self) -> list[Window]:
        middle = self.start + (self.end - self.start) / 2
        return [Window(self.start, middle, self.by), Window(middle, self.end, self.by)]

    def bounds(self) -> dict[str, datetime]:
        first, last = BOUNDS[self.by]
        return {first: self.start, last: self.end}

    def to_state(self) -> list[Any]:
        return [self.start.isoformat(), self.end.isoformat(), self.page]

    @staticmethod
    def from_state(saved: Sequence[Any]) -> Window:
        start, end, page = saved
        return Window(datetime.fromisoformat(start), datetime.fromisoformat(end), page=page)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to store, with the windows still to ask for once they are stored.

    `bad`: where records lie that the server cannot give.
    """

    rows: Sequence[Any]
    pending: Sequence[Window]
    bad: Sequence[str] = ()
    notes: Sequence[str] = field(default=())


def windows(start: datetime, end: datetime, days: float) -> list[Window]:
    """The stretch from start to end in windows of at most so many days, oldest first."""
    found: list[Window] = []
    while start < end:
        stop = min(end, start + timedelta(days=days))
        found.append(Window(start, stop))
        start = stop
    return found


def row_time(row: Any, key: str, zone: ZoneInfo) -> datetime | None:
    """A time of a row in UTC, None when missing or unreadable."""
    value = row.get(key) if isinstance(row, dict) else None
    return read_time(value, zone) if isinstance(value, str) else None


class WindowPull:
    """Asks for windows until none is left, in whatever way the server can be asked."""

    def __init__(self, server: Open311Server, config: Open311Config) -> None:
        self._server = server
        self._config = config
        self._failed_calls = 0
        self._bad_records = 0
        self._heeded: dict[By, bool] = {}

    def batches(self, pending: Sequence[Window]) -> Iterator[Batch]:
        """Every row of the windows, oldest window first; each batch says what is left after it."""
        queue = list(pending)
        while queue:
            window, rest = queue[0], queue[1:]
            ask = self._by_pages if self._has_pages() else self._by_narrowing
            queue = (yield from ask(window, rest)) + rest

    def _has_pages(self) -> bool:
        if self._config.paging != "auto":
            return self._config.paging == "page"
        return bool(self._server.learned.get("paging") != "window")

    # --- servers with pages

    def _by_pages(self, window: Window, rest: list[Window]) -> Generator[Batch, None, list[Window]]:
        """Pages until one is empty, missing or without anything new. Returns what to ask instead.

        A short page is no sign of the end: servers cap pages below what was asked for, and hide
        rows after cutting the page.
        """
        seen: set[str] = set()
        n_before: int | None = None
        for page in itertools.count(window.page):
            rows, bad = self._page(window, page, n_before)
            found = {_identity(row) for row in rows}
            if found <= seen and not bad:
                if self._repeats_for_want_of_pages(window, page, found == seen, len(rows)):
                    self._server.learned["paging"] = "window"
                    return [window]
                break
            if seen:
                self._server.learned.setdefault("paging", "page")
            yield Batch(rows, [replace(window, page=page), *rest], bad)
            seen |= found
            n_before = len(rows)
        yield Batch([], rest)
        return []

    def _repeats_for_want_of_pages(
        self, window: Window, page: int, is_same: bool, n_rows: int
    ) -> bool:
        """Whether page 2 equals a page 1 that may have been cut: such a server has no pages."""
        return (
            self._config.paging == "auto"
            and "paging" not in self._server.learned
            and (window.page, page) == (1, 2)
            and is_same
            and self._looks_capped(n_rows)
        )

    def _page(self, window: Window, page: int, n_before: int | None) -> tuple[list[Any], list[str]]:
        """(rows, bad records) of one page; both empty past the last."""
        size = self._config.page_size
        try:
            return self._server.dated(window.bounds(), _page_query(page, size)), []
        except PageError as error:
            after_short_page = n_before is not None and n_before < size
            if page > 1 and (error.status in PAST_THE_END or after_short_page):
                return [], []
            if error.status == 404 and self._server.is_alive():
                return [], []
            return self._bisected(window, (page - 1) * size, size, error)

    def _bisected(
        self, window: Window, offset: int, size: int, error: PageError
    ) -> tuple[list[Any], list[str]]:
        """The rows of a page that fails as a whole, asked for in smaller pages."""
        self._count_failure(error)
        if size == 1:
            self._count_bad_record(error)
            return [], [f"{window.start.isoformat()} rad {offset + 1}"]
        step = _largest_part(size)
        rows: list[Any] = []
        bad: list[str] = []
        for start in range(offset, offset + size, step):
            query = _page_query(start // step + 1, step)
            part_bad: list[str] = []
            try:
                part = self._server.dated(window.bounds(), query, tries=2)
            except PageError as inner:
                if inner.status in PAST_THE_END:
                    break
                part, part_bad = self._bisected(window, start, step, inner)
            if len(part) > step:
                raise error  # the server does not heed page_size, so there is nothing to halve
            rows += part
            bad += part_bad
        return rows, bad

    # --- servers without pages

    def _by_narrowing(
        self, window: Window, rest: list[Window]
    ) -> Generator[Batch, None, list[Window]]:
        """The whole window in one answer, or nothing and its halves when that cannot be."""
        try:
            rows = self._server.dated(window.bounds(), self._cap_query())
        except PageError as error:
            if error.status != 404 or not self._server.is_alive():
                self._count_failure(error)
                if window.end - window.start > NARROWEST:
                    return window.halves()
                self._count_bad_record(error)
                yield Batch([], rest, bad=[f"{window.start.isoformat()} minut"])
                return []
            rows = []
        return (yield from self._kept_or_halved(window, rest, rows))

    def _kept_or_halved(
        self, window: Window, rest: list[Window], rows: list[Any]
    ) -> Generator[Batch, None, list[Window]]:
        """The answer, or the halves of its window when the server may have had more to give."""
        notes: list[str] = []
        if self._looks_capped(len(rows)):
            if not self.heeds(window.by):
                notes.append(f"Servern ger {len(rows)} ärenden vilket tidsfönster vi än ber om.")
            elif window.end - window.start > NARROWEST:
                return window.halves()
            else:
                notes.append(f"Minst {len(rows)} ärenden samma minut; fler kan finnas.")
        yield Batch(rows, rest, notes=notes)
        return []

    def _looks_capped(self, n_rows: int) -> bool:
        """Whether the server may have had more rows than these."""
        if self._config.row_cap is not None:
            return n_rows >= self._config.row_cap
        most = self._server.learned.get("most_rows", 0)
        self._server.learned["most_rows"] = max(most, n_rows)
        return n_rows >= max(most, SMALLEST_LIKELY_CAP) and n_rows % 10 == 0

    def _cap_query(self) -> dict[str, str]:
        cap = self._config.row_cap
        return {"max_requests": str(cap)} if cap else {}

    def heeds(self, by: By) -> bool:
        """Whether the server minds these bounds at all: asked about the future, it has nothing."""
        if by not in self._heeded:
            future = Window(FAR_FUTURE, FAR_FUTURE + timedelta(days=1), by)
            try:
                self._heeded[by] = not self._server.dated(future.bounds(), {}, tries=2)
            except PageError:
                self._heeded[by] = True
        return self._heeded[by]

    # --- what may go wrong, and how often

    def _count_failure(self, error: PageError) -> None:
        self._failed_calls += 1
        if self._failed_calls > MAX_FAILED_CALLS or not self._server.is_alive():
            raise error

    def _count_bad_record(self, error: PageError) -> None:
        self._bad_records += 1
        if self._bad_records > MAX_BAD_RECORDS:
            raise error


def _page_query(page: int, size: int) -> dict[str, str]:
    return {"page": str(page), "page_size": str(size)}


def _largest_part(size: int) -> int:
    """The largest page size whose pages divide a page of this size evenly."""
    return next(part for part in range(size // 2, 0, -1) if size % part == 0)


def _identity(row: Any) -> str:
    return (row_id(row) if isinstance(row, dict) else "") or canonical_json(row)
