"""Counts: the SQL agrees with a slow obvious count, and periods are what they are called."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagesbild.errors import UsageError
from lagesbild.night import Store, run_night
from lagesbild.publish.counts import Selection, counts
from lagesbild.publish.families import published, published_together
from lagesbild.publish.periods import SetOfMonths
from lagesbild.settings import Publish, load
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots
from lagesbild.themes import load_themes
from tests.city import Clock, TownSource, WordClassifier, write_config

STOCKHOLM = ZoneInfo("Europe/Stockholm")
PLAN = load_themes()
START = datetime(2024, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _town(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})


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


def whole(snapshot: Path, *by: str) -> dict[tuple[str, ...], int]:
    """The counts before anything is hidden, by the codes of the family."""
    return dict(published(snapshot, Selection(by).tables(Publish())).protected.family.counts)


def is_month(period: str) -> bool:
    return len(period) == 7 and period[5] not in "QT"


def test_months_are_local_and_unknown_is_an_area(tmp_path: Path) -> None:
    found = whole(night(tmp_path, RECORDS), "area", "theme", "month")
    kommun = {cell: n for cell, n in found.items() if cell[0].startswith("kommun:")}
    assert {cell: n for cell, n in kommun.items() if is_month(cell[2])} == {
        ("kommun:1280", "fysisk_miljo", "2025-04"): 1,
        ("kommun:1280", "narkotika", "2025-03"): 6,
        ("kommun:okand", "narkotika", "2024-12"): 1,
        ("kommun:1280", "alla", "2025-03"): 6,
        ("kommun:1280", "alla", "2025-04"): 1,
        ("kommun:okand", "alla", "2024-12"): 1,
    }
    assert found["kommun:1280", "narkotika", "2025-Q1"] == 6
    assert found["alla", "narkotika", "alla"] == 7


def test_months_before_a_promise_are_counted_for_its_own_area_and_theme(tmp_path: Path) -> None:
    window = SetOfMonths(
        "before:x", ("2025-02", "2025-03", "2025-04"), ("kommun:1280",), ("narkotika",)
    )
    family = published(night(tmp_path, RECORDS), published_together(Publish(), [window]))
    assert family.shown(area="kommun:1280", theme="narkotika", period="before:x") == 6
    with pytest.raises(KeyError):
        family.shown(area="kommun:1280", theme="fysisk_miljo", period="before:x")


def test_quarters_and_tertials_are_one_family(tmp_path: Path) -> None:
    snapshot = night(tmp_path, RECORDS)
    found = whole(snapshot, "theme", "tertial")
    assert found["alla", "narkotika", "2025-T1"] == found["alla", "narkotika", "2025-Q1"] == 6
    assert found == whole(snapshot, "theme", "quarter")


def test_weeks_follow_iso_across_the_year(tmp_path: Path) -> None:
    assert whole(night(tmp_path, RECORDS), "theme", "week")["narkotika", "2025-V01"] == 1


def test_periods_can_be_cut(tmp_path: Path) -> None:
    chosen = Selection(("theme", "month"), date(2025, 3, 1), date(2025, 3, 1))
    table = counts(night(tmp_path, RECORDS), chosen, PLAN)
    assert [row[2:4] for row in table.rows] == [("2025-03", 6)]


def test_what_is_cut_away_still_decides_what_is_hidden(tmp_path: Path) -> None:
    snapshot = night(tmp_path, RECORDS)
    by = ("area", "theme", "month")
    all_rows = counts(snapshot, Selection(by), PLAN).rows
    cut = counts(snapshot, Selection(by, date(2025, 3, 1), date(2025, 3, 1)), PLAN).rows
    assert set(cut) <= set(all_rows)


def test_a_quarter_cut_in_two_is_left_out(tmp_path: Path) -> None:
    chosen = Selection(("theme", "quarter"), date(2025, 1, 1), date(2025, 5, 1))
    table = counts(night(tmp_path, RECORDS), chosen, PLAN)
    assert {row[table.at("quarter")] for row in table.rows} == {"2025-Q1"}


@pytest.mark.parametrize(
    "by",
    [("plats",), (), ("month", "week"), ("quarter", "year"), ("stance",), ("theme", "theme")],
)
def test_what_cannot_be_counted_is_said(by: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--by"):
        Selection(by)


reports = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(["langare", "lampa", "langare lampa", "inget"]),
        st.integers(0, 62 * 24 * 60).map(lambda m: START + timedelta(minutes=m)),
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
        month = at.astimezone(STOCKHOLM).strftime("%Y-%m")
        themes = {theme for word, theme in WordClassifier.words.items() if word in text}
        for theme in themes | ({"alla"} if themes else set()):
            expected[kommun or "Okänt", theme, month] += 1
    snapshot = night(tmp_path_factory.mktemp("stad"), records)
    found = whole(snapshot, "area", "theme", "month")
    months = {cell: n for cell, n in found.items() if is_month(cell[2])}
    codes = {"kommun:1280": "Malmö", "kommun:1281": "Lund", "kommun:okand": "Okänt"}
    if any(kommun for _, _, kommun, kind in newest.values()):
        got = {(codes[a], *rest): n for (a, *rest), n in months.items() if a.startswith("kommun:")}
        assert got == dict(expected)
    summed: Counter[tuple[str, str]] = Counter()
    for (_, theme, month), n in expected.items():
        summed[theme, month] += n
    assert {cell[1:]: n for cell, n in months.items() if cell[0] == "alla"} == dict(summed)
