"""Can anyone work out a hidden count? An attacker with an integer programme.

    python -m bench.attacker [--families 1000] [--seed 1] [--releases] [--snapshot FILE]
    python -m bench.attacker --large [--shape AREAS MONTHS THEMES ROWS]

The attacker is written apart from `lagesbild.publish.disclosure` and shares only its records. They
know every shown count, every sum of the family, that counts are whole, that zeros are shown (so a
hidden count is at least 1) and which counts are hidden. For each small hidden count every value
1-4 must stay possible unless the shown zeros alone rule it out (hide everything that is not zero:
is the value possible then?); where that leaves one value, 5 must be possible as well. A
programme is solved for each value; a count with fewer values than allowed is *narrowed*, with one
value left *known*.

Methods compared: small counts hidden only; with complementary hiding; and rounding to 5, where
the attacker knows each count within 2. How many counts would be hidden without the last pass,
which shows the needless ones again, is printed beside.

`--releases`: random families released twice. The first release has the first two of three months;
before the second, more reports arrive, some of them late for a month that is released already.
The attacker has both releases: as they are made (what was released stays), and as they would be
if each were protected by itself, where any two shown counts can be subtracted.

`--large`: only how long it takes to protect a family of many cells, and what is hidden in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from bench.large_family import measure
from bench.random_families import random_family, two_releases
from lagesbild.publish.disclosure import (
    Cell,
    Family,
    Protected,
    is_hidden,
    protect,
    rounded,
)
from lagesbild.publish.families import Tables, published

FAR = 10_000.0
PUBLISHED = Tables((("area", "theme", "period"), ("theme", "period", "source")))


@dataclass
class Attack:
    """What came out. `narrowed`: small cells with values ruled out; `known`: one value left."""

    n_small: int = 0
    n_hidden: int = 0
    n_cells: int = 0
    narrowed: list[Cell] = field(default_factory=list)
    known: list[Cell] = field(default_factory=list)

    def add(self, other: Attack) -> None:
        self.n_small += other.n_small
        self.n_hidden += other.n_hidden
        self.n_cells += other.n_cells
        self.narrowed += other.narrowed
        self.known += other.known


class Attacker:
    """Everything that is published of a family, as a system over its cells that are not zero.

    `seen`: the values each cell is known to be able to have. Reality is the first table that looks
    like reality; every further one that is found teaches about all cells.
    """

    def __init__(self, family: Family, ranges: Callable[[Cell, int], tuple[float, float]]) -> None:
        self.cells = [cell for cell, count in family.counts.items() if count]
        self.at = {cell: n for n, cell in enumerate(self.cells)}
        self.counts = np.array([family.counts[cell] for cell in self.cells])
        bounds = [ranges(cell, family.counts[cell]) for cell in self.cells]
        self.low = np.array([low for low, _ in bounds], dtype=float)
        self.high = np.array([high for _, high in bounds], dtype=float)
        self.sums = _system(family, self.at)
        self.seen: list[set[int]] = [{int(count)} for count in self.counts]

    def possible(self, cell: Cell, values: Iterable[int]) -> set[int]:
        """Which of the values the cell can have."""
        number = self.at[cell]
        unseen = sorted(set(values) - self.seen[number])
        low, high = self._edges(number) if len(unseen) > 1 else (-np.inf, np.inf)
        for value in unseen:
            if low <= value <= high and value not in self.seen[number]:
                self._try(number, value)
        return self.seen[number].intersection(values)

    def is_known(self, cell: Cell, values: Iterable[int]) -> bool:
        """Whether the cell can have none of the values but its own."""
        number = self.at[cell]
        for value in values:
            if len(self.seen[number]) > 1:
                break
            if value != self.counts[number]:
                self._try(number, value)
        return len(self.seen[number]) == 1

    def learn(self, cells: Iterable[Cell], values: Iterable[int]) -> None:
        """Look for tables where many of the cells have the value at once, until no more come."""
        numbers = np.array([self.at[cell] for cell in cells], dtype=int)
        for value in values:
            open_ = [n for n in numbers.tolist() if value not in self.seen[n]]
            while open_:
                price = np.zeros(len(self.cells))
                price[open_] = np.sign(self.counts[open_] - value)
                low, high = self.low.copy(), self.high.copy()
                low[open_] = np.maximum(low[open_], np.minimum(self.counts[open_], value))
                high[open_] = np.minimum(high[open_], np.maximum(self.counts[open_], value))
                found = milp(price, bounds=Bounds(low, high), constraints=self.sums)
                if found.x is not None:
                    self._note(found.x)
                left = [n for n in open_ if value not in self.seen[n]]
                if len(left) == len(open_):
                    break
                open_ = left

    def _note(self, found: np.ndarray) -> None:
        """What a table teaches, if it is one: whole, within its bounds, with every sum right."""
        table = np.rint(found)
        drift = self.sums.A @ table if self.sums else np.zeros(0)
        is_within = (self.low <= table).all() and (table <= self.high).all()
        if is_within and (drift >= 0).all() and np.abs(found - table).max(initial=0) < 1e-6:
            for seen, count in zip(self.seen, table.astype(int).tolist(), strict=True):
                seen.add(count)

    def _edges(self, number: int) -> tuple[float, float]:
        """No table, whole or not, has the cell beyond these."""
        edges = []
        for sign in (1, -1):
            price = np.zeros(len(self.cells))
            price[number] = sign
            found = milp(price, bounds=Bounds(self.low, self.high), constraints=self.sums)
            edges.append(self.low[number] if sign > 0 else self.high[number])
            if found.x is not None:
                edges[-1] = found.x[number] - sign * 1e-6
        return edges[0], edges[1]

    def _try(self, number: int, value: int) -> None:
        """Note the values of one table where the cell has this one, if there is any."""
        low, high = self.low.copy(), self.high.copy()
        low[number] = high[number] = value
        for presolve in (True, False):  # presolving has called a possible table impossible
            found = milp(
                np.zeros(len(self.cells)),
                integrality=np.ones(len(self.cells)),
                bounds=Bounds(low, high),
                constraints=self.sums,
                options={"presolve": presolve},
            )
            if found.x is not None:
                self._note(found.x)
                return


def _system(family: Family, at: Mapping[Cell, int]) -> LinearConstraint | tuple[()]:
    """Total minus parts is 0 for plain sums; for unions at most 0, and no part above the total."""
    rows: list[dict[int, int]] = []
    for place, axis in enumerate(family.axes):
        for rule in axis.sums:
            for total in [cell for cell in at if cell[place] == rule.total]:
                parts = [(*total[:place], code, *total[place + 1 :]) for code in rule.parts]
                if not all(family.is_published(part) for part in parts):
                    continue
                inside = [at[part] for part in parts if part in at]
                rows.append({at[total]: -1} | dict.fromkeys(inside, 1))
                if rule.overlap:
                    rows += [{at[total]: 1, part: -1} for part in inside]
                else:
                    rows.append({at[total]: 1} | dict.fromkeys(inside, -1))
    if not rows:
        return ()
    entries = [(n, cell, sign) for n, row in enumerate(rows) for cell, sign in row.items()]
    numbers, cells, signs = zip(*entries, strict=True)
    matrix = csr_array((signs, (numbers, cells)), shape=(len(rows), len(at)), dtype=float)
    return LinearConstraint(matrix, 0.0, np.inf)


def zeros_only(family: Family) -> Attacker:
    """Someone who knows the shown zeros and nothing else: what they rule out was never hidden."""
    return Attacker(family, lambda _cell, _n: (1, FAR))


def attack(family: Family, hidden: frozenset[Cell], zeros: Attacker | None = None) -> Attack:
    """Try every value of every small cell, with everything but `hidden` shown."""
    reality = Attacker(family, lambda cell, n: (1, FAR) if cell in hidden else (n, n))
    zeros = zeros or zeros_only(family)
    small = [cell for cell in reality.cells if is_hidden(family.counts[cell])]
    found = Attack(len(small), len(hidden), len(reality.cells))
    reality.learn(small, (4, 1, 3, 2))
    for cell in small:
        possible = reality.possible(cell, range(1, 5))
        missing = set(range(1, 5)) - possible
        ruled_out = missing.intersection(zeros.possible(cell, missing)) if missing else set()
        if len(missing - ruled_out) == 3 and not ruled_out:  # the zeros leave one value only
            possible |= reality.possible(cell, [5])
            ruled_out = {5} - possible
        if ruled_out:
            found.narrowed.append(cell)
            if len(possible | reality.possible(cell, [5])) == 1:
                found.known.append(cell)
    return found


def attack_rounded(family: Family) -> Attack:
    """Every count rounded to 5, real zeros known: which small counts are known all the same?"""

    def within(_cell: Cell, n: int) -> tuple[float, float]:
        return max(0, rounded(n) - 2), rounded(n) + 2

    reality = Attacker(family, within)
    small = [cell for cell in reality.cells if is_hidden(family.counts[cell])]
    found = Attack(len(small), 0, len(reality.cells))
    found.known = [cell for cell in small if reality.is_known(cell, range(8))]
    return found


def report(name: str, found: Attack, seconds: float) -> None:
    print(
        f"{name:34} cells {found.n_cells:6}  hidden {found.n_hidden:6}  small {found.n_small:6}  "
        f"narrowed {len(found.narrowed):5}  known {len(found.known):5}  {seconds:6.1f} s",
        flush=True,
    )


def compare(families: Iterator[Family]) -> bool:
    """Run every method on every family and print the sums. True if nothing protected broke."""
    plain, full, fives = Attack(), Attack(), Attack()
    seconds, before, given_up = 0.0, 0, 0
    for family in families:
        began = time.monotonic()
        protected: Protected = protect(family)
        seconds += time.monotonic() - began
        before += len(protected.small) + protected.n_before
        given_up += protected.n_given_up
        zeros = zeros_only(family)
        plain.add(attack(family, protected.small, zeros))
        full.add(attack(family, protected.small | protected.complementary, zeros))
        fives.add(attack_rounded(family))
    report("small counts hidden only", plain, 0.0)
    report("with complementary hiding", full, seconds)
    report("rounded to 5", fives, 0.0)
    print(f"hidden before needless ones were shown again: {before}; groups given up: {given_up}")
    return not full.narrowed


# --- releases -------------------------------------------------------------------------------------


def attack_releases(seeds: Iterable[int]) -> bool:
    """Print what both releases together give away. True if nothing does."""
    full, n_subtracted = Attack(), 0
    seconds = 0.0
    for seed in seeds:
        first, again, second = two_releases(seed)
        began = time.monotonic()
        old = protect(first)
        new = protect(second, old)
        seconds += time.monotonic() - began
        assert all(new.shown(cell) == old.shown(cell) for cell in first.counts)
        full.add(attack(second, new.small | new.complementary))
        by_itself = protect(again)
        pairs = [(old.shown(cell), by_itself.shown(cell)) for cell in again.counts]
        n_subtracted += sum(is_hidden(b - a) for a, b in pairs if a is not None and b is not None)
    print(
        f"late reports told by subtracting releases protected apart: {n_subtracted} counts of 1-4"
    )
    report("what was released stays", full, seconds)
    return not full.narrowed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--releases", action="store_true", help="attack two releases at once")
    parser.add_argument("--snapshot", type=Path, help="attack what this snapshot publishes instead")
    parser.add_argument("--large", action="store_true", help="time a large family instead")
    parser.add_argument("--shape", type=int, nargs=4, default=(60, 24, 14, 300_000))
    options = parser.parse_args()
    if options.large:
        measure(*options.shape)
        return 0
    seeds = range(options.seed, options.seed + options.families)
    if options.releases:
        return 0 if attack_releases(seeds) else 1
    families: Iterator[Family] = (random_family(seed) for seed in seeds)
    if options.snapshot:
        families = iter([published(options.snapshot, PUBLISHED).protected.family])
    return 0 if compare(families) else 1


if __name__ == "__main__":
    raise SystemExit(main())
