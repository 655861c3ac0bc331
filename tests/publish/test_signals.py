"""What a report says of hot spots, new words, late weeks and bad denominators."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from math import inf
from pathlib import Path

import pytest

from lagesbild.indicators.change import change
from lagesbild.indicators.completeness import WeekCompleteness
from lagesbild.indicators.emerging import EmergingTheme
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.leadtime import LeadTime
from lagesbild.indicators.rates import place_types_of
from lagesbild.night import Store, run_night
from lagesbild.publish.disclosure import Axis, Family, Sum, protect
from lagesbild.publish.families import ROOT, Published
from lagesbild.publish.incidents import Incidents
from lagesbild.publish.periods import Period
from lagesbild.publish.report.facts import Facts, gather
from lagesbild.publish.report.lateness import Lateness
from lagesbild.publish.report.places import AreaFact, hot_facts, recent_periods
from lagesbild.publish.report.source import Place, Reader, month_range
from lagesbild.publish.report.telling import (
    growing_lines,
    hot_lines,
    incident_lines,
    lateness_lines,
    lead_lines,
    rate_warnings,
    season_lines,
    word_lines,
)
from lagesbild.publish.report.wording import Writer
from lagesbild.publish.report.words import new_words
from lagesbild.settings import Settings, load
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots
from lagesbild.themes import load_themes
from tests.city import Clock, TownSource, WordClassifier, write_config

PLAN = load_themes()
Town = tuple[Path, Settings]


@pytest.fixture(scope="module")
def facts(town: Town) -> Facts:
    return gather(*town, PLAN, "1280", Period("2026-01"))


def told(facts: Facts, **changes: object) -> Writer:
    return Writer(replace(facts, **changes), PLAN, "sv")  # type: ignore[arg-type]


# --- hot spots ------------------------------------------------------------------------------------


def squares(folder: Path, names: Mapping[str, str]) -> Settings:
    """Areas side by side, a kilometre each."""
    features = []
    for place, (code, name) in enumerate(names.items()):
        west, east = 15 + place * 0.0175, 15 + (place + 1) * 0.0175
        ring = [[west, 59.3], [east, 59.3], [east, 59.309], [west, 59.309], [west, 59.3]]
        features.append(
            {
                "type": "Feature",
                "properties": {"kod": code, "namn": name},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    content = {"type": "FeatureCollection", "features": features}
    (folder / "areas.geojson").write_text(json.dumps(content), encoding="utf-8")
    areas = (
        '[[areas]]\narea_type = "stadsdel"\nfile = "areas.geojson"\ncode = "kod"\n'
        'name = "namn"\ngeo_version = "2025"\n'
    )
    return load(write_config(folder, sources=f'[sources.stan]\nkind = "polisen"\n{areas}'))


def family(counts: Mapping[tuple[str, str, str], int]) -> Published:
    areas = tuple(sorted({f"stadsdel:{area}" for area, _, _ in counts}))
    cells = {(f"stadsdel:{a}", theme, period): n for (a, theme, period), n in counts.items()}
    axes = (Axis("area", (Sum(ROOT, areas),), ROOT), Axis("theme"), Axis("period"))
    for (_, theme, period), n in list(cells.items()):
        cells[ROOT, theme, period] = cells.get((ROOT, theme, period), 0) + n
    codes = {"area": areas, "theme": (), "period": ()}
    return Published(protect(Family(axes, cells)), ("area", "theme", "period"), codes)


def reports(counts: Mapping[str, int], period: str) -> dict[tuple[str, str, str], int]:
    return {(area, ROOT, period): n for area, n in counts.items()}


NAMES = {"A": "Åsen", "B": "Berget", "C": "Centrum", "D": "Dalen", "E": "Ekbacken"}


def test_a_hot_spot_is_found_against_all_reports(tmp_path: Path) -> None:
    settings = squares(tmp_path, NAMES)
    period = "2025-Q2"
    narcotics = {("A", "narkotika", period): 40, ("B", "narkotika", period): 8}
    narcotics |= {(code, "narkotika", period): 9 for code in "CDE"}
    whole = reports({"A": 100, "B": 100, "C": 300, "D": 100, "E": 100}, period)
    counts = family(narcotics | whole)
    found = hot_facts(settings, "stadsdel", counts, [Period(period)], ["narkotika"])
    assert [(fact.areas, fact.count) for fact in found] == [(["Åsen"], 40)]
    assert found[0].expected == pytest.approx(75 / 7, abs=0.01)
    assert (found[0].n_periods, found[0].of_periods) == (1, 1)


def test_areas_that_are_not_shown_are_left_out(tmp_path: Path) -> None:
    """The hottest area is hidden: whatever is told follows from what is shown."""
    settings = squares(tmp_path, NAMES)
    period = "2025-Q2"
    narcotics = {(code, "narkotika", period): 9 for code in "BCDE"} | {
        ("A", "narkotika", period): 4
    }
    whole = reports({"A": 5, "B": 100, "C": 100, "D": 100, "E": 100}, period)
    counts = family(narcotics | whole)
    assert counts.shown(area="stadsdel:A", theme="narkotika", period=period) is None
    assert hot_facts(settings, "stadsdel", counts, [Period(period)], ["narkotika"]) == []


def test_the_periods_before_reach_back_to_the_first_report() -> None:
    found = recent_periods(Period("2025-Q2"), "2024-08")
    assert [period.code for period in found] == ["2025-Q2", "2025-Q1", "2024-Q4"]
    assert len(recent_periods(Period("2025-Q2"), "2010-01")) == 4


# --- new words ------------------------------------------------------------------------------------

COMMON = "det är mörkt på cykelbanan och jag blir rädd"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Forty texts in 2025-01, sixty in 2025-02 with new words that differ in who uses them."""
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    texts = [(f"{COMMON} nummer {n}", "2025-01") for n in range(40)]
    texts += [(f"{COMMON} nummer {n}", "2025-02") for n in range(20)]
    texts += [(f"elsparkcyklar på trottoaren vid hus {n}", "2025-02") for n in range(12)]
    texts += [("samma hästskor skickas om och om igen", "2025-02")] * 12
    texts += [(f"vi såg Kvastbergaren igen kväll {n}", "2025-02") for n in range(12)]
    texts += [(f"den där karlsson igen natt {n}", "2025-02") for n in range(12)]
    texts += [(f"ring mig på 070-174 06 {n:02} snarast tack", "2025-02") for n in range(12)]
    TownSource.answers["stan"] = [
        [
            {
                "id": number,
                "text": text,
                "time": f"{month}-{1 + number % 27:02}T12:00:00+00:00",
                "kommun": "Malmö",
            }
            for number, (text, month) in enumerate(texts)
        ]
    ]
    settings = load(write_config(tmp_path))
    run_night(settings, WordClassifier(), clock=Clock())
    snapshot = snapshots.current(Store(settings).snapshots)
    return Reader(snapshot, Place("kommun", "1280", "Malmö"), ["2025-02"])


