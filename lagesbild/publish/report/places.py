"""Areas side by side: counts, rates, and where reports gather more than they should by chance.

Hot spots are looked for among counts that are shown: they tell nothing about those that are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians

from shapely.geometry.base import BaseGeometry

from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.hotspots import Cell, hot_spots, persistence
from lagesbild.indicators.rates import place_types_of, rate
from lagesbild.places import Places
from lagesbild.publish.families import Published
from lagesbild.publish.geojson import boundaries
from lagesbild.publish.periods import Period
from lagesbild.publish.report.source import Place
from lagesbild.settings import Settings

_METRES_PER_DEGREE = 111_320
_MOST_PERIODS = 4
_TOP = 3
_CHANCE = 0.05  # over all themes together (Bonferroni)


@dataclass(frozen=True, slots=True)
class AreaFact:
    """`warning_sv`: why residents are a bad denominator here."""

    code: str
    name: str
    count: int | None
    per_1000: Estimate | None
    warning_sv: str | None = None


@dataclass(frozen=True, slots=True)
class HotFact:
    """Neighbouring areas with more reports of a theme than their reports of all themes explain.

    `n_periods` of `of_periods`: how often one of them was among those with most reports of it.
    """

    theme: str
    areas: Sequence[str]
    count: int
    expected: float
    p_value: float
    n_periods: int
    of_periods: int


def drawn_type(settings: Settings, place: Place) -> str | None:
    """The type of area on the map: the report's own, or the first with boundaries."""
    finer = [c.area_type for c in settings.areas if c.area_type not in ("kommun", "lan")]
    return place.area_type if place.area_type in finer else next(iter(finer), None)


def area_facts(
    settings: Settings, area_type: str, counts: Published, period: Period
) -> list[AreaFact]:
    """Every area of the type, with the safety reports of the period."""
    places = Places(settings.areas, settings.base_dir)
    facts = []
    for area in places.areas(area_type):
        count = counts.shown(area=f"{area_type}:{area.area_code}", period=period.code)
        residents = places.population(area_type, area.area_code)
        found = rate(count or 0, residents, place_types_of(area.area_name))
        facts.append(
            AreaFact(
                area.area_code,
                area.area_name,
                count,
                None if count is None else found.per_1000,
                None if residents is None else found.warning_sv,
            )
        )
    return facts


def hot_facts(
    settings: Settings,
    area_type: str,
    counts: Published,
    periods: Sequence[Period],
    themes: Sequence[str],
) -> list[HotFact]:
    """Hot spots of each theme in the first of `periods`; the others tell whether they persist.

    The reports of all themes are the yardstick: an area that reports much of everything is not a
    hot spot of narcotics.
    """
    middles = _middles(boundaries(settings, area_type))
    names = {
        a.area_code: a.area_name for a in Places(settings.areas, settings.base_dir).areas(area_type)
    }
    facts = []
    for theme in themes:
        shown = [_shown(counts, area_type, names, theme, period) for period in periods]
        cells = [
            Cell(code, *middles[code], n, float(whole))
            for code, n in shown[0].items()
            if code in middles
            and (whole := counts.shown(area=f"{area_type}:{code}", period=periods[0].code))
        ]
        often = persistence(shown, _TOP)
        for spot in hot_spots(cells, max_p=_CHANCE / len(themes)):
            facts.append(
                HotFact(
                    theme,
                    [names[code] for code in spot.codes],
                    spot.count,
                    spot.expected,
                    spot.p_value,
                    max(often.get(code, 0) for code in spot.codes),
                    len(periods),
                )
            )
    return facts


def recent_periods(period: Period, first_month: str) -> list[Period]:
    """The period and those of the same length before it, as far back as there are reports."""
    found = [period]
    while len(found) < _MOST_PERIODS and found[-1].before.months[0] >= first_month:
        found.append(found[-1].before)
    return found


def _shown(
    counts: Published, area_type: str, codes: Mapping[str, str], theme: str, period: Period
) -> dict[str, int]:
    """The counts of one theme that are shown, by area."""
    found = {
        code: counts.shown(area=f"{area_type}:{code}", theme=theme, period=period.code)
        for code in codes
    }
    return {code: n for code, n in found.items() if n is not None}


def _middles(shapes: Mapping[str, BaseGeometry]) -> dict[str, tuple[float, float]]:
    """Metres east and north; over a city, a flat map is right to a few metres."""
    points = {code: shape.centroid for code, shape in shapes.items()}
    if not points:
        return {}
    squeeze = cos(radians(sum(p.y for p in points.values()) / len(points)))
    return {
        code: (p.x * _METRES_PER_DEGREE * squeeze, p.y * _METRES_PER_DEGREE)
        for code, p in points.items()
    }
