"""Which further counts must be hidden so that small ones cannot be worked out.

A *witness* is a table an attacker cannot tell from the real one: same shown counts, same sums,
hidden counts whole and at least 1. A small count is safe once there is a witness for each of its
values 1-4. Witnesses are looked for

1. among exchanges of what is hidden already (disclosure_exchange.py), which is quick;
2. then one count at a time, hiding what must be at least cost: by mixed-integer programming over
   the moves from the real counts, among near cells first, as long as the work is bearable; by
   exchanges after that, and by programmes over all cells where there is none;
3. last, what was hidden and turned out to be needless is shown again, the largest first, as long
   as every value keeps a witness.

Whatever finds a move, it is a witness only when every sum has been seen to hold (Sums.is_possible).
What a witness once proved stays true while what it moves is hidden. Where the solver gives up,
everything tied to the count is hidden, which is always enough. The order is fixed and nothing is
random or timed, so the result is always the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import connected_components

from lagesbild.publish.disclosure_exchange import FREE, HIDDEN_PRICE, Exchanges, Offer
from lagesbild.publish.disclosure_programme import (
    Answer,
    Move,
    Places,
    Question,
    Real,
    Relation,
    Sums,
    Whole,
    matrix_of,
)

Flags = NDArray[np.bool_]
Pair = tuple[int, int]  # a small cell and a value it must be able to have

# How far above its real count a cell may stand in a witness: near at first, since a small reach
# keeps the programmes quick, and far where nothing near is possible.
_REACH = 8
_FAR_REACH = 1000
SMALLEST_SHOWN = 5
ORDER = (4, 1, 3, 2)  # of the values to be proved: the ends first, often they prove the rest
_REWARD = 0.01
# Protection is looked for a few sums away from a small count first, where there are more cells than
# this; of each sum those hidden already are tried, and so many of the cheapest others.
_FEW = 100
_CHEAPEST = 8


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
    exchanges: Callable[[Places, Whole], Exchanges] | None = None,
    dear: Sequence[int] = (),
) -> Hiding:
    """Which cells to hide, `small` among them. Every count is at least 1.

    `settled`: cells that have been released before; they stay shown, or hidden if among `kept`.
    `exchanges`: made of some cells that sums tie together, and their counts. `dear`: cells
    that are hidden only where little else would do.
    """
    if not counts or not small:
        return Hiding(frozenset(small) | frozenset(kept), len({*small, *kept}), 0)
    whole = np.asarray(counts, dtype=np.int64)
    matrix, is_equal = matrix_of(len(counts), relations)
    _, label = connected_components(block_array([[None, matrix], [matrix.T, None]]), directed=False)
    of_row, of_cell = label[: len(relations)], label[len(relations) :]
    hidden, before, n_given_up = set(kept), 0, 0
    is_small, is_settled, is_kept = (_flags(len(counts), n) for n in (small, settled, kept))
    cost = (1.0 + np.log2(whole)) * np.where(_flags(len(counts), dear), _DEAR, 1.0)
    for group in sorted({int(of_cell[number]) for number in small}):
        cells, rows = np.flatnonzero(of_cell == group), np.flatnonzero(of_row == group)
        sums = Sums(csr_array(matrix[rows][:, cells]), is_equal[rows], whole[cells])
        made = exchanges(cells, sums.counts) if exchanges else None
        work = _MOST_WORK * int(is_small[cells].sum()) // len(small)
        work = work * _MANY // max(len(cells), _MANY)
        flags = (is_small[cells], is_settled[cells], is_kept[cells])
        part = _Component(sums, *flags, cost[cells], made, work)
        part.solve()
        hidden.update(int(number) for number in cells[part.hidden])
        before += part.before
        n_given_up += part.is_given_up
    return Hiding(frozenset(hidden), before, n_given_up)


def _flags(n: int, numbers: Sequence[int]) -> Flags:
    flags = np.zeros(n, dtype=bool)
    flags[list(numbers)] = True
    return flags


_DEAR = 20.0  # as much as this many others that are as large
# Cells in programmes that look for something cheaper than an exchange, less where there are more
# than so many cells; and a quarter of that again in those that look for another witness, so that a
# needless hiding can be undone. Counted, not timed. Each component has its part of this, by its
# small counts.
_MOST_WORK = 250_000
_MANY = 10_000
_LEAST_WORK = 100  # what a programme takes however few its cells


class _Component:
    """Cells tied together by sums, and what has been proved about the small ones so far.

    `most_work`: how much of it the programmes may take where an exchange would do, or nothing.
    """

    def __init__(
        self,
        sums: Sums,
        is_small: Flags,
        is_settled: Flags,
        is_kept: Flags,
        cost: Real,
        exchanges: Exchanges | None,
        most_work: int,
    ) -> None:
        self.sums = sums
        self.is_plain = bool(sums.is_equal.all())
        self.counts = sums.counts
        self.n = len(self.counts)
        self.is_small = is_small
        self.hidden = is_small | is_kept
        self.may_hide = ~is_settled | self.hidden
        self.may_show = ~is_settled & ~is_small
        self.small = np.flatnonzero(is_small)
        self.least = sums.least()
        self.cost = cost
        self.exchanges = exchanges
        # Witnesses are numbered. Pair -> those that prove it, and the other way round; and
        # which of them move a cell that is hidden for the sake of others.
        self.proofs: dict[Pair, set[int]] = defaultdict(set)
        self.proved: list[list[Pair]] = []
        self.movers: dict[int, set[int]] = defaultdict(set)
        self.tried: dict[int, list[int]] = {}  # row -> its cells that programmes may move
        self.before = 0
        self.is_given_up = False
        self.most_work, self.work = most_work, 0

    def solve(self) -> None:
        """Settle `hidden`."""
        self._reprice(np.arange(self.n))
        for value in ORDER:
            self._prove_free(value)
        wanted = [(place, value) for value in ORDER for place in self._open(value)]
        # where the shown zeros leave one value only, one more must be possible
        alone = np.flatnonzero(self.is_small & (self.least == SMALLEST_SHOWN - 1))
        for place, value in [*wanted, *((int(place), SMALLEST_SHOWN) for place in alone)]:
            if not self._is_proved(place, value):
                self._prove(place, value)
            if self.is_given_up:
                return
        self.before = int(self.hidden.sum())
        self.most_work, self.work = self.most_work // 4, 0
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

    def _hide(self, places: Places, *, is_hidden: bool = True) -> None:
        self.hidden[places] = is_hidden
        for row in self.sums.across(places)[1].tolist():
            self.tried.pop(row, None)
        self._reprice(places)

    def _reprice(self, places: Places) -> None:
        """What exchanges cost, now that some cells are hidden, or shown."""
        if self.exchanges is not None and len(places):
            price = np.where(self.hidden[places], HIDDEN_PRICE, self.cost[places])
            price[self.is_small[places]] = 0.0
            price[~self.may_hide[places]] = np.inf
            self.exchanges.reprice(places, price)

    # --- looking for witnesses --------------------------------------------------------------------

    def _prove_free(self, value: int) -> None:
        """Witnesses that hide nothing, for as many small cells as can be had."""
        for place in self._open(value):
            if not self._is_proved(place, value):
                offer = self._offer(place, value, FREE)
                self._accept(offer.moves if offer else ())
        while self.n <= _FEW and (open_ := self._open(value)):
            question = self._question(np.flatnonzero(self.hidden), _REACH, open_, value)
            self._accept(self._parts(self.sums.answer(question, is_thorough=True).move))
            if len(self._open(value)) == len(open_):
                break

    def _offer(self, place: int, value: int, below: float = np.inf) -> Offer | None:
        if self.exchanges is None:
            return None
        return self.exchanges.offer(place, value - int(self.counts[place]), below)

    def _prove(self, place: int, value: int) -> None:
        """A witness where one cell has this value, hiding what must be; none if zeros forbid it."""
        offer = self._offer(place, value)
        # The programme mostly finds something cheaper, as long as the work is bearable.
        has_time = self.work < self.most_work
        if offer and (offer.price < FREE or not has_time) and self._accept(offer.moves):
            return
        open_ = self._open(value)
        # Others are invited first. They may then not pass the value, which a sum of small counts
        # sometimes must; so at last nobody is, and the reach is far.
        tries: list[tuple[int | None, int, list[int]]]
        tries = [(None, _REACH, open_), (None, _FAR_REACH, [])]
        if self.n > _FEW:
            tries = [(2, _REACH, open_), (4, _REACH, []), (None, _FAR_REACH, [])]
        for hops, reach, invited in tries:
            if reach == _FAR_REACH and offer and self._accept(offer.moves):
                return
            answer = self._ask(self._near(place, hops), reach, invited, (place, value))
            if self._accept(self._parts(answer.move)):
                return
        if not answer.is_impossible:
            self.is_given_up = True
            self.hidden |= self.may_hide
            self.before = int(self.hidden.sum())

    def _ask(self, places: Places, reach: int, invited: Sequence[int], wanted: Pair) -> Answer:
        """The programme, whether these cells can move so that one of them comes to a value."""
        place, value = wanted
        self.work += len(places) + _LEAST_WORK
        question = self._question(places, reach, invited, value)
        at = int(np.flatnonzero(question.places == place)[0])
        step = value - int(self.counts[place])
        question.up[at] = question.least_up[at] = max(step, 0)
        question.down[at] = question.least_down[at] = max(-step, 0)
        return self.sums.answer(question, is_thorough=reach == _FAR_REACH)

    def _question(
        self, places: Places, reach: float, invited: Sequence[int], value: int
    ) -> Question:
        """Moves of these cells. A small reward for every invited one that comes to `value`."""
        counts, zeros = self.counts[places], np.zeros(len(places))
        price = np.where(self.hidden[places], HIDDEN_PRICE, self.cost[places])
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
        if row not in self.tried:
            cells = self.sums.cells_of(row)
            if not self.sums.is_equal[row]:
                # a union leads from its parts to its total, not to all other parts
                signs = self.sums.signs_of(row)
                cells = cells[signs > 0 if len(cells) == 2 else signs < 0]
            cells = cells[self.may_hide[cells]]
            price = np.where(self.hidden[cells], 0.0, self.cost[cells])
            chosen = cells[np.argsort(price, kind="stable")]
            self.tried[row] = chosen[: self.hidden[cells].sum() + _CHEAPEST].tolist()
        return self.tried[row]

    # --- what a witness proves --------------------------------------------------------------------

    def _accept(self, moves: Sequence[Move]) -> bool:
        """Note what witnesses prove, and what follows from them without another search. False
        where there is none, or one that is no witness."""
        for move in moves:
            if not self.sums.is_possible(move) or not self.may_hide[move.places].all():
                return False
        for move in moves:
            self._hide(move.places[~self.hidden[move.places]])
            times = int(np.gcd.reduce(np.abs(move.steps)))
            for k in range(times, 0, -1):
                self._note(Move(move.places, move.steps // times * k))
                turned = Move(move.places, move.steps // times * -k)
                if self._is_possible_turned(turned):
                    self._note(turned)
        return bool(moves)

    def _is_possible_turned(self, move: Move) -> bool:
        """Whether a move is possible the opposite of which is."""
        if self.is_plain:  # the sums hold both ways
            return bool((self.counts[move.places] + move.steps).min() >= 1)
        return self.sums.is_possible(move)

    def _note(self, move: Move) -> None:
        values = self.counts[move.places] + move.steps
        has_value = self.is_small[move.places] & (values <= SMALLEST_SHOWN)
        pairs = list(zip(move.places[has_value].tolist(), values[has_value].tolist(), strict=True))
        for pair in pairs:
            self.proofs[pair].add(len(self.proved))
        for cell in move.places[self.may_show[move.places]].tolist():
            self.movers[cell].add(len(self.proved))
        self.proved.append(pairs)

    def _parts(self, move: Move | None) -> list[Move]:
        """Moves that share no sum: each of them is a witness by itself."""
        if move is None:
            return []
        nth, rows, _ = self.sums.across(move.places)
        shape = (len(self.sums.is_equal), len(move.places))
        share = csr_array((np.ones(len(rows)), (rows, nth)), shape=shape)
        _, label = connected_components(block_array([[None, share], [share.T, None]]))
        label = label[shape[0] :]
        groups = [label == group for group in np.unique(label)]
        return [Move(move.places[group], move.steps[group]) for group in groups]

    # --- showing again ----------------------------------------------------------------------------

    def _show_again(self) -> None:
        """Show what is hidden needlessly, the largest first."""
        complementary = np.flatnonzero(self.hidden & self.may_show)
        for cell in complementary[np.argsort(-self.counts[complementary], kind="stable")]:
            self._try_to_show(int(cell))

    def _try_to_show(self, cell: int) -> None:
        if any(self._is_told_by(int(row), cell) for row in self.sums.rows_of(cell)):
            return
        lost = self.movers[cell]
        doubtful = {pair for number in lost for pair in self.proved[number]}
        self._hide(np.array([cell]), is_hidden=False)
        for place, value in sorted(doubtful):
            if self.counts[place] == value or self.proofs[place, value] - lost:
                continue
            if not self._is_found_again(place, value):
                self._hide(np.array([cell]))
                return
        for pair in doubtful:
            self.proofs[pair] -= lost

    def _is_told_by(self, row: int, cell: int) -> bool:
        """Whether this sum would narrow a small count at once if the cell were shown."""
        if not self.sums.is_equal[row]:
            return False
        cells = self.sums.cells_of(row)
        others = self.hidden[cells] & (cells != cell)
        left = cells[others]
        has_total = bool((self.sums.signs_of(row)[others] < 0).any())
        if has_total and len(left) > 1:
            return False
        # each of the others is at least 1, so one of them can be this at most
        most = int(self.counts[left].sum()) - len(left) + 1
        return bool((self.is_small[left] & (most < SMALLEST_SHOWN - 1)).any())

    def _is_found_again(self, place: int, value: int) -> bool:
        """Whether what is still hidden has a witness; it is noted. Near cells are tried first."""
        offer = self._offer(place, value, FREE)
        if offer and self._accept(offer.moves):
            return True
        tried = 0
        for hops in (2, None):
            tied = self._tied(place, hops)
            if len(tied) == tried or self.work > self.most_work:
                break
            tried = len(tied)
            answer = self._ask(tied, _REACH, (), (place, value))
            if self._accept(self._parts(answer.move)):
                return True
        return False

    def _tied(self, place: int, hops: int | None) -> Places:
        """The hidden cells that sums tie to this one, by way of hidden cells, so many sums away."""
        found, edge = np.zeros(self.n, dtype=bool), np.array([place])
        while len(edge) and (hops is None or hops > 0):
            found[edge] = True
            rows = np.unique(self.sums.across(edge)[1])
            cells = np.unique(self.sums.along(rows))
            edge = cells[self.hidden[cells] & ~found[cells]]
            hops = None if hops is None else hops - 1
        found[edge] = True
        return np.flatnonzero(found)
