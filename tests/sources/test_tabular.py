import datetime as dt
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lagesbild.errors import UsageError
from lagesbild.records import ParsedSubmission, RawSubmission, Rejection
from lagesbild.sources.tabular import ROWS_PER_PAGE, TabularConfig, TabularSource
from tests.sources.pulling import NOW, FakeClient, context, pull, rejections

COLUMNS = {"id": "Id", "text": "Text", "reported_at": "Tid"}


def make(**table: Any) -> TabularSource:
    return TabularSource("test", TabularConfig.model_validate({"kind": "tabular", **table}))


def write(path: Path, *rows: str, encoding: str = "utf-8") -> None:
    path.write_text("\n".join(rows) + "\n", encoding=encoding)


def one(source: TabularSource, base_dir: Path) -> ParsedSubmission:
    parsed = pull(source, context(base_dir)).parsed(source)
    assert len(parsed) == 1
    assert isinstance(parsed[0], ParsedSubmission)
    return parsed[0]


def test_fixmystreet_preset(recordings: Path) -> None:
    source = make(path="tabular/fixmystreet.csv", preset="fixmystreet")
    pulled = pull(source, context(recordings))
    assert "Invented Person" not in "".join(r.payload for r in pulled.records)
    first, second, third = pulled.parsed(source)
    assert isinstance(first, ParsedSubmission)
    assert first.source_record_id == "0101"
    assert first.text == "Broken light in the underpass,\nnobody dares to walk there"
    assert first.category == "Street lighting / Lamp"
    assert first.reported_at == dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
    assert first.closed_at == dt.datetime(2026, 1, 9, 11, tzinfo=dt.UTC)
    assert (first.status, first.lat, first.lon) == ("closed", 59.3101, 18.0701)
    assert first.areas == (("ward", "Söder"),)
    assert isinstance(second, ParsedSubmission)
    assert (second.text, second.status) == ("Noise\nLoud music every night", "open")
    assert isinstance(third, Rejection)
    assert third.reason == "moderated"


def test_df_respons_preset(recordings: Path) -> None:
    source = make(path="tabular/df_respons.csv", preset="df_respons")
    pulled = pull(source, context(recordings))
    stored = "".join(r.payload for r in pulled.records) + "".join(p for p, _ in pulled.refused)
    assert "Påhittad" not in stored
    assert "pahittad@" not in stored
    assert [(r.reason, r.detail) for _, r in pulled.refused] == [
        ("missing_id", "tabular/df_respons.csv rad 6: columns.id = Ärendenummer"),
        ("empty_text", "tabular/df_respons.csv rad 8: rad 8 är tom"),
    ]
    parsed = pulled.parsed(source)
    assert rejections(parsed) == [
        ("0009", "empty_text"),
        ("0010", "test_row"),
        ("0011", "bad_time"),
    ]
    first, second = (p for p in parsed if isinstance(p, ParsedSubmission))
    assert first.text == "Mörk gångväg\nLampan är släckt & det känns\notryggt"
    assert (first.status, first.stance_hint, first.lat) == ("open", "problem", 59.3101)
    assert (second.status, second.stance_hint, second.lat) == ("closed", "berom", None)


def test_signalen_preset(recordings: Path) -> None:
    source = make(path="tabular/signalen.jsonl", preset="signalen")
    pulled = pull(source, context(recordings))
    stored = "".join(r.payload for r in pulled.records)
    assert "verzonnen@" not in stored
    assert "Verzonnen straat" not in stored
    first, second = pulled.parsed(source)
    assert isinstance(first, ParsedSubmission)
    assert (first.source_record_id, first.status, first.lat) == ("501", "closed", 52.37)
    assert first.areas == (("stadsdeel", "A"), ("buurt", "A01a"))
    assert first.occurred_at == dt.datetime(2026, 1, 5, 6, tzinfo=dt.UTC)
    assert isinstance(second, ParsedSubmission)
    assert (second.status, second.lat, second.category) == ("open", None, None)


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Id", "Text", "Tid", "N", "E"])
    opened = dt.datetime.fromisoformat("2026-07-01T12:00")
    sheet.append([12.0, "Mörkt i parken", opened, 6580822, 674032])
    book.save(tmp_path / "a.xlsx")
    columns = {**COLUMNS, "lat": "N", "lon": "E"}
    report = one(make(path="*.xlsx", columns=columns, crs="sweref99tm"), tmp_path)
    assert report.source_record_id == "12"
    assert report.reported_at == dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)
    assert (report.lat, report.lon) == pytest.approx((59.33023, 18.05919), abs=1e-5)


