import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.errors import UsageError
from lagesbild.projection import to_sweref99tm
from lagesbild.sources.values import (
    is_hidden,
    is_test_text,
    keyed_hash,
    read_id,
    read_lat_lon,
    read_point,
    read_stance,
    read_status,
    read_time,
    repair,
)

STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-08-22 9:13:04 +02:00", "2026-08-22T07:13:04"),
        ("2026-08-22T09:13", "2026-08-22T07:13:00"),
        ("2026-08-22T09:13:04.123Z", "2026-08-22T09:13:04"),
        ("2026-08-22T09:13:04-0400", "2026-08-22T13:13:04"),
        ("2026-01-22", "2026-01-21T23:00:00"),
        ("20260122", "2026-01-21T23:00:00"),
        ("2026/01/22 10:00", "2026-01-22T09:00:00"),
        ("22.01.2026 14.30", "2026-01-22T13:30:00"),
        ("22/1/2026", "2026-01-21T23:00:00"),
        ("1/22/2026 2:05:07 PM", "2026-01-22T13:05:07"),
        ("1/22/2026 12:05 AM", "2026-01-21T23:05:00"),
        ("22 januari 2026 kl. 14:30", "2026-01-22T13:30:00"),
        ("3 maart 2026", "2026-03-02T23:00:00"),
        ("46044.5", "2026-01-22T11:00:00"),
        ("1767225600", "2026-01-01T00:00:00"),
        ("1767225600000", "2026-01-01T00:00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00"),  # comes twice; the first is meant
        ("2026-03-29 02:30", "2026-03-29T01:30:00"),  # never was
    ],
)
def test_times_become_utc(written: str, utc: str) -> None:
    assert read_time(written, STOCKHOLM) == dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("written", ["", "igår", "2026-13-01", "2026-02-30", "99", "1066-10-14"])
def test_what_is_no_time_is_none(written: str) -> None:
    assert read_time(written, STOCKHOLM) is None


def test_an_ambiguous_date_waits_for_the_configuration() -> None:
    assert read_time("03/04/2026", STOCKHOLM) is None
    day_first = read_time("03/04/2026 12:00", STOCKHOLM, day_first=True)
    month_first = read_time("03/04/2026 12:00", STOCKHOLM, day_first=False)
    assert day_first == dt.datetime(2026, 4, 3, 10, tzinfo=dt.UTC)
    assert month_first == dt.datetime(2026, 3, 4, 11, tzinfo=dt.UTC)


@given(st.text(max_size=40))
def test_reading_a_time_never_fails(written: str) -> None:
    found = read_time(written, STOCKHOLM)
    assert found is None or found.tzinfo is dt.UTC


@given(st.integers(0, 4_000_000_000))
def test_iso_in_utc_is_kept_to_the_second(seconds: int) -> None:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    assert read_time(moment.isoformat(), STOCKHOLM) == moment


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Avslutad", "closed"),
        (" Ärendet  arkiveras ", "closed"),
        ("UNDER_BEHANDLING", "open"),
        ("fixed - council", "closed"),
        ("in progress", "open"),
        ("Afgehandeld", "closed"),
        ("In behandeling", "open"),
        ("något helt annat", None),
        ("", None),
    ],
)
def test_status_words(word: str, status: str | None) -> None:
    assert read_status(word) == status


def test_own_status_words_go_first() -> None:
    assert read_status("Klar", {"klar": "open"}) == "open"
    assert is_hidden("Hidden")
    assert not is_hidden("closed")


def test_kinds_of_remark_are_hints() -> None:
    kinds = ["Beröm", "klagomål", "Förslag", "idé", "Fråga", "annat"]
    assert [read_stance(k) for k in kinds] == [
        "berom",
        "problem",
        "onskemal",
        "onskemal",
        "fraga",
        None,
    ]
    assert read_stance("Ris", {"ris": "problem"}) == "problem"


@pytest.mark.parametrize(
    "text", ["Test", "TEST 123", "Detta är bara ett test!", "Testipalaute", "testärende"]
)
def test_test_rows_are_known(text: str) -> None:
    assert is_test_text(text)


@pytest.mark.parametrize(
    "text", ["Testa ny belysning i parken", "test av larm stör oss", "ett", ""]
)
def test_remarks_with_test_in_them_are_not_test_rows(text: str) -> None:
    assert not is_test_text(text)


def test_repair() -> None:
    assert repair("MÃ¶rkt &amp; otryggt\ufeff ") == "Mörkt & otryggt"
    assert repair("Mörkt") == "Mörkt"


def test_ids_keep_their_zeros_and_lose_excels() -> None:
    assert [read_id(i) for i in [" 007 ", "12.0", "12.5", "A1.0"]] == ["007", "12", "12.5", "A1.0"]


def test_keyed_hash_needs_a_key_and_hides_spelling() -> None:
    assert keyed_hash(b"k", "s", "Anna@x.se ") == keyed_hash(b"k", "s", "anna@x.se")
    assert keyed_hash(b"k", "s", "anna") != keyed_hash(b"l", "s", "anna")
    with pytest.raises(UsageError, match="LAGESBILD_HASH_KEY"):
        keyed_hash(b"", "s", "anna")


@pytest.mark.parametrize(
    "written",
    [
        "59.31,18.07",
        "59.31, 18.07",
        "59,31; 18,07",
        "59,31 18,07",
        "POINT (18.07 59.31)",
        "SRID=4326;POINT(18.07 59.31)",
        '{"type": "Point", "coordinates": [18.07, 59.31]}',
    ],
)
def test_points(written: str) -> None:
    assert read_point(written) == (59.31, 18.07)


@pytest.mark.parametrize(
    "written", ["", "0,0", "0.0,0.0", "59.31", "a,b", "95,18", '{"a": 1}', "nan,18"]
)
def test_what_is_no_place(written: str) -> None:
    assert read_point(written) is None


def test_sweref_is_metres_and_only_when_said() -> None:
    north, east = to_sweref99tm(59.31, 18.07)
    point = read_lat_lon(f"{north:.2f}".replace(".", ","), f"{east:.2f}", "sweref99tm")
    assert point == pytest.approx((59.31, 18.07), abs=1e-6)
    assert read_lat_lon(str(north), str(east)) is None
    assert read_lat_lon("59.31", "18.07", "sweref99tm") is None
