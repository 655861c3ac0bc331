"""Small numbers identify people: which counts may be shown.

Counts of 1 to 4 are hidden wherever something leaves the store; 0 is shown. The threshold of 5 is
the common custom of Swedish authorities. Hiding them is not enough: a hidden count beside its
shown total and siblings is a subtraction. So everything published together, the *family*, is
protected at once, and further counts are hidden until no small one can be worked out.

What an attacker is taken to know: every shown count; that all are whole numbers; that zeros are
shown, so a hidden count is at least 1; and every sum of the family. What holds after `protect`:
for each small count, every value 1-4 is still possible, except those that the shown zeros alone
rule out (a total over three parts that are not zero is at least 3 whatever is hidden). Where that
leaves one value only, 5 is possible as well. `bench/attacker.py` proves it by integer programming.

A family has fixed periods: months with their quarters and years, or weeks, never both, because
neither sums to the other and their differences would be days.

Sources: Hundepool et al., Statistical Disclosure Control (Wiley 2012), chapter 4; Statistics
Sweden and the Australian Bureau of Statistics on cell keys.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lagesbild.publish.disclosure_exchange import Exchanges
from lagesbild.publish.disclosure_programme import Places, Relation, Sign, Whole
from lagesbild.publish.disclosure_solver import SMALLEST_SHOWN as SMALLEST_SHOWN
from lagesbild.publish.disclosure_solver import hide

HIDDEN = ".."  # Statistics Sweden's sign for "not shown"; never 0
SMALLEST_DENOMINATOR = 30

Cell = tuple[str, ...]  # one code for each axis, in the order of the axes


def is_hidden(count: int) -> bool:
    """Whether a count is too small to be shown."""
    return 0 < count < SMALLEST_SHOWN


@dataclass(frozen=True, slots=True)
class Sum:
    """`total` is exactly its `parts` together, or, with `overlap`, their union.

    Overlap: something may be in several parts (a report with two themes), so the total is at most
    the parts' sum and at least the largest part.
    """

    total: str
    parts: tuple[str, ...]
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One breakdown. `root`: the code of everything, for tables that are not broken down by it.

    Codes in no sum stand alone (themes where no total is published). A code may be the total of
    several sums (one for each type of area) and a part of another (months, quarters, years). `of`:
    the axis that this one breaks down; stances are of a theme, so nothing is published of a stance
    and all themes.
    """

    name: str
    sums: tuple[Sum, ...] = ()
    root: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Everything published together. `counts`: all cells; one that is missing is a published 0.

    `tables`: which axes each published table crosses; on the others it has the root. None: one
    table that crosses them all. `rare`: codes that are published for these cells only; such cells
    are hidden last.
    """

    axes: tuple[Axis, ...]
    counts: Mapping[Cell, int]
    tables: tuple[tuple[str, ...], ...] | None = None
    rare: Mapping[str, frozenset[Cell]] = field(default_factory=dict)

    def is_published(self, cell: Cell) -> bool:
        """Whether one of the tables holds the cell."""
        if self.rare and not all(cell in self.rare[code] for code in cell if code in self.rare):
            return False
        spread = {a.name for a, code in zip(self.axes, cell, strict=True) if code != a.root}
        for axis in self.axes:
            if axis.of is not None and axis.name in spread and axis.of not in spread:
                return False
        return self.tables is None or any(spread <= set(table) for table in self.tables)


@dataclass(frozen=True, slots=True)
class Protected:
    """A family with its hidden cells. `small` are 1-4; `complementary` protect those.

    `n_before`: how many were complementary before needless ones were shown again. `n_given_up`:
    groups of cells hidden whole, because no smaller protection was found with a fair effort.
    """

    family: Family
    small: frozenset[Cell]
    complementary: frozenset[Cell]
    n_before: int = 0
    n_given_up: int = 0

    def is_hidden(self, cell: Cell) -> bool:
        return cell in self.small or cell in self.complementary

    def shown(self, cell: Cell) -> int | None:
        """The count, 0 where nothing was reported, or None where it is hidden.

        Raises KeyError for a cell that none of the family's tables holds.
        """
        if not self.family.is_published(cell):
            raise KeyError(cell)
        return None if self.is_hidden(cell) else self.family.counts.get(cell, 0)


def protect(family: Family, earlier: Protected | None = None) -> Protected:
    """Hide small counts, and whatever else would give one away. The same family, the same cells.

    `earlier`: what has been released of the family before. It stays as it was, shown or hidden,
    and only what is new may be hidden to protect it all.
    Raises ValueError where the counts contradict the sums: hiding would then prove nothing.
    """
    cells = sorted(cell for cell, count in family.counts.items() if count)
    at = {cell: number for number, cell in enumerate(cells)}
    counts = [family.counts[cell] for cell in cells]
    small = [number for number, count in enumerate(counts) if is_hidden(count)]
    settled: list[int] = []
    kept: list[int] = []
    if earlier is not None:
        settled = [at[cell] for cell, count in earlier.family.counts.items() if count]
        kept = [number for number in settled if earlier.is_hidden(cells[number])]

    def exchanges(numbers: Places, of: Whole) -> Exchanges:
        return Exchanges(family, [cells[number] for number in numbers], of)

    dear = [at[cell] for known in family.rare.values() for cell in known if cell in at]
    found = hide(counts, relations(family, at), small, settled, kept, exchanges, dear)
    return Protected(
        family,
        frozenset(cells[number] for number in small),
        frozenset(cells[number] for number in found.hidden.difference(small)),
        n_before=found.before - len(small),
        n_given_up=found.n_given_up,
    )


def relations(family: Family, at: Mapping[Cell, int]) -> list[Relation]:
    """Every sum of the family over its cells that are not zero, which `at` numbers."""
    for cell, count in family.counts.items():
        if len(cell) != len(family.axes) or count < 0 or not family.is_published(cell):
            raise ValueError(f"not a count of this family: {cell}")
    found: list[Relation] = []
    for place, axis in enumerate(family.axes):
        for rule in axis.sums:
            found += _relations_of(family, at, place, rule)
    return found


def _relations_of(family: Family, at: Mapping[Cell, int], place: int, rule: Sum) -> list[Relation]:
    """One rule, once for every combination of the other axes' codes."""
    found = []
    codes = {rule.total, *rule.parts}
    rests = {(c[:place], c[place + 1 :]) for c in family.counts if c[place] in codes}
    for before, after in sorted(rests):
        parts = [(*before, code, *after) for code in rule.parts]
        if not all(family.is_published(part) for part in parts):
            continue
        total = (*before, rule.total, *after)
        if not family.is_published(total):
            continue
        _agree(family, total, parts, rule)
        if total in at:
            numbers = [at[part] for part in parts if part in at]
            found += _rows(at[total], numbers, rule)
    return found


