"""Do the 95 % intervals hold? Simulated cities whose truth is known.

    python -m bench.coverage [--cities 100] [--seed 1]

Each city has 40 areas of very different size and 37 months with a season. Three kinds of noise:
Poisson; bursts (each incident brings a geometric number of reports, variance three times the
mean); and unrest (every area's rate itself swings by a quarter from month to month). The spread
is estimated from each city's own 36 earlier months, in groups of eight areas of about the same
size, as the report does. Coverage must be 93-97 %; "changed" under no change at most 5 %.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lagesbild.indicators.change import (
    Change,
    change,
    compared_change,
    discoveries,
)
from lagesbild.indicators.corrected import Validation, corrected_count
from lagesbild.indicators.dispersion import Dispersion, dispersion
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.rates import count_interval
from lagesbild.indicators.shares import share
from lagesbild.publish.correction import two_digits

N_AREAS, N_MONTHS, GROUP = 40, 37, 4
Noise = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass
class Tally:
    """Hits among independent cities' cells; the Monte Carlo interval is over whole cities."""

    hits: list[int]
    trials: list[int]

    def add(self, outcomes: list[bool]) -> None:
        self.hits.append(sum(outcomes))
        self.trials.append(len(outcomes))

    def text(self) -> str:
        hits, trials = np.array(self.hits), np.array(self.trials)
        p = hits.sum() / trials.sum()
        error = np.sqrt(((hits - p * trials) ** 2).sum()) / trials.sum()
        return f"{100 * p:5.1f} %  (+-{196 * error:.1f}; n={trials.sum()})"


def poisson(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return rng.poisson(mean)


def bursts(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Incidents by Poisson, each with a geometric number of reports (mean 2): variance 3 means."""
    incidents = rng.poisson(mean / 2)
    return incidents + np.where(
        incidents > 0, rng.negative_binomial(np.maximum(incidents, 1), 0.5), 0
    )


def unrest(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """The rate itself varies with a coefficient of variation of 25 %."""
    return rng.poisson(mean * rng.gamma(16, 1 / 16, size=mean.shape))


NOISES: dict[str, Noise] = {"poisson": poisson, "bursts": bursts, "unrest": unrest}


def city_means(rng: np.random.Generator) -> np.ndarray:
    """Areas by size, months in columns, with a season."""
    size = np.sort(rng.lognormal(np.log(10), 0.9, N_AREAS))
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(N_MONTHS) / 12)
    return np.outer(size, season)


def spreads(history: np.ndarray) -> list[Dispersion]:
    """For each area the spread of its size group."""
    groups = [history[n : n + GROUP] for n in range(0, N_AREAS, GROUP)]
    return [dispersion(group.tolist()) for group in groups for _ in range(GROUP)]


def covers(estimate: Estimate, truth: float) -> bool:
    return bool(estimate.low <= truth <= estimate.high)


def count_and_change(noise: Noise, cities: int, seed: int) -> Iterator[tuple[str, Tally]]:
    """Counts, ratios to the same month last year, comparison areas, and false alarms."""
    names = ("count", "change x1", "change x1.5", "change x0.6", "ratio of ratios")
    tallies = {name: Tally([], []) for name in (*names, "false alarm", "any alarm of 40 (BH)")}
    rng = np.random.default_rng(seed)
    for _ in range(cities):
        means = city_means(rng)
        counts = noise(rng, means)
        spread = spreads(counts[:, :-1])
        now, before, truth = counts[:, -1], counts[:, -13], means[:, -1]
        tallies["count"].add(
            [
                covers(count_interval(int(n), s), m)
                for n, s, m in zip(now, spread, truth, strict=True)
            ]
        )
        same = [change(int(a), int(b), s) for a, b, s in zip(now, before, spread, strict=True)]
        tallies["change x1"].add([covers(c.ratio, 1.0) for c in same])
        tallies["false alarm"].add([c.verdict != "cannot_be_told" for c in same])
        tallies["any alarm of 40 (BH)"].add([any(discoveries(same))])
        for factor in (1.5, 0.6):
            moved = noise(rng, truth * factor)
            found = [
                change(int(a), int(b), s) for a, b, s in zip(moved, before, spread, strict=True)
            ]
            tallies[f"change x{factor}"].add([covers(c.ratio, factor) for c in found])
        tallies["ratio of ratios"].add(list(_compared(now, before, spread)))
    yield from tallies.items()


def _compared(now: np.ndarray, before: np.ndarray, spread: list[Dispersion]) -> Iterator[bool]:
    """Every area against its neighbour in size; the truth is 1."""
    for n in range(0, N_AREAS, 2):
        found: Change = compared_change(
            (int(now[n]), int(before[n])), (int(now[n + 1]), int(before[n + 1])), spread[n]
        )
        yield covers(found.ratio, 1.0)


def corrected(cities: int, seed: int) -> Iterator[tuple[str, Tally]]:
    """The real number among a cell's reports, with the validation sampled anew in every city."""
    rng = np.random.default_rng(seed)
    kinds = ((400, 0.85, 0.02), (1000, 0.65, 0.03), (1500, 0.75, 0.01), (1500, 0.9, 0.05))
    for n_valid, hit, alarm in kinds:
        tally = Tally([], [])
        for _ in range(cities):
            prevalence = 0.12
            real = rng.binomial(n_valid, prevalence)
            found, false = rng.binomial(real, hit), rng.binomial(n_valid - real, alarm)
            valid = Validation(
                int(found), int(false), int(real - found), int(n_valid - real - false)
            )
            tally.add(list(_corrected_cells(rng, valid, hit, alarm)))
        yield f"corrected n={n_valid} se={hit} sp={1 - alarm}", tally


def _corrected_cells(
    rng: np.random.Generator, valid: Validation, hit: float, alarm: float
) -> Iterator[bool]:
    """Ten cells whose prevalence differs from the validation's (2-35 %).

    As published: the number of texts is rounded to two digits before it is used.
    """
    for prevalence in np.linspace(0.02, 0.35, 10):
        n = int(rng.integers(40, 800))
        real = int(rng.binomial(n, prevalence))
        found = int(rng.binomial(real, hit) + rng.binomial(n - real, alarm))
        estimate = corrected_count(found, max(found, two_digits(n)), valid)
        if estimate is not None:
            yield covers(estimate, real)


def shares(cities: int, seed: int) -> Iterator[tuple[str, Tally]]:
    rng = np.random.default_rng(seed)
    tally = Tally([], [])
    for _ in range(cities):
        whole = rng.integers(10, 300, 40)
        truth = rng.uniform(0.05, 0.6, 40)
        parts = rng.binomial(whole, truth)
        found = [share(int(k), int(n)) for k, n in zip(parts, whole, strict=True)]
        tally.add([f is not None and covers(f, t) for f, t in zip(found, truth, strict=True)])
    yield "share (Wilson)", tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    for name, noise in NOISES.items():
        for what, tally in count_and_change(noise, options.cities, options.seed):
            print(f"{name:8} {what:22} {tally.text()}", flush=True)
    for what, tally in (
        *corrected(options.cities, options.seed),
        *shares(options.cities, options.seed),
    ):
        print(f"{'':8} {what:34} {tally.text()}", flush=True)
    print(f"{options.cities} cities, seed {options.seed}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
