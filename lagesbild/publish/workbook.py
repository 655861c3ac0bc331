"""A real Excel workbook: the counts, native charts of them, and how to read them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import xlsxwriter

from lagesbild.publish.correction import told
from lagesbild.publish.metadata import BIAS_NOTE, hiding_note
from lagesbild.publish.table import TITLES, Table, Value
from lagesbild.settings import Settings

# Office writes its own time of day into a workbook; the same counts must give the same file.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001
_WIDEST = 45
_MOST_ROWS = 1_048_575  # what a sheet can hold below its header
_OVER_TIME = "Teman över tid: de största av det som visas"
_N_LINES = 4  # lines in one chart that can still be told apart without colour
_MARKERS = ("circle", "square", "triangle", "diamond")
_COLOURS = ("#1b4f72", "#b9540b", "#2d6a34", "#7d3c98")
_BLUE = "#1b4f72"


def write_workbook(table: Table, profile: str, _: Settings | None) -> bytes:
    """Sheets "Antal", "Diagram" (where there are themes) and "Läs mig"."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": "Rapporter per tema", "created": _CREATED})
    book.set_size(2400, 1400)
    formats = {
        "header": book.add_format(
            {"bold": True, "font_color": "white", "bg_color": _BLUE, "text_wrap": True}
        ),
        "decimal": book.add_format({"num_format": "[$-41D]0.0"}),
        "fine": book.add_format({"num_format": "[$-41D]0.00"}),
        "integer": book.add_format({"num_format": "0"}),
        "hidden": book.add_format({"align": "right", "font_color": "#595959"}),
        "text": book.add_format({"num_format": "@"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
    }
    _write_counts(book.add_worksheet("Antal"), table, formats)
    if "theme" in table.names:
        _write_charts(book, table, formats)
    _write_notes(book.add_worksheet("Läs mig"), table, formats, profile)
    book.close()
    return out.getvalue()


def _write_counts(sheet: Any, table: Table, formats: Mapping[str, Any]) -> None:
    rows = table.rows[:_MOST_ROWS]
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    for number, column in enumerate(table.columns):
        sheet.write_string(0, number, column.name, formats["header"])
        longest = max((len(str(row[number])) for row in rows), default=0)
        width = longest if column.kind == "text" else 7
        sheet.set_column(number, number, min(max(width, len(column.name)) + 3, _WIDEST))
    for line, row in enumerate(rows, 1):
        for number, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            kind = "fine" if column.decimals == 2 else column.kind
            _write(sheet, line, number, value, kind, formats)


def _write(
    sheet: Any, line: int, number: int, value: Value, kind: str, formats: Mapping[str, Any]
) -> None:
    if isinstance(value, str):
        shape = formats["text"] if kind == "text" else formats["hidden"]
        sheet.write_string(line, number, value, shape)
    else:
        sheet.write_number(line, number, round(value, 2 if kind == "fine" else 1), formats[kind])


# --- charts ---------------------------------------------------------------------------------------


def _write_charts(book: Any, table: Table, formats: Mapping[str, Any]) -> None:
    """Two charts over all areas, drawn by the spreadsheet itself from cells on the same sheet."""
    sheet = book.add_worksheet("Diagram")
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 5, 17)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, "En tom ruta betyder att antalet inte visas, aldrig 0.")
    labels = {str(row[table.at("theme")]): str(row[table.at("theme_sv")]) for row in table.rows}
    below = 4
    counted = table.family.protected.family.counts
    if any(table.family.cell(theme=key) in counted for key in labels):
        _write_totals(book, sheet, table, labels, formats)
        below = 10 + len(labels) * 13 // 10
    period = next((n for n in ("month", "quarter", "tertial", "year") if n in table.names), None)
    if period and labels:
        _write_lines(book, sheet, table, period, labels, below, formats)


