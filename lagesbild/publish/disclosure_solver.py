"""Which further counts must be hidden so that small ones cannot be worked out.

A *witness* is a table an attacker cannot tell from the real one: same shown counts, same sums,
hidden counts whole and at least 1. A small count is safe once there is a witness for each of its
values 1-4. Witnesses are found by mixed-integer programming over the moves from the real counts:

1. with what is hidden already, many at once;
2. then one by one, hiding what must be at least cost, among near cells first and further away
   where nothing near is possible;
3. last, what was hidden and turned out to be needless is shown again, the largest first, as long
   as every value keeps a witness.

What a witness once proved stays true while what it moves is hidden. Where the solver gives up,
everything tied to the count is hidden, which is always enough. The order is fixed and nothing is
random or timed, so the result is always the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from lagesbild.publish.disclosure_programme import Places, Question, Sums, Whole

Sign = Literal[-1, 1]
Flags = NDArray[np.bool_]
Pair = tuple[int, int]  # a small cell and a value it must be able to have

# How far above its real count a cell may stand in a witness: near at first, since a small reach
# keeps the programmes quick, and far where nothing near is possible.
_REACH = 8
_FAR_REACH = 1000
SMALLEST_SHOWN = 5
ORDER = (4, 1, 3, 2)  # of the values to be proved: the ends first, often they prove the rest
_REWARD = 0.01
_MOVE = 1e-3  # the price of moving what is hidden already: witnesses stay near the real table
# Protection is looked for a few sums away from a small count first, where there are more cells than
# this; of each sum those hidden already are tried, and so many of the cheapest others.
_FEW = 100
_CHEAPEST = 8


@dataclass(frozen=True, slots=True)
class Relation:
    """Signed cell numbers whose counts sum to 0 (`is_equal`), or to 0 or more."""

    row: tuple[tuple[int, Sign], ...]
    is_equal: bool


@dataclass(frozen=True, slots=True)
class Hiding:
    """Numbers of the cells to hide. `before`: how many it would be without showing again.

    `n_given_up`: groups of cells hidden whole because the solver gave up.
    """

    hidden: frozenset[int]
    before: int
    n_given_up: int


def hide(
    counts: Sequence[int],
    relations: Sequence[Relation],
    small: Sequence[int],
    settled: Sequence[int] = (),
    kept: Sequence[int] = (),
) -> Hiding:
    """Which cells to hide, `small` among them. Every count is at least 1.

    `settled`: cells that have been released before; they stay shown, or hidden if among `kept`.
    """
    if not counts or not small:
        return Hiding(frozenset(small) | frozenset(kept), len({*small, *kept}), 0)
    matrix, is_equal = _matrix(len(counts), relations)
    links = abs(matrix).T @ abs(matrix)
    _, label = connected_components(links, directed=False)
    hidden, before, n_given_up = set(kept), 0, 0
    is_small, is_settled, is_kept = (_flags(len(counts), n) for n in (small, settled, kept))
    for group in sorted({int(label[number]) for number in small}):
        cells = np.flatnonzero(label == group)
        rows = np.flatnonzero(abs(matrix)[:, cells].sum(axis=1))
        sums = Sums(
            csr_array(matrix[rows][:, cells]),
            is_equal[rows],
            np.asarray(counts, dtype=np.int64)[cells],
        )
        part = _Component(sums, is_small[cells], is_settled[cells], is_kept[cells])
        part.solve()
        hidden.update(int(number) for number in cells[part.hidden])
        before += part.before
        n_given_up += part.is_given_up
    return Hiding(frozenset(hidden), before, n_given_up)


def _flags(n: int, numbers: Sequence[int]) -> Flags:
    flags = np.zeros(n, dtype=bool)
    flags[list(numbers)] = True
    return flags


def _matrix(n_cells: int, relations: Sequence[Relation]) -> tuple[csr_array, Flags]:
    rows = [number for number, relation in enumerate(relations) for _ in relation.row]
    columns = [cell for relation in relations for cell, _ in relation.row]
    signs = [float(sign) for relation in relations for _, sign in relation.row]
    matrix = csr_array((signs, (rows, columns)), shape=(len(relations), n_cells))
    return matrix, np.array([relation.is_equal for relation in relations], dtype=bool)


# Programmes solved to show again what is hidden needlessly, for each component; then it stays
# hidden. In a large family every one of them is slow.
_MOST_TRIES = 200


class _Component:
    """Cells tied together by sums, and what has been proved about the small ones so far."""

    def __init__(self, sums: Sums, is_small: Flags, is_settled: Flags, is_kept: Flags) -> None:
        self.sums = sums
        self.counts = sums.counts
        self.n = len(self.counts)
        self.is_small = is_small
        self.hidden = is_small | is_kept
        self.may_hide = ~is_settled | self.hidden
        self.may_show = ~is_settled & ~is_small
        self.small = np.flatnonzero(is_small)
        self.least = _least(sums)
        self.cost = 1.0 + np.log2(self.counts)
        # Witnesses are numbered. Pair -> those that prove it, and the other way round; and
        # which of them move a cell that is hidden for the sake of others.
        self.proofs: dict[Pair, set[int]] = defaultdict(set)
        self.proved: list[list[Pair]] = []
        self.movers: dict[int, set[int]] = defaultdict(set)
        self.before = 0
        self.is_given_up = False
        self.tries = 0

    def solve(self) -> None:
        """Settle `hidden`."""
        for value in ORDER:
            self._prove_many(value)
        wanted = [(place, value) for value in ORDER for place in self._open(value)]
        # where the shown zeros leave one value only, one more must be possible
        alone = np.flatnonzero(self.is_small & (self.least == SMALLEST_SHOWN - 1))
        for place, value in [*wanted, *((int(place), SMALLEST_SHOWN) for place in alone)]:
            self._prove(place, value)
            if self.is_given_up:
                return
        self.before = int(self.hidden.sum())
        self._show_again()

    def _is_proved(self, place: int, value: int) -> bool:
        return bool(self.counts[place] == value or self.proofs.get((place, value)))

    def _open(self, value: int) -> list[int]:
        """The small cells not yet shown to be possibly `value`, though zeros do not forbid it."""
        return [
            int(place)
            for place in self.small
            if self.least[place] <= value and not self._is_proved(int(place), value)
        ]

    # --- looking for witnesses --------------------------------------------------------------------

    def _prove_many(self, value: int) -> None:
        """Free witnesses for as many small cells at once as can be had, until no more come."""
        places = np.flatnonzero(self.hidden)
        while open_ := self._open(value):
            question = self._question(places, _REACH, open_, value)
            answer = self.sums.answer(question, is_thorough=True)
            self._accept(answer.move)
            if len(self._open(value)) == len(open_):
                break

    def _prove(self, place: int, value: int) -> None:
        """A witness where one cell has this value, hiding what must be; none if zeros forbid it."""
        if self._is_proved(place, value):
            return
        open_ = self._open(value)
        # Others are invited first. They may then not pass the value, which a sum of small counts
        # sometimes must; so at last nobody is, and the reach is far.
        tries: list[tuple[int | None, int, list[int]]]
        tries = [(None, _REACH, open_), (None, _FAR_REACH, [])]
        if self.n > _FEW:
            tries = [(2, _REACH, open_), (4, _REACH, []), (None, _FAR_REACH, [])]
        for hops, reach, invited in tries:
            question = self._question(self._near(place, hops), reach, invited, value)
            self._force(question, place, value)
            answer = self.sums.answer(question, is_thorough=reach == _FAR_REACH)
            if answer.move is not None:
                self._accept(answer.move)
                return
        if not answer.is_impossible:
            self.is_given_up = True
            self.hidden |= self.may_hide
            self.before = int(self.hidden.sum())

    def _question(
        self, places: Places, reach: float, invited: Sequence[int], value: int
    ) -> Question:
        """Moves of these cells. A small reward for every invited one that comes to `value`."""
        counts, zeros = self.counts[places], np.zeros(len(places))
        price = np.where(self.hidden[places], _MOVE, self.cost[places])
        down = (counts - 1).astype(np.float64)
        question = Question(places, zeros + reach, down, price, price.copy(), zeros, zeros.copy())
        at = np.flatnonzero(np.isin(places, invited))
        step = value - counts[at]
        rise, fall = at[step > 0], at[step < 0]
        question.up[rise] = np.minimum(question.up[rise], step[step > 0])
        question.price_up[rise] = -_REWARD
        question.down[fall] = np.minimum(question.down[fall], -step[step < 0])
        question.price_down[fall] = -_REWARD
        return question

    def _force(self, question: Question, place: int, value: int) -> None:
        """This cell moves to this value, nowhere else."""
        at = int(np.flatnonzero(question.places == place)[0])
        step = value - int(self.counts[place])
        question.up[at] = question.least_up[at] = max(step, 0)
        question.down[at] = question.least_down[at] = max(-step, 0)

    def _near(self, place: int, hops: int | None) -> Places:
        """The cells few sums away that may move, of each sum the hidden and the cheapest."""
        if hops is None:
            return np.flatnonzero(self.may_hide)
        found, rows, edge = {place}, set[int](), [place]
        for _ in range(hops):
            fresh = {int(row) for cell in edge for row in self.sums.rows_of(cell)} - rows
            rows |= fresh
            edge = sorted({cell for row in fresh for cell in self._tried(row)} - found)
            found.update(edge)
        return np.array(sorted(found))

    def _tried(self, row: int) -> list[int]:
        cells = self.sums.cells_of(row)
        cells = cells[self.may_hide[cells]]
        price = np.where(self.hidden[cells], 0.0, self.cost[cells])
        chosen = cells[np.argsort(price, kind="stable")]
        return [int(cell) for cell in chosen[: self.hidden[cells].sum() + _CHEAPEST]]

    # --- what a witness proves --------------------------------------------------------------------

    def _accept(self, move: Whole | None) -> None:
        """Note what a witness proves, and what follows from it without another programme."""
        if move is None or not move.any() or not self.sums.is_possible(move):
            return
        self.hidden |= move != 0
        for step in (move, *self._steps(move)):
            for turned in (step, -step):
                if self.sums.is_possible(turned):
                    self._note(turned)

    def _note(self, move: Whole) -> None:
        moved = np.flatnonzero(move)
        values = self.counts + move
        small = moved[self.is_small[moved]]
        pairs = [(int(p), int(values[p])) for p in small if 1 <= values[p] <= SMALLEST_SHOWN]
        for pair in pairs:
            self.proofs[pair].add(len(self.proved))
        for cell in moved[self.may_show[moved]]:
            self.movers[int(cell)].add(len(self.proved))
        self.proved.append(pairs)

    def _steps(self, move: Whole) -> Iterator[Whole]:
        """Tables on the way to the real one: moves that share no sum are shortened each by itself,
        by whole parts. Where the moves are 3, -3 and 6, -6, the first step is 1, -1 and 2, -2."""
        unit, times = move.copy(), np.ones(self.n, dtype=np.int64)
        left = set(np.flatnonzero(move).tolist())
        while left:
            group = self._reached(left.pop(), left)
            left -= group
            cells = np.array(sorted(group))
            times[cells] = np.gcd.reduce(np.abs(move[cells]))
        unit //= times
        for k in range(1, int(times.max())):
            yield unit * np.minimum(k, times)

    def _reached(self, start: int, among: Collection[int], hops: int | None = None) -> set[int]:
        """The cells that sums tie to this one, by way of these cells only, within so many sums."""
        found, rows, edge = {start}, set[int](), [start]
        while edge and (hops is None or hops > 0):
            fresh = {row for cell in edge for row in self.sums.rows_of(cell).tolist()} - rows
            rows |= fresh
            edge = [
                cell
                for row in fresh
                for cell in self.sums.cells_of(row).tolist()
                if cell in among and cell not in found
            ]
            found.update(edge)
            hops = None if hops is None else hops - 1
        return found

    # --- showing again ----------------------------------------------------------------------------

    def _show_again(self) -> None:
        """Show what is hidden needlessly, the largest first."""
        complementary = np.flatnonzero(self.hidden & self.may_show)
        self.tries = 0
        for cell in complementary[np.argsort(-self.counts[complementary], kind="stable")]:
            if self.tries >= _MOST_TRIES:
                return
            self._try_to_show(int(cell))

    def _try_to_show(self, cell: int) -> None:
        if any(self._is_told_by(int(row), cell) for row in self.sums.rows_of(cell)):
            return
        lost = self.movers[cell]
        doubtful = {pair for number in lost for pair in self.proved[number]}
        self.hidden[cell] = False
        for place, value in sorted(doubtful):
            if self.counts[place] == value or self.proofs[place, value] - lost:
                continue
            if not self._is_found_again(place, value):
                self.hidden[cell] = True
                return
        for pair in doubtful:
            self.proofs[pair] -= lost

    def _is_told_by(self, row: int, cell: int) -> bool:
        """Whether this sum would narrow a small count at once if the cell were shown."""
        if not self.sums.is_equal[row]:
            return False
        cells = self.sums.cells_of(row)
        left = cells[self.hidden[cells] & (cells != cell)]
        has_total = bool((self.sums.signs_of(row)[self.hidden[cells] & (cells != cell)] < 0).any())
        if has_total and len(left) > 1:
            return False
        # each of the others is at least 1, so one of them can be this at most
        most = int(self.counts[left].sum()) - len(left) + 1
        return bool((self.is_small[left] & (most < SMALLEST_SHOWN - 1)).any())

    def _is_found_again(self, place: int, value: int) -> bool:
        """Whether what is still hidden has a witness; it is noted. Near cells are tried first."""
        hidden = set(np.flatnonzero(self.hidden).tolist())
        tried = 0
        for hops in (2, None):
            tied = np.array(sorted(self._reached(place, hidden, hops)))
            if len(tied) == tried:
                break
            tried = len(tied)
            question = self._question(tied, _REACH, (), value)
            self._force(question, place, value)
            self.tries += 1
            move = self.sums.answer(question, is_thorough=False).move
            if move is not None and self.sums.is_possible(move):
                self._accept(move)
                return True
        return False


def _least(sums: Sums) -> Whole:
    """The least every cell can be for the shown zeros alone: a total of three parts is at least 3.

    A sum ties its one negative cell to the positive ones, and the other way where it is one to one.
    """
    least = np.ones(len(sums.counts), dtype=np.int64)
    positive, negative = (sums.matrix > 0).astype(np.int64), (sums.matrix < 0).astype(np.int64)
    sides = [(positive, negative, np.ones(len(sums.is_equal), dtype=bool))]
    sides.append((negative, positive, sums.is_equal))
    while True:
        before = least.copy()
        for one, other, holds in sides:
            rows = np.flatnonzero((np.diff(csr_array(one).indptr) == 1) & holds)
            alone = csr_array(one)[rows].indices
            np.maximum.at(least, alone, csr_array(other)[rows] @ before)
        if (least == before).all():
            return least
