"""Which of the latest weeks are not complete yet, going by how late reports used to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from lagesbild.indicators.completeness import WeekCompleteness, arrived_after, completeness
from lagesbild.store.arrivals import arrivals, whole_weeks

_WEEKS_BACK = 26
_FEWEST_WEEKS, _FEWEST_REPORTS = 8, 100  # before that, delays are not known


@dataclass(frozen=True, slots=True)
class Lateness:
    """`weeks`: the latest whole weeks, oldest first, with the share that has come of each."""

    until: date
    weeks: tuple[WeekCompleteness, ...]

    @property
    def incomplete(self) -> tuple[WeekCompleteness, ...]:
        """The weeks to be greyed: the first that is not complete, and all after it."""
        late = [n for n, week in enumerate(self.weeks) if not week.is_complete]
        return self.weeks[late[0] :] if late else ()

    @property
    def complete_until(self) -> date:
        """The last day whose reports have nearly all come."""
        if self.incomplete:
            return self.incomplete[0].monday - timedelta(days=1)
        return self.until

    def share(self, monday: date) -> float | None:
        """Of one week; None for a week that is not among the latest."""
        return next((week.share for week in self.weeks if week.monday == monday), None)


def lateness(inbox: Path, snapshot: Path) -> Lateness | None:
    """None where pulls have not gone on for long enough to know how late reports come."""
    found = arrivals(inbox, snapshot, _WEEKS_BACK)
    if found is None or whole_weeks(found) < _FEWEST_WEEKS:
        return None
    if len(found.reports) < _FEWEST_REPORTS:
        return None
    shares = arrived_after(found.reports, found.since, found.until)
    monday = found.until - timedelta(days=found.until.weekday())
    mondays = [monday - timedelta(days=7 * back) for back in range(len(shares), -1, -1)]
    return Lateness(
        found.until, tuple(completeness([(m, 0) for m in mondays], shares, found.until))
    )
