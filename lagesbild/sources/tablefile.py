"""Bytes of a CSV, TSV, XLSX or JSON file -> rows of text, as faithful as the file allows.

No value is interpreted here: an id keeps its leading zeros and a date stays as written. Excel is
the exception, since its cells have types; dates become ISO text and 12.0 becomes "12".
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ftfy
import openpyxl
from charset_normalizer import from_bytes

from lagesbild.errors import SourceError
from lagesbild.records import Reason

# What Swedish systems have written before UTF-8, and what they wrote with it. On short files a
# search among all encodings guesses wrong (Mac Iceland, Baltic DOS).
_LEGACY_ENCODINGS = ("cp1252", "mac_roman", "cp850", "latin_1")
_EXPECTED = frozenset("åäöÅÄÖéÉèêëàáíóúüÜøØæÆçñß–—’‘“”…°€§½·²´\xa0")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (";", ",", "\t", "|")
_MAX_UNPACKED = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """`number` as a spreadsheet shows it. `fault` set: the row is no record; `cells` is empty."""

    number: int
    cells: Mapping[str, str]
    fault: tuple[Reason, str] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a user may say about a file; None means find out.

    `header_rows`: 2 where the header stands in two rows (SurveyMonkey). `skip_rows`: rows above
    the header, such as a title.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_rows: int | None = 1
    skip_rows: int = 0


def read_table(name: str, content: bytes, layout: Layout | None = None) -> Table:
    """The rows of a file. `name` is used in messages. Raises SourceError if it is no table."""
    layout = layout or Layout()
    _refuse_what_is_no_table(name, content)
    if content.startswith(b"PK\x03\x04"):
        return _from_grid(name, _xlsx_grid(name, content, layout.sheet), layout)
    text = decode(content, layout.encoding)
    if text.lstrip()[:1] in ("{", "["):
        return _json_table(name, text)
    return _from_grid(name, _csv_grid(name, text, layout.delimiter), layout)


def decode(content: bytes, encoding: str | None = None) -> str:
    """Text of a file whose encoding nobody wrote down. Never fails: the last resort is Latin-1."""
    for bom, name in _BOMS:
        if content.startswith(bom):
            return content.decode(name, errors="replace")
    if encoding is not None:
        return content.decode(encoding, errors="replace")
    if b"\x00" in content[:4000]:
        little = content[:4000:2].count(0) < content[1:4000:2].count(0)
        return content.decode("utf-16-le" if little else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(content)


def _decode_legacy(content: bytes) -> str:
    """The encoding that gives most of the signs that Swedish uses; else the likeliest of all."""
    non_ascii = bytes(byte for byte in content if byte > 127)
    best, best_share = "latin_1", 0.0
    for encoding in _LEGACY_ENCODINGS:
        signs = non_ascii.decode(encoding, errors="replace")
        share = sum(sign in _EXPECTED for sign in signs) / len(signs)
        if share > best_share:
            best, best_share = encoding, share
    if best_share < 0.9 and (guess := from_bytes(content).best()):
        return str(guess)
    return content.decode(best, errors="replace")


def column_name(text: str) -> str:
    """A header in one form: double encoding repaired, one space between words."""
    return " ".join(ftfy.fix_text(text).replace("\ufeff", "").split())


def flatten(value: Any, prefix: str = "") -> dict[str, str]:
    """A JSON object as dotted keys with text values; lists of plain values are joined by comma.

    A GeoJSON point stays whole, as JSON text, because its two numbers mean nothing apart.
    """
    if isinstance(value, Mapping) and value.get("type") != "Point":
        flat: dict[str, str] = {}
        for key, inner in value.items():
            flat.update(flatten(inner, f"{prefix}.{key}" if prefix else str(key)))
        return flat
    return {prefix: _json_text(value)}


def load_json(text: str) -> Any:
    """JSON with numbers kept as they were written, so that ids lose nothing."""
    return json.loads(text, parse_int=str, parse_float=str)


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(_json_text(item) for item in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def _refuse_what_is_no_table(name: str, content: bytes) -> None:
    start = content[:2000].lstrip()
    if not content.strip():
        raise SourceError(f"{name}: filen är tom.")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise SourceError(f"{name}: gammalt Excelformat (.xls); spara filen som .xlsx eller .csv.")
    if re.match(rb"(?i)(\xef\xbb\xbf)?<(!doctype html|html)", start):
        raise SourceError(f"{name}: innehåller en webbsida i stället för en tabell.")
    if re.match(rb"(\xef\xbb\xbf)?<\?xml", start):
        raise SourceError(
            f"{name}: XML läses inte som tabell (en .lss-fil är enkätens frågor, inte svaren); "
            "exportera svaren som CSV, XLSX eller JSON."
        )


# --- CSV ------------------------------------------------------------------------------------------


def _csv_grid(name: str, text: str, delimiter: str | None) -> list[list[str]]:
    text = text.replace("\x00", "")
    if hint := re.match(r'"?sep=(.)"?\r?\n', text):
        text = text[hint.end() :]
        delimiter = delimiter or hint[1]
    delimiter = delimiter or find_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return list(reader)
    except csv.Error as error:
        raise SourceError(
            f"{name} rad {reader.line_num}: filen går inte att läsa som CSV ({error}); "
            "ofta är det ett citattecken som saknas."
        ) from None


def find_delimiter(text: str) -> str:
    """The delimiter that gives most rows the header's number of cells, then most cells."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = _widths(text, delimiter)
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(w == widths[0] for w in widths) / len(widths), widths[0])

    return max(_DELIMITERS, key=score)


def _widths(text: str, delimiter: str, n_rows: int = 200) -> list[int]:
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if cells:
                widths.append(len(cells))
            if len(widths) == n_rows:
                break
    except csv.Error:
        return []
    return widths


