"""Theme counts as CSV or Excel, for Swedish spreadsheets or for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from lagesbild.errors import UsageError
from lagesbild.publish.disclosure import HIDDEN, SMALLEST_SHOWN, is_hidden
from lagesbild.records import UNKNOWN_AREA
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

Count = tuple[Any, ...]

# What `--by` may name -> the columns it adds, and the table's column they come from.
DIMENSIONS: Mapping[str, Sequence[str]] = {
    "area": ("area_type", "area_code", "area_name"),
    "theme": ("theme", "theme_sv"),
    "subtheme": ("subtheme",),
    "month": ("month",),
    "week": ("week",),
    "source": ("source",),
    "stance": ("stance",),
}
BIAS_NOTE = (
    "Antalen visar vad som har rapporterats, inte hur mycket som har hänt. De som rapporterar "
    "väljer själva att göra det, och fler rapporter kan betyda större förtroende eller en enklare "
    "app. Temat är maskinellt satt om inte personal har granskat det. En rapport med flera teman "
    "räknas en gång per tema, så summan över teman är större än antalet rapporter."
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which counts: `by` names dimensions in the order of the columns; months are inclusive."""

    by: Sequence[str]
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.by if name not in DIMENSIONS]
        if unknown or not self.by:
            raise UsageError(
                f"--by kan vara {', '.join(DIMENSIONS)}; {', '.join(unknown) or 'inget'} angavs."
            )
        if {"month", "week"} <= set(self.by):
            raise UsageError(
                "--by kan ha month eller week, inte båda: veckor och månader delar inte gränser."
            )

    @property
    def columns(self) -> list[str]:
        return [column for name in self.by for column in DIMENSIONS[name]] + ["n_reports"]


def counts(snapshot: Path, selection: Selection, plan: CodePlan) -> list[Count]:
    """Whole counts in the order of the columns, sorted; small ones not yet hidden."""
    period_type = "week" if "week" in selection.by else "month"
    columns = [_expression(column) for column in selection.columns[:-1]]
    conditions, values = _periods(selection, period_type)
    # the area type 'alla' is the total; every other type holds each report once as well
    conditions.append("area_type <> 'alla'" if "area" in selection.by else "area_type = 'alla'")
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            f"select {', '.join([*columns, 'sum(n_reports)::bigint'])} from theme_count t "
            "left join (select area_type, area_code, max(area_name) as area_name from area "
            "group by all) a using (area_type, area_code) "
            f"where {' and '.join(conditions)} group by all order by all",
            [period_type, *values],
        ).fetchall()
    if "theme_sv" in selection.columns:
        at = selection.columns.index("theme_sv")
        rows = [(*row[:at], plan.label(row[at]), *row[at + 1 :]) for row in rows]
    return rows


def _expression(column: str) -> str:
    if column == "area_name":
        return f"coalesce(a.area_name, case area_code when '{UNKNOWN_AREA}' then 'Okänt' end)"
    if column in ("month", "week"):
        return f"period as {column}"
    if column == "theme_sv":
        return "theme as theme_sv"
    return column


def _periods(selection: Selection, period_type: str) -> tuple[list[str], list[str]]:
    style = "%Y-%m" if period_type == "month" else "%G-V%V"
    conditions, values = ["period_type = ?"], []
    if selection.first:
        conditions.append("period >= ?")
        values.append(selection.first.strftime(style))
    if selection.last:
        conditions.append("period <= ?")
        values.append(selection.last.strftime(style))
    return conditions, values


# --- formats --------------------------------------------------------------------------------------


def _csv(columns: Sequence[str], rows: Sequence[Count], profile: str) -> bytes:
    """excel_sv: semicolons, BOM and CRLF, opens right in a Swedish Excel. open_data: RFC 4180."""
    is_excel = profile == "excel_sv"
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=";" if is_excel else ",", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL
    )
    writer.writerow(columns)
    writer.writerows([_safe(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig" if is_excel else "utf-8")


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _xlsx(columns: Sequence[str], rows: Sequence[Count], _profile: str) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001  # the same counts give the same file
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Antal")
    sheet.freeze_panes(1, 0)
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column, bold)
        widest = max([len(column), *(len(str(row[number])) for row in rows)])
        sheet.set_column(number, number, min(widest + 2, 50))
    for line, row in enumerate(rows, 1):
        for number, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(line, number, value)
            elif value is not None:
                sheet.write_string(line, number, str(value))
    note = book.add_worksheet("Läs mig")
    note.set_column(0, 0, 100, book.add_format({"text_wrap": True}))
    note.write_string(0, 0, BIAS_NOTE)
    note.write_string(1, 0, _hiding_note())
    book.close()
    return out.getvalue()


def _hiding_note() -> str:
    return f"{HIDDEN} betyder att antalet är mellan 1 och {SMALLEST_SHOWN - 1} och inte visas."


FORMATS: Mapping[str, Callable[[Sequence[str], Sequence[Count], str], bytes]] = {
    "csv": _csv,
    "xlsx": _xlsx,
}
PROFILES = ("excel_sv", "open_data")


def export_counts(
    snapshot: Path,
    selection: Selection,
    plan: CodePlan,
    folder: Path,
    *,
    profile: str = "excel_sv",
    style: str = "csv",
) -> Path:
    """Write the counts and a metadata file beside them; the same snapshot gives the same bytes."""
    rows = counts(snapshot, selection, plan)
    hidden = [row for row in rows if is_hidden(row[-1])]
    shown = [(*row[:-1], HIDDEN if is_hidden(row[-1]) else row[-1]) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"antal_{'_'.join(selection.by)}_{profile}.{style}"
    target.write_bytes(FORMATS[style](selection.columns, shown, profile))
    metadata = {
        "selection": asdict(selection),
        "snapshot": snapshot.name,
        "theme_version": plan.version,
        "smallest_shown": SMALLEST_SHOWN,
        "n_rows": len(rows),
        "n_hidden": len(hidden),
        "hidden_sign": HIDDEN,
        "note_sv": BIAS_NOTE,
    }
    target.with_suffix(f".{style}.metadata.json").write_text(
        json.dumps(metadata, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8"
    )
    return target
