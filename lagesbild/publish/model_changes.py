"""Which code plan a snapshot is counted by, and in which months another classifier speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lagesbild.store.warehouse import connect


def model_changes(snapshot: Path) -> list[dict[str, Any]]:
    """The first month, and every later one whose texts other versions classified than those of the
    month before. More than one row: the series is broken there, until all is classified anew."""
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select strftime(s.reported_date, '%Y-%m') as month, "
            "list(distinct t.classifier_version order by t.classifier_version) "
            "from counted_submission s join classified_text t using (submission_id, text_sha256) "
            "where t.is_current group by all order by all"
        ).fetchall()
    changes: list[dict[str, Any]] = []
    for month, versions in rows:
        if not changes or changes[-1]["classifier_versions"] != versions:
            changes.append({"from": month, "classifier_versions": versions})
    return changes


def theme_version(snapshot: Path) -> str | None:
    """The version of the code plan that the snapshot was counted by; None where none was noted."""
    with connect(snapshot, read_only=True) as db:
        if not db.execute(
            "select 1 from duckdb_tables() where table_name = 'counted_by'"
        ).fetchall():
            return None
        row = db.execute("select theme_version from counted_by").fetchone()
    return row[0] if row else None


def break_note(changes: list[dict[str, Any]]) -> str | None:
    """What a reader of a series must know; None where one version spoke throughout."""
    if len(changes) < 2 and all(len(c["classifier_versions"]) == 1 for c in changes):
        return None
    months = ", ".join(change["from"] for change in changes[1:]) or "hela perioden"
    return (
        f"Modellen är inte densamma i alla månader (byter: {months}). Jämför inte över bytet "
        "förrän allt är omklassat."
    )
