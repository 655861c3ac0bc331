import codecs
import datetime as dt
import io
import json

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.errors import SourceError
from lagesbild.sources.tablefile import Layout, decode, find_delimiter, flatten, read_table

SWEDISH = "id;Beskrivning\n007;Mörkt på gångvägen vid skolan, lampan är släckt\n8;Ja\n"


def cells(content: bytes, layout: Layout | None = None) -> list[dict[str, str]]:
    return [dict(row.cells) for row in read_table("f", content, layout).rows if not row.fault]


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp1252",
        "mac_roman",
        "cp850",
    ],
)
def test_encodings(encoding: str) -> None:
    assert decode(SWEDISH.encode(encoding)) == SWEDISH


def test_every_byte_can_be_read() -> None:
    assert len(decode(bytes(range(1, 256)))) == 255


def test_other_alphabets_are_found_in_longer_texts() -> None:
    text = "Очень темно на дорожке возле школы, фонарь не горит уже неделю.\n" * 20
    assert decode(text.encode("cp1251")) == text


def test_double_encoded_header_is_repaired() -> None:
    content = SWEDISH.replace("Beskrivning", "Ärende").encode().decode("latin-1").encode()
    assert set(cells(content)[0]) == {"id", "Ärende"}


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    text = delimiter.join(["a", "b", "c"]) + "\n" + delimiter.join(['"x;,\n|y"', "2,5", "3"]) + "\n"
    assert find_delimiter(text) == delimiter


def test_decimal_commas_do_not_make_the_comma_a_delimiter() -> None:
    assert find_delimiter("lat;lon\n59,31;18,07\n59,32;18,08\n") == ";"


def test_excels_own_hint_is_followed() -> None:
    assert cells(b"sep=|\na|b\n1|2\n") == [{"a": "1", "b": "2"}]


CELL = st.text(st.characters(exclude_characters="\x00\r", codec="utf-8"))
ROW = st.lists(CELL, min_size=3, max_size=3).filter(lambda row: "".join(row).strip() != "")


@given(st.lists(ROW, min_size=1))
def test_quoted_fields_come_back_as_they_were(rows: list[list[str]]) -> None:
    def quote(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [";".join(map(quote, row)) for row in [["a", "b", "c"], *rows]]
    content = "\n".join(lines).encode()
    assert [list(row.values()) for row in cells(content, Layout(delimiter=";"))] == rows


def test_rows_that_do_not_fit_are_faults_with_their_number() -> None:
    table = read_table("f", b'a;b\n1;2\n;\n1;2;3\n1;2;\n1\n\n"4\n4";5\n')
    assert [(r.number, r.fault and r.fault[0]) for r in table.rows] == [
        (2, None),
        (3, "empty_text"),
        (4, "unexpected_shape"),
        (5, None),
        (6, "unexpected_shape"),
        (8, None),
    ]
    assert not any(row.cells for row in table.rows if row.fault)


def test_headers_without_names_and_with_the_same() -> None:
    assert read_table("f", b",a,a,  b \n1,2,3,4\n").header == ("kolumn 1", "a", "a (2)", "b")


def test_two_header_rows_are_joined() -> None:
    content = b"Respondent ID,Q1,,Q2\n,Bra,Annat,Response\n1,x,y,z\n"
    expected = ("Respondent ID", "Q1 [Bra]", "Q1 [Annat]", "Q2")
    assert read_table("f", content, Layout(header_rows=None)).header == expected
    assert read_table("f", b"id,a\n1,2\n3,4\n", Layout(header_rows=None)).header == ("id", "a")


def test_excel_values_become_text() -> None:
    content = workbook(
        [
            ["Id", "Tid", "Dag", "Tal", "Text", "Fel"],
            [
                12.0,
                dt.datetime.fromisoformat("2026-01-02T03:04"),
                dt.date(2026, 1, 2),
                0.5,
                "007",
                "#N/A",
            ],
            [None, None, None, None, "x", True],
            [None, None, None, None, None, None],
        ]
    )
    assert cells(content) == [
        {
            "Id": "12",
            "Tid": "2026-01-02 03:04:00",
            "Dag": "2026-01-02 00:00:00",
            "Tal": "0.5",
            "Text": "007",
            "Fel": "",
        },
        {"Id": "", "Tid": "", "Dag": "", "Tal": "", "Text": "x", "Fel": "true"},
    ]


def test_excel_sheet_by_name() -> None:
    with pytest.raises(SourceError, match="bladet 'Blad9' finns inte"):
        read_table("f.xlsx", workbook([["a"]]), Layout(sheet="Blad9"))


def test_json_lines_keep_numbers_and_faults() -> None:
    lines = ['{"id": 7.0, "a": {"b": null, "c": [1, 2]}}', "{trasig", "[1]", "", '{"id": "\u2028"}']
    table = read_table("f.jsonl", "\n".join(lines).encode())
    assert [(r.number, dict(r.cells), r.fault and r.fault[0]) for r in table.rows] == [
        (1, {"id": "7.0", "a.b": "", "a.c": "1, 2"}, None),
        (2, {}, "unreadable"),
        (3, {}, "unexpected_shape"),
        (5, {"id": "\u2028"}, None),
    ]


@pytest.mark.parametrize(
    "document",
    ['[{"id": 1}]', '{"responses": [{"id": 1}]}', '{"responses": [{"1": {"id": 1}}]}', '{"id": 1}'],
)
def test_json_documents(document: str) -> None:
    assert cells(codecs.BOM_UTF8 + document.encode()) == [{"id": "1"}]


def test_a_geojson_point_stays_whole() -> None:
    flat = flatten({"p": {"type": "Point", "coordinates": ["18", "59"]}, "q": {"type": "x"}})
    assert json.loads(flat["p"])["coordinates"] == ["18", "59"]
    assert flat["q.type"] == "x"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "filen är tom"),
        (b"\xd0\xcf\x11\xe0rest", "gammalt Excelformat"),
        (b"\xef\xbb\xbf<!DOCTYPE html><p>", "webbsida"),
        (b"<?xml version='1.0'?><a/>", "XML läses inte"),
        (b"PK\x03\x04trasig", "skadad"),
        (b"a;b\n" + b'1;"' + b"x" * 200_000, "citattecken"),
        (b'{"a": [{"x": 1}], "b": [{"y": 1}]}', "flera listor"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_table("fil", content)
