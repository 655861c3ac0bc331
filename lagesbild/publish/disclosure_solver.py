"""Which further counts must be hidden so that small ones cannot be worked out.

A *witness* is a table an attacker cannot tell from the real one: same shown counts, same sums,
hidden counts whole and at least 1. A small count is safe once there is a witness for each of its
values 1-4. Witnesses are found by mixed-integer programming (HiGHS) over the moves from the real
counts: first with what is hidden already, many at once; then one by one, hiding what must be at
least cost. What a witness once proved stays true, since more hidden counts only allow more
tables. The order is fixed and nothing is random or timed, so the result is always the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

Sign = Literal[-1, 1]
Whole = NDArray[np.int64]
Real = NDArray[np.float64]

# How far above its real count a cell may stand in a witness: near at first, since a small reach
# keeps the programmes quick, and far where nothing near is possible.
_REACH = 8
_FAR_REACH = 1000
ORDER = (4, 1, 3, 2)
_REWARD = 0.01
_WHOLE = 1e-6  # how near a whole number the linear programme must come
_MOVE = 1e-3  # the price of moving what is hidden already: witnesses stay near the real table


@contextmanager
def _silence() -> Iterator[None]:
    """The solver's library leaves a debugging line on standard output, past Python's own."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


@dataclass(frozen=True, slots=True)
class Relation:
    """Signed cell numbers whose counts sum to 0 (`is_equal`), or to 0 or more."""

    row: tuple[tuple[int, Sign], ...]
    is_equal: bool


def hide(counts: Sequence[int], relations: Sequence[Relation], small: Sequence[int]) -> set[int]:
    """Numbers of the cells to hide, `small` among them. Every count is at least 1."""
    if not counts:
        return set()
    matrix, is_equal = _matrix(len(counts), relations)
    links = (abs(matrix).T @ abs(matrix)) if relations else csr_array((len(counts), len(counts)))
    _, label = connected_components(links, directed=False)
    hidden: set[int] = set()
    for group in sorted({int(label[number]) for number in small}):
        cells = np.flatnonzero(label == group)
        rows = np.flatnonzero(abs(matrix)[:, cells].sum(axis=1))
        part = _Component(
            np.asarray(counts, dtype=np.int64)[cells],
            matrix[rows][:, cells],
            is_equal[rows],
            np.isin(cells, small),
        )
        hidden.update(int(number) for number in cells[part.solve()])
    return hidden


def _matrix(n_cells: int, relations: Sequence[Relation]) -> tuple[csr_array, NDArray[np.bool_]]:
    rows = [number for number, relation in enumerate(relations) for _ in relation.row]
    columns = [cell for relation in relations for cell, _ in relation.row]
    signs = [float(sign) for relation in relations for _, sign in relation.row]
    matrix = csr_array((signs, (rows, columns)), shape=(len(relations), n_cells))
    return matrix, np.array([relation.is_equal for relation in relations], dtype=bool)


