"""Where reports gather beyond what residents or reporting in general explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lagesbild.publish.disclosure import SMALLEST_SHOWN

SMALLEST_CELL_M = 250
_SEED = 20_240_229
Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cell:
    """An area or grid cell: middle in metres (SWEREF 99 TM), reports, and a yardstick.

    `baseline`: what reports should be proportional to: residents, or all reports of all themes.
    """

    code: str
    east_m: float
    north_m: float
    count: int
    baseline: float


@dataclass(frozen=True, slots=True)
class HotSpot:
    """Cells within a circle. `ratio`: reports over what the yardstick leads to expect."""

    codes: tuple[str, ...]
    count: int
    expected: float
    ratio: float
    p_value: float


def grid_code(east_m: float, north_m: float, size_m: int = SMALLEST_CELL_M) -> str:
    """The square a point lies in, named by its south-west corner. Squares under 250 m are refused:
    they would point at single houses."""
    if size_m < SMALLEST_CELL_M:
        raise ValueError(f"squares are at least {SMALLEST_CELL_M} m")
    return f"{int(east_m // size_m) * size_m}_{int(north_m // size_m) * size_m}_{size_m}"


def hot_spots(
    cells: Sequence[Cell],
    max_radius_m: float = 2_000,
    max_p: float = 0.05,
    replicates: int = 999,
) -> list[HotSpot]:
    """Circles with significantly many reports, most striking first, none overlapping.

    Kulldorff's spatial scan statistic, Poisson model: M. Kulldorff, Communications in Statistics
    26 (1997) 1481-1496. Circles around every cell up to `max_radius_m` and half the yardstick;
    the p-value is the largest statistic's rank among `replicates` cities with the same number of
    reports scattered by the yardstick alone (fixed seed). Circles with under five reports are not
    shown. Reports that come in bursts make p too small; look at `persistence` as well.
    """
    cells = [cell for cell in cells if cell.baseline > 0]
    total = sum(cell.count for cell in cells)
    if total < SMALLEST_SHOWN or len(cells) < 2:
        return []
    share = np.array([cell.baseline for cell in cells])
    share = share / share.sum()
    members = _circles(cells, share, max_radius_m)
    counts = np.array([[cell.count for cell in cells]], dtype=float)
    scattered = np.random.default_rng(_SEED).multinomial(total, share, size=replicates)
    expected = members @ share * total
    chance = _statistic(scattered @ members.T, expected, total).max(axis=1)
    inside = (counts @ members.T)[0]
    striking = _statistic(inside[None, :], expected, total)[0]
    p_values = (1 + (chance[:, None] >= striking[None, :]).sum(axis=0)) / (replicates + 1)
    is_hot = (p_values <= max_p) & (inside >= SMALLEST_SHOWN)
    found: list[HotSpot] = []
    taken = np.zeros(len(cells), dtype=bool)
    for circle in np.argsort(-striking, kind="stable"):
        within = members[circle] > 0
        if not is_hot[circle] or (within & taken).any():
            continue
        taken |= within
        codes = tuple(cells[n].code for n in np.flatnonzero(within))
        n, e = int(inside[circle]), float(expected[circle])
        found.append(HotSpot(codes, n, e, n / e, float(p_values[circle])))
    return found


def _circles(cells: Sequence[Cell], share: Real, max_radius_m: float) -> Real:
    """One row for each circle, 1 where the cell's middle lies inside."""
    at = np.array([[cell.east_m, cell.north_m] for cell in cells])
    distance = np.hypot(*(at[:, None, :] - at[None, :, :]).transpose(2, 0, 1))
    rows = {
        tuple(distance[centre] <= radius)
        for centre in range(len(cells))
        for radius in distance[centre][distance[centre] <= max_radius_m]
    }
    members = np.array(sorted(rows), dtype=float)
    return members[members @ share <= max(0.5, float(share.min()))]


def _statistic(inside: Real, expected: Real, total: int) -> Real:
    """Log likelihood ratio of each circle; 0 where there are fewer than expected."""
    outside, rest = total - inside, total - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(inside > 0, inside * np.log(inside / expected), 0.0)
        second = np.where(outside > 0, outside * np.log(outside / rest), 0.0)
    return np.where(inside > expected, first + second, 0.0)


def persistence(counts: Sequence[Mapping[str, int]], top: int = 10) -> dict[str, int]:
    """In how many of the periods each area was among the `top` with most reports, most first.

    Areas with under five reports in a period are never among its top; ties at the edge all count.
    """
    periods: Counter[str] = Counter()
    for period in counts:
        shown = {code: n for code, n in period.items() if n >= SMALLEST_SHOWN}
        edge = sorted(shown.values(), reverse=True)[:top]
        periods.update(code for code, n in shown.items() if n >= edge[-1])
    return dict(sorted(periods.items(), key=lambda item: (-item[1], item[0])))
