"""How far the cues and the encoder are trusted on stance: shares that mean what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from classifiers.features import FloatArray
from classifiers.learned_stance import log_shares
from lagesbild.records import STANCES, Stance

_LEAST = -12.0  # the log share of a stance that a part has never met
_HELD = 1e-3  # keeps the share of a stance that no text has from running away


@dataclass(frozen=True, slots=True)
class StanceShares:
    """One weight for each part's log shares, and how common each stance is beside them."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    @classmethod
    def alike(cls, n_parts: int) -> StanceShares:
        """Where there is nothing to learn from."""
        return cls(np.full(n_parts, 1 / n_parts), np.zeros(len(STANCES)))

    @classmethod
    def fit(cls, parts: Sequence[FloatArray], stances: Sequence[Stance]) -> StanceShares:
        """By likelihood, from mentions that no part learnt from; each of `parts` is log shares of
        shape (mentions, stances)."""
        n = len(parts)
        truth = np.array([STANCES.index(stance) for stance in stances])
        told = np.stack([np.maximum(part, _LEAST) for part in parts])

        def loss(values: NDArray[np.float64]) -> float:
            scores = log_shares(np.tensordot(values[:n], told, 1) + values[n:])
            held = _HELD * float(values[n:] @ values[n:])
            return held - float(scores[np.arange(len(truth)), truth].mean())

        alike = cls.alike(n)
        start = np.concatenate([alike.weights, alike.bias])
        limits = [(0.0, None)] * n + [(None, None)] * len(STANCES)
        found = minimize(loss, start, method="L-BFGS-B", bounds=limits).x
        return cls(found[:n], found[n:])

    def of(self, parts: Sequence[FloatArray]) -> FloatArray:
        """Log shares of the same shape as each of the parts."""
        told = [w * np.maximum(part, _LEAST) for w, part in zip(self.weights, parts, strict=True)]
        return log_shares(np.sum(told, axis=0) + self.bias)

    def state(self) -> dict[str, Any]:
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> StanceShares:
        return cls(np.asarray(state["weights"]), np.asarray(state["bias"]))