def _agree(family: Family, total: Cell, parts: Sequence[Cell], rule: Sum) -> None:
    whole = family.counts.get(total, 0)
    values = [family.counts.get(part, 0) for part in parts]
    is_right = max(values) <= whole <= sum(values) if rule.overlap else whole == sum(values)
    if not is_right:
        raise ValueError(f"{total} is not its parts together")


def _rows(total: int, parts: Sequence[int], rule: Sum) -> list[Relation]:
    row: tuple[tuple[int, Sign], ...] = ((total, -1), *((part, 1) for part in parts))
    if not rule.overlap:
        return [Relation(row, is_equal=True)]
    atmost: list[Relation] = [Relation(((total, 1), (part, -1)), is_equal=False) for part in parts]
    return [Relation(row, is_equal=False), *atmost]


# --- shares, rounding, cell keys ------------------------------------------------------------------


def is_share_shown(part: int | None, whole: int | None) -> bool:
    """Whether a share may be shown. `part` and `whole` as shown by `Protected`, None if hidden."""
    return part is not None and whole is not None and whole >= SMALLEST_DENOMINATOR


def rounded(count: int, base: int = 5) -> int:
    """The nearest multiple of `base`, a half upwards. Rounded parts need not sum to the total."""
    return (2 * count + base) // (2 * base) * base


def record_key(submission_id: str, secret: bytes) -> int:
    """A number below 2^32 that a report keeps for ever; `secret` keeps others from finding it."""
    mac = hmac.new(secret, submission_id.encode(), hashlib.sha256)
    return int.from_bytes(mac.digest()[:4], "big")


def perturbed(count: int, record_keys_sum: int) -> int:
    """The count with noise fixed by the reports in it, without bias: the cell-key method.

    The same reports give the same noise in every table and on every day, so asking again or in
    another way averages nothing out. 0 stays 0; 1-4 become 0 or 5; others move by at most 2 and
    never below 5. Noisy parts need not sum to the noisy total.
    """
    draw = hashlib.sha256(f"{record_keys_sum % 2**32}".encode()).digest()
    chance = int.from_bytes(draw[:4], "big") / 2**32
    if count == 0:
        return 0
    if is_hidden(count):
        return SMALLEST_SHOWN if chance < count / SMALLEST_SHOWN else 0
    reach = min(2, count - SMALLEST_SHOWN)
    return count - reach + int(chance * (2 * reach + 1))
