"""How much more counts vary than Poisson's law says.

Reports come in bursts: one event, one neighbour who writes often. The spread is estimated from
the history of the same kind of counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from lagesbild.indicators.estimate import LEVEL


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Variance over mean of counts under unchanged conditions; `df`: how much it rests on."""

    factor: float = 1.0
    df: float = inf

    def allowed(self, level: float = LEVEL) -> float:
        """The factor, enlarged for being an estimate itself: Student's t for the normal."""
        if self.df == inf:
            return self.factor
        tail = (1 + level) / 2
        return self.factor * float((student.ppf(tail, self.df) / norm.ppf(tail)) ** 2)


POISSON = Dispersion()
# Where too little is shown to estimate it: what bench/coverage.py takes for reports in bursts.
# Poisson's law would call chance a change.
ASSUMED = Dispersion(3.0)
_ROUNDS = 200  # more than enough: a whole table takes one


def dispersion(history: Sequence[Sequence[int | None]]) -> Dispersion:
    """From a table of counts, one row for each area (or theme), one column for each period.

    Pearson's chi-square over its degrees of freedom in the model "row x column": seasons common to
    all rows do not count as noise (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5 and
    6.2.3). Counts that are not told, None, are left out and the others fitted as an incomplete
    table (quasi-independence: Bishop, Fienberg & Holland, Discrete Multivariate Analysis, 1975,
    ch. 5). Never below 1. Rows should be of about the same size as the counts to be tested.
    Raises ValueError where too little is told.
    """
    table = np.array([[np.nan if n is None else n for n in row] for row in history], dtype=float)
    if table.ndim == 2:
        table = table[np.nansum(table, axis=1) > 0][:, np.nansum(table, axis=0) > 0]
    told = ~np.isnan(table)
    df = int(told.sum()) - sum(table.shape) + 1
    if table.ndim != 2 or min(table.shape) < 2 or df < 1:
        raise ValueError("at least two rows and two periods with reports are needed")
    counts = np.where(told, table, 0.0)
    expected = _fitted(counts, told)[told]
    chi_square = float(((counts[told] - expected) ** 2 / expected).sum())
    return Dispersion(max(1.0, chi_square / df), df)


def _fitted(counts: NDArray[np.float64], told: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Row times column, where told, with the counts' sums of rows and columns."""
    fitted = told.astype(float)
    for _ in range(_ROUNDS):
        for axis in (0, 1):
            fitted *= counts.sum(axis, keepdims=True) / fitted.sum(axis, keepdims=True)
    return fitted
