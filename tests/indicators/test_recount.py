"""The store's count agrees with a slow obvious one, on random reports, versions and decisions."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.counting import STORE

Row = dict[str, Any]
THEMES = ("trafik", "alkohol")

MENTION = st.fixed_dictionaries(
    {
        "theme": st.sampled_from(THEMES),
        "text": st.sampled_from(["gammal", "ny"]),
        "is_current": st.booleans(),
    }
)
DECISION = st.fixed_dictionaries(
    {
        "theme": st.sampled_from(THEMES),
        "verdict": st.sampled_from(["accepted", "rejected", "added"]),
        "text": st.sampled_from(["gammal", "ny"]),
        "minute": st.integers(0, 3),
    }
)
REPORT = st.fixed_dictionaries(
    {
        "day": st.integers(0, 90),
        "kind": st.sampled_from(["report", "report", "summary"]),
        "is_current": st.booleans(),
        "area": st.sampled_from(["a", "b", None]),
        "mentions": st.lists(MENTION, max_size=3, unique_by=lambda m: (m["theme"], m["text"])),
        "decisions": st.lists(DECISION, max_size=2),
    }
)


def slow_count(reports: list[Row]) -> Counter[tuple[str, str, str]]:
    """One report after another: its place, its month, and what it is taken to be about."""
    found: Counter[tuple[str, str, str]] = Counter()
    for report in reports:
        if not report["is_current"] or report["kind"] == "summary":
            continue
        month = f"{datetime(2025, 1, 1) + timedelta(days=report['day']):%Y-%m}"  # noqa: DTZ001
        for theme in THEMES:
            if is_about(report, theme):
                found[report["area"] or "okand", month, theme] += 1
    return found


def is_about(report: Row, theme: str) -> bool:
    """The last decision on today's text wins over the machine."""
    decided = [
        (d["minute"], number, d["verdict"])
        for number, d in enumerate(report["decisions"])
        if d["theme"] == theme and d["text"] == "ny"
    ]
    if decided:
        return max(decided)[2] != "rejected"
    return any(
        m["theme"] == theme and m["text"] == "ny" and m["is_current"] for m in report["mentions"]
    )


def store(db: duckdb.DuckDBPyConnection, reports: list[Row]) -> None:
    """Put the reports where a night would."""
    for name in ("tables.sql", "views.sql"):
        db.execute((STORE / name).read_text(encoding="utf-8"))
    db.execute("insert into area values ('stadsdel', 'a', 'A', '1'), ('stadsdel', 'b', 'B', '1')")
    for number, report in enumerate(reports):
        key, noon = str(number), datetime(2025, 1, 1, 12) + timedelta(days=report["day"])  # noqa: DTZ001
        insert(
            db,
            "submission",
            submission_id=key, version=1, is_current=report["is_current"], raw_id=number,
            source="s", source_record_id=key, part="", kind=report["kind"], text="x",
            text_sha256="ny", content_sha256="x", reported_at=noon, reported_date=noon.date(),
            language="sv", n_redacted=0, redactor_version="1",
        )  # fmt: skip
        if report["area"]:
            insert(
                db, "submission_area", submission_id=key, version=1, area_type="stadsdel",
                area_code=report["area"], geo_version="1", method="field",
            )  # fmt: skip
        for mention in report["mentions"]:
            store_mention(db, key, mention)
        for n, decision in enumerate(report["decisions"]):
            insert(
                db, "review", decision_id=f"{key}.{n}", submission_id=key,
                theme=decision["theme"], verdict=decision["verdict"], reviewer="r",
                decided_at=noon + timedelta(minutes=decision["minute"]),
                text_sha256=decision["text"], classifier_version="1",
            )  # fmt: skip


def store_mention(db: duckdb.DuckDBPyConnection, key: str, mention: Row) -> None:
    """A classification by a version of its own, current or superseded."""
    version = f"{mention['theme']}.{mention['text']}"
    insert(
        db, "classified_text", submission_id=key, text_sha256=mention["text"],
        classifier_version=version, is_current=mention["is_current"], needs_review=False,
        language="sv", probabilities={},
    )  # fmt: skip
    insert(
        db, "classification", submission_id=key, text_sha256=mention["text"],
        theme=mention["theme"], classifier_version=version, probability=0.9, stance="problem",
        evidence=[],
    )  # fmt: skip


def insert(db: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    marks = ", ".join("?" * len(row))
    db.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", list(row.values()))


@settings(max_examples=15, deadline=None)
@given(st.lists(REPORT, max_size=8))
def test_the_views_count_what_one_would_count_by_hand(reports: list[Row]) -> None:
    with duckdb.connect() as db:
        store(db, reports)
        rows = db.execute(
            "select area_code, period, theme, sum(n_reports)::bigint from theme_recount "
            "where period_type = 'month' and area_type = 'stadsdel' group by all"
        ).fetchall()
    assert {row[:3]: row[3] for row in rows} == dict(slow_count(reports))
