"""The bench of coverage itself: honest intervals pass, and intervals that ignore bursts fail."""

from __future__ import annotations

import numpy as np

from bench.coverage import Tally, bursts, city_means, corrected, count_and_change, covers
from lagesbild.indicators.change import change


def rate(tally: Tally) -> float:
    return sum(tally.hits) / sum(tally.trials)


def test_intervals_hold_under_bursts() -> None:
    tallies = dict(count_and_change(bursts, cities=5, seed=4))
    for name in ("count", "change x1", "change x1.5", "change x0.6"):
        assert 0.91 <= rate(tallies[name]) <= 0.99
    assert rate(tallies["false alarm"]) <= 0.09


def test_without_the_spread_bursts_would_pass_for_changes() -> None:
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(4):
        counts = bursts(rng, city_means(rng))
        pairs = zip(counts[:, -1], counts[:, -13], strict=True)
        covered += [covers(change(int(a), int(b)).ratio, 1.0) for a, b in pairs]
    assert np.mean(covered) < 0.85


def test_corrected_counts_hold() -> None:
    for _, tally in corrected(cities=12, seed=4):
        assert 0.86 <= rate(tally) <= 0.995
