"""Random families of counts to attack, each the same for the same seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence

from lagesbild.publish.disclosure import Axis, Cell, Family, Sum


def random_family(seed: int) -> Family:
    """A small random family, counted from single reports.

    One to three axes: areas in one or two levels or divided in two ways, months with their
    quarter, sources, themes of which a report may have several, with reports that have any of them
    (about every third family); one table or two.
    """
    rng = random.Random(seed)  # noqa: S311 - an experiment, not a secret
    choices = [_months, _sources, _themes]
    makers = [_areas, *rng.sample(choices, rng.randint(0, 2))]
    axes, draws = zip(*(maker(rng) for maker in makers), strict=True)
    names = [axis.name for axis in axes]
    tables = ((names[0], names[1]), (names[0], names[2])) if len(axes) == 3 else None
    tables = tables if rng.random() < 0.4 else None
    counts: dict[Cell, int] = {}
    for _ in range(int(rng.expovariate(1 / rng.choice([15, 60, 150]))) + 1):
        for cell in itertools.product(*(draw() for draw in draws)):
            counts[cell] = counts.get(cell, 0) + 1
    whole = Family(axes, {}, tables)
    kept = {cell: n for cell, n in counts.items() if whole.is_published(cell)}
    return Family(axes, kept, tables)


Maker = tuple[Axis, Callable[[], set[str]]]  # an axis, and a draw of one report's codes on it


def _one_of(rng: random.Random, codes: Sequence[str]) -> str:
    """The first codes are drawn more often: areas differ in size."""
    return codes[min(int(rng.expovariate(0.6)), len(codes) - 1)]


def _areas(rng: random.Random) -> Maker:
    areas = tuple(f"a{n}" for n in range(rng.randint(3, 6)))
    whole, north = Sum("alla", areas), areas[:2]
    kind = rng.choice(["plain", "levels", "parallel"])
    if kind == "levels":
        sums = (Sum("norr", north), Sum("syd", areas[2:]), Sum("alla", ("norr", "syd")))
        return Axis("area", sums, "alla"), lambda: _with_district(_one_of(rng, areas), north)
    if kind == "parallel":
        other = ("b0", "b1", "b2")
        axis = Axis("area", (whole, Sum("alla", other)), "alla")
        return axis, lambda: {"alla", _one_of(rng, areas), _one_of(rng, other)}
    return Axis("area", (whole,), "alla"), lambda: {"alla", _one_of(rng, areas)}


def _with_district(area: str, north: Sequence[str]) -> set[str]:
    return {"alla", area, "norr" if area in north else "syd"}


def _months(rng: random.Random) -> Maker:
    months = ("2025-01", "2025-02", "2025-03")
    axis = Axis("period", (Sum("2025-Q1", months),), "2025-Q1")
    return axis, lambda: {"2025-Q1", _one_of(rng, months)}


def _sources(rng: random.Random) -> Maker:
    sources = tuple(f"s{n}" for n in range(rng.randint(2, 3)))
    return Axis("source", (Sum("alla", sources),), "alla"), lambda: {
        "alla",
        _one_of(rng, sources),
    }


def _themes(rng: random.Random) -> Maker:
    """A report has one to three themes, so the total is their union. In some families one theme has
    subthemes, or there is upkeep, which is not part of the union."""
    themes = ("narkotika", "trafik", "otrygghet")
    union = Sum("alla", themes, overlap=True)
    parts = ("trafik.fart", "trafik.mopeder") if rng.random() < 0.3 else ()
    sums = (Sum("trafik", parts), union) if parts else (union,)
    upkeep = 0.3 if rng.random() < 0.3 else 0.0

    def draw() -> set[str]:
        drawn = {"alla", *rng.sample(themes, rng.choice([1, 1, 2, 3]))}
        if parts and "trafik" in drawn:
            drawn.add(rng.choice(parts))
        return drawn | ({"drift"} if rng.random() < upkeep else set())

    return Axis("theme", sums, "alla"), draw


def two_releases(seed: int) -> tuple[Family, Family, Family]:
    """The first release, the same months counted again later, and what the second release holds.

    The second has the months of the first as they were, the third month and the quarter.
    """
    rng = random.Random(seed)  # noqa: S311 - an experiment, not a secret
    (areas, draw), (months, _) = _areas(rng), _months(rng)
    first: dict[Cell, int] = {}
    late: dict[Cell, int] = {}
    for _ in range(int(rng.expovariate(1 / rng.choice([30, 80]))) + 3):
        month = rng.choice(months.sums[0].parts)
        has_come = month != "2025-03" and rng.random() < 0.9
        for area in draw():
            found = first if has_come else late
            found[area, month] = found.get((area, month), 0) + 1
    again = {c: first.get(c, 0) + late.get(c, 0) for c in first | late if c[1] != "2025-03"}
    second = first | {cell: n for cell, n in late.items() if cell[1] == "2025-03"}
    for (area, _), n in list(second.items()):
        second[area, "2025-Q1"] = second.get((area, "2025-Q1"), 0) + n
    apart = (areas, Axis("period"))
    return Family(apart, first), Family(apart, again), Family((areas, months), second)
