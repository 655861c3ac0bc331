"""Pulling an Open311 server: every report once, whatever the server's habits, and closings seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient
from lagesbild.records import Page, ParsedSubmission, RawSubmission, Rejection
from lagesbild.sources import SOURCES
from lagesbild.sources.base import PullContext
from lagesbild.sources.open311 import Open311
from lagesbild.sources.open311_pull import Window, windows
from lagesbild.sources.open311_server import Open311Config
from tests.sources.open311_city import START, City, report, reports

NOW = START + timedelta(days=30)
URL = "https://stad.example/open311/v2"


def source_of(**config: Any) -> Open311:
    options = {"start_date": date(2026, 1, 1), "page_size": 20} | config
    return Open311("stad", Open311Config(kind="open311", url=URL, **options))


def context_of(
    city: City | httpx.MockTransport,
    state: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    open_ids: Sequence[str] = (),
) -> PullContext:
    transport = city if isinstance(city, httpx.MockTransport) else httpx.MockTransport(city)
    client = PoliteClient(user_agent="test", transport=transport, sleep=lambda s: None)
    return PullContext(client, state or {}, now, Path(), b"", lambda: open_ids)


def pull(city: City, state: Mapping[str, Any] | None = None, **options: Any) -> list[Page]:
    context_options = {key: options.pop(key) for key in ("now", "open_ids") if key in options}
    return list(source_of(**options).fetch(context_of(city, state, **context_options)))


def ids_of(pages: Sequence[Page]) -> set[str]:
    return {raw.source_record_id for page in pages for raw in page.records}


def all_ids(city: City) -> set[str]:
    return {row["service_request_id"] for row in city.rows}


def saved(pages: Sequence[Page]) -> dict[str, Any]:
    """The last state, as it comes back from the store."""
    state: dict[str, Any] = json.loads(json.dumps(pages[-1].state))
    return state


def notes_of(pages: Sequence[Page]) -> list[str]:
    return [note for page in pages for note in page.notes]


def refused_of(pages: Sequence[Page]) -> list[str]:
    return [rejection.reason for page in pages for _, rejection in page.refused]


def pull_until_failure(city: City) -> tuple[list[Page], SourceError]:
    stored: list[Page] = []
    pages = source_of().fetch(context_of(city))
    while True:
        try:
            stored.append(next(pages))
        except SourceError as error:
            return stored, error


# --- every report, whatever the server's habits


@pytest.mark.parametrize(
    ("past_the_end", "count"),
    [
        *product(["empty", "repeat", "404"], [0, 1, 19, 20, 21, 40, 133]),
        *product(["500"], [0, 1, 19, 21, 133]),  # after a full page, 500 may be a bad record
    ],
)
def test_pages_to_the_end(past_the_end: str, count: int) -> None:
    city = City(reports(count), page_cap=50, past_the_end=past_the_end)
    pages = pull(city)
    assert ids_of(pages) == all_ids(city)
    assert refused_of(pages) == []
    assert "pending" not in saved(pages)


@pytest.mark.parametrize("page_cap", [7, 20, 25])
def test_pages_cut_shorter_than_asked_for_are_no_end(page_cap: int) -> None:
    city = City(reports(133), page_cap=page_cap, heeds_page_size=False)
    assert ids_of(pull(city, page_size=100)) == all_ids(city)


@pytest.mark.parametrize("count", [0, 1, 30, 99, 100, 101, 700])
@pytest.mark.parametrize("options", [{}, {"row_cap": 100}, {"paging": "window", "row_cap": 100}])
def test_servers_without_pages_are_asked_for_shorter_times(
    count: int, options: dict[str, Any]
) -> None:
    city = City(reports(count), page_cap=100, has_pages=False)
    pages = pull(city, page_size=100, **options)
    assert ids_of(pages) == all_ids(city)
    assert notes_of(pages) == []


def test_what_a_server_wants_is_remembered() -> None:
    city = City(reports(700), page_cap=100, has_pages=False, takes_z=False, formats=("xml",))
    first = pull(city)
    assert ids_of(first) == all_ids(city)
    learned = saved(first)["learned"]
    assert (learned["paging"], learned["dates"], learned["format"]) == ("window", "local", "xml")
    city.calls.clear()
    pull(city, saved(first))
    assert len(city.calls) == 2  # the new window; whether updated_after is heeded
    assert not city.calls[0]["start_date"].endswith("Z")


def test_more_reports_in_a_minute_than_an_answer_holds_is_told() -> None:
    city = City([report(n, 5.0) for n in range(30)], page_cap=10, has_pages=False)
    pages = pull(city, row_cap=10, paging="window")
    assert "Minst 10 ärenden samma minut" in notes_of(pages)[0]


def test_a_server_that_ignores_the_window_is_told_and_not_asked_forever() -> None:
    city = City(reports(300), page_cap=100, has_pages=False, heeds_window=False)
    pages = pull(city, row_cap=100, window_days=1)
    assert any("vilket tidsfönster" in note for note in notes_of(pages))
    assert len(city.calls) < 100


def test_windows_hold_at_most_ninety_days_and_reach_back_to_the_start() -> None:
    city = City(reports(400, every_hours=24))
    now = START + timedelta(days=401)
    assert ids_of(pull(city, now=now, window_days=90, page_size=100)) == all_ids(city)
    for call in city.calls:
        if "start_date" in call:
            span = datetime.fromisoformat(call["end_date"]) - datetime.fromisoformat(
                call["start_date"]
            )
            assert span <= timedelta(days=90)
    with pytest.raises(ValidationError):
        source_of(window_days=91)


@given(
    st.integers(0, 400),
    st.integers(1, 60),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["empty", "repeat", "404"]),
    st.floats(0.02, 3.0),
)
@settings(max_examples=60, deadline=None)
def test_no_report_is_lost_whatever_the_habits(
    count: int, cap: int, has_pages: bool, heeds_page_size: bool, past_the_end: str, every: float
) -> None:
    rows = reports(count, every_hours=every)
    city = City(rows, cap, has_pages, heeds_page_size, past_the_end)
    options: dict[str, Any] = {} if has_pages else {"row_cap": cap if cap > 1 else 2}
    if not has_pages and cap < 2:
        return
    pages = pull(city, now=START + timedelta(days=90), window_days=90, **options)
    assert ids_of(pages) == all_ids(city)


# --- bad records


@pytest.mark.parametrize("number", [1, 20, 21, 57, 100])
@pytest.mark.parametrize("has_pages", [True, False])
def test_one_bad_record_costs_only_itself(number: int, has_pages: bool) -> None:
    bad = f"R{number:05}"
    city = City(reports(100), page_cap=100, has_pages=has_pages, bad_ids=frozenset({bad}))
    options = {} if has_pages else {"paging": "window", "row_cap": 1000}
    pages = pull(city, **options)
    assert ids_of(pages) == all_ids(city) - {bad}
    assert refused_of(pages) == ["unreadable"]
    assert "pending" not in saved(pages)


def test_too_many_bad_records_fail_the_source() -> None:
    city = City(reports(100), page_cap=100, bad_ids=frozenset(f"R{n:05}" for n in range(1, 11)))
    with pytest.raises(SourceError, match="status 500"):
        pull(city)


def test_a_server_that_is_down_is_not_asked_over_and_over() -> None:
    city = City(reports(100), is_down=lambda call: True, services=[])
    with pytest.raises(SourceError, match="status 500"):
        pull(city)
    assert len(city.calls) < 10


def test_a_page_that_cannot_be_halved_fails_rather_than_losing_rows() -> None:
    city = City(reports(100), page_cap=50, heeds_page_size=False, bad_ids=frozenset({"R00090"}))
    with pytest.raises(SourceError, match="status 500"):
        pull(city)


# --- going on


def test_the_next_pull_begins_at_the_watermark_less_the_overlap() -> None:
    city = City(reports(100))
    first = pull(city, overlap_hours=48)
    assert saved(first)["watermark"] == (START + timedelta(hours=100)).isoformat()
    late = report(900, 60.0)
    fresh = report(901, 150.0)
    city.rows += [late, fresh]
    city.calls.clear()
    second = pull(city, saved(first), overlap_hours=48, now=NOW + timedelta(days=400))
    assert city.calls[0]["start_date"] == "2026-01-03T04:00:00Z"
    assert {"R00900", "R00901"} <= ids_of(second)
    assert "R00051" not in ids_of(second)


def test_a_quiet_night_leaves_the_state_as_it_was() -> None:
    city = City(reports(100))
    first = pull(city)
    second = pull(city, saved(first))
    assert saved(second) == saved(pull(city, saved(second)))
    assert saved(second)["watermark"] == saved(first)["watermark"]


def test_a_report_from_the_future_does_not_move_the_watermark_there() -> None:
    city = City([*reports(10), report(99, 24 * 30.5)])
    pages = pull(city)
    assert "R00099" in ids_of(pages)
    assert saved(pages)["watermark"] == (START + timedelta(hours=10)).isoformat()


@pytest.mark.parametrize("has_pages", [True, False])
@given(cut_after=st.integers(0, 30), arrivals=st.integers(0, 30))
@settings(max_examples=25, deadline=None)
def test_a_pull_cut_off_anywhere_loses_nothing(
    has_pages: bool, cut_after: int, arrivals: int
) -> None:
    city = City(reports(300), page_cap=20, has_pages=has_pages)
    options: dict[str, Any] = {"window_days": 5, "row_cap": None if has_pages else 20}
    stored: list[Page] = []
    for page in source_of(**options).fetch(context_of(city)):
        stored.append(page)
        if len(stored) > cut_after:
            break
    now = NOW + timedelta(days=2)
    city.rows += [report(1000 + n, 24 * 31 + n * 0.2) for n in range(arrivals)]
    rest = pull(city, saved(stored), now=now, **options)
    assert ids_of(stored) | ids_of(rest) == all_ids(city)
    assert "pending" not in saved(rest)


def test_a_pull_cut_off_goes_on_at_its_last_stored_page() -> None:
    city = City(reports(100))
    stored = []
    for page in source_of().fetch(context_of(city)):
        stored.append(page)
        if len(stored) == 3:
            break
    city.calls.clear()
    pull(city, saved(stored))
    assert city.calls[0]["page"] == "3"


def test_a_failure_midway_keeps_what_came_before() -> None:
    city = City(reports(100), is_down=lambda call: call >= 4, services=[])
    stored, error = pull_until_failure(city)
    assert "status 500" in str(error)
    assert len(ids_of(stored)) == 60
    mended = replace(city, is_down=lambda call: False)
    rest = pull(mended, saved(stored))
    assert ids_of(stored) | ids_of(rest) == all_ids(city)


# --- status changes


def test_open_reports_are_asked_for_by_id_in_lots() -> None:
    city = City(reports(200))
    state = saved(pull(city))
    for row in city.rows[:60]:
        row |= {"status": "closed", "updated_datetime": "2026-02-01T10:00:00Z"}
    open_ids = [row["service_request_id"] for row in city.rows]
    city.calls.clear()
    pages = pull(city, state, open_ids=open_ids, updated_after=False, repoll_open=120)
    assert len([call for call in city.calls if "service_request_id" in call]) == 3
    closed = {
        raw.source_record_id
        for page in pages
        for raw in page.records
        if json.loads(raw.payload)["status"] == "closed"
    }
    assert closed == set(open_ids[:60])


def test_each_night_asks_for_the_next_open_reports_and_comes_round() -> None:
    city = City(reports(200))
    state = saved(pull(city))
    open_ids = sorted(all_ids(city))[:100]
    asked: list[list[str]] = []
    for _ in range(3):
        city.calls.clear()
        pages = pull(city, state, open_ids=open_ids, updated_after=False, repoll_open=40)
        state = saved(pages)
        lots = [c["service_request_id"] for c in city.calls if "service_request_id" in c]
        asked.append(",".join(lots).split(","))
    assert asked[0] == open_ids[:40]
    assert asked[1] == open_ids[40:80]
    assert asked[2] == open_ids[80:] + open_ids[:20]


@pytest.mark.parametrize("bad", [frozenset(), frozenset({"R00003"})])
@pytest.mark.parametrize("takes_id_lists", [True, False])
def test_servers_without_lists_of_ids_and_bad_records_among_them(
    takes_id_lists: bool, bad: frozenset[str]
) -> None:
    city = City(reports(60), takes_id_lists=takes_id_lists)
    state = saved(pull(city))
    city.bad_ids = bad
    city.rows = [row for row in city.rows if row["service_request_id"] != "R00005"]
    open_ids = [f"R{n:05}" for n in range(1, 9)]
    pages = pull(city, state, open_ids=open_ids, updated_after=False, overlap_hours=1)
    assert ids_of(pages) >= set(open_ids) - bad - {"R00005"}
    assert any("finns inte längre" in note for note in notes_of(pages))


def test_updated_after_is_found_out_and_used() -> None:
    city = City(reports(200), has_updated_after=True)
    state = saved(pull(city))
    city.rows[3] |= {"status": "closed", "updated_datetime": "2026-01-20T10:00:00Z"}
    city.calls.clear()
    pages = pull(city, state, open_ids=sorted(all_ids(city)))
    assert "R00004" in ids_of(pages)
    assert saved(pages)["updated_watermark"] == "2026-01-20T10:00:00+00:00"
    assert not [call for call in city.calls if "service_request_id" in call]


def test_a_server_that_ignores_updated_after_is_asked_by_id_from_then_on() -> None:
    city = City(reports(200))
    state = saved(pull(city))
    open_ids = ["R00001", "R00002"]
    pages = pull(city, state, open_ids=open_ids)
    assert saved(pages)["learned"]["updated_after"] is False
    assert set(open_ids) <= ids_of(pages)
    city.calls.clear()
    pull(city, saved(pages), open_ids=open_ids)
    assert not [call for call in city.calls if "updated_after" in call]


# --- records


def test_contacts_never_reach_a_record() -> None:
    row = report(1, 1.0, requestor_name="Hemlig", note={"email": "hemlig"}, eget="hemlig", svar="x")
    page = pull(City([row]), drop_fields=["Eget"])[0]
    payload = page.records[0].payload
    assert "hemlig" not in payload.casefold()
    assert json.loads(payload)["svar"] == "x"


def test_category_names_come_from_the_services_list_only_when_needed() -> None:
    city = City(reports(3))
    raw = pull(city)[0].records[0]
    result = source_of().parse(raw)[0]
    assert isinstance(result, ParsedSubmission)
    assert result.category == "Belysning"
    named = City([report(1, 1.0, service_name="Gatljus")])
    pull(named)
    assert "services" not in named.paths


def test_numeric_ids_duplicates_and_rows_without_id(recordings: Path) -> None:
    body = (recordings / "open311_requests.json").read_bytes()
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    page = next(iter(source_of().fetch(context_of(transport, now=NOW + timedelta(days=300)))))
    ids = [raw.source_record_id for raw in page.records]
    assert ids == ["70112", "70112", *(f"A-{n}" for n in range(2, 10))]
    assert page.records[0].payload_sha256 == page.records[1].payload_sha256
    assert refused_of([page]) == ["missing_id", "empty_text", "empty_text", "unexpected_shape"]


def test_parse_refuses_what_is_no_row() -> None:
    def reason(payload: str) -> str:
        result = source_of().parse(RawSubmission("stad", "1", payload, NOW))[0]
        assert isinstance(result, Rejection)
        return result.reason

    assert [reason("{"), reason("[]")] == ["unreadable", "unexpected_shape"]


# --- what a source says when it fails


def test_a_web_page_hints_at_the_jurisdiction() -> None:
    with pytest.raises(SourceError, match="servern vill troligen ha jurisdiction_id"):
        pull(City([], needs_jurisdiction=True))
    city = City(reports(3), needs_jurisdiction=True)
    assert ids_of(pull(city, jurisdiction_id="stad.example")) == all_ids(city)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('[{"service_code": "1", "service_name": "x"}]', "en lista av kategorier"),
        ('{"endpoints": []}', "en beskrivning av tjänsten"),
        ("<errors><error><code>500</code></error></errors>", "ett felmeddelande"),
        ("HTTP/1.1 403 Forbidden\n\n<error/>", "nekar oss .status 403."),
        ("{", "inte går att läsa"),
    ],
)
def test_answers_of_another_kind_are_named(body: str, message: str) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=body))
    with pytest.raises(SourceError, match=message):
        list(source_of().fetch(context_of(transport)))


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    city = City(reports(3))
    monkeypatch.delenv("STADENS_NYCKEL", raising=False)
    with pytest.raises(SourceError, match="miljövariabeln STADENS_NYCKEL"):
        pull(city, api_key_env="STADENS_NYCKEL")
    monkeypatch.setenv("STADENS_NYCKEL", "hemlig")
    pull(city, api_key_env="STADENS_NYCKEL", extensions=True)
    assert city.calls[0]["api_key"] == "hemlig"
    assert city.calls[0]["extensions"] == "true"


def test_an_unknown_time_zone_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ValidationError, match="tidszonen"):
        source_of(time_zone="Mars/Olympus")


def test_registered() -> None:
    assert SOURCES["open311"] is Open311


def test_windows_cover_the_time_without_a_hole() -> None:
    found = windows(START, START + timedelta(days=95), 30)
    assert [(w.end - w.start).days for w in found] == [30, 30, 30, 5]
    assert all(a.end == b.start for a, b in pairwise(found))
    left, right = Window(START, NOW).halves()
    assert (left.start, left.end, right.end) == (START, right.start, NOW)
    assert Window.from_state(json.loads(json.dumps(left.to_state()))) == left
