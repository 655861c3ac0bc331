"""What a night says to the analyst, in Swedish: on the terminal and in the scheduler's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lagesbild.night import NightResult, SourceNight
from lagesbild.publish.disclosure import HIDDEN, is_hidden
from lagesbild.records import REASONS_SV
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A plain text table: first column to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def theme_rows(snapshot: Path, plan: CodePlan) -> list[tuple[str, Any, Any]]:
    """(theme, reports, of them problems) over all areas and months; small counts hidden."""
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select theme, sum(n_reports)::bigint, "
            "coalesce(sum(n_reports) filter (where stance = 'problem'), 0)::bigint "
            "from theme_count where area_type = 'alla' and period_type = 'month' "
            "group by all order by 2 desc, 1"
        ).fetchall()
    return [(plan.label(key), _shown(n), _shown(problems)) for key, n, problems in rows]


def _shown(count: int) -> Any:
    return HIDDEN if is_hidden(count) else count


LEDGER_HEADER = ("Källa", "Kom", "Nya", "Ändrade", "Lika", "Avvisade", "Läge")


def ledger_rows(nights: Sequence[SourceNight]) -> list[tuple[Any, ...]]:
    """One row for each source: what came and whether it was merged."""
    rows = []
    for night in nights:
        ledger = night.ledger
        refused = sum(ledger.profile.get("refused", {}).values()) or ledger.refused
        state = "väntar" if night.is_held else "varning" if night.alarms else "bra"
        counts = (ledger.received, ledger.new, ledger.changed, ledger.unchanged, refused)
        rows.append((night.source, *counts, state))
    return rows


def ledger_table(nights: Sequence[SourceNight]) -> str:
    """The ledger as a Markdown table."""
    rows = [LEDGER_HEADER, ("---",) * len(LEDGER_HEADER), *ledger_rows(nights)]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows) + "\n"


def refusal_lines(nights: Sequence[SourceNight]) -> list[str]:
    lines = []
    for night in nights:
        reasons: Mapping[str, int] = night.ledger.profile.get("refused", {})
        if reasons:
            told = ", ".join(
                f"{n} {REASONS_SV.get(reason, reason)}"
                for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
            )
            lines.append(f"{night.source}: avvisade {told}")
    return lines


def alarm_lines(nights: Sequence[SourceNight]) -> list[str]:
    return [
        f"{'FEL' if alarm.severity == 'fail' else 'Varning'} {alarm.source}: {alarm.message}"
        for night in nights
        for alarm in night.alarms
    ]


def night_text(result: NightResult) -> str:
    """The night's ledger in words and a table."""
    parts = [
        table(LEDGER_HEADER, ledger_rows(result.sources)),
        *refusal_lines(result.sources),
        *alarm_lines(result.sources),
    ]
    if result.n_decisions:
        parts.append(f"{result.n_decisions} granskningsbeslut lästes in.")
    if result.n_reclassified:
        parts.append(f"{result.n_reclassified} texter klassades om av en ny version.")
    if result.n_purged:
        parts.append(f"{result.n_purged} råa poster gallrades.")
    parts.append(
        f"Ny ögonblicksbild: {result.snapshot}" if result.snapshot else "Inget nytt att publicera."
    )
    return "\n".join(parts)
