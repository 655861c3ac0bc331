"""How far a line may go before a union notices.

Reports with any theme are the union of their themes: at most the themes' sum, at least the largest
of them. Plain sums say nothing about that, so a line that keeps them may still break it. A union
ties cells that differ on its own axis alone, which is an inner one, so whether it holds depends on
one spoke's line and on no other: it is one more limit to the steps along that line, as is that no
count falls below 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lagesbild.publish.disclosure_programme import Places, Whole

if TYPE_CHECKING:
    from lagesbild.publish.disclosure import Sum
    from lagesbild.publish.disclosure_lines import Way

Steps = NDArray[np.int32]
SHOWN_ZERO, OUTSIDE = -1, -2  # instead of a cell's number; the second is in none of the tables
FAR = np.iinfo(np.int32).max


class Union:
    """One rule of an inner axis, at every spoke and every *slot*: the other inner codes.

    `total` and `parts`: their inner codes in each slot. `sets`: of parts that come nearer to the
    total together along some way. `limited_by`: for every way up, and down, the two limits to it.
    """

    def __init__(
        self, rule: Sum, nth: int, codes: Sequence[Sequence[str]], ways: Sequence[Way]
    ) -> None:
        """`nth`: of the inner axes, whose `codes` these are; `ways`: along this axis."""
        parts = [code for code in rule.parts if code in codes[nth]]
        at = {code: n for n, code in enumerate(itertools.product(*codes))}
        slots = list(itertools.product(*(own for n, own in enumerate(codes) if n != nth)))

        def cores(code: str) -> list[int]:
            return [at[(*slot[:nth], code, *slot[nth:])] for slot in slots]

        self.total = np.array(cores(rule.total), dtype=np.intp)
        self.parts = np.array([cores(part) for part in parts], dtype=np.intp).T
        moves = np.array([way.get(rule.total, 0) for way in ways])
        part_moves = np.array([[way.get(part, 0) for part in parts] for way in ways])
        rising = part_moves - moves[:, None]
        both = np.concatenate([rising > 0, rising < 0])
        self.sets, which = np.unique(both, axis=0, return_inverse=True)
        none, over = len(self.sets), len(self.sets) + 1
        falling = moves - part_moves.sum(axis=1)
        by_sum = np.where(np.concatenate([falling > 0, falling < 0]), over, none)
        by_part = np.where(both.any(axis=1), which.ravel(), none)
        self.limited_by = np.stack([by_sum, by_part]).reshape(2, 2, len(ways))

    def index(self, along: Places, slots: Places, is_down: NDArray[np.bool_]) -> Places:
        """Where the limits to each way lie in `limits`, laid flat.

        `along`: the way on this axis; `slots` and `is_down`: of each way, where and which way round
        it is taken.
        """
        which = self.limited_by[:, is_down.astype(np.intp), along[:, None]]
        found: Places = np.concatenate(list(slots * (len(self.sets) + 2) + which), axis=1)
        return found

    def limits(self, number: Places, counts: Whole) -> Steps:
        """How many steps of one each limit allows in each slot: the parts of each set beside the
        total; none; and the total beside the sum of its parts.

        `number`: of the cells of a spoke, negative where there is none. A last slot stands for
        none. Where a part or the total is in no table, there is no rule.
        """
        values = np.where(number >= 0, counts[number], 0).astype(np.int32)
        total, parts = values[self.total], values[self.parts]
        is_told = (number[self.total] != OUTSIDE) & (number[self.parts] != OUTSIDE).all(axis=1)
        found = np.full((len(total) + 1, len(self.sets) + 2), FAR, dtype=np.int32)
        largest = (parts[:, None, :] * self.sets).max(axis=2, initial=0)
        found[:-1, :-2] = np.where(is_told[:, None], total[:, None] - largest, FAR)
        found[:-1, -1] = np.where(is_told, parts.sum(axis=1) - total, FAR)
        return found
