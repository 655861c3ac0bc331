"""Weeks beside published months: what more must be hidden of the weeks.

Weeks and months are families of their own, since neither sums to the other. But what a week and a
month share is a part of both, and who has both can reckon with these parts. So further weeks are
hidden as long as that leaves a small count of a week or a month more open. Where no week with
reports is left shown in a month, those without any are hidden as well, so that nobody knows how
many there are. A week is in two months at most, and neighbouring months share one week at most:
weeks and months hang together by their parts as a tree, in which what each count can be follows
exactly, from neighbour to neighbour.

What is held against an attacker here: the weeks and months of one theme (or of all reports) in one
area at a time, and the shown zeros. Quarters, and several areas or themes at once, are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lagesbild.publish.disclosure import SMALLEST_SHOWN, Cell, is_hidden
from lagesbild.publish.families import Published, Tables, published, published_together
from lagesbild.publish.periods import week_days
from lagesbild.settings import Publish

_FAR = 10**6  # more than any count
Range = tuple[int, int]  # the least and the most that a count can be
Part = tuple[str, str]  # what a week and a month share


def week_tables(publish: Publish) -> Tables:
    """What the sheets of all weeks show: one family. Where weeks are published, that of exports."""
    crossed: tuple[tuple[str, ...], ...] = (("theme", "period"), ("area", "period"))
    if publish.periods != "weeks":
        return Tables(crossed, periods="weeks")
    together = published_together(publish)
    missing = (t for t in crossed if not any(set(t) <= set(other) for other in together.crossed))
    return replace(together, crossed=(*together.crossed, *missing))


def week_counts(snapshot: Path, publish: Publish, by_month: Tables) -> Published:
    """The counts of all weeks as their sheets show them, beside months if these are published."""
    weeks = published(snapshot, week_tables(publish))
    if publish.periods == "weeks":
        return weeks
    return beside_months(weeks, published(snapshot, by_month))


def beside_months(weeks: Published, months: Published) -> Published:
    """The weeks, with more of them hidden, 0 among them. The months stay as they are published."""
    hidden = set(weeks.protected.complementary)
    for area, theme in sorted(_series(weeks)):
        codes = [code for code in months.codes["period"] if _is_month(code)]
        by_month = {m: months.cell(area=area, theme=theme, period=m) for m in codes}
        by_week = {w: weeks.cell(area=area, theme=theme, period=w) for w in weeks.codes["period"]}
        if all(months.protected.family.is_published(cell) for cell in by_month.values()):
            chain = _Chain(_told(months, by_month), _told(weeks, by_week))
            hidden |= {by_week[week] for week in chain.weeks_to_hide()}
    return replace(weeks, protected=replace(weeks.protected, complementary=frozenset(hidden)))


def _series(weeks: Published) -> set[tuple[str, str]]:
    """Every area and theme that weeks are counted for."""
    area, theme = weeks.axes.index("area"), weeks.axes.index("theme")
    return {(cell[area], cell[theme]) for cell in weeks.protected.family.counts}


def _is_month(period: str) -> bool:
    return len(period) == 7 and period[5] not in "QT"


def _told(family: Published, cells: Mapping[str, Cell]) -> dict[str, tuple[int, bool]]:
    """Of every period the count, and whether it is hidden."""
    protected = family.protected
    return {
        code: (protected.family.counts.get(cell, 0), protected.is_hidden(cell))
        for code, cell in cells.items()
    }


def ranges(bounds: Mapping[str, Range], parts: Sequence[Part]) -> dict[str, Range]:
    """What each count can be if it lies within its bounds and is the sum of its parts, none of
    them below 0. The parts tie the counts together as trees."""
    near: dict[str, list[str]] = defaultdict(list)
    for one, other in parts:
        near[one].append(other)
        near[other].append(one)
    pairs = list(_from_the_roots(bounds, near))
    told: dict[Part, Range] = {}
    for one, other in [(child, root) for root, child in reversed(pairs)] + pairs:
        # what the part of both can be, by all that lies behind the one
        behind = [told[third, one] for third in near[one] if third != other]
        low, high = bounds[one]
        told[one, other] = (
            max(low - sum(most for _, most in behind), 0),
            high - sum(least for least, _ in behind),
        )
    found = {}
    for code, (low, high) in bounds.items():
        around = [told[other, code] for other in near[code]]
        least, most = sum(n for n, _ in around), sum(n for _, n in around)
        found[code] = (max(low, least), min(high, most))
    return found


def _from_the_roots(
    codes: Mapping[str, Range], near: Mapping[str, Sequence[str]]
) -> Iterator[Part]:
    """Every part once, those nearer to the root of their tree first."""
    seen: set[str] = set()
    for root in codes:
        edge = [] if root in seen else [root]
        seen.add(root)
        while edge:
            code = edge.pop()
            for other in near.get(code, ()):
                if other not in seen:
                    seen.add(other)
                    edge.append(other)
                    yield code, other


def closed_months(weeks: Collection[str], parts: Sequence[Part]) -> set[str]:
    """The months that have all their weeks among `weeks`."""
    return {month for _, month in parts} - {month for week, month in parts if week not in weeks}


def touching(months: Collection[str], parts: Sequence[Part]) -> set[str]:
    """The weeks that have days in any of the months."""
    return {week for week, month in parts if month in months}


class _Chain:
    """The months and weeks of one area and theme: of each the count, and whether it is hidden."""

    def __init__(
        self, months: Mapping[str, tuple[int, bool]], weeks: Mapping[str, tuple[int, bool]]
    ) -> None:
        counts = {**months, **weeks}
        self.counts = {code: count for code, (count, _) in counts.items()}
        self.hidden = {code for code, (_, hidden) in counts.items() if hidden}
        self.weeks = [week for week, (count, _) in weeks.items() if count]
        self.small = [code for code, count in self.counts.items() if is_hidden(count)]
        self.days = {week: [f"{day:%Y-%m}" for day in week_days(week)] for week in weeks}
        self.parts = [(week, m) for week in weeks for m in {*self.days[week]} if m in months]
        bounds = {code: self._range(code, 1 if n else 0) for code, n in self.counts.items()}
        self.by_zeros = ranges(bounds, self.parts)

    def _range(self, code: str, least: int) -> Range:
        return (least, _FAR) if least else (self.counts[code], self.counts[code])

    def _ranges(self, hidden: set[str]) -> dict[str, Range]:
        """Where all weeks of a month are hidden, any of them may be 0 for all anyone knows."""
        bounds = {code: self._range(code, int(code in hidden)) for code in self.counts}
        return ranges(bounds | dict.fromkeys(self._unsure(hidden), (0, _FAR)), self.parts)

    def _unsure(self, hidden: set[str]) -> set[str]:
        empty = {code for code, count in self.counts.items() if not count}
        return touching(closed_months(hidden | empty, self.parts) - empty, self.parts)

    def _lacks(self, found: Mapping[str, Range], code: str) -> int:
        """How many values of a small count are ruled out that the shown zeros alone allow."""
        least, most = self.by_zeros[code]
        # where they leave one value only, one more must be possible
        most = min(most, SMALLEST_SHOWN if least == SMALLEST_SHOWN - 1 else SMALLEST_SHOWN - 1)
        return max(found[code][0] - least, 0) + max(most - found[code][1], 0)

    def weeks_to_hide(self) -> list[str]:
        """Further weeks: the nearest and smallest that help, or all as far as is needed."""
        before = set(self.hidden)
        shown = {week for week in self.weeks if week not in self.hidden}
        for code in self.small:
            at_best = self._lacks_without(code, shown)
            lack = self._lacks_without(code, set())
            for week in self._nearest(code):
                left = self._lacks_without(code, {week}) if lack > at_best else lack
                if left < lack:
                    lack = left
                    self.hidden.add(week)
            for week in self._nearest(code):
                if self._lacks_without(code, set()) > at_best:
                    self.hidden.add(week)
        self.hidden |= self._unsure(self.hidden)
        return sorted(self.hidden.intersection(self.days) - before)

    def _lacks_without(self, code: str, weeks: set[str]) -> int:
        """The same if these were hidden as well."""
        hidden = self.hidden | weeks
        return self._lacks(self._ranges(hidden), code)

    def _nearest(self, code: str) -> list[str]:
        """The shown weeks, from those that share days with this period on."""
        around = self.days.get(code, [code])

        def distance(week: str) -> tuple[int, int]:
            apart = min(abs(_number(m) - _number(n)) for m in around for n in self.days[week])
            return apart, self.counts[week]

        return sorted((week for week in self.weeks if week not in self.hidden), key=distance)


def _number(month: str) -> int:
    return 12 * int(month[:4]) + int(month[5:])
