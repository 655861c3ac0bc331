"""How the cells of a family lie, so that moves which no sum notices can be read off.

A family is crossed by axes, and its sums run along them:

- a *way* is a set of signed codes of the inner axes (themes and periods) that keeps their sums: a
  month up and another of the same quarter and tertial down, or a month up with its quarter,
  tertial, year and everything; unions are left to disclosure_unions.py;
- a *spoke* is a code of an outer axis (areas, sources), or the *hub*, where those have their roots;
- a *line* is a way at a spoke.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lagesbild.publish.disclosure_programme import Move, Places, Whole
from lagesbild.publish.disclosure_unions import OUTSIDE, SHOWN_ZERO, Steps, Union

if TYPE_CHECKING:
    from lagesbild.publish.disclosure import Axis, Cell, Family, Sum

_MOST_LINES = 8_000_000  # the longest ways are left out where there would be more
_MOST_PAIRS, _MOST_WAYS = 20_000, 3_000  # of one axis
_MOST_PRODUCTS = 4_000_000  # ways of all inner axes together, before the shortest are chosen
HUB = 0
_NONE = np.zeros(0, dtype=np.intp)
_ALL = slice(None)

Way = Mapping[str, int]  # code -> 1 or -1


def ways_of(axis: Axis, codes: Sequence[str]) -> list[Way]:
    """What keeps the plain sums of these codes: one with all it is counted in, or the difference of
    two such sets; and one together with a union that it is in. The shortest come first."""
    present = set(codes)
    unions = [rule for rule in axis.sums if rule.total in present and rule.overlap]
    rules = [rule for rule in axis.sums if rule.total in present and not rule.overlap]
    totals = {rule.total for rule in rules}
    above: dict[str, set[str]] = {code: set() for code in codes}
    for rule in rules:
        for part in present.intersection(rule.parts):
            above[part].add(rule.total)
    ups = [_up(code, above) for code in codes if code not in totals]
    both = [
        up | _up(rule.total, above) for rule in unions for up in ups if up.intersection(rule.parts)
    ]
    ways: list[Way] = [dict.fromkeys(sorted(up), 1) for up in [*ups, *both]]
    united = {part for rule in unions for part in rule.parts}
    exchanged = [up for up in ups if up & united] if unions else ups
    for up, down in itertools.islice(_pairs(exchanged), _MOST_PAIRS):
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


def _crossed(
    ways: Sequence[Sequence[Way]], codes: Sequence[Sequence[str]], picks: Places
) -> tuple[Places, Whole]:
    """Products of the axes' ways, a row each: the numbers of the codes crossed, and the signs.
    Behind them stands a number more than there are."""
    numbers, signs = np.zeros((2, len(picks), 1), dtype=np.int64)
    signs += 1
    for nth, (some, own) in enumerate(zip(ways, codes, strict=True)):
        at = {code: number for number, code in enumerate(own)}
        shape = (len(some), max(map(len, some), default=1))
        along, turns = np.zeros((2, *shape), dtype=np.int64)
        for row, way in enumerate(some):
            along[row, : len(way)] = [at[code] for code in way]
            turns[row, : len(way)] = list(way.values())
        along, turns = along[picks[:, nth], None, :], turns[picks[:, nth], None, :]
        width = numbers.shape[1] * shape[1]
        numbers = (numbers[:, :, None] * len(own) + along).reshape(len(picks), width)
        signs = (signs[:, :, None] * turns).reshape(len(picks), width)
    is_none = signs == 0
    numbers[is_none] = np.prod([len(own) for own in codes], dtype=int)
    order = np.argsort(is_none, axis=1, kind="stable")
    order = order[:, : (~is_none).sum(axis=1).max(initial=1)]
    return np.take_along_axis(numbers, order, 1), np.take_along_axis(signs, order, 1)


def _up(code: str, above: Mapping[str, set[str]]) -> set[str]:
    """The code and everything it is counted in."""
    found, edge = {code}, {code}
    while edge:
        edge = {total for part in edge for total in above[part]} - found
        found |= edge
    return found


def outer_axes(family: Family, sizes: Sequence[int]) -> list[int]:
    """The places of the widest axes of which no table crosses two. The others are inner axes.

    Axes where all sums make up the root come first: there one code can be exchanged for another.
    """
    outer: list[int] = []

    def rank(place: int) -> tuple[bool, int]:
        axis = family.axes[place]
        return any(rule.total != axis.root for rule in axis.sums), -sizes[place]

    for place in sorted(range(len(sizes)), key=rank):
        others = {family.axes[other].name for other in outer}
        name = family.axes[place].name
        crosses = any(name in table and others.intersection(table) for table in _tables(family))
        is_united = any(rule.overlap for rule in family.axes[place].sums)
        has_root = family.axes[place].root is not None and sizes[place] > 1
        if has_root and not is_united and not crosses:
            outer.append(place)
    return sorted(outer)


def _tables(family: Family) -> tuple[tuple[str, ...], ...]:
    return family.tables or (tuple(axis.name for axis in family.axes),)


class Lines:
    """Where every cell lies, and every line through it.

    `number`: of the cell at each spoke and inner code. `ways` and `signs`: inner codes, a row for
    each way; behind the `n_ways` as they were laid come the same ways turned round. `laid` and
    `turned`: the number of each way as it was laid, and the other way round. `through`: the ways
    that go up at each inner code; `simply_through`: those that do not move two parts of a union.
    `unions`: with where each way finds what limits it. `siblings`: spokes in the same sums as each;
    `groups`: the spokes of each sum. `has_hub`: whether the groups' sums are all the hub, so that
    it can move with them.
    """

    def __init__(self, family: Family, cells: Sequence[Cell]) -> None:
        self._family = family
        n_axes = len(family.axes)
        codes = [sorted({cell[place] for cell in cells}) for place in range(n_axes)]
        self._outer = outer_axes(family, [len(found) for found in codes])
        self._inner = [place for place in range(n_axes) if place not in self._outer]
        self._name_spokes(codes)
        self._codes = [codes[place] for place in self._inner]
        self._core = list(itertools.product(*self._codes))
        at = {code: nth for nth, code in enumerate(self._core)}
        self.number = self._numbers(cells, at)
        self._lay_ways([ways_of(family.axes[place], codes[place]) for place in self._inner])
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
        self._leave_out_whole(published)
        for code in self._family.rare:
            for nth in (nth for nth, core in enumerate(self._core) if code in core):
                cells = (self._cell(spoke, nth) for spoke in range(len(published)))
                published[:, nth] = [self._family.is_published(cell) for cell in cells]
        return published

    def _leave_out_whole(self, published: NDArray[np.bool_]) -> None:
        """Of an axis that breaks another down, what is not broken down by that other."""
        axes = self._family.axes
        at = {axis.name: place for place, axis in enumerate(axes)}
        for place, axis in enumerate(axes):
            if axis.of in at:
                published &= ~self._is_spread(place) | self._is_spread(at[axis.of])

    def _is_spread(self, place: int) -> NDArray[np.bool_]:
        """Whether this axis has another code than its root; along spokes, or along inner codes."""
        root = self._family.axes[place].root
        if place in self._outer:
            nth = self._outer.index(place)
            return np.array([[code[nth] != root] for code in self._spokes])
        nth = self._inner.index(place)
        return np.array([code[nth] != root for code in self._core])

    def _is_in_tables(self, codes: Cell, places: Sequence[int]) -> list[bool]:
        axes = [self._family.axes[place] for place in places]
        spread = {axis.name for axis, code in zip(axes, codes, strict=True) if code != axis.root}
        return [spread <= set(table) for table in _tables(self._family)]

    def _cell(self, spoke: int, core: int) -> Cell:
        codes = (*self._spokes[spoke], *self._core[core])
        at = dict(zip([*self._outer, *self._inner], codes, strict=True))
        return tuple(at[place] for place in range(len(at)))

    def _lay_ways(self, ways: Sequence[Sequence[Way]]) -> None:
        """Every combination of the inner axes' ways, the shortest first."""
        most_each = max(map(len, ways), default=0)
        while np.prod([min(len(some), most_each) for some in ways], dtype=float) > _MOST_PRODUCTS:
            most_each = most_each * 3 // 4
        ways = [some[:most_each] for some in ways]
        lengths = np.ones(1, dtype=int)
        for some in ways:
            lengths = np.multiply.outer(lengths, [len(way) for way in some]).ravel()
        most = max(_MOST_LINES // len(self.number), 1)
        chosen = np.argsort(lengths, kind="stable")[:most]
        picks = np.zeros((len(chosen), len(ways)), dtype=np.intp)
        if ways:
            picks = np.stack(np.unravel_index(chosen, [len(some) for some in ways]), axis=1)
        self.n_ways = len(chosen)
        self.ways, self.signs = _crossed(ways, self._codes, picks)
        self.unions: list[tuple[Union, Places]] = []
        for nth, place in enumerate(self._inner):
            for rule in self._family.axes[place].sums:
                if rule.overlap and rule.total in self._codes[nth]:
                    self._unite(rule, nth, ways, picks)
        numbers = np.arange(self.n_ways)
        self.laid = np.concatenate([numbers, numbers])
        self.turned = np.concatenate([numbers + self.n_ways, numbers])
        self.ways = np.vstack([self.ways, self.ways])
        self.signs = np.vstack([self.signs, -self.signs])
        self.through = [_NONE] * len(self._core)
        self.simply_through = list(self.through)
        rows, columns = (self.signs > 0).nonzero()
        through = self.ways[rows, columns]
        is_simple = ~self._is_between_parts(ways, picks)[self.laid[rows]]
        for core in np.unique(through).tolist():
            self.through[core] = rows[through == core]
            self.simply_through[core] = rows[(through == core) & is_simple]

    def _is_between_parts(self, ways: Sequence[Sequence[Way]], picks: Places) -> NDArray[np.bool_]:
        """Which ways exchange one part of a union for another."""
        found = np.zeros(len(picks), dtype=bool)
        for nth, place in enumerate(self._inner):
            for rule in self._family.axes[place].sums:
                if rule.overlap:
                    many = [len(set(rule.parts).intersection(way)) > 1 for way in ways[nth]]
                    found |= np.array(many, dtype=bool)[picks[:, nth]]
        return found

    def _unite(self, rule: Sum, nth: int, ways: Sequence[Sequence[Way]], picks: Places) -> None:
        others = [place for place in range(len(ways)) if place != nth]
        slots, signs = _crossed(
            [ways[place] for place in others],
            [self._codes[place] for place in others],
            picks[:, others],
        )
        union = Union(rule, nth, self._codes, ways[nth])
        along, is_down = picks[:, nth], signs < 0
        index = [union.index(along, slots, side) for side in (is_down, ~is_down)]
        self.unions.append((union, np.vstack(index)))

    def room(self, counts: Whole, spoke: int, ways: Places | slice = _ALL) -> Steps:
        """How many steps along each way the unions allow at a spoke, with these counts."""
        room = [
            union.limits(self.number[spoke, :-1], counts).ravel()[index[ways]].min(axis=1)
            for union, index in self.unions
        ]
        found: Steps = np.min(room, axis=0)
        return found

    def move(self, lines: Sequence[tuple[int, int]], steps: int = 1) -> Move:
        """The cells of these (spoke, way), and how far so many steps along them move each."""
        spokes, ways = np.array(lines, dtype=np.intp).T
        places = self.number[spokes[:, None], self.ways[ways]]
        moved = self.signs[ways] * steps
        return Move(places[places >= 0], moved[places >= 0])
