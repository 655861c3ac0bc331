"""Every format and profile: golden files, and what programs of their own read out of them."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.errors import UsageError
from lagesbild.publish.counts import PROFILES, Selection, export_counts
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.families import Published, published
from lagesbild.publish.formats import FORMATS, guarded, write_csv
from lagesbild.publish.metadata import provenance
from lagesbild.publish.promises import promises_of
from lagesbild.publish.table import TITLES, Column, Table
from lagesbild.settings import Settings
from lagesbild.themes import load_themes

PLAN = load_themes()
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
Town = tuple[Path, Settings]
BY = ("area", "theme", "month")


# What else a municipality may choose to publish than its default: its own weeks or finer tables.
CHOSEN: dict[str, dict[str, Any]] = {
    "week": {"periods": "weeks", "family": (("theme", "period"),)},
    "stance": {"family": (("theme", "period", "stance"),)},
    "subtheme": {"family": (("theme", "subtheme"),)},
}


def chosen(settings: Settings, by: Sequence[str]) -> Settings:
    update = next((CHOSEN[name] for name in by if name in CHOSEN), {})
    return settings.model_copy(update={"publish": settings.publish.model_copy(update=update)})


def copied(snapshot: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(snapshot, folder))


def export(
    town: Town, folder: Path, *by: str, style: str = "csv", profile: str = "excel_sv"
) -> Path:
    snapshot, settings = town
    if set(by) & CHOSEN.keys():  # another choice is another store: what was released stays so
        snapshot = copied(snapshot, folder / "store")
    return export_counts(
        snapshot,
        Selection(by or BY),
        PLAN,
        folder,
        style=style,
        profile=profile,
        settings=chosen(settings, by),
    )


def rows(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text[:200] else ","))


# --- golden files: set LAGESBILD_WRITE_GOLDEN to write them anew, and read the difference ---------

GOLDEN_EXPORTS = [
    *[(BY, style, profile) for style in ("csv", "json", "geojson") for profile in PROFILES],
    (("theme", "week"), "csv", "excel_sv"),
    (("theme", "week"), "csv", "open_data"),
    (("theme", "stance", "quarter"), "csv", "excel_sv"),
    (("theme", "subtheme"), "csv", "excel_sv"),
]


@pytest.mark.parametrize(("by", "style", "profile"), GOLDEN_EXPORTS)
def test_golden(town: Town, tmp_path: Path, by: tuple[str, ...], style: str, profile: str) -> None:
    made = export(town, tmp_path, *by, style=style, profile=profile)
    golden = GOLDEN / made.name
    if os.environ.get("LAGESBILD_WRITE_GOLDEN"):
        golden.write_bytes(made.read_bytes())
    assert made.read_bytes() == golden.read_bytes()


@pytest.mark.parametrize("profile", PROFILES)
def test_golden_workbook(town: Town, tmp_path: Path, profile: str) -> None:
    """A workbook's bytes change with the library, so its cells are the golden part."""
    book = openpyxl.load_workbook(export(town, tmp_path, style="xlsx", profile=profile))
    cells = "\n".join(
        "\t".join("" if value is None else repr(value) for value in row)
        for sheet in book
        for row in [(f"# {sheet.title}",), *sheet.iter_rows(values_only=True)]
    )
    golden = GOLDEN / f"antal_area_theme_month_{profile}.xlsx.txt"
    if os.environ.get("LAGESBILD_WRITE_GOLDEN"):
        golden.write_text(cells + "\n", encoding="utf-8")
    assert cells + "\n" == golden.read_text(encoding="utf-8")


# --- laws that hold for all -----------------------------------------------------------------------


@pytest.mark.parametrize("style", sorted(FORMATS))
@pytest.mark.parametrize("profile", PROFILES)
def test_files_repeat_to_the_byte(town: Town, tmp_path: Path, style: str, profile: str) -> None:
    made = [export(town, tmp_path / name, style=style, profile=profile) for name in "ab"]
    for first in made[0].parent.iterdir():
        assert first.read_bytes() == (made[1].parent / first.name).read_bytes()
    if style == "xlsx":
        with zipfile.ZipFile(made[0]) as archive:
            assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def hidden_cells(town: Town, *by: str) -> set[tuple[str, ...]]:
    snapshot, settings = town
    tables = Selection(by).tables(settings.publish, promises_of(settings))
    protected = published(snapshot, tables).protected
    return set(protected.small | protected.complementary)


def test_no_hidden_count_is_in_any_file(town: Town, tmp_path: Path) -> None:
    found = rows(export(town, tmp_path))
    assert {row["n_reports"] for row in found} >= {HIDDEN, "21"}
    for row in found:
        cell = (f"{row['area_type']}:{row['area_code']}", row["theme"], row["month"])
        assert (row["n_reports"] == HIDDEN) == (cell in hidden_cells(town, *BY))
        assert row["n_reports"] not in ("1", "2", "3", "4")
        if row["n_reports"] == HIDDEN:  # nothing beside it may tell it either
            kept = {key for key in row if key in TITLES and row[key] not in (HIDDEN, ".")}
            assert kept <= {
                *("area_type", "area_code", "area_name"),
                *("theme", "theme_sv", "month", "is_hidden"),
            }


