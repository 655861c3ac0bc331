"""Open311 answers in every dialect met, with invented reports."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.records import ParsedSubmission, Rejection
from lagesbild.sources.open311_parse import (
    UnreadableAnswerError,
    parse_row,
    read_answer,
    row_id,
    service_names,
    without_contacts,
)

STOCKHOLM = ZoneInfo("Europe/Stockholm")
CONTACTS = frozenset[str]()


def parsed(row: dict[str, Any]) -> Any:
    return parse_row("stad", row_id(row), row, STOCKHOLM)


def report(**fields: Any) -> dict[str, Any]:
    base = {
        "service_request_id": "1",
        "description": "Hål i vägen",
        "requested_datetime": "2026-02-03T08:15:00Z",
    }
    return base | fields


@pytest.fixture
def rows(recordings: Path) -> list[Any]:
    return list(read_answer((recordings / "open311_requests.json").read_bytes()).rows)


def test_repaired_json_keeps_every_row_and_the_zeros_of_codes(rows: list[Any]) -> None:
    assert len(rows) == 14
    assert rows[0]["service_code"] == "001"
    assert row_id(rows[0]) == "70112"


def test_a_report_in_full(rows: list[Any]) -> None:
    assert parsed(rows[0]) == ParsedSubmission(
        source="stad",
        source_record_id="70112",
        kind="report",
        text="Gatlyktan är släckt & det är mörkt.\n\nHjälp!",
        reported_at=datetime(2026, 2, 3, 7, 15, tzinfo=UTC),
        category="001",
        status="open",
        lat=59.331,
        lon=18.061,
    )


def test_mojibake_local_time_closing_and_zero_coordinates(rows: list[Any]) -> None:
    closed = parsed(rows[2])
    assert closed.text == "Klotter på skolans vägg"
    assert closed.reported_at.replace(microsecond=0) == datetime(2026, 7, 3, 6, 15, tzinfo=UTC)
    assert closed.closed_at == closed.updated_at == datetime(2026, 7, 4, 10, 0, tzinfo=UTC)
    assert (closed.status, closed.lat, closed.lon) == ("closed", None, None)


def test_a_title_stands_in_for_a_missing_description(rows: list[Any]) -> None:
    assert [parsed(row).text for row in rows[3:5]] == ["Buskage skymmer sikten", "Trasig gunga"]
    assert (parsed(rows[3]).lat, parsed(rows[3]).lon) == (59.331, 18.061)


def test_refusals_have_their_reason(rows: list[Any]) -> None:
    reasons = {row["service_request_id"]: parsed(row).reason for row in rows[5:10]}
    assert reasons == {
        "A-5": "empty_text",
        "A-6": "test_row",
        "A-7": "missing_time",
        "A-8": "bad_time",
        "A-9": "moderated",
    }


def test_nobody_who_reported_is_left_in_a_row(rows: list[Any]) -> None:
    kept = json.dumps([without_contacts(row, CONTACTS) for row in rows])
    assert "hemlig" not in kept.casefold()
    assert "070-000" not in kept
    assert "Gatukontoret" in kept


@pytest.mark.parametrize(
    "key",
    [
        *("requestor_name", "requestor_email", "requestor_phone", "Requestor_Name", "requestor"),
        *("submitter_first_name", "submitter_phone", "email", "e_mail", "phone", "phone_number"),
        *("first_name", "lastname", "user_name", "device_id", "account_id", "contact_name"),
        "eget_falt",
    ],
)
def test_contact_fields_are_dropped_at_any_depth(key: str) -> None:
    row = {"a": [{key: {"x": 1}, "kvar": 1}], key: "x", "description": "d"}
    kept = without_contacts(row, frozenset({"eget_falt"}))
    assert kept == {"a": [{"kvar": 1}], "description": "d"}


@pytest.mark.parametrize("key", ["service_name", "address", "description", "agency_responsible"])
def test_other_fields_stay(key: str) -> None:
    assert without_contacts({key: "x"}, CONTACTS) == {key: "x"}


def test_xml_with_status_line_latin1_nil_entities_and_bare_ampersand(recordings: Path) -> None:
    answer = read_answer((recordings / "open311_requests_latin1.xml").read_bytes())
    assert (answer.kind, answer.status, len(answer.rows)) == ("requests", 200, 2)
    first, second = (parsed(row) for row in answer.rows)
    assert first.text == "Hål i gångvägen vid ån, vattnet är djupt"
    assert first.category == "Gata & park"
    assert first.reported_at.replace(microsecond=0) == datetime(2026, 5, 22, 21, 57, 23, tzinfo=UTC)
    assert (first.updated_at, first.lat, first.status) == (None, None, "open")
    assert second == Rejection("stad", "5002", "empty_text", "description")


def test_service_names_are_repaired(recordings: Path) -> None:
    answer = read_answer((recordings / "open311_services.xml").read_bytes())
    assert answer.kind == "services"
    assert service_names(answer.rows) == {"001": "Belysning", "008": "Vägar"}


def test_category_falls_back_to_the_services_list_and_then_to_the_code() -> None:
    assert parsed(report(service_code="7", _service_name="Väg")).category == "Väg"
    assert parsed(report(service_code=7)).category == "7"
    assert parsed(report()).category is None


ONE_ROW = '{"service_request_id": "1", "description": "Hål"}'


@pytest.mark.parametrize(
    "body",
    [
        f"[{ONE_ROW}]",
        ONE_ROW,
        f'{{"service_requests": [{ONE_ROW}]}}',
        f'{{"requests": [{ONE_ROW}]}}',
        f'{{"service_requests": {{"request": [{ONE_ROW}]}}}}',
        f'{{"service_requests": {{"request": {ONE_ROW}}}}}',
        f'[{{"request": {ONE_ROW}}}]',
        f'{{"requests": [{{"request": [{ONE_ROW}]}}]}}',
        "<service_requests><request><service_request_id>1</service_request_id>"
        "<description>Hål</description></request></service_requests>",
        "<requests><request><service_request_id>1</service_request_id>"
        "<description>Hål</description></request></requests>",
        "<a:service_requests xmlns:a='x'><a:request><a:service_request_id>1"
        "</a:service_request_id><a:description>Hål</a:description></a:request>"
        "</a:service_requests>",
    ],
)
def test_every_wrapping_gives_the_same_row(body: str) -> None:
    answer = read_answer(body.encode())
    assert answer.kind == "requests"
    assert list(answer.rows) == [{"service_request_id": "1", "description": "Hål"}]


@pytest.mark.parametrize(
    "body", ["[]", '{"service_requests": []}', "<service_requests/>", "<requests>\n</requests>"]
)
def test_an_empty_list_is_a_list(body: str) -> None:
    answer = read_answer(body.encode())
    assert (answer.kind, list(answer.rows)) == ("requests", [])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('[{"service_code": "1", "service_name": "Väg", "description": "x"}]', "services"),
        ('{"service_code": "1", "attributes": []}', "service_definition"),
        ("<discovery><contact>x</contact></discovery>", "discovery"),
        ('{"endpoints": []}', "discovery"),
        ('[{"service_request_id": "1", "token": "2"}]', "tokens"),
        ('[{"service_request_id": "1", "service_notice": "x"}]', "receipts"),
        ("<errors><error><code>404</code></error></errors>", "errors"),
        ('[{"code": 400, "description": "x"}]', "errors"),
        ("HTTP/1.1 403 Forbidden \n\n<x>nej</x>", "errors"),
        ('[{"model": "m", "pk": 1, "fields": {}}]', "database_dump"),
        ("<rss><channel/></rss>", "unknown"),
        ("null", "unknown"),
        ('"fel"', "unknown"),
    ],
)
def test_what_is_no_list_of_requests_is_named(body: str, kind: str) -> None:
    assert read_answer(body.encode()).kind == kind


@pytest.mark.parametrize("body", ["<!DOCTYPE html><p>x", "  <HTML><p>x", "\n<html lang='sv'>"])
def test_a_web_page_is_told_from_noise(body: str) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        read_answer(body.encode())
    assert caught.value.is_html


BOMB = (
    '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><service_requests>&c;</service_requests>'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><requests>&b;</requests>'


@pytest.mark.parametrize(
    "body", ["", "   ", "{", "[1,", "<a><b></a>", BOMB, OUTSIDE, "[" * 100_000, "<a>" * 100_000]
)
def test_noise_and_attacks_are_unreadable(body: str) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        read_answer(body.encode())
    assert not caught.value.is_html


@given(st.binary(max_size=300))
def test_reading_bytes_never_fails_in_another_way(body: bytes) -> None:
    try:
        answer = read_answer(body)
    except UnreadableAnswerError:
        return
    assert answer.kind


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = ["service_request_id", "status", "description", "title", "requested_datetime", "lat"]
FIELDS += ["long", "service_name", "service_code", "extended_attributes", "updated_datetime"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
def test_parsing_a_row_is_total(row: dict[str, Any]) -> None:
    result = parse_row("stad", "1", row, STOCKHOLM)
    if isinstance(result, ParsedSubmission):
        assert result.text
        assert (result.lat is None) == (result.lon is None)


@pytest.mark.parametrize(
    ("lat", "long"),
    [
        (0, 0),
        ("0.0", "0.0"),
        (None, 18.0),
        (59.0, None),
        (91, 18),
        ("x", "y"),
        (59.0, 0.0),
        ("", ""),
    ],
)
def test_coordinates_that_are_no_place(lat: object, long: object) -> None:
    result = parsed(report(lat=lat, long=long))
    assert (result.lat, result.lon) == (None, None)


@pytest.mark.parametrize("text", ["test", "Testipalaute", "TEST 3", "Testar, testar", "testrad"])
def test_test_rows(text: str) -> None:
    assert parsed(report(description=text)).reason == "test_row"


@pytest.mark.parametrize("text", ["Testbanan är trasig", "Testa lampan vid gången"])
def test_texts_about_tests_are_reports(text: str) -> None:
    assert parsed(report(description=text)).text == text


# What each recorded answer is, and how its rows fare: (kind, rows, readable).
RECORDED: dict[str, tuple[str, int, int]] = {
    "6aika__insert_requests.json": ("database_dump", 5, 0),
    "6aika__taskful_request.json": ("requests", 1, 1),
    "bensheldon_open311status__requests_many.xml": ("requests", 2, 0),
    "bensheldon_open311status__requests_single.xml": ("requests", 1, 0),
    "bensheldon_open311status__service_list.json": ("services", 3, 0),
    "bensheldon_open311status__service_requests.json": ("requests", 2, 0),
    "bensheldon_open311status__services_giessen.xml": ("services", 8, 0),
    "cfa_open311_ruby__403.xml": ("errors", 1, 0),
    "cfa_open311_ruby__get_service_request.xml": ("requests", 1, 0),
    "cfa_open311_ruby__get_service_request_not_found.xml": ("errors", 1, 0),
    "cfa_open311_ruby__post_service_request.xml": ("receipts", 1, 0),
    "cfa_open311_ruby__request_id_from_token.xml": ("tokens", 1, 0),
    "cfa_open311_ruby__service_definition.xml": ("service_definition", 1, 0),
    "cfa_open311_ruby__service_requests.xml": ("requests", 2, 0),
    "cfa_open311_ruby__services.xml": ("services", 36, 0),
    "cfa_open311dashboard__test.json": ("database_dump", 555, 0),
    "fgregg_open311status__bloomington_requests.json": ("requests", 21, 17),
    "fgregg_open311status__bloomington_services.json": ("services", 46, 0),
    "fgregg_open311status__san_francisco_requests.xml": ("requests", 56, 0),
    "fgregg_open311status__san_francisco_services.xml": ("services", 38, 0),
    "helsinki_issues-example__discovery.json": ("discovery", 1, 0),
    "helsinki_issues-example__services.json": ("services", 10, 0),
    "helsinki_issues-example__services.xml": ("services", 10, 0),
    "helsinki_issues-example__services_fi.json": ("services", 10, 0),
    "helsinki_issues-example__services_fi.xml": ("services", 10, 0),
    "helsinki_issues-example__services_sv.json": ("services", 10, 0),
    "helsinki_issues-example__services_sv.xml": ("services", 10, 0),
    "koeln_sagsuns__requests.json": ("requests", 50, 46),
    "oiva_node-open311__boston-err-submitrequest-base_is_duplicate.xml": ("errors", 1, 0),
    "oiva_node-open311__boston-submitrequest-token.xml": ("tokens", 1, 0),
    "oiva_node-open311__dc-services-S0301.xml": ("service_definition", 1, 0),
    "oiva_node-open311__dc-services.xml": ("services", 86, 0),
    "oiva_node-open311__discovery-boston.json": ("discovery", 1, 0),
    "oiva_node-open311__discovery-dc.xml": ("discovery", 1, 0),
    "oiva_node-open311__service-request.xml": ("requests", 1, 0),
    "oiva_node-open311__service-requests.xml": ("requests", 2, 0),
    "oiva_node-open311__token.xml": ("tokens", 1, 0),
}


def test_every_recorded_answer_is_read_for_what_it_is(shared_data: Path) -> None:
    found = {}
    for path in sorted((shared_data / "open311").iterdir()):
        answer = read_answer(path.read_bytes())
        results = [parsed(row) for row in answer.rows] if answer.kind == "requests" else []
        outcome = Counter(getattr(result, "reason", "ok") for result in results)
        # the only true reason here: these cities publish reports without the residents' words
        assert outcome.keys() <= {"ok", "empty_text"}
        found[path.name] = (str(answer.kind), len(answer.rows), outcome["ok"])
    assert found == RECORDED


@pytest.mark.parametrize("language", ["sv", "fi"])
def test_recorded_category_names_are_whole(shared_data: Path, language: str) -> None:
    """Latin-1 announced as UTF-8: no replacement characters, no mojibake, å ä ö intact."""
    for ending in ("json", "xml"):
        path = shared_data / "open311" / f"helsinki_issues-example__services_{language}.{ending}"
        names = " ".join(service_names(read_answer(path.read_bytes()).rows).values())
        assert not set(names) & set("\ufffdÃÂ")
        assert set(names.casefold()) & set("åäö")
