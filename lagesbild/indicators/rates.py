"""Counts and reports per 1,000 residents, with intervals for chance in what gets reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scipy.special import gammaincinv

from lagesbild.indicators.dispersion import POISSON, Dispersion
from lagesbild.indicators.estimate import LEVEL, Estimate

SMALLEST_POPULATION = 100
# Places where most people who report live elsewhere; also values of the code plan's place_type.
VISITED_PLACES = frozenset(
    {"station_resecentrum", "tunnelbana", "torg", "butik_centrum", "krog", "hallplats"}
)
_NAMED_FOR: Mapping[str, str] = {
    r"centrum\b|\bcity\b|\bcentral|\binnerstad": "butik_centrum",
    r"\bresecent|station": "station_resecentrum",
    r"torget?\b": "torg",
}


def place_types_of(area_name: str) -> frozenset[str]:
    """What an area's own name says about it: "Norra centrum", "Stationsområdet", "Stortorget"."""
    name = area_name.lower()
    return frozenset(kind for words, kind in _NAMED_FOR.items() if re.search(words, name))


@dataclass(frozen=True, slots=True)
class Rate:
    """Reports per 1,000 residents. `warning_sv` says why residents are a bad denominator here."""

    per_1000: Estimate | None
    warning_sv: str | None


def count_interval(count: int, spread: Dispersion = POISSON, level: float = LEVEL) -> Estimate:
    """The count with an interval for the number expected under unchanged conditions.

    Quantiles of the gamma distribution with half a report added (Jeffreys' interval for a Poisson
    mean; Brown, Cai & DasGupta, Statistica Sinica 13, 2003); overdispersed counts enter as
    count/dispersion independent reports. Chosen by measurement: the exact interval (Garwood,
    Biometrika 28, 1936) covered 97.4 % of small areas' means, this one 95-96 %. For 0 the upper
    bound is the exact one, 3.7 reports, because half a report is a poor guess there.
    """
    shrink = spread.allowed(level)
    tail = (1 - level) / 2
    if count == 0:
        return Estimate(0.0, 0.0, float(gammaincinv(1 / shrink, 1 - tail)) * shrink)
    low, high = (float(gammaincinv(count / shrink + 0.5, q)) * shrink for q in (tail, 1 - tail))
    return Estimate(float(count), min(low, count), max(high, count))


def rate(
    count: int,
    residents: int | None,
    place_types: Iterable[str] = (),
    spread: Dispersion = POISSON,
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
    return Rate(count_interval(count, spread).times(1000 / residents), warning)
