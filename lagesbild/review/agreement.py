"""How well readers agree, and how well the machine agrees with blind readers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lagesbild.store.decisions import Reading

_Z = 1.96  # 95 %


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one theme, over reports read by two. None where one value is all there is."""

    theme: str
    n: int
    n_both: int
    n_one: int
    alpha: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one theme, from blind readings alone. None where nothing was there to measure on."""

    theme: str
    n: int
    n_machine: int
    n_people: int
    precision: Interval | None
    recall: Interval | None
    corrected: Interval | None  # how many reports have the theme in truth


def pairs(first: Sequence[Reading], second: Sequence[Reading]) -> list[tuple[Reading, Reading]]:
    """Readings of the same text by two people, the blind one first."""
    by_text = {(r.submission_id, r.text_sha256): r for r in first if r.outcome == "decided"}
    return [
        (by_text[key], other)
        for other in second
        if other.outcome == "decided"
        and (key := (other.submission_id, other.text_sha256)) in by_text
    ]


def agreement(theme: str, read: Sequence[tuple[Reading, Reading]]) -> Agreement:
    """Agreement on one theme, each report either having it or not."""
    votes = [(theme in a.themes, theme in b.themes) for a, b in read]
    n_both = sum(a and b for a, b in votes)
    n_one = sum(a != b for a, b in votes)
    return Agreement(theme, len(votes), n_both, n_one, alpha(votes), kappa(votes))


def alpha(votes: Sequence[tuple[bool, bool]]) -> float | None:
    """Krippendorff's alpha for two readers and two values, nothing missing."""
    n_values = 2 * len(votes)
    n_yes = sum(a + b for a, b in votes)
    n_no = n_values - n_yes
    if n_yes == 0 or n_no == 0:
        return None
    n_disagreeing = sum(a != b for a, b in votes)
    return 1 - (n_values - 1) * n_disagreeing / (n_yes * n_no)


def kappa(votes: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa: agreement beyond what each reader's own habits would give by chance."""
    n = len(votes)
    if n == 0:
        return None
    yes_a, yes_b = sum(a for a, _ in votes) / n, sum(b for _, b in votes) / n
    by_chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
    if by_chance == 1:
        return None
    return (sum(a == b for a, b in votes) / n - by_chance) / (1 - by_chance)


def quality(
    theme: str,
    blind: Sequence[Reading],
    machine: Mapping[str, Sequence[str]],
    n_reports: int,
    n_machine: int,
) -> Quality:
    """The machine's quality on one theme, and the corrected count.

    `machine`: reading_id -> the machine's themes; `n_reports`, `n_machine`: of all reports, those
    there are and those the machine gave the theme. Rare themes are drawn more often; weights
    undo that.
    """
    read = [r for r in blind if r.outcome == "decided" and r.reading_id in machine]
    seen = [(r.weight or 1.0, theme in machine[r.reading_id], theme in r.themes) for r in read]
    return Quality(
        theme,
        len(seen),
        sum(m for _, m, _ in seen),
        sum(p for _, _, p in seen),
        share([(w, p) for w, m, p in seen if m]),
        share([(w, m) for w, m, p in seen if p]),
        _corrected(seen, n_reports, n_machine),
    )


def share(seen: Sequence[tuple[float, bool]]) -> Interval | None:
    """A weighted share with Wilson's interval, for as many observations as the weights leave."""
    total = sum(w for w, _ in seen)
    if total == 0:
        return None
    n = total**2 / sum(w * w for w, _ in seen)
    p = sum(w for w, is_so in seen if is_so) / total
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    return Interval(p, max(middle - half, 0.0), min(middle + half, 1.0))


_FEWEST = 30


def _corrected(
    seen: Sequence[tuple[float, bool, bool]], n_reports: int, n_machine: int
) -> Interval | None:
    """The machine's count, plus what it misses, less what it gives wrongly, in the sample's share.

    The two shares have an interval each (Wilson), and are added as independent: where not one
    mistake was seen, the interval still tells how many there might be.
    """
    if len(seen) < _FEWEST:
        return None
    wrong = share([(w, m and not p) for w, m, p in seen])
    missed = share([(w, p and not m) for w, m, p in seen])
    if wrong is None or missed is None:
        return None
    value = missed.value - wrong.value
    low = value - math.hypot(missed.value - missed.low, wrong.high - wrong.value)
    high = value + math.hypot(missed.high - missed.value, wrong.value - wrong.low)
    return Interval(
        max(n_machine + n_reports * value, 0.0),
        max(n_machine + n_reports * low, 0.0),
        min(max(n_machine + n_reports * high, 0.0), float(n_reports)),
    )
