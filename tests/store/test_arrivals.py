"""When reports reached us, out of the inbox and a snapshot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lagesbild.night import Store, run_night
from lagesbild.publish.report.lateness import lateness
from lagesbild.settings import Settings, load
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots
from lagesbild.store.arrivals import arrivals, whole_weeks
from tests.city import Clock, TownSource, WordClassifier, write_config

MONDAY = datetime(2025, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    return load(write_config(tmp_path))


def pull(settings: Settings, days: dict[int, int], clock: Clock) -> Path:
    """One night that brings one report from each of these days, by number."""
    TownSource.answers["stan"] = [
        [
            {"id": number, "text": "langare", "time": (MONDAY + timedelta(days=day)).isoformat()}
            for number, day in days.items()
        ]
    ]
    run_night(settings, WordClassifier(), clock=clock)
    return snapshots.current(Store(settings).snapshots)


def test_the_first_pull_tells_nothing_of_delays(settings: Settings) -> None:
    clock = Clock(MONDAY)
    pull(settings, {1: -30, 2: 0}, clock)
    clock.tick(days=9)
    snapshot = pull(settings, {1: -30, 2: 0, 3: 1, 4: 9}, clock)
    found = arrivals(Store(settings).inbox, snapshot, 26)
    assert found is not None
    first, last = date(2025, 3, 3), date(2025, 3, 12)
    assert (found.since, found.until) == (first, last)
    assert sorted(found.reports) == [(first, first), (date(2025, 3, 4), last), (last, last)]
    assert whole_weeks(found) == 1


def test_no_inbox_no_delays(settings: Settings, tmp_path: Path) -> None:
    snapshot = pull(settings, {1: 0}, Clock(MONDAY))
    assert arrivals(tmp_path / "none.sqlite", snapshot, 26) is None
    assert lateness(Store(settings).inbox, snapshot) is None  # one pull is not enough


def test_the_latest_weeks_are_told_to_be_incomplete(settings: Settings) -> None:
    """Half of each week's reports come a week late: the newest whole week is half complete."""
    clock, days, late = Clock(MONDAY), {}, {}
    for week in range(10):
        number = 100 * week
        days |= late
        days |= {number + n: 7 * week + n % 3 for n in range(10)}
        late = {number + 50 + n: 7 * week + n % 3 for n in range(10)}
        clock.now = MONDAY + timedelta(days=7 * week + 6)
        snapshot = pull(settings, days, clock)
    found = lateness(Store(settings).inbox, snapshot)
    assert found is not None
    assert found.until == date(2025, 5, 11)
    assert [round(week.share, 2) for week in found.weeks[-3:]] == [1.0, 1.0, 0.5]
    assert [week.monday for week in found.incomplete] == [date(2025, 5, 5)]
    assert found.complete_until == date(2025, 5, 4)
