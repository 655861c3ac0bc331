"""How much more counts vary than Poisson's law says.

Reports come in bursts: one event, one neighbour who writes often. The spread is estimated from
the history of the same kind of counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
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


def dispersion(history: Sequence[Sequence[int]]) -> Dispersion:
    """From a table of counts, one row for each area (or theme), one column for each period.

    Pearson's chi-square over its degrees of freedom in the model "row x column": seasons common to
    all rows do not count as noise (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5 and
    6.2.3). Never below 1. Rows should be of about the same size as the counts to be tested.
    """
    table = np.asarray(history, dtype=float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError("at least two rows and two periods with reports are needed")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    chi_square = float(((table - expected) ** 2 / expected).sum())
    return Dispersion(max(1.0, chi_square / df), df)
