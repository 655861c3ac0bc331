"""Counts: the SQL agrees with a slow obvious count, small ones are hidden, files open right."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagesbild.errors import UsageError
from lagesbild.night import Store, run_night
from lagesbild.publish.counts import Selection, counts, export_counts
from lagesbild.settings import load
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots
from lagesbild.themes import load_themes
from tests.city import Clock, TownSource, WordClassifier, write_config

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PLAN = load_themes()


@pytest.fixture(autouse=True)
def _town(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    yield


def night(folder: Path, records: list[dict[str, Any]]) -> Path:
    """The snapshot after a night over these records."""
    TownSource.answers["stan"] = [records]
    loaded = load(write_config(folder))
    run_night(loaded, WordClassifier(), clock=Clock())
    return snapshots.current(Store(loaded).snapshots)


RECORDS = [
    *[
        {"id": n, "text": "langare", "time": "2025-03-10T12:00:00+00:00", "kommun": "Malmö"}
        for n in range(6)
    ],
    {"id": 10, "text": "lampa", "time": "2025-03-31T22:30:00+00:00", "kommun": "Malmö"},  # April
    {"id": 11, "text": "langare", "time": "2024-12-30T12:00:00+00:00"},  # ISO week 2025-V01
]


def test_months_are_local_and_unknown_is_an_area(tmp_path: Path) -> None:
    snapshot = night(tmp_path, RECORDS)
    rows = counts(snapshot, Selection(("area", "theme", "month")), PLAN)
    kommun = [row[1:] for row in rows if row[0] == "kommun"]
    assert kommun == [
        ("1280", "Malmö", "fysisk_miljo", PLAN.label("fysisk_miljo"), "2025-04", 1),
        ("1280", "Malmö", "narkotika", "Narkotika", "2025-03", 6),
        ("okand", "Okänt", "narkotika", "Narkotika", "2024-12", 1),
    ]


def test_weeks_follow_iso_across_the_year(tmp_path: Path) -> None:
    rows = counts(night(tmp_path, RECORDS), Selection(("theme", "week")), PLAN)
    assert ("narkotika", "Narkotika", "2025-V01", 1) in rows


def test_periods_can_be_cut(tmp_path: Path) -> None:
    chosen = Selection(("theme", "month"), date(2025, 3, 1), date(2025, 3, 1))
    assert [row[2:] for row in counts(night(tmp_path, RECORDS), chosen, PLAN)] == [("2025-03", 6)]


def test_small_counts_never_leave_and_files_repeat_to_the_byte(tmp_path: Path) -> None:
    snapshot = night(tmp_path, RECORDS)
    selection = Selection(("area", "theme", "month"))
    for style in ("csv", "xlsx"):
        first = export_counts(snapshot, selection, PLAN, tmp_path / "a", style=style)
        again = export_counts(snapshot, selection, PLAN, tmp_path / "b", style=style)
        assert first.read_bytes() == again.read_bytes()
    text = (tmp_path / "a" / "antal_area_theme_month_excel_sv.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfarea_type;area_code")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))
    shown = {row["n_reports"] for row in rows}
    assert shown == {"6", ".."}
    metadata = json.loads(
        (tmp_path / "a" / "antal_area_theme_month_excel_sv.csv.metadata.json").read_text("utf-8")
    )
    assert metadata["n_hidden"] == sum(row["n_reports"] == ".." for row in rows)


def test_the_workbook_keeps_codes_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    records = [{**r, "kommun": "Stockholm"} for r in RECORDS]
    target = export_counts(
        night(tmp_path, records),
        Selection(("area", "theme", "month")),
        PLAN,
        tmp_path,
        style="xlsx",
    )
    sheet = openpyxl.load_workbook(target)["Antal"]
    row = next(r for r in sheet.iter_rows(values_only=True) if r[0] == "kommun" and r[-1] == 6)
    assert row[:3] == ("kommun", "0180", "Stockholm")


def test_open_data_has_no_bom_and_commas(tmp_path: Path) -> None:
    target = export_counts(
        night(tmp_path, RECORDS), Selection(("theme",)), PLAN, tmp_path, profile="open_data"
    )
    assert target.read_bytes().startswith(b"theme,theme_sv,n_reports\r\n")


@pytest.mark.parametrize("by", [("plats",), (), ("month", "week")])
def test_what_cannot_be_counted_is_said(by: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--by"):
        Selection(by)


reports = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(["langare", "lampa", "langare lampa", "inget"]),
        st.datetimes(datetime(2024, 12, 1), datetime(2025, 2, 1), timezones=st.just(UTC)),
        st.sampled_from(["Malmö", "Lund", None]),
        st.sampled_from(["report", "summary"]),
    ),
    max_size=25,
)


@given(reports)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_sql_agrees_with_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    newest: dict[int, tuple[Any, ...]] = {}
    records = []
    for number, text, at, kommun, kind in rows:
        newest[number] = (text, at, kommun, kind)
        place = {"kommun": kommun} if kommun else {}
        records.append({"id": number, "text": text, "time": at.isoformat(), "kind": kind, **place})
    expected: Counter[tuple[str, str, str]] = Counter()
    for text, at, kommun, kind in newest.values():
        if kind == "summary":
            continue
        for word, theme in WordClassifier.words.items():
            if word in text:
                month = at.astimezone(STOCKHOLM).strftime("%Y-%m")
                expected[kommun or "Okänt", theme, month] += 1
    snapshot = night(tmp_path_factory.mktemp("stad"), records)
    found = counts(snapshot, Selection(("area", "theme", "month")), PLAN)
    kommun_known = any(kommun for _, _, kommun, kind in newest.values())
    if kommun_known:
        got = {(r[2], r[3], r[5]): r[6] for r in found if r[0] == "kommun"}
        assert got == dict(expected)
    total = {(r[0], r[2]): r[3] for r in counts(snapshot, Selection(("theme", "month")), PLAN)}
    summed: Counter[tuple[str, str]] = Counter()
    for (_, theme, month), n in expected.items():
        summed[theme, month] += n
    assert total == dict(summed)
