"""The sample city: its server answers as GeoReport says, and every file gives what README says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from defusedxml.ElementTree import fromstring
from shapely.geometry import Point, shape

from lagesbild.polite import PoliteClient
from lagesbild.records import ParsedSubmission, Rejection, SurveyAnswer
from lagesbild.sample_city import Department, SampleCity, read_json_department
from lagesbild.settings import HASH_KEY_VARIABLE, load
from lagesbild.sources import PullContext

REPO = Path(__file__).resolve().parent.parent
SAMPLE = REPO / "data" / "sample"
TRUSTED = httpx.create_ssl_context()  # each call would read the list of authorities anew

# What data/sample/README.md promises, source by source: what parse gives, once for each record.
# "refused" are rows that could not even be made a record.
EXPECTED: dict[str, dict[str, int]] = {
    "felanmalan": {"report": 353, "test_row": 1, "empty_text": 2},
    "park": {"report": 154, "empty_text": 3},
    "polisen": {"notice": 152, "summary": 7},
    "tycktill": {"report": 366, "test_row": 4, "empty_text": 4, "refused": 4},
    "arenden": {"report": 81},
    "enkat": {"answer": 457, "closed": 3212, "incomplete_answer": 15},
}


@pytest.fixture(scope="module")
def city() -> Iterator[SampleCity]:
    with SampleCity() as running:
        yield running


def ask(city: SampleCity, path: str, **query: str) -> httpx.Response:
    return httpx.get(f"{city.url}{path}", params=query, verify=TRUSTED)


def reports(city: SampleCity, **query: str) -> list[dict[str, Any]]:
    answer = ask(city, "/open311/v2/requests.json", **query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {str(report["service_request_id"]) for report in found}


@pytest.fixture(scope="module")
def stored() -> Department:
    return read_json_department(SAMPLE / "open311_reports.json")


# --- the server -----------------------------------------------------------------------------------


def test_without_dates_the_last_90_days_of_the_sample_are_answered(city: SampleCity) -> None:
    days = {report["requested_datetime"][:10] for report in reports(city)}
    assert max(days) == "2026-10-31"
    assert "2026-08-03" in days
    assert min(days) >= "2026-08-02"


def test_start_alone_opens_a_window_of_90_days(city: SampleCity) -> None:
    days = {r["requested_datetime"][:10] for r in reports(city, start_date="2025-01-01T00:00:00Z")}
    assert (min(days), max(days)) == ("2025-01-01", "2025-03-30")


def test_a_longer_span_than_90_days_gives_its_last_90(city: SampleCity) -> None:
    span = {"start_date": "2024-01-01T00:00:00Z", "end_date": "2025-06-30T23:59:59Z"}
    days = {report["requested_datetime"][:10] for report in reports(city, **span)}
    assert min(days) == "2025-04-02"
    assert max(days) == "2025-06-30"


def test_windows_end_to_end_cover_every_report(city: SampleCity, stored: Department) -> None:
    months = [f"{y}-{m:02}-01T00:00:00Z" for y in (2024, 2025, 2026) for m in range(1, 13)]
    seen: set[str] = set()
    for start, end in pairwise(months):
        seen |= ids(reports(city, start_date=start, end_date=end))
    assert seen == {str(record["service_request_id"]) for record in stored.requests}


def test_pages_hold_the_window_in_order_and_end_empty(city: SampleCity) -> None:
    whole = reports(city)
    paged = []
    for page in range(1, 10):
        some = reports(city, page=str(page), page_size="10")
        assert len(some) <= 10
        paged += some
    assert paged == whole
    assert reports(city, page="50", page_size="10") == []


def test_ids_are_answered_whatever_their_age(city: SampleCity) -> None:
    assert ids(reports(city, service_request_id="240001,240300")) == {"240001", "240300"}
    one = ask(city, "/open311/v2/requests/240001.json").json()
    assert one[0]["requested_datetime"].startswith("2024-11-01")


def test_status_code_and_updated_after_narrow(city: SampleCity, stored: Department) -> None:
    still_open = reports(city, status="open")
    assert {report["status"] for report in still_open} == {"open"}
    assert 0 < len(still_open) < len(reports(city))
    assert {r["service_code"] for r in reports(city, service_code="101,103")} == {"101", "103"}
    changed = reports(city, updated_after="2026-10-01T00:00:00Z")
    assert ids(changed) == {
        str(r["service_request_id"])
        for r in stored.requests
        if r["updated_datetime"] >= "2026-10-01T02"
    }


@pytest.mark.parametrize("query", [{"start_date": "i går"}, {"page": "0"}, {"page_size": "många"}])
def test_a_bad_question_is_answered_with_400(city: SampleCity, query: dict[str, str]) -> None:
    answer = ask(city, "/open311/v2/requests.json", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()[0]["description"]


def test_unknown_addresses_are_404(city: SampleCity) -> None:
    for path in ("/", "/open311/v1/requests.json", "/open311/v2/services/1.json", "/polisen"):
        assert ask(city, path).status_code == 404


def test_the_park_department_speaks_xml(city: SampleCity) -> None:
    answer = ask(city, "/park/open311/v2/requests.xml", start_date="2024-11-01T00:00:00Z")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    root = fromstring(answer.content)
    assert root.tag == "service_requests"
    first = root[-1]
    assert first.findtext("service_request_id") == "P5001"
    assert first.findtext("description") == "Stor gren har blåst ner över gångvägen vid dammen"
    services = fromstring(ask(city, "/park/open311/v2/services.xml").content)
    assert [s.findtext("service_code") for s in services] == [f"P{n}" for n in range(1, 8)]


def test_the_police_list_has_unpadded_hours_and_both_offsets(city: SampleCity) -> None:
    times = [event["datetime"] for event in ask(city, "/polisen/api/events").json()]
    assert any(re.fullmatch(r"\S+ \d:\d\d:\d\d \S+", time) for time in times)
    assert {time[-6:] for time in times} == {"+01:00", "+02:00"}


def test_it_stops_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with SampleCity() as running:
        assert ask(running, "/open311/v2/services.json").status_code == 200
        url = running.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    assert capfd.readouterr() == ("", "")


def test_some_reports_stand_twice_in_an_answer(stored: Department) -> None:
    times = Counter(str(record["service_request_id"]) for record in stored.requests)
    assert len(times) == 356
    assert sum(n > 1 for n in times.values()) == 3


# --- the files ------------------------------------------------------------------------------------


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch, city: SampleCity) -> PullContext:
    monkeypatch.setenv("LAGESBILD_SAMPLE_URL", city.url)
    monkeypatch.setenv(HASH_KEY_VARIABLE, "bara för test")
    return PullContext(
        client=PoliteClient(user_agent="test", min_interval_s=0),
        state={},
        now=datetime(2026, 11, 1, 2, 15, tzinfo=UTC),
        base_dir=REPO,
        hash_key=b"bara for test",
    )


def count_parsed(name: str, context: PullContext) -> Counter[str]:
    source = load(REPO / "lagesbild.toml").make_source(name)
    found: Counter[str] = Counter()
    seen: set[str] = set()
    for page in source.fetch(context):
        found["refused"] += len(page.refused)
        for raw in page.records:
            if raw.source_record_id not in seen:
                seen.add(raw.source_record_id)
                found.update(_name_of(parsed) for parsed in source.parse(raw))
    return +found


def _name_of(parsed: ParsedSubmission | SurveyAnswer | Rejection) -> str:
    if isinstance(parsed, ParsedSubmission):
        return parsed.kind
    return "closed" if isinstance(parsed, SurveyAnswer) else parsed.reason


def test_every_configured_source_has_its_expected_counts() -> None:
    assert set(EXPECTED) == set(load(REPO / "lagesbild.toml").sources)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_source_gives_exactly_the_expected_counts(name: str, context: PullContext) -> None:
    assert count_parsed(name, context) == EXPECTED[name]


def test_the_readme_states_the_same_counts() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", readme, re.MULTILINE))
    stated = {
        name: {kind: int(n) for n, kind in re.findall(r"(\d+) (\w+)", text)}
        for name, text in rows.items()
    }
    assert stated == EXPECTED


def test_points_lie_inside_the_areas_they_were_written_for(stored: Department) -> None:
    features = json.loads((SAMPLE / "areas.geojson").read_text(encoding="utf-8"))["features"]
    polygons = [shape(feature["geometry"]) for feature in features]
    assert len(polygons) == 3
    assert all(polygon.is_valid for polygon in polygons)
    points = [Point(r["long"], r["lat"]) for r in stored.requests if r["lat"]]
    assert len(points) > 250
    for point in points:
        assert sum(polygon.contains(point) for polygon in polygons) == 1


def test_telephone_numbers_are_those_reserved_for_fiction() -> None:
    """PTS keeps 070-174 06 05 to 99 out of use, so nobody can be called by mistake."""
    names = ("open311_reports.json", "open311_park.xml", "polisen_events.json", "enkat_2025.csv")
    texts = [(SAMPLE / name).read_text(encoding="utf-8") for name in names]
    texts.append((SAMPLE / "tycktill_export.csv").read_text(encoding="cp1252"))
    digits = [re.sub(r"[^\d+]", "", n) for t in texts for n in re.findall(r"\+?0[\d ()–-]{8,}", t)]
    mobile = [number for number in digits if re.match(r"(\+46|0046)?0?7\d", number)]
    assert len(mobile) >= 8
    for number in mobile:
        assert re.search(r"701740(60[5-9]|6[1-9]\d)", number), number