def test_the_same_cells_are_hidden_in_every_format(town: Town, tmp_path: Path) -> None:
    as_csv = [row["n_reports"] for row in rows(export(town, tmp_path))]
    table = pq.read_table(export(town, tmp_path, style="parquet")).to_pylist()
    assert [HIDDEN if r["n_reports"] is None else str(r["n_reports"]) for r in table] == as_csv
    book = openpyxl.load_workbook(export(town, tmp_path, style="xlsx"))
    column = [cell.value for cell in book["Antal"][1]].index("n_reports")
    assert [str(r[column]) for r in book["Antal"].iter_rows(2, values_only=True)] == as_csv
    stat = json.loads(export(town, tmp_path, style="json").read_text("utf-8"))
    n_measures = stat["size"][-1]
    assert [int(n) % n_measures for n in stat["status"]].count(0) == as_csv.count(HIDDEN)
    reports = stat["value"][::n_measures]
    assert sum(v for v in reports if v) == sum(int(n) for n in as_csv if n != HIDDEN)
    areas = json.loads(export(town, tmp_path, style="geojson").read_text("utf-8"))["features"]
    assert sum(len(a["properties"]["hidden"]) for a in areas) == as_csv.count(HIDDEN)


def test_a_coarser_export_of_the_same_family_hides_nothing_less(town: Town, tmp_path: Path) -> None:
    """Months of all areas and of each area come from one family: no subtraction between files."""
    fine = hidden_cells(town, *BY)
    for row in rows(export(town, tmp_path, "theme", "month")):
        cell = ("alla", row["theme"], row["month"])
        assert (row["n_reports"] == HIDDEN) == (cell in fine)


# --- excel_sv -------------------------------------------------------------------------------------


def test_a_swedish_excel_reads_it(town: Town, tmp_path: Path) -> None:
    data = export(town, tmp_path).read_bytes()
    assert data.startswith(b"\xef\xbb\xbfarea_type;area_code;area_name;")
    assert data.count(b"\r\n") == data.count(b"\n")
    row = next(r for r in rows(export(town, tmp_path)) if r["n_reports"] == "21")
    assert row["area_code"] == "0180"
    assert row["n_low"].replace(",", "").isdigit()
    assert "," in row["n_low"]


def test_weeks_have_their_iso_year(town: Town, tmp_path: Path) -> None:
    found = rows(export(town, tmp_path, "theme", "week"))
    assert {row["week"][4:6] for row in found} == {"-V"}
    assert all(row["iso_year"] == row["week"][:4] for row in found)


def test_the_workbook_is_ready_to_read(town: Town, tmp_path: Path) -> None:
    target = export(town, tmp_path, style="xlsx")
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["Antal", "Diagram", "Läs mig"]
    sheet = book["Antal"]
    assert sheet.freeze_panes == "A2"
    assert {cell.value for cell in sheet["B"][1:]} >= {"0180", "1280"}
    assert all(cell.data_type == "s" for cell in sheet["B"])
    assert sheet.column_dimensions["C"].width > 8
    assert len(book["Diagram"]._charts) == 2
    drawn = book["Diagram"].iter_rows(3, min_col=2, values_only=True)
    assert HIDDEN not in {value for row in drawn for value in row}  # it would be drawn as 0
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
    assert sum(name.startswith("xl/charts/chart") for name in names) == 2