def test_the_reporter_is_a_keyed_hash_before_anything_is_stored(tmp_path: Path) -> None:
    write(
        tmp_path / "a.csv", "Id;Text;Tid;Vem", "1;Mörkt;2026-01-01;Anna", "2;Kallt;2026-01-01;anna "
    )
    source = make(path="a.csv", columns={**COLUMNS, "reporter": "vem"})
    pulled = pull(source, context(tmp_path))
    assert all("anna" not in r.payload.casefold() for r in pulled.records)
    hashes = [p.reporter_hash for p in pulled.parsed(source) if isinstance(p, ParsedSubmission)]
    assert hashes[0] is not None
    assert len(hashes[0]) == 64
    assert hashes[0] == hashes[1]
    with pytest.raises(UsageError):
        list(source.fetch(context(tmp_path, hash_key=b"")))


def test_only_mapped_and_kept_columns_are_stored(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "Id;Text;Tid;Telefon;Kanal", "1;Mörkt;2026-01-01;070;app")
    pulled = pull(make(path="a.csv", columns=COLUMNS, keep=["Kanal"]), context(tmp_path))
    payload = '{"Id":"1","Kanal":"app","Text":"Mörkt","Tid":"2026-01-01"}'
    assert [r.payload for r in pulled.records] == [payload]
    assert pulled.notes == ["a.csv: kolumner som inte sparas: Telefon."]


def test_a_new_column_is_told_once(tmp_path: Path) -> None:
    source = make(path="*.csv", columns=COLUMNS)
    write(tmp_path / "a.csv", "Id;Text;Tid", "1;Mörkt;2026-01-01")
    first = pull(source, context(tmp_path))
    write(tmp_path / "b.csv", "Id;Text;Tid;Nytt", "2;Kallt;2026-01-01;x")
    second = pull(source, context(tmp_path, first.state))
    assert (first.notes, second.notes) == ([], ["b.csv: nya kolumner som inte sparas: Nytt."])
    write(tmp_path / "c.csv", "Id;Text;Tid;Nytt", "3;Vått;2026-01-01;x")
    assert pull(source, context(tmp_path, second.state)).notes == []


def test_a_missing_mapped_column_is_an_error_naming_it(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "Id;Text;Tid", "1;Mörkt;2026-01-01")
    write(tmp_path / "b.csv", "Id;Text;Tid;Stadsdel", "2;Kallt;2026-01-01;Söder")
    source = make(path="*.csv", columns={**COLUMNS, "areas": {"stadsdel": "Stadsdel"}})
    pulled = pull(source, context(tmp_path))
    assert "a.csv: kolumnen 'Stadsdel' (columns.areas) saknas" in pulled.error
    assert [r.source_record_id for r in pulled.records] == ["2"]  # the other file still came
    assert set(pulled.state["files"]) == {"b.csv"}


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    source = make(path="*.csv", columns=COLUMNS)
    write(tmp_path / "a.csv", "Id;Text;Tid", "1;Mörkt;2026-01-01")
    first = pull(source, context(tmp_path))
    assert pull(source, context(tmp_path, first.state)).n_pages == 0
    os.utime(tmp_path / "a.csv", ns=(1, 1))  # copied anew, same content
    assert pull(source, context(tmp_path, first.state)).n_pages == 0
    write(tmp_path / "a.csv", "Id;Text;Tid", "1;Mörkt;2026-01-01", "2;Kallt;2026-01-01")
    assert len(pull(source, context(tmp_path, first.state)).records) == 2


def test_a_changed_mapping_reads_the_files_again(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "Id;Text;Tid;Kategori", "1;Mörkt;2026-01-01;Ljus")
    first = pull(make(path="*.csv", columns=COLUMNS), context(tmp_path))
    changed = make(path="*.csv", columns={**COLUMNS, "category": "Kategori"})
    assert len(pull(changed, context(tmp_path, first.state)).records) == 1


def test_a_pull_cut_off_inside_a_file_reads_it_again(tmp_path: Path) -> None:
    rows = [f"{n};Rad {n};2026-01-01" for n in range(ROWS_PER_PAGE + 1)]
    write(tmp_path / "a.csv", "Id;Text;Tid", *rows)
    source = make(path="*.csv", columns=COLUMNS)
    pages = source.fetch(context(tmp_path))
    cut_off = next(pages)
    assert len(cut_off.records) == ROWS_PER_PAGE
    again = pull(source, context(tmp_path, cut_off.state))
    assert len(again.records) == ROWS_PER_PAGE + 1
    assert pull(source, context(tmp_path, again.state)).n_pages == 0