def _write_totals(
    book: Any, sheet: Any, table: Table, labels: Mapping[str, str], formats: Mapping[str, Any]
) -> None:
    """Every theme over all periods, most first; not in open data, which have no such totals."""
    sheet.write_string(1, 0, "Teman, hela tiden och alla områden", formats["title"])
    for number, name in enumerate(("Tema", "Antal")):
        sheet.write_string(2, number, name, formats["header"])
    found = [
        (label, table.family.rounded(table.family.cell(theme=k))) for k, label in labels.items()
    ]
    for line, (label, count) in enumerate(sorted(found, key=lambda e: (-(e[1] or 0), e[0])), 3):
        sheet.write_string(line, 0, label)
        if count is not None:  # a sign instead of a number would be drawn as 0
            _write(sheet, line, 1, count, "integer", formats)
    sheet.insert_chart("H2", _bars(book, len(found)))


def _bars(book: Any, n_themes: int) -> Any:
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "Antal rapporter",
            "categories": ["Diagram", 3, 0, 2 + n_themes, 0],
            "values": ["Diagram", 3, 1, 2 + n_themes, 1],
            "fill": {"color": _BLUE},
            "data_labels": {"value": True},
            "gap": 40,
        }
    )
    chart.set_title({"name": "Rapporter per tema"})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"name": "Antal rapporter", "major_gridlines": {"visible": False}})
    chart.set_legend({"none": True})
    chart.set_size({"width": 820, "height": 120 + 24 * n_themes})
    return chart


def _write_lines(
    book: Any,
    sheet: Any,
    table: Table,
    period: str,
    labels: Mapping[str, str],
    start: int,
    formats: Mapping[str, Any],
) -> None:
    """The themes that are largest, of what is shown. A hidden count is a gap, never a zero."""
    periods = sorted({str(row[table.at(period)]) for row in table.rows})
    found = {
        key: [table.family.rounded(table.family.cell(theme=key, period=code)) for code in periods]
        for key in labels
    }
    top = sorted(found, key=lambda key: (-sum(n or 0 for n in found[key]), labels[key]))[:_N_LINES]
    sheet.write_string(start - 2, 0, _OVER_TIME, formats["title"])
    sheet.write_string(start, 0, TITLES[period][0], formats["header"])
    chart = book.add_chart({"type": "line"})
    for number, key in enumerate(top):
        sheet.write_string(start, 1 + number, labels[key], formats["header"])
        for line, count in enumerate(found[key], start + 1):
            if count is not None:
                _write(sheet, line, 1 + number, count, "integer", formats)
        chart.add_series(_line(number, start, len(periods)))
    for line, code in enumerate(periods, start + 1):
        sheet.write_string(line, 0, code)
    chart.set_title({"name": _OVER_TIME})
    chart.set_y_axis({"name": "Antal rapporter", "min": 0})
    chart.set_legend({"position": "bottom"})
    chart.show_blanks_as("gap")
    chart.set_size({"width": 820, "height": 420})
    sheet.insert_chart(start - 2, 7, chart)


def _line(number: int, start: int, n_periods: int) -> dict[str, Any]:
    colour = _COLOURS[number]
    return {
        "name": ["Diagram", start, 1 + number],
        "categories": ["Diagram", start + 1, 0, start + n_periods, 0],
        "values": ["Diagram", start + 1, 1 + number, start + n_periods, 1 + number],
        "line": {"color": colour, "width": 2},
        "marker": {
            "type": _MARKERS[number],
            "size": 6,
            "fill": {"color": colour},
            "border": {"color": colour},
        },
    }


def _write_notes(sheet: Any, table: Table, formats: Mapping[str, Any], profile: str) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90, formats["wrap"])
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, "Läs mig", formats["title"])
    lines = [
        ("Vad som räknas", BIAS_NOTE),
        ("Vad som inte visas", hiding_note()),
        ("Dolda i tabellen", f"{table.n_hidden} av {len(table.rows)} antal"),
        ("Profil", profile),
    ]
    if "n_corrected" in table.names:
        lines.append(("Korrigerat antal", told(table.errors)))
    lines += [(column.name, TITLES[column.name][1]) for column in table.columns]
    if len(table.rows) > _MOST_ROWS:
        lines.append(("Avkortad", "Tabellen är större än ett kalkylblad; välj csv eller parquet."))
    for number, (name, text) in enumerate(lines, 2):
        sheet.set_row(number, 15 * (1 + len(text) // 85))
        sheet.write_string(number, 0, name, formats["wrap"])
        sheet.write_string(number, 1, text, formats["wrap"])