# --- XLSX -----------------------------------------------------------------------------------------


def _xlsx_grid(name: str, content: bytes, sheet: str | None) -> list[list[str]]:
    _refuse_bombs(name, content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # styles and validations we do not read
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise SourceError(
                f"{name}: filen går inte att läsa som Excel ({type(error).__name__})."
            ) from None
        try:
            if sheet is not None and sheet not in book.sheetnames:
                raise SourceError(
                    f"{name}: bladet {sheet!r} finns inte; bladen är {', '.join(book.sheetnames)}."
                )
            page = book[sheet] if sheet else book.worksheets[0]
            page.reset_dimensions()  # some writers state the wrong size
            grid = [[_cell_text(v) for v in row] for row in page.iter_rows(values_only=True)]
        finally:
            book.close()
    return _square(grid)


def _refuse_bombs(name: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise SourceError(f"{name}: filen är skadad och går inte att packa upp.") from None
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise SourceError(
            f"{name}: ett arkiv som inte är en Excelfil (LimeSurveys .lsa läses inte); "
            "exportera svaren som CSV eller XLSX."
        )
    if sum(member.file_size for member in members) > _MAX_UNPACKED:
        raise SourceError(f"{name}: filen är större än 512 MB uppackad och läses inte.")


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    text = str(value)
    return "" if re.fullmatch(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)", text) else text


def _square(grid: list[list[str]]) -> list[list[str]]:
    """Excel leaves out empty cells at the end of rows and adds empty rows at the end of sheets."""
    while grid and not any(cell.strip() for cell in grid[-1]):
        grid.pop()
    width = max((len(row) for row in grid), default=0)
    return [row + [""] * (width - len(row)) for row in grid]


# --- rows under a header --------------------------------------------------------------------------


def _from_grid(name: str, grid: list[list[str]], layout: Layout) -> Table:
    numbered = [(n, cells) for n, cells in enumerate(grid, 1) if cells][layout.skip_rows :]
    if not numbered:
        raise SourceError(f"{name}: filen har inga rader.")
    n_header = layout.header_rows or _count_header_rows([cells for _, cells in numbered])
    header = _header([cells for _, cells in numbered[:n_header]])
    return Table(header, tuple(_rows(header, numbered[n_header:])))


def _count_header_rows(grid: Sequence[Sequence[str]]) -> int:
    """2 where the second row names choices: blank below the respondent's id and only there."""
    if len(grid) < 2:
        return 1
    first, second = grid[0], grid[1]
    return 2 if first[0].strip() and not second[0].strip() and any(map(str.strip, second)) else 1


def _header(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    names = [column_name(cell) for cell in rows[0]]
    if len(rows) > 1:
        names = list(_with_choices(names, [column_name(cell) for cell in rows[1]]))
    while names and not names[-1]:
        names.pop()
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names, 1):
        name = name or f"kolumn {position}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(unique)


def _with_choices(questions: Sequence[str], choices: Sequence[str]) -> Iterator[str]:
    current = ""
    for position, question in enumerate(questions):
        current = question or current
        choice = choices[position] if position < len(choices) else ""
        plain = choice.casefold() in ("", "response", "open-ended response", "svar", "öppet svar")
        yield current if plain else f"{current} [{choice}]"


def _rows(header: Sequence[str], numbered: Sequence[tuple[int, list[str]]]) -> Iterator[Row]:
    for number, cells in numbered:
        while len(cells) > len(header) and not cells[-1].strip():
            cells = cells[:-1]
        if not any(cell.strip() for cell in cells):
            yield Row(number, {}, ("empty_text", f"rad {number} är tom"))
        elif len(cells) != len(header):
            detail = f"rad {number} har {len(cells)} fält, rubriken har {len(header)}"
            yield Row(number, {}, ("unexpected_shape", detail))
        else:
            yield Row(number, dict(zip(header, cells, strict=True)))


# --- JSON -----------------------------------------------------------------------------------------


def _json_table(name: str, text: str) -> Table:
    rows = list(_json_rows(name, text))
    header: dict[str, None] = {}
    for row in rows:
        header.update(dict.fromkeys(row.cells))
    return Table(tuple(header), tuple(rows))


def _json_rows(name: str, text: str) -> Iterator[Row]:
    try:
        whole = load_json(text)
    except json.JSONDecodeError:
        yield from _json_lines(text)
        return
    for number, item in enumerate(_listed(name, whole), 1):
        yield _json_row(number, item)


def _json_lines(text: str) -> Iterator[Row]:
    # not splitlines(): a JSON string may hold U+2028 as it is
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield _json_row(number, load_json(line))
        except json.JSONDecodeError:
            yield Row(number, {}, ("unreadable", f"rad {number} är inte JSON"))


def _json_row(number: int, item: Any) -> Row:
    if not isinstance(item, dict):
        return Row(number, {}, ("unexpected_shape", f"post {number} är inte ett objekt"))
    # LimeSurvey before 3: {"17": {"id": ...}}
    inner = next(iter(item.values()), None)
    if len(item) == 1 and isinstance(inner, dict) and "id" in inner:
        item = inner
    return Row(number, {column_name(key): value for key, value in flatten(item).items()})


def _listed(name: str, whole: Any) -> Sequence[Any]:
    if isinstance(whole, list):
        return whole
    lists = [value for value in whole.values() if isinstance(value, list)]
    records = [value for value in lists if value and isinstance(value[0], dict)]
    if len(lists) == 1 or len(records) == 1:
        return records[0] if records else lists[0]
    if not lists:
        return [whole]
    raise SourceError(f"{name}: JSON-filen har flera listor; en lista med poster per fil.")
