"""How many incidents the reports of a snapshot tell of, beside how many reports there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lagesbild.publish.disclosure import is_hidden
from lagesbild.store.warehouse import connect


def incident_totals(snapshot: Path) -> dict[str, dict[str, int]]:
    """Theme -> reports and incidents over all areas and months; themes with few are left out.

    Only totals: the number of incidents in a smaller cell would narrow what is hidden beside it.
    A campaign counts once. Empty for a snapshot made before incidents were told apart.
    """
    with connect(snapshot, read_only=True) as db:
        if not has_incidents(db):
            return {}
        rows = db.execute(
            "select theme, count(*), count(*) filter (where incident_id is null) "
            "+ count(distinct incident_id) from counted_submission "
            "join assigned_theme using (submission_id) "
            "left join incident_report using (submission_id) group by all order by all"
        ).fetchall()
    return {
        theme: {"n_reports": n_reports, "n_incidents": n_incidents}
        for theme, n_reports, n_incidents in rows
        if not is_hidden(n_reports) and not is_hidden(n_incidents)
    }


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
