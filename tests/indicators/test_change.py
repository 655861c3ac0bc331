"""Changes told from chance, against known figures and slow obvious definitions."""

from __future__ import annotations

from math import inf, isnan

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.indicators.change import (
    change,
    compared_change,
    detectable,
    discoveries,
)
from lagesbild.indicators.dispersion import Dispersion, dispersion


def test_a_comparison_area_known_from_the_literature() -> None:
    found = compared_change((42, 64), (55, 58))
    assert (found.ratio.value, found.ratio.low, found.ratio.high) == pytest.approx(
        (0.69, 0.40, 1.18), abs=0.01
    )
    assert found.verdict == "cannot_be_told"


def test_thirty_reports_tell_only_large_changes() -> None:
    found = detectable(30)
    assert found.at_most is not None
    assert 13 <= found.at_most <= 18  # about -45 %
    assert 46 <= found.at_least <= 50  # about +60 %
    assert change(found.at_least, 30).verdict == "more"
    assert change(found.at_least - 1, 30).verdict == "cannot_be_told"


def test_one_report_before_can_never_become_fewer() -> None:
    assert detectable(1).at_most is None


def test_nothing_at_all_cannot_be_told() -> None:
    found = change(0, 0)
    assert isnan(found.ratio.value)
    assert found.verdict == "cannot_be_told"


def test_something_after_nothing_has_no_upper_bound() -> None:
    found = change(12, 0)
    assert found.ratio.high == inf
    assert found.verdict == "more"


def test_bursts_take_more_to_tell() -> None:
    assert change(60, 36).verdict == "more"
    assert change(60, 36, Dispersion(3.0)).verdict == "cannot_be_told"
    assert change(60, 36, Dispersion(1.5, df=3)).p_value > change(60, 36, Dispersion(1.5)).p_value


def test_longer_periods_are_set_off() -> None:
    found = change(62, 56, exposure=(31.0, 28.0))
    assert found.ratio.value == pytest.approx(1.0)


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_answer_agrees_with_the_p_value_and_turns_round(now: int, before: int) -> None:
    found, turned = change(now, before), change(before, now)
    assert found.p_value == pytest.approx(turned.p_value)
    assert {found.verdict, turned.verdict} in ({"more", "fewer"}, {"cannot_be_told"})
    if now and before:
        assert (found.p_value < 0.05) == (found.verdict != "cannot_be_told")


def test_discoveries_follow_the_definition_of_benjamini_and_hochberg() -> None:
    changes = [change(n, 30) for n in (30, 33, 52, 55, 60, 12, 31, 45)]
    ordered = sorted(c.p_value for c in changes)
    limit = max(
        (p for rank, p in enumerate(ordered, 1) if p <= 0.05 * rank / len(ordered)), default=-1.0
    )
    assert discoveries(changes) == [c.p_value <= limit for c in changes]
    assert any(discoveries(changes))
    assert discoveries([]) == []


def test_spread_finds_bursts_but_not_seasons() -> None:
    rng = np.random.default_rng(3)
    means = np.outer([8, 10, 12, 9, 11], 1 + 0.5 * np.sin(np.arange(60)))
    calm = dispersion(rng.poisson(means).tolist())
    bursts = dispersion((3 * rng.poisson(means / 3)).tolist())
    assert calm.factor < 1.2
    assert bursts.factor == pytest.approx(3.0, rel=0.25)
    assert calm.df == 4 * 59


def test_spread_needs_a_history() -> None:
    with pytest.raises(ValueError, match="two rows"):
        dispersion([[1, 2, 3]])
    with pytest.raises(ValueError, match="two rows"):
        dispersion([[8, None], [None, 9]])


def test_spread_of_what_is_told_agrees_with_a_poisson_regression() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(np.outer([8, 20, 12, 30], [1, 2, 1.5, 1, 0.8, 1.2]))
    told = rng.random(counts.shape) < 0.7
    rows, columns = np.nonzero(told)
    design = np.c_[np.eye(4)[rows], np.eye(6)[columns][:, 1:]]
    fitted = sm.GLM(counts[told], design, family=sm.families.Poisson()).fit()
    found = dispersion(
        [
            [int(n) if shown else None for n, shown in zip(*row, strict=True)]
            for row in zip(counts, told, strict=True)
        ]
    )
    assert found.df == fitted.df_resid
    assert found.factor == pytest.approx(max(1.0, fitted.pearson_chi2 / fitted.df_resid), rel=1e-4)
