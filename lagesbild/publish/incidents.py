"""How many incidents the reports of a snapshot tell of, beside how many reports there are.

Only for each theme and calendar year, all areas together, where the number of reports is shown. No
two of those overlap, so whatever the incidents say of a hidden count, the reports say already:
there are at least as many. Rounded to fives, since the difference between the two numbers tells of
single reports. The number of incidents in smaller cells could narrow what is hidden beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lagesbild.publish.disclosure import is_hidden, rounded
from lagesbild.publish.families import Published
from lagesbild.store.warehouse import connect

_FEWEST = 5  # reports beyond one for each incident: with fewer, hardly anything is told twice


@dataclass(frozen=True, slots=True)
class Incidents:
    """The reports of one theme in one year, and about how many incidents they tell of."""

    n_reports: int
    n_incidents: int


def incidents_of(snapshot: Path, counts: Published) -> dict[str, dict[str, Incidents]]:
    """Year -> theme -> both numbers, where they differ clearly. `counts`: the themes' family.

    A campaign counts once. Empty for a snapshot made before incidents were told apart.
    """
    found: dict[str, dict[str, Incidents]] = {}
    if not {"theme", "period"} <= set(counts.axes):
        return found
    for (theme, year), n_more in _told_again(snapshot).items():
        n_reports = _shown(counts, theme, year)
        if n_reports is None or is_hidden(n_reports - n_more):
            continue
        both = Incidents(n_reports, rounded(n_reports - n_more))
        if both.n_reports - both.n_incidents >= _FEWEST:
            found.setdefault(year, {})[theme] = both
    return found


def _shown(counts: Published, theme: str, year: str) -> int | None:
    is_known = year in counts.codes["period"] and theme in counts.codes["theme"]
    cell = counts.cell(theme=theme, period=year)
    if not is_known or not counts.protected.family.is_published(cell):
        return None
    return counts.protected.shown(cell)


@lru_cache(maxsize=4)
def _told_again(snapshot: Path) -> Mapping[tuple[str, str], int]:
    """(theme, year) -> reports beyond the first of each incident."""
    with connect(snapshot, read_only=True) as db:
        if not has_incidents(db):
            return {}
        rows = db.execute(
            "select theme, strftime(reported_date, '%Y') as year, "
            "count(*) - count(distinct incident_id) from incident_report "
            "join counted_submission using (submission_id) "
            "join assigned_theme using (submission_id) group by all order by all"
        ).fetchall()
    return {(theme, year): n for theme, year, n in rows}


def has_incidents(db: Any) -> bool:
    """False for a store that no night has merged into since incidents were told apart."""
    query = "select 1 from duckdb_tables() where table_name = 'incident_report'"
    return db.execute(query).fetchone() is not None


def grouped(db: Any) -> dict[str, int]:
    """For people who see the store itself: how many reports tell of how many common incidents."""
    row = db.execute(
        "select count(*), count(distinct incident_id) filter (where kind = 'incident'), "
        "count(distinct incident_id) filter (where kind = 'campaign') from incident_report"
    ).fetchone()
    return dict(zip(("n_reports", "n_incidents", "n_campaigns"), row, strict=True))
