import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from lagesbild.errors import SourceError
from lagesbild.records import ParsedSubmission, SurveyAnswer
from lagesbild.sources import SOURCES, Source
from lagesbild.sources.mapping import propose_mapping
from tests.sources.pulling import context, pull


def propose(path: Path) -> tuple[dict[str, Any], str]:
    text = propose_mapping(path)
    ((_, table),) = tomllib.loads(text)["sources"].items()
    return table, text


def source_of(table: dict[str, Any]) -> Source:
    kind = SOURCES[table["kind"]]
    return kind("forslag", kind.Config.model_validate(table))


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("file", "preset"),
    [
        ("tabular/fixmystreet.csv", "fixmystreet"),
        ("tabular/df_respons.csv", "df_respons"),
        ("tabular/signalen.jsonl", "signalen"),
        ("surveys/limesurvey.csv", "limesurvey"),
        ("surveys/limesurvey.json", "limesurvey"),
        ("surveys/surveymonkey.csv", "surveymonkey"),
        ("surveys/surveygizmo.csv", "surveygizmo"),
        ("surveys/google_forms.csv", "google_forms"),
        ("surveys/typeform.csv", "typeform"),
    ],
)
def test_known_layouts_are_recognised_and_the_proposal_works(
    recordings: Path, file: str, preset: str
) -> None:
    table, _ = propose(recordings / file)
    assert table["preset"] == preset
    source = source_of(table)
    parsed = pull(source, context(recordings)).parsed(source)
    assert any(isinstance(p, ParsedSubmission | SurveyAnswer) for p in parsed)


def test_a_case_systems_own_columns(tmp_path: Path) -> None:
    texts = ["Lampan vid skolan är släckt igen", "Många kör för fort här på kvällarna"]
    rows = [
        f"{n:04};{text};{20 + n}/1/2026;{6580822 + n};674032;Söder;Anna Påhittad;070-1"
        for n, text in enumerate(texts)
    ]
    header = "Ärendenr;Beskrivning;Inkom;Y;X;Stadsdel;Namn;Telefonnummer"
    path = write(tmp_path / "Synpunkter 2026.csv", header, *rows)
    table, text = propose(path)
    assert "[sources.synpunkter_2026]" in text
    assert "# sparas inte (kan visa vem som anmält): Namn, Telefonnummer" in text
    assert "Påhittad" not in text
    assert "Lampan" not in text
    assert table["columns"] == {
        "id": "Ärendenr",
        "text": ["Beskrivning"],
        "reported_at": "Inkom",
        "lat": "Y",
        "lon": "X",
        "areas": {"stadsdel": "Stadsdel"},
    }
    assert table["crs"] == "sweref99tm"
    source = source_of(table)
    parsed = pull(source, context(tmp_path)).parsed(source)
    assert [p.lat is not None for p in parsed if isinstance(p, ParsedSubmission)] == [True, True]


def test_what_is_unsure_says_so(tmp_path: Path) -> None:
    rows = [f"{3 + n}/4/2026,Det här är den {n}:e synpunkten om parken" for n in range(3)]
    _, text = propose(write(tmp_path / "a.csv", "Kom in,Vad hände", *rows))
    assert "# osäker: kolumnen med längst text" in text
    assert "# osäker: första kolumnen med tid" in text
    assert "# id saknas: varje rad får ett eget id av sitt innehåll" in text
    assert "# day_first = true  # osäker: 03/04/2026 kan läsas på två sätt" in text


def test_a_title_above_the_header_is_stepped_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (
        ["Uttag ur ärendesystemet"],
        [],
        ["Ärendenummer", "Beskrivning", "Inkommen", "Status"],
        ["0001", "Mörkt i gångtunneln", "2026-01-01", "Ny"],
    ):
        sheet.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    table, _ = propose(path)
    assert (table["skip_rows"], table["preset"]) == (2, "df_respons")
    source = source_of(table)
    assert [r.source_record_id for r in pull(source, context(tmp_path)).records] == ["0001"]


def test_survey_questions_are_sorted_into_open_closed_and_unsure(recordings: Path) -> None:
    table, text = propose(recordings / "surveys" / "limesurvey.csv")
    assert table["open_questions"]["Q5"] == "Vad gör dig otrygg?"
    assert table["closed_items"]["Q1[SQ001]"] == "hur_trygg_ar_du_sen_kvall"
    assert table["wave"] == "2025"
    assert "knark" not in text


def test_a_survey_without_a_time_asks_for_one(tmp_path: Path) -> None:
    rows = [f"{n % 2},Det är svar nummer {n} om tryggheten" for n in range(12)]
    path = write(tmp_path / "a.csv", "Hur mår du?,Vad oroar dig?,", *rows)
    header = "Hur mår du?,Vad oroar dig?,Var bor du?"
    path = write(tmp_path / "a.csv", header, *(f"{row},Söder" for row in rows))
    table, text = propose(path)
    assert "# date = 2025-01-31  # saknas: filen har ingen svarstid" in text
    assert list(table["open_questions"]) == ["Vad oroar dig?"]
    assert list(table["closed_items"]) == ["Hur mår du?", "Var bor du?"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("a;b\n", "inga rader"), ("a;b\n1;2\n", "ingen kolumn med löpande text"), ("", "tom")],
)
def test_what_cannot_be_mapped_is_told(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(SourceError, match=message):
        propose_mapping(path)
