"""Counts and reports per 1,000 residents, with intervals for chance in what gets reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import gamma

from lagesbild.indicators.estimate import LEVEL, Estimate

SMALLEST_POPULATION = 100
# Places where most people who report live elsewhere; also values of the code plan's place_type.
VISITED_PLACES = frozenset(
    {"station_resecentrum", "tunnelbana", "torg", "butik_centrum", "krog", "hallplats"}
)


@dataclass(frozen=True, slots=True)
class Rate:
    """Reports per 1,000 residents. `warning_sv` says why residents are a bad denominator here."""

    per_1000: Estimate | None
    warning_sv: str | None


def count_interval(count: int, dispersion: float = 1.0, level: float = LEVEL) -> Estimate:
    """The count with an interval for the number expected under unchanged conditions.

    Exact Poisson interval by quantiles of the gamma distribution: F. Garwood, Fiducial limits for
    the Poisson distribution, Biometrika 28 (1936) 437-442. With `dispersion` (variance over mean,
    see change.dispersion) the interval is that of count/dispersion independent reports. Nothing
    reported has the upper bound 3.7.
    """
    tail = (1 - level) / 2
    effective = count / dispersion
    low = 0.0 if count == 0 else float(gamma.ppf(tail, effective)) * dispersion
    high = float(gamma.ppf(1 - tail, effective + 1)) * dispersion
    return Estimate(float(count), low, high)


def rate(
    count: int,
    residents: int | None,
    place_types: Iterable[str] = (),
    dispersion: float = 1.0,
) -> Rate:
    """Reports per 1,000 residents with `count_interval`; None where residents are too few.

    `place_types`: what kinds of place dominate the area. At stations and in centres most people
    live elsewhere; show the count or the share of reports there.
    """
    if residents is None or residents < SMALLEST_POPULATION:
        return Rate(None, "För få boende för att räkna per invånare; visa antalet.")
    visited = VISITED_PLACES.intersection(place_types)
    warning = (
        "Många som rapporterar här bor någon annanstans; antal per invånare blir missvisande."
        if visited
        else None
    )
    return Rate(count_interval(count, dispersion).times(1000 / residents), warning)
