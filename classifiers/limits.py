"""Where probability becomes decision: how likely a theme must be, and any theme at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation import macro_f1
from classifiers.features import FloatArray
from lagesbild.themes import load_themes

# What is aimed at: at most this share of the texts without a theme are given one ...
_MOST_FALSE = 0.05
# ... but no more than this of macro-F1 is paid for it.
_MOST_PAID = 0.01
_STEPS = np.arange(0.3, 0.955, 0.01)


@dataclass(frozen=True, slots=True)
class Limits:
    """`thresholds`: the least probability of each theme. `least_any`: how likely it must be that a
    text has any main theme at all, before it is given one."""

    thresholds: FloatArray
    least_any: float = 0.0

    @classmethod
    def fit(cls, likely: FloatArray, wanted: NDArray[np.bool_]) -> Limits:
        """From calibrated probabilities and the truth, both of shape (texts, themes)."""
        thresholds = [best_threshold(p, w) for p, w in zip(likely.T, wanted.T, strict=True)]
        return cls(np.array(thresholds), _least_any(likely, wanted, np.array(thresholds)))

    def decided(self, likely: FloatArray) -> NDArray[np.bool_]:
        """Which themes are decided, of shape (texts, themes)."""
        above: NDArray[np.bool_] = likely >= self.thresholds
        n_main = len(load_themes().main)
        above[:, :n_main] &= (any_theme(likely[:, :n_main]) >= self.least_any)[:, np.newaxis]
        return above

    def state(self) -> dict[str, Any]:
        return {"thresholds": self.thresholds, "least_any": self.least_any}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Limits:
        # models saved before it was asked whether there is any theme at all do not have it
        return cls(state["thresholds"], float(state.get("least_any", 0.0)))


def any_theme(likely: FloatArray) -> FloatArray:
    """How likely it is that a text has any of the themes, as if they came independently."""
    some: FloatArray = 1.0 - np.prod(1.0 - likely, axis=1)
    return some


def best_threshold(probabilities: FloatArray, wanted: NDArray[np.bool_]) -> float:
    """Half the best F1: where calibrated probabilities give the best F1, and steadier than the
    threshold that happened to win on these texts."""
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(wanted[order])
    if not hits.size or hits[-1] == 0:
        return 0.5
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + hits[-1])
    return float(np.clip(f1.max() / 2, 0.1, 0.6))


def _least_any(likely: FloatArray, wanted: NDArray[np.bool_], thresholds: FloatArray) -> float:
    """The first step where few enough texts without a theme get one, or the last that is paid."""
    n_main = len(load_themes().main)
    truth = wanted[:, :n_main]
    residual = ~truth.any(axis=1)
    start = macro_f1(truth, Limits(thresholds).decided(likely)[:, :n_main])
    if start is None or not residual.any():
        return 0.0
    reached = 0.0
    for step in _STEPS:
        given = Limits(thresholds, float(step)).decided(likely)[:, :n_main]
        if (macro_f1(truth, given) or 0.0) < start - _MOST_PAID:
            break
        reached = float(step)
        if given[residual].any(axis=1).mean() <= _MOST_FALSE:
            break
    return round(reached, 2)