class _Component:
    """Cells tied together by sums, and what has been proved about the small ones so far."""

    def __init__(
        self,
        counts: Whole,
        matrix: csr_array,
        is_equal: NDArray[np.bool_],
        is_small: NDArray[np.bool_],
    ) -> None:
        self.counts = counts
        self.n = len(counts)
        self.hidden = is_small.copy()
        self.small = np.flatnonzero(is_small)
        self.possible = {int(p): {int(counts[p])} for p in self.small}
        self.matrix = matrix
        slack = -(matrix @ counts)
        upper = np.where(is_equal, slack, np.inf)
        both = csr_array(np.zeros((0, 2 * self.n))) if not len(slack) else _side_by_side(matrix)
        self.sums = LinearConstraint(both, slack, upper)

    def solve(self) -> NDArray[np.intp]:
        """Positions of the cells to hide."""
        for value in ORDER:
            self._prove_many(value)
        for value in ORDER:
            for place in self._open(value):
                if value not in self.possible[place]:
                    self._prove(place, value)
        for place, seen in self.possible.items():
            if len(seen) == 1:
                self._prove(place, int(self.counts[place]) + 1)
        return np.flatnonzero(self.hidden)

    def _open(self, value: int) -> list[int]:
        """The small cells not yet shown to be possibly `value`."""
        return [place for place, seen in self.possible.items() if value not in seen]

    def _price(self) -> NDArray[np.float64]:
        return np.tile(np.where(self.hidden, _MOVE, 1.0 + np.log2(self.counts)), 2)

    def _prove_many(self, value: int) -> None:
        """Free witnesses for as many small cells at once as can be had, until no more come."""
        while open_ := self._open(value):
            low, high = self._room(_REACH, is_free=False)
            price = self._price()
            self._invite(open_, value, price, high)
            self._accept(self._witness(price, low, high))
            if len(self._open(value)) == len(open_):
                break

    def _prove(self, place: int, value: int) -> None:
        """A witness where one cell has this value, hiding what must be; none if zeros forbid it."""
        witness = self._witness_of(place, value, _REACH, self._open(value))
        if witness is None:
            # a sum of small cells may have to pass the value, or anything the usual reach
            witness = self._witness_of(place, value, _FAR_REACH, ())
        self._accept(witness)

    def _witness_of(
        self, place: int, value: int, reach: int, invited: Sequence[int]
    ) -> Whole | None:
        low, high = self._room(reach, is_free=True)
        price = self._price()
        self._invite(invited, value, price, high)
        move = value - int(self.counts[place])
        up, down = max(move, 0), max(-move, 0)
        low[place] = high[place] = up
        low[place + self.n] = high[place + self.n] = down
        return self._witness(price, low, high)

    def _invite(self, places: Sequence[int], value: int, price: Real, high: Real) -> None:
        """A small reward for every other cell that comes to `value` in the same witness."""
        for place in places:
            move = value - int(self.counts[place])
            column = place if move > 0 else place + self.n
            high[column] = min(high[column], abs(move))
            price[column] = -_REWARD

    def _room(self, reach: int, *, is_free: bool) -> tuple[Real, Real]:
        """Bounds of the moves up and down; shown cells may move only if `is_free`."""
        may_move = np.ones(self.n) if is_free else self.hidden.astype(float)
        high = np.concatenate([may_move * reach, may_move * (self.counts - 1)])
        return np.zeros(2 * self.n), high

    def _witness(self, price: Real, low: Real, high: Real) -> Whole | None:
        """The cheapest moves within bounds, or None. Linear first: nearly always whole already."""
        for integrality, presolve in ((0, True), (1, True), (1, False)):
            with _silence():
                found = milp(
                    price,
                    integrality=np.full(2 * self.n, integrality),
                    bounds=Bounds(low, high),
                    constraints=self.sums,
                    options={"presolve": presolve},
                )
            if found.x is None:
                continue  # presolving has called a possible table impossible
            moves = np.rint(found.x).astype(np.int64)
            if np.abs(found.x - moves).max() < _WHOLE:
                return self._moved(moves)
        return None

    def _moved(self, moves: Whole) -> Whole:
        witness: Whole = self.counts + moves[: self.n] - moves[self.n :]
        return witness

    def _accept(self, witness: Whole | None) -> None:
        """Note what a witness proves, and what follows from it without another programme."""
        if witness is None or (witness == self.counts).all():
            return
        self.hidden |= witness != self.counts
        steps = self._steps(witness - self.counts)
        for table in [witness, *steps, *(2 * self.counts - step for step in (witness, *steps))]:
            if self._is_possible(table):
                for place in self.small:
                    self.possible[int(place)].add(int(table[place]))

    def _steps(self, move: Whole) -> list[Whole]:
        """Tables on the way to the real one: moves that share no sum are shortened each by itself,
        by whole parts. Where the moves are 3, -3 and 6, -6, the first step is 1, -1 and 2, -2."""
        moved = np.flatnonzero(move)
        part = abs(self.matrix[:, moved])
        _, label = connected_components(part.T @ part, directed=False)
        unit, times = move.copy(), np.ones(self.n, dtype=np.int64)
        for group in range(int(label.max(initial=-1)) + 1):
            cells = moved[label == group]
            times[cells] = np.gcd.reduce(np.abs(move[cells]))
        unit //= times
        return [self.counts + unit * np.minimum(k, times) for k in range(1, int(times.max()))]

    def _is_possible(self, table: Whole) -> bool:
        drift = self.matrix @ (table - self.counts)
        within = (drift >= self.sums.lb) & (drift <= self.sums.ub)
        return bool(table.min() >= 1 and within.all())


def _side_by_side(matrix: csr_array) -> csr_array:
    """The matrix for moves up, and its negative for moves down."""
    return csr_array(hstack([matrix, -matrix]))
