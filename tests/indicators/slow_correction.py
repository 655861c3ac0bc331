"""Corrected counts one at a time and by lot: slow, obvious, and independent of the quick way."""

from __future__ import annotations

from math import ceil, floor

import numpy as np

from lagesbild.indicators.corrected import Validation
from lagesbild.indicators.estimate import Estimate

DRAWS = 4_000


def slowly_corrected(n_found: int, n_reports: int, v: Validation, seed: int = 1) -> Estimate | None:
    """Rogan & Gladen's estimate, its interval from draws of everything that is not known."""
    rng = np.random.default_rng(seed)
    hit = rng.beta(v.true_positive + 0.5, v.false_negative + 0.5, DRAWS)
    alarm = rng.beta(v.false_positive + 0.5, v.true_negative + 0.5, DRAWS)
    if np.quantile(hit - alarm, 0.025) <= 0:
        return None
    rate = rng.beta(n_found + 0.5, n_reports - n_found + 0.5, DRAWS)
    share = np.clip((rate - alarm) / (hit - alarm), 0.0, 1.0)
    right = share * hit / (share * hit + (1 - share) * alarm)
    missed = share * (1 - hit) / (share * (1 - hit) + (1 - share) * (1 - alarm))
    real = rng.binomial(n_found, right) + rng.binomial(n_reports - n_found, missed)
    low, high = np.quantile(real, [0.025, 0.975])
    sensitivity = (v.true_positive + 0.5) / (v.true_positive + v.false_negative + 1)
    false = (v.false_positive + 0.5) / (v.false_positive + v.true_negative + 1)
    point = (n_found / n_reports - false) / (sensitivity - false)
    value = n_reports * min(1.0, max(0.0, point))
    return Estimate(value, float(min(floor(low), value)), float(max(ceil(high), value)))
