"""How many reports really are about a theme, given that the classifier errs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from lagesbild.indicators.estimate import LEVEL, Estimate

_DRAWS = 4_000
_SEED = 20_240_229  # any fixed number: the same counts give the same interval


@dataclass(frozen=True, slots=True)
class Validation:
    """How the classifier did on one theme, on texts it was not trained on and people decided.

    `true_positive`: has the theme and was given it, and so on. From a sensitivity and n texts with
    the theme, and a specificity and m without: `Validation.of(sensitivity, n, specificity, m)`.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @classmethod
    def of(cls, sensitivity: float, n: int, specificity: float, m: int) -> Validation:
        found, right = round(sensitivity * n), round(specificity * m)
        return cls(found, m - right, n - found, right)


def corrected_count(n_found: int, n_reports: int, validation: Validation) -> Estimate | None:
    """How many of `n_reports` have the theme when the classifier found it in `n_found`.

    Rogan & Gladen's estimate (American Journal of Epidemiology 107, 1978, 71-76): it needs the
    classifier to err as often here as in the validation, but not that the theme is as common. The
    interval is for the real number among these very reports: draws of sensitivity, specificity and
    the rate of finding (beta distributions, half a text added), then of how many of the found and
    of the rest have the theme. None where the classifier is no better than chance.
    """
    if not 0 <= n_found <= n_reports:
        raise ValueError(f"{n_found} of {n_reports} is no share")
    if n_reports == 0:
        return Estimate(0.0, 0.0, 0.0)
    v, rng = validation, np.random.default_rng(_SEED)
    hit = rng.beta(v.true_positive + 0.5, v.false_negative + 0.5, _DRAWS)
    alarm = rng.beta(v.false_positive + 0.5, v.true_negative + 0.5, _DRAWS)
    if np.quantile(hit - alarm, (1 - LEVEL) / 2) <= 0:
        return None
    rate = rng.beta(n_found + 0.5, n_reports - n_found + 0.5, _DRAWS)
    share = np.clip((rate - alarm) / (hit - alarm), 0.0, 1.0)
    found_right = share * hit / (share * hit + (1 - share) * alarm)
    missed = share * (1 - hit) / (share * (1 - hit) + (1 - share) * (1 - alarm))
    real = rng.binomial(n_found, found_right) + rng.binomial(n_reports - n_found, missed)
    low, high = np.quantile(real, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = n_reports * _point(n_found / n_reports, v)
    return Estimate(value, float(min(floor(low), value)), float(max(ceil(high), value)))


def post_stratified_count(n_found: int, n_reports: int, read: Validation) -> Estimate | None:
    """How many of `n_reports` have the theme, when people read a random sample of these very ones.

    Unlike `corrected_count` it needs nothing of the classifier: were it to err otherwise here than
    anywhere before, the sample would tell. Texts found and not found are counted apart (W. G.
    Cochran, Sampling Techniques, 1977, 5A.9); each rest not read is drawn from a beta-binomial
    distribution, half a text added. None where nothing was read among the found or the others.
    """
    strata = (
        (n_found, read.true_positive, read.false_positive),
        (n_reports - n_found, read.false_negative, read.true_negative),
    )
    if any(real + other > n for n, real, other in strata):
        raise ValueError("more was read than there is")
    if any(n > 0 == real + other for n, real, other in strata):
        return None
    rng, value, drawn = np.random.default_rng(_SEED), 0.0, np.zeros(_DRAWS)
    for n, real, other in strata:
        rest = n - real - other
        if n:
            value += n * real / (real + other)
            drawn += real + rng.binomial(rest, rng.beta(real + 0.5, other + 0.5, _DRAWS))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(min(floor(low), value)), float(max(ceil(high), value)))


def _point(rate: float, v: Validation) -> float:
    hit = (v.true_positive + 0.5) / (v.true_positive + v.false_negative + 1)
    alarm = (v.false_positive + 0.5) / (v.false_positive + v.true_negative + 1)
    return min(1.0, max(0.0, (rate - alarm) / (hit - alarm)))
