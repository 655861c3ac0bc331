"""How far a second coder, who had not seen the first codes, agrees with the labelled texts.

    python -m bench.agreement

Prints, per theme, how often each coder gave it, Cohen's kappa with a 95 % bootstrap interval and
F1; then macro-F1 over the themes (the ceiling for any classifier on texts like these) and agreement
on stance where both gave the theme.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from classifiers.labelled import load_labelled, read_second_coding
from lagesbild.themes import load_themes

RESAMPLES = 2000
BoolArray = NDArray[np.bool_]


def kappa(first: BoolArray, second: BoolArray) -> float:
    """Cohen's kappa of two yes/no codings; NaN where neither ever says yes or no."""
    observed = float((first == second).mean())
    p, q = float(first.mean()), float(second.mean())
    expected = p * q + (1 - p) * (1 - q)
    return (observed - expected) / (1 - expected) if expected < 1 else float("nan")


def interval(first: BoolArray, second: BoolArray) -> tuple[float, float]:
    """Percentile bootstrap over texts, fixed seed."""
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(first), (RESAMPLES, len(first)))
    values = [kappa(first[rows], second[rows]) for rows in drawn]
    return float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975))


def f1(first: BoolArray, second: BoolArray) -> float:
    both, either = int((first & second).sum()), int(first.sum() + second.sum())
    return 2 * both / either if either else float("nan")


def main() -> int:
    second = read_second_coding()
    rows = [row for row in load_labelled() if row.labelled_id in second]
    codes = [*load_themes().main, "drift_underhall", "ovrigt", "oklart"]
    print(f"{len(rows)} texts coded twice")
    scores = []
    for code in codes:
        ours = np.array([any(m.theme == code for m in row.mentions) for row in rows])
        theirs = np.array([any(m.theme == code for m in second[row.labelled_id]) for row in rows])
        low, high = interval(ours, theirs)
        told = f"kappa {kappa(ours, theirs):.2f} ({low:.2f}–{high:.2f})"
        print(f"{code:20} {ours.sum():3} {theirs.sum():3}  {told}  F1 {f1(ours, theirs):.2f}")
        if code in load_themes().main:
            scores.append(f1(ours, theirs))
    print(f"macro-F1 over the {len(scores)} themes {np.mean(scores):.3f}")
    stances = [
        mine.stances == yours.stances
        for row in rows
        for mine in row.mentions
        for yours in second[row.labelled_id]
        if mine.theme == yours.theme
    ]
    print(f"same stance {np.mean(stances):.3f} of {len(stances)} themes that both gave")
    return 0


if __name__ == "__main__":
    sys.exit(main())