def test_libre_office_opens_the_workbook(town: Town, tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("localc")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    target = export(town, tmp_path, style="xlsx")
    profile = f"-env:UserInstallation=file://{tmp_path}/office"
    wanted = "csv:Text - txt - csv (StarCalc):59,34,76,1,,1053,false,true,true"
    command = [office, profile, "--headless", "--convert-to", wanted, "--outdir", str(tmp_path)]
    subprocess.run([*command, str(target)], check=True, capture_output=True, timeout=120)
    read = (tmp_path / target.with_suffix(".csv").name).read_text(encoding="utf-8")
    assert "kommun;0180;Stockholm;fysisk_miljo;Belysning och fysisk miljö;2025-01;21;" in read
    assert ";13,4;" in read  # a decimal comma


# --- open_data ------------------------------------------------------------------------------------


def test_open_data_is_rfc_4180_and_described(town: Town, tmp_path: Path) -> None:
    target = export(town, tmp_path, profile="open_data")
    assert target.read_bytes().startswith(b"area_type,area_code,")
    described = json.loads((tmp_path / f"{target.name}-metadata.json").read_text("utf-8"))
    columns = described["tableSchema"]["columns"]
    assert [column["name"] for column in columns] == list(rows(target)[0])
    assert described["url"] == target.name
    for row in rows(target):
        for column in columns:
            value = row[column["name"]]
            if value in column.get("null", ()):
                continue
            read = {"string": str, "integer": int, "decimal": float}[column["datatype"]]
            assert read(value) is not None  # raises where it cannot be read so


def test_json_stat_is_one_whole_cube(town: Town, tmp_path: Path) -> None:
    stat = json.loads(export(town, tmp_path, style="json").read_text("utf-8"))
    assert (stat["version"], stat["class"]) == ("2.0", "dataset")
    assert stat["size"] == [len(stat["dimension"][d]["category"]["index"]) for d in stat["id"]]
    n_cells = 1
    for size in stat["size"]:
        n_cells *= size
    assert len(stat["value"]) == n_cells
    assert stat["role"] == {"time": ["month"], "geo": ["area_code"], "metric": ["measure"]}
    codes = ("kommun:0180", "fysisk_miljo", "2025-01", "n_reports")
    place = [
        stat["dimension"][d]["category"]["index"].index(code)
        for d, code in zip(stat["id"], codes, strict=True)
    ]
    number = 0
    for position, size in zip(place, stat["size"], strict=True):
        number = number * size + position
    assert stat["value"][number] == 21
    by_stance = json.loads(
        export(town, tmp_path, "theme", "stance", "quarter", style="json").read_text("utf-8")
    )
    assert by_stance["id"] == ["theme", "stance", "quarter"]  # nothing else is measured there


def test_the_map_has_every_area_once(town: Town, tmp_path: Path) -> None:
    content = json.loads(export(town, tmp_path, style="geojson").read_text("utf-8"))
    ids = [feature["id"] for feature in content["features"]]
    assert len(ids) == len(set(ids))
    drawn = {
        f["id"]: shapely.geometry.shape(f["geometry"]) for f in content["features"] if f["geometry"]
    }
    assert all(shape.is_valid and shape.exterior.is_ccw for shape in drawn.values())
    stockholm = next(f for f in content["features"] if f["id"] == "kommun:0180")
    assert stockholm["properties"]["n_fysisk_miljo_2025-01"] == 21


@pytest.mark.parametrize(("by", "style"), [(("theme", "month"), "geojson"), (BY, "ods")])
def test_what_cannot_be_written_is_said(
    town: Town, tmp_path: Path, by: tuple[str, ...], style: str
) -> None:
    with pytest.raises(UsageError):
        export(town, tmp_path, *by, style=style)
    assert list(tmp_path.iterdir()) == []


# --- formulas -------------------------------------------------------------------------------------


@given(st.text(max_size=30))
def test_no_text_begins_a_formula(text: str) -> None:
    safe = guarded(text)
    assert safe[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
    assert safe in (text, "'" + text)


def test_formulas_are_guarded_in_csv(town: Town) -> None:
    snapshot, settings = town
    family: Published = published(snapshot, Selection(("theme",)).tables(settings.publish))
    table = Table((Column("area_name"), Column("n_reports", "integer")), (("=1+1", 7),), family)
    assert write_csv(table, "excel_sv", None).decode("utf-8-sig").splitlines()[1] == "'=1+1;7"


# --- what stands beside ---------------------------------------------------------------------------


def test_the_metadata_tell_where_the_numbers_come_from(town: Town, tmp_path: Path) -> None:
    target = export(town, tmp_path)
    beside: dict[str, Any] = json.loads(
        (tmp_path / f"{target.name}.metadata.json").read_text("utf-8")
    )
    hidden = [row for row in rows(target) if row["n_reports"] == HIDDEN]
    assert beside["n_hidden"] == len(hidden) > 0
    assert beside["theme_version"] == PLAN.version
    assert beside["classifier_versions"][0]["version"] == "ord-1"
    assert beside["sources"][0]["source"] == "stan"
    assert all(source["n_reports"] % 5 == 0 for source in beside["sources"])
    assert set(beside["family"]) == {"tables", "n_hidden"}  # not how many are small


def test_of_a_source_with_few_reports_no_day_is_told(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provenance(town[0])["sources"][0]["first"].startswith("20")
    monkeypatch.setattr("lagesbild.publish.metadata.is_hidden", lambda count: True)
    source = provenance(town[0])["sources"][0]
    assert (source["n_reports"], source["first"], source["last"]) == (HIDDEN, HIDDEN, HIDDEN)


def test_the_metadata_describe_every_column(town: Town, tmp_path: Path) -> None:
    target = export(town, tmp_path)
    beside: dict[str, Any] = json.loads(
        (tmp_path / f"{target.name}.metadata.json").read_text("utf-8")
    )
    assert beside["thresholds"] == {"smallest_shown": 5, "smallest_denominator": 30}
    assert "väljer själva" in beside["note_sv"]
    assert set(beside["columns"]) == set(rows(target)[0])
