"""How things stand: what each source last brought, what was refused, what alarms were raised."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lagesbild.night import Store
from lagesbild.publish.incidents import grouped, has_incidents
from lagesbild.records import REASONS_SV
from lagesbild.settings import Settings
from lagesbild.store.inbox import Inbox
from lagesbild.store.warehouse import connect


def status(settings: Settings, store: Store) -> dict[str, Any]:
    """Everything `lagesbild status` tells, JSON-able. Works before the first night too."""
    merged = store.warehouse.merged()
    with Inbox(store.inbox) as inbox:
        newest = inbox.newest_raw_ids()
        sources = {name: _source(inbox, name) for name in settings.sources}
        raw = {"n_payloads": inbox.n_payloads(), "decision_id": settings.retention.decision_id}
    for name, entry in sources.items():
        entry["is_waiting"] = newest.get(name, 0) > merged.get(name, 0)
    facts = _warehouse(store)
    for name, reasons in facts.pop("refused").items():
        if name in sources:
            sources[name]["refused_by_reason"] = reasons
    return {"store": str(store.root), "sources": sources, "raw": raw, **facts}


def _source(inbox: Inbox, name: str) -> dict[str, Any]:
    pulls = inbox.pulls(name, 50)
    entry: dict[str, Any] = {
        "last_pull_at": None,
        "last_good_pull_at": None,
        "last_pull": None,
        "alarms": [],
        "refused_by_reason": {},
    }
    if not pulls:
        return entry
    pull_id, started_at, ended_at, ledger = pulls[0]
    good = [start for _, start, end, old in pulls if end is not None and not old.error]
    counts = asdict(ledger)
    counts.pop("profile")
    return {
        **entry,
        "last_pull_at": started_at,
        "last_good_pull_at": good[0] if good else None,
        "last_pull": {**counts, "was_cut_off": ended_at is None},
        "alarms": [asdict(alarm) for alarm in inbox.alarms(pull_id)],
    }


def _warehouse(store: Store) -> dict[str, Any]:
    empty = {
        "classifier_versions": [],
        "n_reports": 0,
        "share_reviewed": None,
        "told_by_several": None,
        "refused": {},
    }
    if not store.warehouse.exists():
        return empty
    with connect(store.warehouse.path, read_only=True) as db:
        versions = db.execute(
            "select classifier_version, count(*) from classified_text where is_current "
            "group by all order by all"
        ).fetchall()
        n_reports, n_reviewed = db.execute(
            "select count(*), count(*) filter (where submission_id in "
            "(select submission_id from decided_theme)) from counted_submission"
        ).fetchall()[0]
        several = grouped(db) if has_incidents(db) else None
        refused: dict[str, dict[str, int]] = {}
        for source, reason, n in db.execute(
            "select source, reason, count(*) from rejected_submission group by all order by all"
        ).fetchall():
            refused.setdefault(source, {})[reason] = n
    return {
        "classifier_versions": [{"version": v, "n_texts": n} for v, n in versions],
        "n_reports": n_reports,
        "share_reviewed": n_reviewed / n_reports if n_reports else None,
        "told_by_several": several,
        "refused": refused,
    }


def status_text(facts: dict[str, Any]) -> str:
    """The same for people, in Swedish."""
    lines = [f"Lagret: {facts['store']}", f"Synpunkter: {facts['n_reports']}"]
    if facts["share_reviewed"] is not None:
        lines.append(f"Granskade: {facts['share_reviewed']:.0%}".replace("%", " %"))
    several = facts["told_by_several"]
    if several and several["n_reports"]:
        lines.append(
            f"Nästan likadana: {several['n_reports']} synpunkter om {several['n_incidents']} "
            f"händelser och {several['n_campaigns']} kampanjer"
        )
    raw = facts["raw"]
    if raw["decision_id"] is None:
        lines.append(f"Råa poster: {raw['n_payloads']}, gallras inte (gallringsbeslut saknas)")
    else:
        lines.append(f"Råa poster: {raw['n_payloads']}, gallras enligt {raw['decision_id']}")
    for version in facts["classifier_versions"]:
        lines.append(f"Klassade av {version['version']}: {version['n_texts']} texter")
    for name, entry in facts["sources"].items():
        lines += ["", *_source_lines(name, entry)]
    return "\n".join(lines)


def _source_lines(name: str, entry: dict[str, Any]) -> list[str]:
    pull = entry["last_pull"]
    if pull is None:
        return [f"{name}: aldrig hämtad"]
    lines = [
        f"{name}: hämtad {entry['last_pull_at'][:16]} UTC, {pull['received']} poster, "
        f"{pull['new']} nya, {pull['changed']} ändrade, {pull['unchanged']} lika"
    ]
    if pull["was_cut_off"]:
        lines.append("  hämtningen avbröts; nästa natt fortsätter där den slutade")
    if entry["last_good_pull_at"] != entry["last_pull_at"]:
        lines.append(f"  senast lyckad: {entry['last_good_pull_at'] or 'aldrig'}")
    if entry["is_waiting"]:
        lines.append("  poster väntar i inkorgen på en godkänd natt")
    for reason, n in entry["refused_by_reason"].items():
        lines.append(f"  avvisade, {REASONS_SV.get(reason, reason)}: {n}")
    lines += [f"  {alarm['severity']}: {alarm['message']}" for alarm in entry["alarms"]]
    return lines
