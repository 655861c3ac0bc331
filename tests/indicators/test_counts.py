"""Shares, rates, corrected counts and lead times against known figures and other software."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from lagesbild.indicators.corrected import (
    Validation,
    corrected_count,
    corrected_counts,
    post_stratified_count,
)
from lagesbild.indicators.dispersion import Dispersion
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.leadtime import lead_time
from lagesbild.indicators.rates import count_interval, rate
from lagesbild.indicators.shares import share
from tests.indicators.slow_correction import slowly_corrected


def test_twelve_of_twenty_five() -> None:
    found = share(12, 25)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.30, 0.67), abs=0.005)
    assert share(0, 0) is None


@given(st.integers(1, 500), st.data())
def test_shares_agree_with_statsmodels(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    found = share(part, whole)
    assert found is not None
    expected = proportion_confint(part, whole, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_nothing_reported_has_the_exact_upper_bound() -> None:
    assert count_interval(0).high == pytest.approx(3.69, abs=0.01)


def test_twelve_reports_among_seventeen_hundred() -> None:
    found = rate(12, 1700).per_1000
    assert found is not None
    assert found.value == pytest.approx(7.06, abs=0.01)
    assert (found.low, found.high) == pytest.approx((3.9, 12.0), abs=0.15)


def test_bursts_widen_the_interval() -> None:
    assert count_interval(20, Dispersion(3.0)).high > count_interval(20).high


def test_residents_are_a_bad_denominator_at_a_station() -> None:
    assert rate(12, 1700).warning_sv is None
    assert "bor någon annanstans" in str(rate(12, 1700, {"station_resecentrum"}).warning_sv)
    assert rate(12, 60).per_1000 is None
    assert rate(12, None).warning_sv


def test_a_perfect_classifier_needs_no_correction() -> None:
    found = corrected_count(40, 200, Validation(5_000, 0, 0, 50_000))
    assert found is not None
    assert found.value == pytest.approx(40, abs=0.2)
    assert found.high - found.low <= 2


def test_missed_reports_are_added_and_false_ones_taken_away() -> None:
    missing = corrected_count(80, 1000, Validation(800, 0, 200, 9_000))
    false = corrected_count(80, 1000, Validation(1_000, 450, 0, 8_550))
    assert missing is not None
    assert false is not None
    assert missing.value == pytest.approx(100, abs=1)
    assert false.value == pytest.approx(31.6, abs=1)
    assert missing.low < 100 < missing.high


def test_a_classifier_by_chance_corrects_nothing() -> None:
    assert corrected_count(50, 100, Validation(10, 10, 10, 10)) is None


@pytest.mark.parametrize(
    "validation",
    [
        Validation.of(0.85, 48, 0.98, 352),
        Validation.of(0.65, 120, 0.97, 880),
        Validation.of(0.9, 180, 0.95, 1320),
        Validation(20, 0, 0, 100),
        Validation(5_000, 0, 0, 50_000),
    ],
)
def test_the_quick_intervals_are_those_of_slow_drawing(validation: Validation) -> None:
    """To within a tenth of their length, or a report or two where they are short."""
    cells = [(n * part // 100, n) for n in (30, 90, 800, 5_000) for part in (0, 2, 10, 40, 99)]
    for (n_found, n_reports), quick in zip(cells, corrected_counts(cells, validation), strict=True):
        slow = slowly_corrected(n_found, n_reports, validation)
        assert slow is not None
        assert quick is not None
        assert quick.value == pytest.approx(slow.value)
        near = max(1.5, 0.1 * (slow.high - slow.low))
        assert abs(quick.low - slow.low) <= near
        assert abs(quick.high - slow.high) <= near


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(400, 900)), max_size=140),
    st.integers(0, 139),
)
def test_many_at_once_are_as_one_by_one(cells: list[tuple[int, int]], place: int) -> None:
    validation = Validation(90, 20, 10, 880)
    together = corrected_counts(cells, validation)
    assert len(together) == len(cells)
    for number in range(place, len(cells), 60):
        assert together[number] == corrected_count(*cells[number], validation)


def test_more_found_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="more was found"):
        corrected_counts([(3, 5), (6, 5)], Validation(90, 20, 10, 880))
    assert corrected_count(0, 0, Validation(90, 20, 10, 880)) == Estimate(0.0, 0.0, 0.0)


def test_all_read_leaves_no_doubt() -> None:
    found = post_stratified_count(30, 100, Validation(25, 5, 10, 60))
    assert found is not None
    assert (found.value, found.low, found.high) == (35, 35, 35)


def test_a_read_sample_is_counted_up_apart_for_found_and_not_found() -> None:
    found = post_stratified_count(200, 1000, Validation(18, 2, 4, 76))
    assert found is not None
    assert found.value == pytest.approx(200 * 0.9 + 800 * 0.05)
    assert found.low < found.value < found.high


def test_a_sample_that_saw_none_of_the_found_says_nothing() -> None:
    assert post_stratified_count(5, 100, Validation(0, 0, 2, 18)) is None
    with pytest.raises(ValueError, match="more was read"):
        post_stratified_count(5, 100, Validation(6, 0, 2, 18))


def test_a_validation_from_sensitivity_and_specificity() -> None:
    assert Validation.of(0.9, 100, 0.98, 500) == Validation(90, 10, 10, 490)


def test_lead_times_agree_with_statsmodels() -> None:
    rng = random.Random(2)  # noqa: S311 - invented reports
    days = [float(rng.randint(1, 60)) for _ in range(200)]
    closed = [rng.random() < 0.7 for _ in days]
    found, other = lead_time(days, closed), SurvfuncRight(days, closed)
    assert found.median_days is not None
    assert found.median_days.value == other.quantile(0.5)
    low, high = other.quantile_ci(0.5, method="cloglog")
    assert (found.median_days.low, found.median_days.high) == (low, high)
    assert (found.n_closed, found.n_open) == (sum(closed), 200 - sum(closed))


def test_open_reports_make_lead_times_longer_not_vanish() -> None:
    closed_only = lead_time([1, 2, 3], [True] * 3)
    with_open = lead_time([1, 2, 3, 90, 90, 90, 90], [True] * 3 + [False] * 4)
    assert closed_only.median_days is not None
    assert closed_only.median_days.value == 2
    assert with_open.median_days is None
