"""A finer look at counts that are published already, hiding whatever would undo their hiding.

Each report protects its own area and period. So that two reports can't be subtracted from each
other, a district from the whole or a month from its quarter, what is shown is rounded to fives: a
count of 1-4 stays free to be any of them, because a difference of two such numbers is known to
within four at best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from lagesbild.publish.disclosure import Axis, Family, Sum, protect, rounded
from lagesbild.publish.families import ROOT

K = TypeVar("K")
Shown = Mapping[tuple[str, str], int | None]


def breakdown(counts: Mapping[tuple[str, str], int], whole: Mapping[str, int | None]) -> Shown:
    """Counts of (key, part) that together make up `whole[key]`, which is published elsewhere.

    `whole` says None where it hides a count. A missing (key, part) is 0. Where the two disagree
    about what is hidden, every part of the key that is not 0 is hidden.
    """
    cells: dict[tuple[str, ...], int] = {cell: n for cell, n in counts.items() if n}
    for (key, _), count in counts.items():
        cells[key, ROOT] = cells.get((key, ROOT), 0) + count
    parts = tuple(sorted({part for _, part in counts}))
    sums = (Sum(ROOT, parts),) if parts else ()
    protected = protect(Family((Axis("key"), Axis("part", sums, ROOT)), cells))
    shown: dict[tuple[str, str], int | None] = {}
    for (key, part), count in counts.items():
        agrees = whole.get(key, 0) is not None and protected.shown((key, ROOT)) is not None
        only_part = count == cells[key, ROOT] and whole.get(key) == count
        shown[key, part] = count if only_part else protected.shown((key, part)) if agrees else None
    return shown


def spread(counts: Mapping[str, int]) -> Mapping[str, int | None]:
    """One set of counts whose sum anybody may know, as it is published elsewhere."""
    cells = {("", part): count for part, count in counts.items()}
    total = {"": sum(counts.values())}
    return {part: count for (_, part), count in breakdown(cells, total).items()}


def coarse(shown: Mapping[K, int | None]) -> dict[K, int | None]:
    """Rounded to fives, as such counts are shown."""
    return {key: None if count is None else rounded(count) for key, count in shown.items()}