def test_leftovers_are_not_files_and_no_file_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "~$a.csv", "x")
    write(tmp_path / ".a.csv", "x")
    pulled = pull(make(path="*.csv", columns=COLUMNS), context(tmp_path))
    assert pulled.error == "Ingen fil motsvarar '*.csv' i inställningarnas mapp."


def test_without_id_equal_rows_stay_two_and_a_new_status_stays_one(tmp_path: Path) -> None:
    source = make(path="a.csv", columns={"text": "Text", "reported_at": "Tid", "status": "Status"})
    rows = ["Mörkt;2026-01-01;Ny", "Mörkt;2026-01-01;Ny", "Kallt;2026-01-01;Ny"]
    write(tmp_path / "a.csv", "Text;Tid;Status", *rows)
    first = [r.source_record_id for r in pull(source, context(tmp_path)).records]
    assert len(set(first)) == 3
    write(tmp_path / "a.csv", "Text;Tid;Status", *(row.replace("Ny", "Klar") for row in rows[::-1]))
    assert {r.source_record_id for r in pull(source, context(tmp_path)).records} == set(first)


def test_from_an_address(tmp_path: Path) -> None:
    content = "Id;Text;Tid\n1;Mörkt;2026-01-01\n".encode()
    client = FakeClient(lambda url, _: httpx.Response(200, content=content))
    source = make(url="https://example.org/export/synpunkter.csv", columns=COLUMNS)
    first = pull(source, context(tmp_path, client=client))
    assert [r.source_record_id for r in first.records] == ["1"]
    assert pull(source, context(tmp_path, first.state, client)).n_pages == 0
    client.answer = lambda url, _: httpx.Response(200, content=b"<!doctype html><p>Logga in")
    assert "webbsida" in pull(source, context(tmp_path, first.state, client)).error


def test_coordinates_in_another_system_are_told(tmp_path: Path) -> None:
    write(
        tmp_path / "a.csv", "Id;Text;Tid;P", '1;Mörkt;2026-01-01;"6580822,674032"', "2;x;2026;0,0"
    )
    source = make(path="a.csv", columns={**COLUMNS, "latlon": "P"})
    notes = pull(source, context(tmp_path)).notes
    assert len(notes) == 1
    assert notes[0].startswith("a.csv: 1 rader har koordinater som inte är någon plats i wgs84")


def test_an_ambiguous_date_is_refused_until_told(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "Id;Text;Tid", "1;Mörkt;03/04/2026")
    source = make(path="a.csv", columns=COLUMNS)
    assert rejections(pull(source, context(tmp_path)).parsed(source)) == [("1", "bad_time")]
    told = make(path="a.csv", columns=COLUMNS, day_first=True)
    assert one(told, tmp_path).reported_at == dt.datetime(2026, 4, 2, 22, tzinfo=dt.UTC)


def test_the_users_columns_go_before_the_presets(recordings: Path, tmp_path: Path) -> None:
    shutil.copy(recordings / "tabular" / "fixmystreet.csv", tmp_path / "a.csv")
    source = make(path="a.csv", preset="fixmystreet", columns={"text": "Category"})
    texts = [
        p.text
        for p in pull(source, context(tmp_path)).parsed(source)
        if isinstance(p, ParsedSubmission)
    ]
    assert texts == ["Street lighting", "Noise"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"path": "a", "url": "b", "columns": COLUMNS}, "antingen path"),
        ({"path": "a", "columns": {"id": "Id", "text": "Text"}}, "columns.reported_at saknas"),
        ({"path": "a", "columns": {**COLUMNS, "lat": "N"}}, "tillsammans"),
        ({"path": "a", "columns": {**COLUMNS, "reporter": "Id"}}, "reporter"),
        ({"path": "a", "columns": COLUMNS, "timezone": "Europa/Sthlm"}, "tidszonen"),
    ],
)
def test_configuration_mistakes_are_told(table: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make(**table)


@given(st.text() | st.dictionaries(st.text(), st.text() | st.integers() | st.none()).map(str))
def test_parse_is_total(payload: str) -> None:
    source = make(path="a", columns={**COLUMNS, "latlon": "P", "status": "S", "type": "Y"})
    assert len(source.parse(RawSubmission("test", "1", payload, NOW))) == 1


@given(st.fixed_dictionaries({name: st.text(max_size=30) for name in ["Id", "Text", "Tid", "P"]}))
def test_parse_reads_any_values(row: dict[str, str]) -> None:
    source = make(path="a", columns={**COLUMNS, "latlon": "P"})
    (parsed,) = source.parse(RawSubmission("test", "1", json.dumps(row), NOW))
    assert isinstance(parsed, ParsedSubmission | Rejection)
