"""When a theme is decided: how likely it must be, and how likely any theme at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classifiers.evaluation import macro_f1
from classifiers.limits import Limits, any_theme, best_threshold
from lagesbild.themes import load_themes

N_MAIN = len(load_themes().main)
N = len(load_themes().decided)
LIKELY = arrays(float, (5, N), elements=st.floats(0, 1))


def test_no_main_theme_where_it_is_too_unlikely_that_there_is_any() -> None:
    likely = np.zeros((2, N))
    likely[0, 3], likely[1, 3], likely[:, N_MAIN] = 0.5, 0.7, 0.4
    decided = Limits(np.full(N, 0.35), least_any=0.6).decided(likely)
    assert np.flatnonzero(decided[0]).tolist() == [N_MAIN]  # upkeep is no main theme
    assert np.flatnonzero(decided[1]).tolist() == [3, N_MAIN]


@given(LIKELY, st.floats(0, 1))
def test_the_second_limit_only_takes_away_and_takes_all_of_a_text(
    likely: np.ndarray, least: float
) -> None:
    thresholds = np.full(N, 0.4)
    before = Limits(thresholds).decided(likely)[:, :N_MAIN]
    after = Limits(thresholds, least).decided(likely)[:, :N_MAIN]
    kept = any_theme(likely[:, :N_MAIN]) >= least
    assert (after == before & kept[:, np.newaxis]).all()


def made_up(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities, most of them low, and a truth drawn by them."""
    chance = np.random.default_rng(4)
    likely = chance.beta(0.12, 1.6, size=(n, N))
    return likely, chance.uniform(size=likely.shape) < likely


def test_fewer_texts_without_a_theme_get_one_and_the_price_is_bounded() -> None:
    likely, wanted = made_up(20_000)
    limits = Limits.fit(likely, wanted)
    plain = Limits(limits.thresholds)
    truth = wanted[:, :N_MAIN]
    residual = ~truth.any(axis=1)
    with_it, without = (x.decided(likely)[:, :N_MAIN] for x in (limits, plain))
    assert limits.least_any > 0
    assert with_it[residual].any(axis=1).mean() < without[residual].any(axis=1).mean()
    before, after = macro_f1(truth, without), macro_f1(truth, with_it)
    assert before is not None
    assert after is not None
    assert after >= before - 0.01


def test_nothing_to_learn_from_sets_no_second_limit() -> None:
    nobody = Limits.fit(np.full((3, N), 0.2), np.zeros((3, N), dtype=bool))
    assert nobody.least_any == 0
    assert nobody.thresholds.tolist() == [0.5] * N
    assert best_threshold(np.zeros(0), np.zeros(0, dtype=bool)) == 0.5


@pytest.mark.parametrize("least", [0.0, 0.65])
def test_saved_and_read_again(least: float) -> None:
    limits = Limits(np.full(N, 0.4), least)
    again = Limits.from_state(limits.state())
    assert (again.thresholds.tolist(), again.least_any) == ([0.4] * N, least)
    assert Limits.from_state({"thresholds": limits.thresholds}).least_any == 0.0
