"""The police source: every oddity of the API and of its archives, with invented notices."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient
from lagesbild.records import Page, ParsedSubmission, RawSubmission, Rejection
from lagesbild.sources import SOURCES
from lagesbild.sources.base import PullContext
from lagesbild.sources.polisen import Polisen, PolisenConfig
from lagesbild.sources.polisen_notice import MONTHS, STOCKHOLM, notice_text, read_name, read_place

NOW = datetime(2026, 3, 29, 10, 0, tzinfo=UTC)


def source_of(**config: Any) -> Polisen:
    return Polisen("polisen", PolisenConfig(kind="polisen", **config))


def context_of(
    answer: bytes | httpx.Response = b"",
    state: Mapping[str, Any] | None = None,
    base_dir: Path = Path(),
) -> PullContext:
    def handler(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=answer)

    client = PoliteClient(
        user_agent="test", transport=httpx.MockTransport(handler), sleep=lambda s: None
    )
    return PullContext(client, state or {}, NOW, base_dir, b"")


def pull(items: object, state: Mapping[str, Any] | None = None, **config: Any) -> Page:
    pages = list(source_of(**config).fetch(context_of(json.dumps(items).encode(), state)))
    assert len(pages) == 1
    return pages[0]


def notice(number: int, published: str, **fields: Any) -> dict[str, Any]:
    base = {
        "id": number,
        "datetime": published,
        "name": "01 mars 08.00, Stöld, Sjövik",
        "summary": f"Cykel nummer {number} är stulen.",
        "url": "/x/",
        "type": "Stöld",
        "location": {"name": "Sjövik", "gps": "58.1,14.1"},
    }
    return base | fields


def only(parsed: Sequence[object]) -> Any:
    assert len(parsed) == 1
    return parsed[0]


def parse(item: object) -> Any:
    return only(source_of().parse(RawSubmission("polisen", "1", json.dumps(item), NOW)))


@pytest.fixture
def recorded(recordings: Path) -> dict[str, Any]:
    """Every notice of the recording, by id, as it comes through fetch and parse."""
    source = source_of()
    answer = (recordings / "polisen_events.json").read_bytes()
    page = only(list(source.fetch(context_of(answer))))
    return {raw.source_record_id: only(source.parse(raw)) for raw in page.records}


def test_registered_and_slow_by_default() -> None:
    assert SOURCES["polisen"] is Polisen
    assert PolisenConfig(kind="polisen").min_interval_s >= 10


def test_every_notice_of_an_answer_comes_out_in_its_order(recorded: dict[str, Any]) -> None:
    ids = ["900012", "900011", "900014", "900009", "900010", "900008", "900007", "900006"]
    assert list(recorded) == ids


def test_unpadded_hours_both_offsets_and_the_events_own_time(recorded: dict[str, Any]) -> None:
    times = {
        key: (p.reported_at, p.occurred_at) for key, p in recorded.items() if int(key) > 900008
    }
    assert times == {
        "900012": (
            datetime(2026, 3, 29, 7, 13, 4, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 20, tzinfo=UTC),
        ),
        "900011": (
            datetime(2026, 3, 29, 0, 5, tzinfo=UTC),
            datetime(2026, 3, 28, 22, 55, tzinfo=UTC),
        ),
        "900014": (
            datetime(2026, 3, 29, 4, 40, tzinfo=UTC),
            datetime(2026, 3, 29, 4, 0, tzinfo=UTC),
        ),
        "900009": (
            datetime(2026, 3, 28, 21, 0, 10, tzinfo=UTC),
            datetime(2026, 3, 28, 20, 30, tzinfo=UTC),
        ),
        "900010": (
            datetime(2026, 3, 28, 21, 10, 10, tzinfo=UTC),
            datetime(2026, 3, 28, 20, 45, tzinfo=UTC),
        ),
    }


def test_places_come_from_the_name_and_then_from_location(recorded: dict[str, Any]) -> None:
    areas = {key: p.areas for key, p in recorded.items() if isinstance(p, ParsedSubmission)}
    assert areas == {
        "900012": (("kommun", "Nordby"),),
        "900011": (("kommun", "Upplands-bro"),),
        "900014": (("lan", "Norra län"),),
        "900009": (("kommun", "Sjövik"),),
        "900010": (("kommun", "Sjövik"),),
        "900008": (),
    }


def test_the_middle_of_a_municipality_is_no_place(recorded: dict[str, Any]) -> None:
    notices = [p for p in recorded.values() if isinstance(p, ParsedSubmission)]
    assert len(notices) == 6
    assert {(p.lat, p.lon) for p in notices} == {(None, None)}


def test_summaries_are_kept_apart_and_unknown_types_are_kept(recorded: dict[str, Any]) -> None:
    assert recorded["900014"].kind == "summary"
    assert {recorded[key].kind for key in ("900012", "900009", "900008")} == {"notice"}
    assert recorded["900009"].category == "Drönare över torg"


def test_text_holds_neither_type_nor_address(recorded: dict[str, Any]) -> None:
    assert recorded["900009"].text == "Någon flyger lågt över folk på torget."


def test_refusals_have_their_reason(recorded: dict[str, Any]) -> None:
    assert recorded["900007"] == Rejection("polisen", "900007", "empty_text", "summary")
    assert recorded["900006"] == Rejection("polisen", "900006", "bad_time", "datetime")
    assert parse(notice(1, "")).reason == "missing_time"
    assert parse(["lista"]).reason == "unexpected_shape"
    broken = source_of().parse(RawSubmission("polisen", "1", "{", NOW))
    assert only(broken).reason == "unreadable"


@pytest.mark.parametrize(
    "strange",
    [
        {"type": None, "location": None, "name": None},
        {"type": 7, "location": "Sjövik", "name": ["x"], "url": 1},
        {"name": "31 februari 25.99, Stöld, Sjövik"},
        {"name": "12 brumaire 08.00, Stöld, Sjövik"},
    ],
)
def test_strange_fields_never_stop_a_notice(strange: dict[str, Any]) -> None:
    parsed = parse(notice(1, "2026-03-01 9:00:00 +01:00", **strange))
    assert isinstance(parsed, ParsedSubmission)
    assert parsed.occurred_at is None


@pytest.mark.parametrize(
    ("name", "event_type", "place"),
    [
        ("01 mars 08.00, Stöld, Sjövik", "Stöld", "Sjövik"),
        ("1 mars 08:00, Trafikolycka, singel, Sjövik", "Trafikolycka, singel", "Sjövik"),
        ("01 mars 08.00, Trafikolycka, singel, Sjövik", "Trafikolycka", "Sjövik"),
        ("01 mars 08.00, Åldringsbrott, Sjövik", "Bedrägeri", "Sjövik"),
        (
            "01 mars 08.00, Lagen om hundar och katter , Sjövik",
            "Lagen om hundar och katter ",
            "Sjövik",
        ),
        ("01 mars 08.00, Stöld, Norra län", "Stöld", "Norra län"),
        ("01 mars 08.00, Mord/dråp, försök", "Mord/dråp, försök", None),
        ("01 mars 08.00, Trafikolycka, singel", "Trafikolycka", None),
        ("01 mars 08.00, Stöld", "Stöld", None),
        ("01 mars 08.00, Stöld,", "Stöld", None),
        ("Stöld i Sjövik, Sjövik", "Stöld", None),
        ("", "", None),
    ],
)
def test_place_is_the_last_comma_part_that_is_not_the_type(
    name: str, event_type: str, place: str | None
) -> None:
    assert read_place({"name": name, "type": event_type}) == place


@pytest.mark.parametrize(
    ("name", "published", "occurred"),
    [
        ("31 december 23.50, Rån, A", "2026-01-01T00:30:00+01:00", "2025-12-31T22:50:00+00:00"),
        ("01 januari 00.10, Rån, A", "2025-12-31T23:58:00+01:00", "2025-12-31T23:10:00+00:00"),
        ("29 februari 10.00, Rån, A", "2024-03-01T08:00:00+01:00", "2024-02-29T09:00:00+00:00"),
        # the hour that comes twice: the turn that is not after publication
        ("26 oktober 02.30, Rån, A", "2025-10-26T02:50:00+02:00", "2025-10-26T00:30:00+00:00"),
        ("26 oktober 02.30, Rån, A", "2025-10-26T02:50:00+01:00", "2025-10-26T01:30:00+00:00"),
        ("26 oktober 02.50, Rån, A", "2025-10-26T02:30:00+01:00", "2025-10-26T00:50:00+00:00"),
    ],
)
def test_the_events_year_and_turn_of_the_clock(name: str, published: str, occurred: str) -> None:
    read = read_name(name, "Rån", datetime.fromisoformat(published))
    assert read.occurred_at == datetime.fromisoformat(occurred)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2034, 12, 31)),  # noqa: DTZ001 naive as required
    st.timedeltas(timedelta(0), timedelta(days=180)),
)
def test_an_event_up_to_half_a_year_before_publication_is_found(
    local: datetime, delay: timedelta
) -> None:
    local = local.replace(second=0, microsecond=0, tzinfo=STOCKHOLM)
    occurred = local.astimezone(UTC)
    month = MONTHS[local.month - 1]
    name = f"{local.day:02} {month} {local.hour:02}.{local.minute:02}, Rån, Sjövik"
    read = read_name(name, "Rån", occurred + delay).occurred_at
    assert read is not None
    as_written = read.astimezone(STOCKHOLM)
    # an hour that does not exist is read as the hour after it
    assert abs(as_written.replace(tzinfo=None) - local.replace(tzinfo=None)) <= timedelta(hours=1)
    assert abs(read - occurred) <= timedelta(hours=1)


def test_body_repeats_the_summary_at_most_once() -> None:
    item = {"text": "Bil stulen på", "body": "Bil stulen på Lillgatan i natt."}
    assert notice_text(item) == "Bil stulen på Lillgatan i natt."
    assert notice_text({"summary": "Bil stulen.", "body": "Den var röd."}) == (
        "Bil stulen.\nDen var röd."
    )


def test_an_edited_notice_is_a_new_version_and_an_unchanged_one_is_not() -> None:
    first = pull([notice(1, "2026-03-01 9:00:00 +01:00")])
    same = pull([dict(reversed(list(notice(1, "2026-03-01 9:00:00 +01:00").items())))])
    edited = pull([notice(1, "2026-03-01 9:00:00 +01:00", summary="Cykeln är återfunnen.")])
    assert first.records[0].payload_sha256 == same.records[0].payload_sha256
    assert first.records[0].payload_sha256 != edited.records[0].payload_sha256


def test_half_an_emoji_at_the_end_of_a_cut_summary_is_stored() -> None:
    page = pull([notice(1, "2026-03-01 9:00:00 +01:00", summary="Vi söker vittnen \ud83d")])
    assert len(page.records[0].payload_sha256) == 64


def test_what_is_no_notice_is_refused_and_the_rest_goes_on() -> None:
    good = notice(7, "2026-03-01 9:00:00 +01:00")
    page = pull(["text", None, {"datetime": "x"}, notice(0, "x", id=True), good])
    assert [raw.source_record_id for raw in page.records] == ["7"]
    reasons = [rejection.reason for _, rejection in page.refused]
    assert reasons == ["unexpected_shape", "unexpected_shape", "missing_id", "missing_id"]
    assert len({rejection.source_record_id for _, rejection in page.refused}) == 4


@pytest.mark.parametrize(
    "answer",
    [b"<!DOCTYPE html><html>Fel</html>", b"", b"{", b'{"error": 1}', b'"text"', b"\xff\xfe\x00"],
)
def test_an_answer_that_is_no_list_fails_the_source(answer: bytes) -> None:
    with pytest.raises(SourceError, match="polisen svarade inte med"):
        list(source_of().fetch(context_of(answer)))


def test_a_refusing_server_fails_the_source() -> None:
    with pytest.raises(SourceError, match="status 503"):
        list(source_of().fetch(context_of(httpx.Response(503))))


def test_a_bom_is_no_error() -> None:
    answer = b"\xef\xbb\xbf" + json.dumps([notice(1, "2026-03-01 9:00:00 +01:00")]).encode()
    assert len(only(list(source_of().fetch(context_of(answer)))).records) == 1


# --- the window


def window(first: int, last: int) -> list[dict[str, Any]]:
    """Notices one an hour, newest first, number n published n hours after New Year."""
    start = datetime(2026, 1, 1, tzinfo=STOCKHOLM)
    return [notice(n, (start + timedelta(hours=n)).isoformat()) for n in range(last, first - 1, -1)]


def test_a_window_that_overlaps_the_last_one_has_no_gap() -> None:
    state = pull(window(1, 20)).state
    assert pull(window(20, 40), state).gap is None
    assert pull(window(1, 20), state).gap is None


def test_a_window_that_began_after_the_last_one_ended_is_a_gap() -> None:
    state = pull(window(1, 20)).state
    page = pull(window(30, 40), state)
    start = datetime(2026, 1, 1, tzinfo=STOCKHOLM)
    assert page.gap == (start + timedelta(hours=20), start + timedelta(hours=30))
    assert page.state["newest_id"] == 40


def test_higher_id_or_later_time_alone_is_no_gap() -> None:
    state = pull(window(10, 20)).state
    late_publication = notice(5, "2026-02-01 9:00:00 +01:00")
    assert pull([*window(30, 40), late_publication], state).gap is None
    backdated = notice(50, "2026-01-01 1:00:00 +01:00")
    assert pull([*window(30, 40), backdated], state).gap is None


def test_first_pull_and_empty_answer_have_no_gap_and_keep_the_state() -> None:
    first = pull(window(1, 20))
    assert first.gap is None
    empty = pull([], first.state)
    assert (empty.gap, empty.records, empty.state) == (None, [], first.state)


def test_an_unchanged_answer_leaves_the_state_unchanged() -> None:
    first = pull(window(1, 20))
    assert pull(window(1, 20), first.state).state == first.state


def test_a_stale_answer_keeps_its_notices_but_not_its_word() -> None:
    state = pull(window(10, 40)).state
    page = pull(window(1, 20), state)
    assert page.state == state
    assert len(page.records) == 20
    assert "äldre" in only(page.notes)


def test_state_is_json() -> None:
    state = pull(window(1, 20)).state
    assert json.loads(json.dumps(state)) == state


# --- what location means


def drifted(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item | {"location": {"name": "Norra län"}} for item in items]


def test_a_change_in_what_location_means_is_told_once_each_way() -> None:
    before = pull(window(1, 47))
    assert before.notes == ()
    changed = pull([*drifted(window(48, 72)), *window(20, 47)], before.state)
    assert "location har bytt betydelse" in only(changed.notes)
    still = pull([*drifted(window(48, 90)), *window(30, 47)], changed.state)
    assert still.notes == ()
    back = pull(window(95, 140), still.state)
    assert "åter" in only(back.notes)


def test_a_thin_answer_of_old_notices_does_not_undo_what_was_told() -> None:
    state = pull([*drifted(window(48, 72)), *window(20, 47)], pull(window(1, 47)).state).state
    thin = [item for item in window(1, 40) if item["id"] % 2] + drifted(window(200, 200))
    assert pull(thin, state).notes == ()


def test_notices_of_a_whole_county_say_nothing_about_location() -> None:
    state = pull(drifted(window(1, 47)), pull(window(1, 20)).state).state
    night = {"name": "01 mars 08.00, Sammanfattning natt, Norra län"}
    summaries = [item | night for item in drifted(window(48, 72))]
    assert pull(summaries, state).notes == ()


def test_first_pull_of_a_feed_that_has_already_changed_says_nothing() -> None:
    assert pull(drifted(window(1, 47))).notes == ()


def test_a_filter_works_on_the_name_so_that_it_survives_the_change() -> None:
    items = [
        notice(1, "2026-03-01 9:00:00 +01:00", location={"name": "Norra län"}),
        notice(2, "2026-03-01 9:00:00 +01:00", name="01 mars 08.00, Stöld, Nordby"),
        notice(3, "2026-03-01 9:00:00 +01:00", name="Utan plats", location={}),
    ]
    page = pull(items, municipalities=["sjövik"])
    assert [raw.source_record_id for raw in page.records] == ["1"]
    silent = pull(items, municipalities=["Storstad"])
    assert silent.records == []
    assert "municipalities" in only(silent.notes)


# --- archives


def archive_pages(folder: Path, pattern: str, state: Mapping[str, Any] | None = None) -> list[Page]:
    return list(source_of(file=pattern).fetch(context_of(state=state, base_dir=folder)))


def test_the_archive_form(recordings: Path) -> None:
    page = only(archive_pages(recordings, "polisen_archive.jsonl"))
    first, second = (only(source_of().parse(raw)) for raw in page.records)
    assert first == ParsedSubmission(
        source="polisen",
        source_record_id="810001",
        kind="notice",
        text="Fyrverkerier kastas mot en spårvagn och en vagn får en ruta krossad.\n"
        "Ingen är skadad.",
        reported_at=datetime(2025, 1, 1, 0, 20, tzinfo=UTC),
        category="Ordningslagen",
        occurred_at=datetime(2024, 12, 31, 22, 50, tzinfo=UTC),
        areas=(("kommun", "Sjövik"),),
    )
    assert (second.kind, second.text) == ("summary", "Lugn natt i länet.")
    reasons = [rejection.reason for _, rejection in page.refused]
    assert reasons == ["unreadable", "unexpected_shape", "missing_id"]


def write_archive(path: Path, numbers: range) -> None:
    lines = "".join(json.dumps(notice(n, "2026-03-01 9:00:00 +01:00")) + "\n" for n in numbers)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def test_archives_are_read_in_pages_once_and_again_when_changed(tmp_path: Path) -> None:
    write_archive(tmp_path / "a_1.jsonl.gz", range(4500))
    write_archive(tmp_path / "a_2.jsonl.gz", range(4500, 4510))
    pages = archive_pages(tmp_path, "a_*.jsonl.gz")
    assert [len(page.records) for page in pages] == [2000, 2000, 500, 10]
    assert archive_pages(tmp_path, "a_*.jsonl.gz", pages[-1].state) == []
    write_archive(tmp_path / "a_2.jsonl.gz", range(4500, 4520))
    again = archive_pages(tmp_path, "a_*.jsonl.gz", pages[-1].state)
    assert [len(page.records) for page in again] == [20]


def test_a_cut_off_archive_pull_goes_on_after_its_last_stored_page(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.jsonl.gz", range(4500))
    pages = archive_pages(tmp_path, "a.jsonl.gz")
    rest = archive_pages(tmp_path, "a.jsonl.gz", json.loads(json.dumps(pages[0].state)))
    assert rest == pages[1:]


def test_missing_and_broken_archives_fail_the_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="ingen fil motsvarar saknas"):
        archive_pages(tmp_path, "saknas.jsonl")
    (tmp_path / "trasig.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])
    with pytest.raises(SourceError, match=r"trasig\.jsonl\.gz går inte att läsa"):
        archive_pages(tmp_path, "trasig.jsonl.gz")


# --- recorded answers kept beside the project


def test_recorded_answers_parse_whole(shared_data: Path) -> None:
    n_notices = 0
    for path in sorted((shared_data / "police" / "raw_snapshots").glob("*.json")):
        page = only(list(source_of().fetch(context_of(path.read_bytes()))))
        assert not page.refused
        for raw in page.records:
            check_notice(json.loads(raw.payload), only(source_of().parse(raw)))
            n_notices += 1
    assert n_notices == 3500


def check_notice(item: dict[str, Any], parsed: object) -> None:
    """A slow second opinion that shares no code with the parser."""
    assert isinstance(parsed, ParsedSubmission)
    date, clock, offset = item["datetime"].split(" ")
    hours = {"+01:00": 1, "+02:00": 2}[offset]
    local = datetime.strptime(f"{date} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert parsed.reported_at == local - timedelta(hours=hours)
    place = item["name"].split(", ")[-1]
    assert parsed.areas == ((("lan" if place.endswith(" län") else "kommun"), place),)
    assert parsed.occurred_at is not None
    delay = parsed.reported_at - parsed.occurred_at
    assert timedelta(days=-2) < delay < timedelta(days=60)


@pytest.mark.parametrize(
    ("stem", "offsets", "told"),
    [
        ("2025-03-24_2025-04-06", {"+01:00", "+02:00"}, []),
        ("2026-01-10_2026-01-30", {"+01:00"}, ["2026-01-20"]),
    ],
)
def test_recorded_snapshots_replayed(
    shared_data: Path, stem: str, offsets: set[str], told: list[str]
) -> None:
    """Every 20th answer: times, offsets, places by name, and the change that began 20 January."""
    source, state, seen = source_of(), dict[str, Any](), set[str]()
    notes: list[str] = []
    with lzma.open(shared_data / "police" / f"polisen_snapshots_{stem}.jsonl.xz", "rt") as lines:
        snapshots = [json.loads(line) for line in lines][::20]
    for snapshot in snapshots:
        page = only(list(source.fetch(context_of(snapshot["body"].encode(), state))))
        assert len(page.records) == len(json.loads(snapshot["body"]))
        assert page.gap is None
        notes += [snapshot["fetched_at"][:10]] * len(page.notes)
        for raw in page.records:
            item = json.loads(raw.payload)
            seen.add(item["datetime"][-6:])
            check_notice(item, only(source.parse(raw)))
        state = json.loads(json.dumps(page.state))
    assert seen == offsets
    assert notes == told
