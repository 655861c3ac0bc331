"""One question to the solver: is there a table that looks like the real one, where these moved?

Every programme is cut down to the cells that may move and the sums these are in, so that a
question about one count of a large family stays small. The library is HiGHS, by way of scipy.
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
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csc_array, csr_array

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Places = NDArray[np.intp]
Sign = Literal[-1, 1]

_WHOLE = 1e-6  # how near a whole number the linear programme must come
# After so many branches a programme is given up. Counted, not timed: the same everywhere.
_NODES = 500
_IMPOSSIBLE = 2  # how scipy says that a programme has no solution


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


def matrix_of(n_cells: int, relations: Sequence[Relation]) -> tuple[csr_array, NDArray[np.bool_]]:
    """One row a relation, one column a cell; and which of the relations are equal."""
    rows = [number for number, relation in enumerate(relations) for _ in relation.row]
    columns = [cell for relation in relations for cell, _ in relation.row]
    signs = [float(sign) for relation in relations for _, sign in relation.row]
    matrix = csr_array((signs, (rows, columns)), shape=(len(relations), n_cells))
    return matrix, np.array([relation.is_equal for relation in relations], dtype=bool)


@dataclass(slots=True)
class Question:
    """What may move, how far up and down, and what a step costs. Arrays go along `places`.

    `least_up`, `least_down`: how far a cell has to move at the least.
    """

    places: Places
    up: Real
    down: Real
    price_up: Real
    price_down: Real
    least_up: Real
    least_down: Real


@dataclass(frozen=True, slots=True)
class Move:
    """Steps up or down from the real counts, of these cells."""

    places: Places
    steps: Whole


@dataclass(frozen=True, slots=True)
class Answer:
    """`move`: found, or None. `is_impossible`: proved, not just not found."""

    move: Move | None
    is_impossible: bool


class Sums:
    """The sums of some cells: rows of signs whose counts make 0, or 0 or more, together."""

    def __init__(self, matrix: csr_array, is_equal: NDArray[np.bool_], counts: Whole) -> None:
        self.matrix = matrix
        self.is_equal = is_equal
        self.by_cell = matrix.tocsc()
        self.counts = counts
        # how far each row may fall and rise when cells move
        self.low = -(matrix @ counts).astype(float)
        self.high = np.where(is_equal, self.low, np.inf)

    def cells_of(self, row: int) -> Places:
        first, last = self.matrix.indptr[row : row + 2]
        found: Places = self.matrix.indices[first:last]
        return found

    def signs_of(self, row: int) -> Real:
        """The signs of `cells_of`, in the same order."""
        first, last = self.matrix.indptr[row : row + 2]
        found: Real = self.matrix.data[first:last]
        return found

    def rows_of(self, cell: int) -> Places:
        first, last = self.by_cell.indptr[cell : cell + 2]
        found: Places = self.by_cell.indices[first:last]
        return found

    def across(self, places: Places) -> tuple[Places, Places, Real]:
        """Every sum of each cell: which of the places, the row, and the sign there."""
        return _entries(self.by_cell, places)

    def along(self, rows: Places) -> Places:
        """The cells of these rows together, some of them several times."""
        return _entries(self.matrix, rows)[1]

    def is_possible(self, move: Move) -> bool:
        """Whether the counts so moved are a table: every sum holds and no hidden count is 0."""
        if (self.counts[move.places] + move.steps).min(initial=1) < 1:
            return False
        nth, rows, signs = self.across(move.places)
        touched, inside = np.unique(rows, return_inverse=True)
        drift = np.bincount(inside, signs * move.steps[nth], len(touched))
        return bool(((drift >= self.low[touched]) & (drift <= self.high[touched])).all())

    def least(self) -> Whole:
        """The least every cell can be for the shown zeros alone: a total of three parts is 3 or
        more.

        A sum ties its one negative cell to the positive ones, and the other way where it is one to
        one.
        """
        least = np.ones(len(self.counts), dtype=np.int64)
        positive, negative = (self.matrix > 0).astype(np.int64), (self.matrix < 0).astype(np.int64)
        sides = [(positive, negative, np.ones(len(self.is_equal), dtype=bool))]
        sides.append((negative, positive, self.is_equal))
        while True:
            before = least.copy()
            for one, other, holds in sides:
                rows = np.flatnonzero((np.diff(csr_array(one).indptr) == 1) & holds)
                alone = csr_array(one)[rows].indices
                np.maximum.at(least, alone, csr_array(other)[rows] @ before)
            if (least == before).all():
                return least

    def answer(self, question: Question, *, is_thorough: bool) -> Answer:
        """The cheapest moves within bounds. `is_thorough`: asked again before it is impossible."""
        places = question.places
        # one column for a cell's way up and one for its way down, where there is any
        ups, downs = np.flatnonzero(question.up > 0), np.flatnonzero(question.down > 0)
        columns = np.concatenate([places[ups], places[downs]])
        part = self.by_cell[:, columns]
        part.data[part.indptr[len(ups)] :] *= -1
        rows, inside = np.unique(part.indices, return_inverse=True)
        signs = csc_array((part.data, inside, part.indptr), shape=(len(rows), len(columns)))
        constraints = LinearConstraint(signs, self.low[rows], self.high[rows]) if len(rows) else ()
        bounds = Bounds(
            np.concatenate([question.least_up[ups], question.least_down[downs]]),
            np.concatenate([question.up[ups], question.down[downs]]),
        )
        price = np.concatenate([question.price_up[ups], question.price_down[downs]])
        # Linear first: its answer is nearly always whole already. Asked again without presolving,
        # which has called a possible table impossible.
        presolves = (True, False) if is_thorough else (True,)
        for integrality in (0, 1):
            for presolve in presolves:
                found = _solved(price, integrality, bounds, constraints, presolve=presolve)
                if found.x is not None:
                    break
            if found.x is not None and _is_whole(found.x):
                steps = np.rint(found.x).astype(np.int64)
                move = np.zeros(len(self.counts), dtype=np.int64)
                move[places[ups]] = steps[: len(ups)]
                move[places[downs]] -= steps[len(ups) :]
                moved = np.flatnonzero(move)
                return Answer(Move(moved, move[moved]), is_impossible=False)
            if found.status == _IMPOSSIBLE:
                break
        return Answer(None, found.status == _IMPOSSIBLE)


def _entries(matrix: csr_array | csc_array, numbers: Places) -> tuple[Places, Places, Real]:
    """What some rows (or columns, of the other kind) hold: which of them, where, and the sign."""
    first, last = matrix.indptr[numbers], matrix.indptr[numbers + 1]
    nth = np.repeat(np.arange(len(numbers)), last - first)
    before = np.cumsum(last - first) - (last - first)
    at = np.arange(len(nth)) + np.repeat(first - before, last - first)
    return nth, matrix.indices[at], matrix.data[at]


def _is_whole(found: Real) -> bool:
    return bool(np.abs(found - np.rint(found)).max(initial=0) < _WHOLE)


def _solved(
    price: Real,
    integrality: int,
    bounds: Bounds,
    constraints: LinearConstraint | tuple[()],
    *,
    presolve: bool,
) -> OptimizeResult:
    with _silence():
        return milp(
            price,
            integrality=np.full(len(price), integrality),
            bounds=bounds,
            constraints=constraints,
            options={"presolve": presolve, "node_limit": _NODES},
        )
