"""Witnesses that need no programme: what one place gains, another gives.

A line (see disclosure_lines.py) some steps up at one spoke, and as many down at a sibling, is an
*exchange*: no sum notices. Where the hub's own counts move, a line of every group moves with it.
All lines through a cell are priced together, by array arithmetic; what is hidden already is nearly
free. Nothing here is a proof: whoever uses a move checks it against the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lagesbild.publish.disclosure_lines import HUB, Lines
from lagesbild.publish.disclosure_programme import Move, Places, Whole

if TYPE_CHECKING:
    from lagesbild.publish.disclosure import Cell, Family

FREE = 1.0  # the price of a move that hides nothing is less, and of any other more
HIDDEN_PRICE = 1e-3  # of moving what is hidden already: witnesses stay near the real table
_REPAIRS = 2

Prices = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Offer:
    """Moves one after the other, each with those before it, and the price of what they hide."""

    moves: tuple[Move, ...]
    price: float


@dataclass(slots=True)
class _Table:
    """Counts and prices after some exchanges. Behind the cells come one that is in no table and a
    shown zero. `moved` and `touched`: the cells and the spokes that may not be as they were."""

    counts: Whole
    price: Prices
    moved: set[int]
    touched: set[int]

    def copy(self) -> _Table:
        return _Table(self.counts.copy(), self.price.copy(), set(self.moved), set(self.touched))


class Exchanges:
    """The cheapest exchanges of cells that sums tie together."""

    def __init__(self, family: Family, cells: Sequence[Cell], counts: Whole) -> None:
        self.lines = Lines(family, cells)
        self.counts = np.append(counts, [2, 1])
        self.price_of = np.append(np.zeros(len(cells), dtype=np.float32), [0, np.inf])
        self._find_room()
        self.price = np.zeros((len(self.lines.number), self.lines.n_ways), dtype=np.float32)

    def _find_room(self) -> None:
        """How many steps each line allows: no count may fall below 1, and no union break."""
        lines, most = self.lines, np.iinfo(np.int32).max
        up, down = np.full((2, len(lines.number), lines.n_ways), most, dtype=np.int32)
        left = (self.counts - 1).astype(np.int32)
        left[-2] = most
        laid = slice(lines.n_ways)
        for core, signs in zip(lines.ways[laid].T, lines.signs[laid].T, strict=True):
            here = left[lines.number[:, core]]
            np.minimum(up, here, out=up, where=(signs < 0)[None, :])
            np.minimum(down, here, out=down, where=(signs > 0)[None, :])
        self.room = np.hstack([up, down])
        if lines.unions:
            for spoke, room in enumerate(self.room):
                np.minimum(room, lines.room(self.counts, spoke), out=room)

    # --- prices -----------------------------------------------------------------------------------

    def reprice(self, places: Places, prices: NDArray[np.float64]) -> None:
        """What moving these cells costs from now on."""
        lines = self.lines
        self.price_of[places] = prices
        if len(places) > len(lines.number):
            self.price[:] = 0
            for core in lines.ways[: lines.n_ways].T:
                self.price += self.price_of[lines.number[:, core]]
            return
        for place in places.tolist():
            spoke, ways = lines.spoke[place], lines.laid[lines.through[lines.core[place]]]
            self.price[spoke, ways] = self.price_of[lines.number[spoke][lines.ways[ways]]].sum(1)

    def _prices(self, spokes: Places, ways: Places, steps: int) -> Prices:
        """So many steps along each way, at each spoke; infinite where a count would go below 1."""
        rows = spokes[:, None]
        price: Prices = self.price[rows, self.lines.laid[ways]]
        price[self.room[rows, ways] < steps] = np.inf
        return price

    def _prices_now(self, spokes: Places, ways: Places, table: _Table, below: float) -> Prices:
        """The same for a single step in this table; infinite also where it costs too much."""
        found = self._prices(spokes, ways, 1)
        touched = [row for row, spoke in enumerate(spokes.tolist()) if spoke in table.touched]
        if touched:
            core, is_down = self.lines.ways[ways], self.lines.signs[ways] < 0
        for row in touched:
            numbers = self.lines.number[spokes[row]][core]
            found[row] = table.price[numbers].sum(axis=1)
            found[row, (is_down & (table.counts[numbers] < 2)).any(axis=1)] = np.inf
            if self.lines.unions:
                open_ = np.flatnonzero(found[row] < below)
                room = self.lines.room(table.counts, int(spokes[row]), ways[open_])
                found[row, open_[room < 1]] = np.inf
        return found

    # --- offers -----------------------------------------------------------------------------------

    def offer(self, place: int, step: int, below: float = np.inf) -> Offer | None:
        """The cheapest that was found to move the cell by `step`, if it costs less than `below`."""
        found = self._at_once(place, step, below, self.lines.simply_through)
        if found is not None and found.price < FREE:
            return found
        if self.lines.unions:
            least = found.price if found else below
            found = self._at_once(place, step, least, self.lines.through) or found
            if found is not None and found.price < FREE:
                return found
        if abs(step) > 1:
            found = self._by_steps(place, step, found.price if found else below) or found
        if found is None or found.price < FREE:
            return found
        for _ in range(_REPAIRS):
            found = self._repaired(place, found)
        return found

    def _ways(self, place: int, through: Sequence[Places], *, is_up: bool) -> Places:
        ways: Places = through[self.lines.core[place]]
        turned: Places = self.lines.turned[ways]
        return ways if is_up else turned

    def _at_once(
        self, place: int, step: int, below: float, through: Sequence[Places]
    ) -> Offer | None:
        """All steps along the same line, against one sibling or with the hub."""
        spoke, ways = int(self.lines.spoke[place]), self._ways(place, through, is_up=step > 0)
        own = self._prices(np.array([spoke]), ways, abs(step))[0]
        ways, own = ways[own < below], own[own < below]
        if not len(ways):
            return None
        by_sibling = self._with_sibling(spoke, ways, own, abs(step))
        by_hub = self._with_hub(spoke, ways, own, abs(step))
        best, price = min(by_sibling, by_hub, key=lambda found: found[1])
        return Offer((self.lines.move(best, abs(step)),), price) if price < below else None

    def _with_sibling(
        self, spoke: int, ways: Places, own: Prices, steps: int
    ) -> tuple[list[tuple[int, int]], float]:
        siblings = self.lines.siblings[spoke]
        if not len(siblings):
            return [], np.inf
        turned = self.lines.turned[ways]
        other = self._prices(siblings, turned, steps)
        total = own + other.min(axis=0)
        nth = int(total.argmin())
        partner = int(siblings[other[:, nth].argmin()])
        return [(spoke, int(ways[nth])), (partner, int(turned[nth]))], float(total[nth])

    def _with_hub(
        self, spoke: int, ways: Places, own: Prices, steps: int
    ) -> tuple[list[tuple[int, int]], float]:
        """The hub moves, and with it one spoke of every group."""
        if not self.lines.has_hub:
            return [], np.inf
        total, picked = own, []
        if spoke != HUB:
            total = total + self._prices(np.array([HUB]), ways, steps)[0]
        for group in self.lines.groups:
            if spoke not in group and np.isfinite(total).any():
                prices = self._prices(group, ways, steps)
                picked.append(group[prices.argmin(axis=0)])
                total = total + prices.min(axis=0)
        nth = int(total.argmin())
        spokes = dict.fromkeys([spoke, HUB, *(int(pick[nth]) for pick in picked)])
        return [(moved, int(ways[nth])) for moved in spokes], float(total[nth])

    def _by_steps(self, place: int, step: int, below: float) -> Offer | None:
        """Step by step, each time the cheapest exchange that is left."""
        table = _Table(self.counts.copy(), self.price_of.copy(), set(), set())
        moves, spent = [], 0.0
        for _ in range(abs(step)):
            price = self._take_step(place, step > 0, table, below - spent)
            spent += price
            if spent >= below:
                return None
            moves.append(self._drift(table))
        return Offer(tuple(moves), spent)

    def _take_step(self, place: int, is_up: bool, table: _Table, below: float) -> float:
        """Move the cell by one in this table, and say what it cost; infinite: it did not move."""
        spoke, ways = (
            int(self.lines.spoke[place]),
            self._ways(place, self.lines.through, is_up=is_up),
        )
        siblings = self.lines.siblings[spoke]
        own = self._prices_now(np.array([spoke]), ways, table, below)[0]
        ways, own = ways[own < below], own[own < below]
        if not len(siblings) or not len(ways):
            return np.inf
        turned = self.lines.turned[ways]
        other = self._prices_now(siblings, turned, table, below)
        total = own + other.min(axis=0)
        nth = int(total.argmin())
        if total[nth] >= below:
            return np.inf
        partner = int(siblings[other[:, nth].argmin()])
        self._take(table, self.lines.move([(spoke, int(ways[nth])), (partner, int(turned[nth]))]))
        return float(total[nth])

    def _take(self, table: _Table, move: Move) -> None:
        table.counts[move.places] += move.steps
        table.price[move.places] = np.minimum(table.price[move.places], HIDDEN_PRICE)
        table.moved.update(move.places.tolist())
        table.touched.update(self.lines.spoke[move.places].tolist())

    def _drift(self, table: _Table) -> Move:
        moved = np.array(sorted(table.moved), dtype=np.intp)
        drift = table.counts[moved] - self.counts[moved]
        return Move(moved[drift != 0], drift[drift != 0])

    def _repaired(self, place: int, offer: Offer) -> Offer:
        """Move back what had to be hidden, one cell after another, where others can stand in for
        it that cost less."""
        table = _Table(self.counts.copy(), self.price_of.copy(), set(), set())
        self._take(table, offer.moves[-1])
        table.price[place] = np.inf
        bought = [cell for cell in offer.moves[-1].places if self.price_of[cell] >= FREE]
        price = offer.price
        for cell in map(int, bought):
            trial, drift = table.copy(), int(table.counts[cell] - self.counts[cell])
            spent, worth = 0.0, float(self.price_of[cell])
            for _ in range(abs(drift)):
                spent += self._take_step(cell, drift < 0, trial, worth - spent)
                if spent >= worth:
                    break
            if drift and spent < worth:
                trial.price[cell] = worth
                table, price = trial, price - worth + spent
        return Offer((self._drift(table),), price) if price < offer.price else offer
