"""What people's work did: surer figures, a shorter queue, other counts than before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lagesbild.review.agreement import (
    Agreement,
    Interval,
    Quality,
    agreement,
    pairs,
    quality,
    share,
)
from lagesbild.review.reports import Reports
from lagesbild.review.texts import local
from lagesbild.store.decisions import Decisions, Reading
from lagesbild.store.warehouse import connect, has_table
from lagesbild.themes import CodePlan

_EARLIER_DAYS = 30
_SHOWN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Day:
    """`n_left`: reports that nobody had decided when the day ended, of those there are now."""

    day: str
    n_decided: int
    n_left: int


@dataclass(frozen=True, slots=True)
class Progress:
    """For the page: `now` and `earlier` have the same themes in the same order."""

    n_reports: int
    n_decided: int
    n_mine: int
    n_blind: int
    now: Sequence[Quality]
    earlier: Sequence[Quality]
    days: Sequence[Day]
    changed: Sequence[tuple[str, int, int]]
    quality_by_month: Sequence[tuple[str, int, Interval | None, Interval | None]]
    n_pairs: int
    agreements: Sequence[Agreement]

    @property
    def narrowed(self) -> float | None:
        """How much narrower the intervals of the counts are than before, all themes together."""
        widths = [
            (old.corrected.width, new.corrected.width)
            for old, new in zip(self.earlier, self.now, strict=True)
            if old.corrected and new.corrected
        ]
        before = sum(old for old, _ in widths)
        return 1 - sum(new for _, new in widths) / before if before else None


def progress(
    reports: Reports, decisions: Decisions, plan: CodePlan, me: str, now: datetime
) -> Progress:
    """Everything of the page; quality rests on blind readings alone."""
    blind = decisions.readings("blind")
    n_reports = int(reports.fact("n_items"))
    machine = _machine_now(reports, blind)
    since = (now - timedelta(days=_EARLIER_DAYS)).replace(tzinfo=None).isoformat()
    before = [reading for reading in blind if reading.read_at < since]

    read_twice = pairs(blind, decisions.readings("second"))
    n_decided, n_mine, days = _work(reports, decisions, me, n_reports)
    return Progress(
        n_reports,
        n_decided,
        n_mine,
        len(blind),
        _measured(reports, plan, blind, machine),
        _measured(reports, plan, before, machine),
        days,
        changed_counts(reports.snapshot()),
        _by_month(blind),
        len(read_twice),
        [agreement(theme, read_twice) for theme in plan.decided],
    )


def measured_now(reports: Reports, decisions: Decisions, plan: CodePlan) -> list[Quality]:
    """Quality and corrected count of every theme, from all blind readings."""
    blind = decisions.readings("blind")
    return _measured(reports, plan, blind, _machine_now(reports, blind))


def _measured(
    reports: Reports,
    plan: CodePlan,
    read: Sequence[Reading],
    machine: Mapping[str, Sequence[str]],
) -> list[Quality]:
    n_reports = int(reports.fact("n_items"))
    counted: Mapping[str, int] = json.loads(reports.fact("n_by_machine"))
    return [
        quality(theme, read, machine, n_reports, counted.get(theme, 0)) for theme in plan.decided
    ]


def _machine_now(reports: Reports, blind: Sequence[Reading]) -> dict[str, tuple[str, ...]]:
    """What the machine says today of each text that was read blind."""
    found = {}
    db = reports.db()
    for reading in blind:
        row = db.execute(
            "select themes from item where submission_id = ? and text_sha256 = ?",
            [reading.submission_id, reading.text_sha256],
        ).fetchone()
        if row:
            found[reading.reading_id] = tuple(m["theme"] for m in json.loads(row[0]))
    return found


def _work(
    reports: Reports, decisions: Decisions, me: str, n_reports: int
) -> tuple[int, int, list[Day]]:
    n_decided = (
        reports.db()
        .execute(
            "select count(*) from said.report_state st join item i "
            "on i.submission_id = st.submission_id and i.text_sha256 = st.text_sha256"
        )
        .fetchone()[0]
    )
    with decisions.lent() as db:
        n_mine = db.execute(
            "select count(*) from reading where reviewer = ? and mode <> 'undo'", [me]
        ).fetchone()[0]
        hours = db.execute(
            "select substr(r.read_at, 1, 13), count(*) from report_state st join reading r "
            "using (reading_id) group by 1"
        ).fetchall()
    by_day = Counter[str]()
    for hour, n in hours:
        by_day[local(f"{hour}:00", "day")] += n
    left, days = n_reports - n_decided, []
    for day in sorted(by_day, reverse=True)[:_SHOWN_DAYS]:
        days.append(Day(day, by_day[day], left))
        left += by_day[day]
    return n_decided, n_mine, days[::-1]


def changed_counts(snapshot: Path) -> list[tuple[str, int, int]]:
    """(theme, before, now) where the last night that changed anything left another count."""
    with connect(snapshot, read_only=True) as db:
        if not has_table(db, "earlier_total"):
            return []
        before = dict(db.execute("select theme, n_reports from earlier_total").fetchall())
        now = dict(
            db.execute(
                "select theme, sum(n_reports)::bigint from theme_count where area_type = 'alla' "
                "and period_type = 'month' group by theme"
            ).fetchall()
        )
    if not before:
        return []
    themes = sorted(before.keys() | now.keys())
    both = [(theme, before.get(theme, 0), now.get(theme, 0)) for theme in themes]
    return [row for row in both if row[1] != row[2]]


def _by_month(
    blind: Sequence[Reading],
) -> list[tuple[str, int, Interval | None, Interval | None]]:
    """(month, n, precision, recall) over all themes, as the machine answered at the time."""
    found = []
    by_month: dict[str, list[Reading]] = {}
    for reading in blind:
        by_month.setdefault(local(reading.read_at, "day")[:7], []).append(reading)
    for month in sorted(by_month):
        read = [reading for reading in by_month[month] if reading.outcome == "decided"]
        found.append((month, len(read), *overall(read)))
    return found


def overall(read: Sequence[Reading]) -> tuple[Interval | None, Interval | None]:
    """(precision, recall) over all themes together, by what the machine had said then."""
    given = [(r.weight or 1.0, theme in r.themes) for r in read for theme in r.machine]
    true = [(r.weight or 1.0, theme in r.machine) for r in read for theme in r.themes]
    return share(given), share(true)
