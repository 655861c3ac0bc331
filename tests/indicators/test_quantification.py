"""The bench of estimators, on an invented classifier whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest

from bench.held_out import HeldOut
from bench.quantification import ESTIMATORS, Texts, Trial, table, trials
from classifiers.labelled import Labelled
from lagesbild.themes import load_themes


def texts(n: int, share: float, hit: float, alarm: float, seed: int) -> Texts:
    rng = np.random.default_rng(seed)
    real = rng.random(n) < share
    score = np.where(real, rng.normal(1.5, 1, n), rng.normal(-1.5, 1, n))
    usual = np.log(0.1 / 0.9)  # calibrated where one text in ten has the theme
    likely = 1 / (1 + np.exp(-(usual + 3 * score)))
    found = rng.random(n) < np.where(real, hit, alarm)
    return Texts(real, found, likely)


KNOWN = texts(4000, 0.1, 0.7, 0.05, 1)
HERE = texts(400, 0.4, 0.7, 0.05, 2)


@pytest.mark.parametrize("name", [n for n in ESTIMATORS if n not in ("counted", "summed")])
def test_under_a_shift_all_but_plain_counting_hold_the_real_number(name: str) -> None:
    found = ESTIMATORS[name](HERE, KNOWN, np.random.default_rng(3))
    assert found is not None
    assert found.low <= HERE.real.sum() <= found.high
    assert abs(found.value - HERE.real.sum()) < 40


def test_plain_counting_misses_it() -> None:
    found = ESTIMATORS["counted"](HERE, KNOWN, np.random.default_rng(3))
    assert found is not None
    assert found.high < HERE.real.sum()


def test_each_trial_has_the_share_it_was_drawn_with() -> None:
    n, n_themes = 600, len(load_themes().decided)
    rng = np.random.default_rng(4)
    wanted = rng.random((n, n_themes)) < 0.3
    rows = [Labelled(str(i), f"v{i % 20}", "x", None, "sv", (), ()) for i in range(n)]
    held = HeldOut(rows, wanted, np.where(wanted, 0.9, 0.1), wanted)
    found = list(trials(held, repeats=1, seed=1, themes=load_themes().main[:2]))
    assert len(found) == 2 * 5 * len(ESTIMATORS)
    exact = [t for t in found if t.estimator in ("counted", "post-stratified")]
    assert {t.error for t in exact} == {0.0}
    (line, *_) = table(exact, lambda t: t.estimator)
    assert "n=10 of 10" in line


def test_what_gave_no_answer_is_told() -> None:
    none = Trial("x", 0, "trafik", 0.1, None, 0.0, False)
    some = Trial("x", 0, "trafik", 0.1, 2.0, 5.0, True)
    assert "n=1 of 2" in next(table([none, some], lambda t: t.estimator))