def test_new_words_are_ordinary_words_of_many_people(reader: Reader) -> None:
    found = new_words(reader, ["2025-02"], ["2025-01"])
    assert found is not None
    named = {word.word: word for word in found}
    assert {"elsparkcyklar", "trottoaren"} <= named.keys()
    assert named["elsparkcyklar"].n_now == 10  # twelve, to the nearest five
    assert named["elsparkcyklar"].n_before == 0
    assert not {"hästskor", "kvastbergaren", "karlsson", "telefon", "cykelbanan"} & named.keys()
    assert "igen" not in named  # every text is built of such words


def test_too_few_texts_say_nothing(reader: Reader) -> None:
    assert new_words(reader, ["2025-02"], ["2024-12"]) is None
    assert new_words(reader, ["2024-12"], ["2025-02"]) is None


# --- what is told ---------------------------------------------------------------------------------


def test_late_weeks_are_named_with_their_share(facts: Facts) -> None:
    weeks = (
        WeekCompleteness(date(2026, 1, 5), 0, 1.0),
        WeekCompleteness(date(2026, 1, 12), 0, 0.83),
        WeekCompleteness(date(2026, 1, 19), 0, 0.5),
        WeekCompleteness(date(2026, 1, 26), 0, 0.0),
    )
    late = Lateness(date(2026, 1, 27), weeks)
    line = lateness_lines(told(facts, lateness=late))[0]
    assert "2026-V03 83\u00a0% och 2026-V04 50\u00a0%" in line
    assert "V05" not in line  # that week is not over
    changed = replace(facts, lateness=late, until=date(2026, 2, 28))
    assert list(changed.complete_months)[-1] is False
    assert not changed.is_period_complete
    whole = replace(facts, lateness=Lateness(date(2026, 2, 8), weeks[:1]), until=date(2026, 2, 8))
    assert whole.is_period_complete
    assert "nästan alla" in lateness_lines(Writer(whole, PLAN, "sv"))[0]
    assert "inte känt än" in lateness_lines(told(facts, lateness=None))[0]


