"""How the cells of a family lie, so that moves which no sum notices can be read off.

A family is crossed by axes, and its sums run along them:

- a *way* is a set of signed codes of the inner axes (themes and periods) that keeps their sums: a
  month up and another of the same quarter and tertial down, or a month up with its quarter,
  tertial, year and everything;
- a *spoke* is a code of an outer axis (areas, sources), or the *hub*, where those have their roots;
- a *line* is a way at a spoke.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lagesbild.publish.disclosure_programme import Move, Places

if TYPE_CHECKING:
    from lagesbild.publish.disclosure import Axis, Cell, Family

_MOST_LINES = 8_000_000  # the longest ways are left out where there would be more
_MOST_PAIRS, _MOST_WAYS = 20_000, 3_000  # of one axis
_MOST_PRODUCTS = 4_000_000  # ways of all inner axes together, before the shortest are chosen
SHOWN_ZERO, OUTSIDE = -1, -2  # instead of a cell's number; the second is in none of the tables
HUB = 0
_NONE = np.zeros(0, dtype=np.intp)

Way = Mapping[str, int]  # code -> 1 or -1


def ways_of(axis: Axis, codes: Sequence[str]) -> list[Way]:
    """What keeps the sums of these codes: one with all it is counted in, or the difference of two
    such sets. The shortest come first."""
    present = set(codes)
    rules = [rule for rule in axis.sums if rule.total in present]
    totals = {rule.total for rule in rules}
    above: dict[str, set[str]] = {code: set() for code in codes}
    for rule in rules:
        for part in present.intersection(rule.parts):
            above[part].add(rule.total)
    ups = [_up(code, above) for code in codes if code not in totals]
    ways: list[Way] = [dict.fromkeys(sorted(up), 1) for up in ups]
    for up, down in itertools.islice(_pairs(ups), _MOST_PAIRS):
        plus, minus = dict.fromkeys(sorted(up - down), 1), dict.fromkeys(sorted(down - up), -1)
        ways.append(plus | minus)
    kept = [
        way
        for way in ways
        if all(way.get(r.total, 0) == sum(way.get(part, 0) for part in r.parts) for r in rules)
    ]
    return sorted(kept, key=len)[:_MOST_WAYS]


def _pairs(ups: Sequence[set[str]]) -> Iterator[tuple[set[str], set[str]]]:
    """Those near each other first, so that every code is among them where not all are taken."""
    for apart in range(1, len(ups)):
        yield from zip(ups, ups[apart:], strict=False)


def _up(code: str, above: Mapping[str, set[str]]) -> set[str]:
    """The code and everything it is counted in."""
    found, edge = {code}, {code}
    while edge:
        edge = {total for part in edge for total in above[part]} - found
        found |= edge
    return found


def outer_axes(family: Family, sizes: Sequence[int]) -> list[int]:
    """The places of the widest axes of which no table crosses two. The others are inner axes."""
    outer: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        others = {family.axes[other].name for other in outer}
        name = family.axes[place].name
        crosses = any(name in table and others.intersection(table) for table in _tables(family))
        if family.axes[place].root is not None and sizes[place] > 1 and not crosses:
            outer.append(place)
    return sorted(outer)


def _tables(family: Family) -> tuple[tuple[str, ...], ...]:
    return family.tables or (tuple(axis.name for axis in family.axes),)


class Lines:
    """Where every cell lies, and every line through it.

    `number`: of the cell at each spoke and inner code. `ways` and `signs`: inner codes, a row for
    each way; behind the `n_ways` as they were laid come the same ways turned round. `laid` and
    `turned`: the number of each way as it was laid, and the other way round. `through`: the ways
    that go up at each inner code. `siblings`: spokes in the same sums as each; `groups`: the spokes
    of each sum. `has_hub`: whether the groups' sums are all the hub, so that it can move with them.
    """

    def __init__(self, family: Family, cells: Sequence[Cell]) -> None:
        self._family = family
        n_axes = len(family.axes)
        codes = [sorted({cell[place] for cell in cells}) for place in range(n_axes)]
        self._outer = outer_axes(family, [len(found) for found in codes])
        self._inner = [place for place in range(n_axes) if place not in self._outer]
        self._name_spokes(codes)
        self._core = list(itertools.product(*(codes[place] for place in self._inner)))
        at = {code: nth for nth, code in enumerate(self._core)}
        self.number = self._numbers(cells, at)
        self._lay_ways([ways_of(family.axes[place], codes[place]) for place in self._inner], at)
        self.spoke, self.core = np.zeros((2, len(cells)), dtype=np.intp)
        spokes, places = (self.number[:, :-1] >= 0).nonzero()
        self.spoke[self.number[spokes, places]] = spokes
        self.core[self.number[spokes, places]] = places

    def _name_spokes(self, codes: Sequence[list[str]]) -> None:
        roots = tuple(str(self._family.axes[place].root) for place in self._outer)
        self._spokes = [roots]
        self.siblings: list[Places] = [_NONE]
        self.groups: list[Places] = []
        self.has_hub = True
        for nth, place in enumerate(self._outer):
            own = [code for code in codes[place] if code != roots[nth]]
            at = {code: len(self._spokes) + number for number, code in enumerate(own)}
            self._spokes += [(*roots[:nth], code, *roots[nth + 1 :]) for code in own]
            rules = self._family.axes[place].sums
            totals = {rule.total for rule in rules}
            sums = {code: [n for n, rule in enumerate(rules) if code in rule.parts] for code in own}
            for code in own:
                like = [at[c] for c in own if sums[c] == sums[code] and not {c, code} & totals]
                like = [spoke for spoke in like if spoke != at[code] and sums[code]]
                self.siblings.append(np.array(like, dtype=np.intp))
            for rule in rules:
                parts = [at[code] for code in own if code in rule.parts]
                self.groups.append(np.array(parts, dtype=np.intp))
                self.has_hub &= rule.total == roots[nth] and not totals.intersection(rule.parts)

    def _numbers(self, cells: Sequence[Cell], at: Mapping[Cell, int]) -> Places:
        """A last column is outside all tables."""
        spoke_at = {code: nth for nth, code in enumerate(self._spokes)}
        number = np.full((len(self._spokes), len(at) + 1), OUTSIDE, dtype=np.intp)
        number[:, :-1][self._is_published()] = SHOWN_ZERO
        for nth, cell in enumerate(cells):
            spoke = spoke_at[tuple(cell[place] for place in self._outer)]
            number[spoke, at[tuple(cell[place] for place in self._inner)]] = nth
        return number

    def _is_published(self) -> NDArray[np.bool_]:
        """As Family.is_published, for all spokes and inner codes at once."""
        across = [self._is_in_tables(code, self._outer) for code in self._spokes]
        along = [self._is_in_tables(code, self._inner) for code in self._core]
        published: NDArray[np.bool_] = (
            np.array(across, dtype=int) @ np.array(along, dtype=int).T > 0
        )
        for code in self._family.rare:
            for nth in (nth for nth, core in enumerate(self._core) if code in core):
                cells = (self._cell(spoke, nth) for spoke in range(len(published)))
                published[:, nth] = [self._family.is_published(cell) for cell in cells]
        return published

    def _is_in_tables(self, codes: Cell, places: Sequence[int]) -> list[bool]:
        axes = [self._family.axes[place] for place in places]
        spread = {axis.name for axis, code in zip(axes, codes, strict=True) if code != axis.root}
        return [spread <= set(table) for table in _tables(self._family)]

    def _cell(self, spoke: int, core: int) -> Cell:
        codes = (*self._spokes[spoke], *self._core[core])
        at = dict(zip([*self._outer, *self._inner], codes, strict=True))
        return tuple(at[place] for place in range(len(at)))

    def _lay_ways(self, ways: Sequence[Sequence[Way]], at: Mapping[Cell, int]) -> None:
        """Every combination of the inner axes' ways, the shortest first."""
        n_free = sum(len(some) > 1 for some in ways)
        most_each = int(_MOST_PRODUCTS ** (1 / max(n_free, 1)))
        ways = [some[:most_each] for some in ways]
        lengths = np.ones(1, dtype=int)
        for some in ways:
            lengths = np.multiply.outer(lengths, [len(way) for way in some]).ravel()
        most = max(_MOST_LINES // len(self.number), 1)
        chosen = np.argsort(lengths, kind="stable")[:most]
        self.n_ways, width = len(chosen), int(lengths[chosen].max(initial=1))
        self.ways = np.full((self.n_ways, width), len(at), dtype=np.intp)
        self.signs = np.zeros((self.n_ways, width), dtype=np.int64)
        shape = [len(some) for some in ways]
        for row, nth in enumerate(chosen.tolist()):
            picks = np.unravel_index(nth, shape) if shape else ()
            parts = [some[int(pick)].items() for some, pick in zip(ways, picks, strict=True)]
            for column, pairs in enumerate(itertools.product(*parts)):
                self.ways[row, column] = at[tuple(code for code, _ in pairs)]
                self.signs[row, column] = np.prod([sign for _, sign in pairs], dtype=int)
        numbers = np.arange(self.n_ways)
        self.laid = np.concatenate([numbers, numbers])
        self.turned = np.concatenate([numbers + self.n_ways, numbers])
        self.ways = np.vstack([self.ways, self.ways])
        self.signs = np.vstack([self.signs, -self.signs])
        self.through = [_NONE] * len(at)
        rows, columns = (self.signs > 0).nonzero()
        through = self.ways[rows, columns]
        for core in np.unique(through).tolist():
            self.through[core] = rows[through == core]

    def move(self, lines: Sequence[tuple[int, int]], steps: int = 1) -> Move:
        """The cells of these (spoke, way), and how far so many steps along them move each."""
        spokes, ways = np.array(lines, dtype=np.intp).T
        places = self.number[spokes[:, None], self.ways[ways]]
        moved = self.signs[ways] * steps
        return Move(places[places >= 0], moved[places >= 0])
