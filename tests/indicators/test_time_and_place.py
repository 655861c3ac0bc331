"""Seasons, late arrivals, new words and hot spots."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from lagesbild.indicators.completeness import arrived_after, completeness
from lagesbild.indicators.emerging import emerging_terms, emerging_themes
from lagesbild.indicators.hotspots import Cell, grid_code, hot_spots, persistence
from lagesbild.indicators.seasonality import decompose, month_index, weekday_hour

MONDAY = date(2025, 3, 3)


def test_stl_needs_three_years_and_sums_to_the_counts() -> None:
    months = [round(40 + n / 2 + 10 * np.sin(2 * np.pi * n / 12)) for n in range(36)]
    assert decompose(months[:35]) is None
    found = decompose(months)
    assert found is not None
    together = zip(found.trend, found.season, found.rest, strict=True)
    assert [sum(parts) for parts in together] == pytest.approx(months)
    assert found.trend[-1] > found.trend[0] + 10


def test_growth_is_no_season() -> None:
    monthly = {
        f"{y}-{m:02d}": (y - 2022) * (20 if m == 6 else 10)
        for y in (2023, 2024)
        for m in range(1, 13)
    }
    index = month_index(monthly)
    assert index[6] == pytest.approx(100 * 20 / (130 / 12))
    assert index[1] == pytest.approx(100 * 10 / (130 / 12))
    assert month_index({m: n for m, n in monthly.items() if m < "2024-12"}) == {}


def test_hours_are_swedish_hours() -> None:
    matrix = weekday_hour([datetime(2025, 6, 30, 22, 30, tzinfo=UTC)])  # Tuesday 00.30 in summer
    assert matrix[1][0] == 1
    with pytest.raises(ValueError, match="time zone"):
        weekday_hour([datetime(2025, 6, 30, 22, 30)])  # noqa: DTZ001


def late_reports(n_weeks: int) -> list[tuple[date, date]]:
    """Ten a week: six in the same week, three a week later, one three weeks later."""
    delays = [0] * 6 + [7] * 3 + [21]
    weeks = [MONDAY + timedelta(weeks=n) for n in range(n_weeks)]
    return [(monday, monday + timedelta(days=d)) for monday in weeks for d in delays]


def test_late_arrivals_are_learned_from_weeks_that_are_not_over() -> None:
    until = MONDAY + timedelta(weeks=10, days=-1)
    shares = arrived_after(late_reports(10), MONDAY, until, n_weeks=5)
    assert shares == pytest.approx([0.6, 0.9, 0.9, 1.0, 1.0, 1.0])
    weekly = [(MONDAY + timedelta(weeks=n), 10) for n in (5, 8, 9)]
    found = completeness(weekly, shares, until)
    assert [week.share for week in found] == pytest.approx([1.0, 0.9, 0.6])
    assert [week.is_complete for week in found] == [True, False, False]


def test_what_came_before_regular_pulls_says_nothing_about_delay() -> None:
    backlog = [(MONDAY - timedelta(weeks=20), MONDAY)] * 500
    until = MONDAY + timedelta(weeks=10, days=-1)
    shares = arrived_after(backlog + late_reports(10), MONDAY, until, n_weeks=5)
    assert shares[0] == pytest.approx(0.6)


def test_a_new_word_is_found_and_a_rare_one_never_named() -> None:
    before = {"torget": 200, "lampa": 150, "lustgas": 1, "alberts": 0}
    now = {"torget": 50, "lampa": 40, "lustgas": 30, "alberts": 4}
    assert [t.term for t in emerging_terms(now, before, 300, 1200)] == ["lustgas"]
    assert emerging_terms({}, {}, 1, 1) == []


def test_a_growing_theme_is_found_among_many() -> None:
    before = {f"t{n}": 40 for n in range(20)}
    now = {**before, "t3": 95, "t4": 47, "t5": 3}
    assert [found.theme for found in emerging_themes(now, before)] == ["t3"]


def city(hot: int) -> list[Cell]:
    """Eight by eight squares of 500 m, 5 reports each but one corner of 2 x 2."""
    return [
        Cell(f"{i}.{j}", 500 * i, 500 * j, hot if i < 2 and j < 2 else 5, 100.0)
        for i in range(8)
        for j in range(8)
    ]


def test_a_hot_corner_is_found_and_an_even_city_has_none() -> None:
    found = hot_spots(city(20))
    assert set(found[0].codes) == {"0.0", "0.1", "1.0", "1.1"}
    assert (found[0].count, found[0].p_value) == (80, 0.001)
    assert hot_spots(city(5)) == []


def test_where_more_people_live_more_is_expected() -> None:
    cells = [Cell(c.code, c.east_m, c.north_m, c.count, 20.0 * c.count) for c in city(20)]
    assert hot_spots(cells) == []


def test_few_reports_are_never_a_hot_spot() -> None:
    lonely = [Cell(c.code, c.east_m, c.north_m, 0, 1.0) for c in city(0)]
    lonely[0] = Cell("0.0", 0, 0, 4, 1.0)
    assert hot_spots(lonely) == []


def test_squares_are_at_least_250_metres() -> None:
    assert grid_code(674_130, 6_580_990) == "674000_6580750_250"
    with pytest.raises(ValueError, match="250"):
        grid_code(0, 0, 100)


def test_persistence_counts_periods_among_the_top() -> None:
    periods = [{"a": 30, "b": 20, "c": 4}, {"a": 9, "b": 3, "c": 2}, {"b": 12, "a": 12}]
    assert persistence(periods, top=1) == {"a": 3, "b": 1}