def test_lead_times_have_intervals_and_hide_small_counts(facts: Facts) -> None:
    lead = LeadTime(60, 3, Estimate(0.4, 0.2, 1.6), Estimate(40, 31, inf))
    text = " ".join(lead_lines(told(facts, lead=lead)))
    assert "Hälften av ärendena stängdes inom 1 dygn (1–2)." in text
    assert "Nio av tio inom 40 dygn (minst 31)." in text
    assert "60 stängda och färre än 5 öppna" in text
    lead = LeadTime(62, 7, Estimate(0.4, 0.2, 1.6), Estimate(40, 31, inf))
    assert "60 stängda och 5 öppna ärenden, avrundat" in " ".join(
        lead_lines(told(facts, lead=lead))
    )


def test_no_lead_time_has_one_of_two_reasons(facts: Facts) -> None:
    open_still = LeadTime(50, 150, None, None)
    assert "för många ärenden är öppna än" in lead_lines(told(facts, lead=open_still))[0]
    assert "för få ärenden" in lead_lines(told(facts, lead=None))[0]


def test_a_bad_denominator_is_warned_of(facts: Facts) -> None:
    warning = "Många som rapporterar här bor någon annanstans."
    areas = [
        AreaFact("C", "Centrum", 40, Estimate(1, 0, 2), warning),
        AreaFact("H", "Hamnen", None, None, warning),  # nothing is shown, so nothing to warn of
        AreaFact("Å", "Åsen", 40, Estimate(1, 0, 2)),
    ]
    assert rate_warnings(told(facts, areas=areas)) == [f"{warning[:-1]}: Centrum."]
    english = Writer(replace(facts, areas=areas), PLAN, "en")
    assert rate_warnings(english)[0].startswith("Many who report here live elsewhere")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Umeå centrum", {"butik_centrum"}),
        ("Stationsområdet", {"station_resecentrum"}),
        ("Stortorget", {"torg"}),
        ("Torgny", set()),
        ("Lindängen", set()),
    ],
)
def test_names_tell_of_centres(name: str, kinds: set[str]) -> None:
    assert place_types_of(name) == kinds


def test_what_cannot_be_compared_is_said(facts: Facts) -> None:
    none = told(facts, compared_with=None, growing=[], new_words=None)
    assert "ingen tidigare period" in growing_lines(none)[0]
    assert word_lines(none) == []
    some = told(facts, compared_with=Period("2025-01"), growing=[], new_words=None, hot=[])
    assert "inte mer än" in growing_lines(some)[0] or "Inget tema" in growing_lines(some)[0]
    assert "minst 30 texter" in word_lines(some)[0]
    assert "Inget område" in hot_lines(some)[0]


def test_growth_is_told_with_its_interval(facts: Facts) -> None:
    growing = [EmergingTheme("narkotika", change(40, 11)), EmergingTheme("trafik", change(12, 0))]
    line = growing_lines(told(facts, compared_with=Period("2025-01"), growing=growing))[0]
    assert "januari 2025" in line
    assert "narkotika (+" in line
    assert "trafik (nytt)" in line


def test_incidents_are_told_beside_the_reports(facts: Facts) -> None:
    many = {"trafik": Incidents(62, 55), "narkotika": Incidents(1200, 900)}
    line = incident_lines(told(facts, incidents=many))[0]
    assert "Under 2026, i alla områden tillsammans: trafik 62 rapporter om ungefär 55" in line
    assert "narkotika 1\u00a0200 rapporter om ungefär 900 händelser." in line
    assert incident_lines(told(facts, incidents={})) == []


def test_enormous_growth_is_not_told_in_percent(facts: Facts) -> None:
    writer = told(facts)
    assert writer.change(change(40, 12)).startswith("fler (+")
    assert "till\u00a0över\u00a010\u00a0gånger)" in writer.change(change(40, 1))


def test_trend_and_season_need_years_of_shown_months(facts: Facts) -> None:
    months = month_range("2022-01", "2024-12")
    totals = [20 + n + (30 if n % 12 == 4 else 0) for n in range(36)]
    writer = told(facts, months=months, totals=totals, until=date(2024, 12, 31), lateness=None)
    trend, season = season_lines(writer)
    assert re.search(r"från 4\d till 5\d i månaden", trend)
    assert "i maj (" in season
    hidden = told(facts, months=months, totals=[None, *totals[1:]], until=date(2024, 12, 31))
    assert season_lines(hidden) == []
    short = told(facts, months=months[:12], totals=totals[:12], until=date(2024, 12, 31))
    assert season_lines(short) == []
