"""A table as bytes in each format; workbooks, JSON-stat and maps have modules of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.geojson import write_geojson
from lagesbild.publish.json_stat import write_json_stat
from lagesbild.publish.table import NOT_APPLICABLE, Column, Table, Value
from lagesbild.publish.workbook import write_workbook
from lagesbild.settings import Settings

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(table: Table, profile: str, _: Settings | None) -> bytes:
    """excel_sv: semicolons, BOM, CRLF and decimal comma, as a Swedish Excel wants it.

    open_data: RFC 4180 in UTF-8 without BOM, decimal point, weeks as in ISO 8601.
    """
    is_excel = profile == "excel_sv"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if is_excel else ",", lineterminator="\r\n")
    has_week = "week" in table.names
    writer.writerow([*table.names, *(["iso_year"] if is_excel and has_week else [])])
    for row in table.rows:
        cells = [_text(v, c, is_excel) for c, v in zip(table.columns, row, strict=True)]
        if has_week:
            week = str(row[table.at("week")])
            if is_excel:
                cells.append(week[:4])
            else:
                cells[table.at("week")] = week.replace("V", "W")
        writer.writerow(cells)
    return out.getvalue().encode("utf-8-sig" if is_excel else "utf-8")


def _text(value: Value, column: Column, is_excel: bool) -> str:
    if isinstance(value, float):
        text = f"{value:.{column.decimals}f}"
        return text.replace(".", ",") if is_excel else text
    if value == NOT_APPLICABLE and not is_excel:
        return ""
    return guarded(str(value))


def guarded(text: str) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return "'" + text if text.startswith(_FORMULA_SIGNS) else text


def write_parquet(table: Table, _profile: str, _: Settings | None) -> bytes:
    """Typed columns; what is not shown is null, and `is_hidden` says why."""
    kinds = {"text": pa.string(), "integer": pa.int64(), "decimal": pa.float64()}
    arrays = [
        pa.array(_plain(table, place), kinds[column.kind])
        for place, column in enumerate(table.columns)
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, table.names), out, compression="zstd")
    return out.getvalue()


def _plain(table: Table, place: int) -> Iterator[Value | None]:
    column = table.columns[place]
    for row in table.rows:
        value = row[place]
        if isinstance(value, float):
            yield round(value, column.decimals)
        elif column.name == "week":
            yield str(value).replace("V", "W")
        else:
            yield None if value in (HIDDEN, NOT_APPLICABLE) else value


FORMATS: Mapping[str, Callable[[Table, str, Settings | None], bytes]] = {
    "csv": write_csv,
    "xlsx": write_workbook,
    "parquet": write_parquet,
    "json": write_json_stat,
    "geojson": write_geojson,
}
