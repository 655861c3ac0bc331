"""Looks at a file and proposes a [sources.NAME] table for it, for a person to check.

The proposal names columns and never shows a value. What is unsure says so in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lagesbild.errors import SourceError
from lagesbild.sources.column_profile import Profile, profiles
from lagesbild.sources.columns import find_columns, normal
from lagesbild.sources.folder import read_file
from lagesbild.sources.mapping_survey import (
    day_first_lines,
    guess_preset,
    is_survey,
    survey_lines,
)
from lagesbild.sources.mapping_toml import entry, quoted, raw_entry, slug
from lagesbild.sources.presets import PRESETS
from lagesbild.sources.tablefile import Layout, Table, read_table

# Names of columns seen for each role, the likeliest first.
_WORDS: Mapping[str, str] = {
    "id": "ärendenummer ärende-id ärendeid ärendenr diarienummer incidentid id nummer report_id"
    " service_request_id case_id",
    "reported_at": "inkommen inkom inkommet skapad registrerad registreringsdatum datum created"
    " created_at datetime requested_datetime anmäld rapporterad tidpunkt date",
    "occurred_at": "händelsedatum händelsetid incident_date_start occurred_at inträffade",
    "updated_at": "uppdaterad ändrad senast_ändrad updated updated_at updated_datetime",
    "closed_at": "avslutad avslutat stängd åtgärdad closed closed_at avslutsdatum",
    "category": "kategori huvudkategori category ämne ärendekategori service_name category.title"
    " ämnesområde",
    "subcategory": "underkategori subcategory",
    "status": "status ärendestatus state status.state",
    "type": "typ ärendetyp synpunktstyp type",
    "lat": "latitud latitude lat y n nord northing",
    "lon": "longitud longitude lon lng long x e öst easting",
    "latlon": "koordinater koordinat mapcoordinates position coordinates location.geometrie",
}
_TITLES = ("rubrik", "titel", "title", "ämnesrad", "subject")
_TEXTS = (
    "beskrivning",
    "synpunkt",
    "text",
    "description",
    "detail",
    "detaljer",
    "meddelande",
    "fritext",
    "innehåll",
    "ärendetext",
    "kommentar",
    "body",
)
_AREAS: Mapping[str, str] = {
    "stadsdel": "stadsdel stadsdelsområde kommundel",
    "omrade": "område bostadsområde ward",
    "regso": "regso regsokod",
    "deso": "deso desokod",
    "lokalpolisomrade": "lokalpolisområde lpo",
    "kommun": "kommun kommunkod municipality",
}


def propose_mapping(path: Path) -> str:
    """A piece of lagesbild.toml for one file of reports or survey answers, comments in Swedish.

    Raises SourceError when the file is no table or holds nothing that can be mapped.
    """
    content = read_file(path)
    table, layout = _read(path.name, content)
    if not any(row.cells for row in table.rows):
        raise SourceError(f"{path.name}: filen har rubriker men inga rader.")
    columns = profiles(table)
    survey = is_survey(table.header)
    name = f"sources.{slug(path.stem) or 'min_kalla'}"
    head = [
        "# Förslag: granska varje rad innan den används.",
        f"[{name}]",
        f'kind = "{"survey" if survey else "tabular"}"',
        entry("path", path.as_posix(), "eller ett mönster, till exempel in/*.csv"),
    ]
    if layout.skip_rows:
        head.append(raw_entry("skip_rows", str(layout.skip_rows), "rader ovanför rubriken"))
    body = survey_lines(columns) if survey else _tabular_lines(columns)
    return "\n".join([*head, *(line.replace("{table}", name, 1) for line in body)]) + "\n"


def _read(name: str, content: bytes) -> tuple[Table, Layout]:
    """The table, with a title above the header stepped over."""
    first = _try(name, content, Layout())
    if _is_even(first[0]):
        return first
    for skip_rows in range(1, 6):
        try:
            found = _try(name, content, Layout(skip_rows=skip_rows))
        except SourceError:
            break
        if _is_even(found[0]):
            return found
    return first


def _try(name: str, content: bytes, layout: Layout) -> tuple[Table, Layout]:
    table = read_table(name, content, layout)
    if guess_preset(table.header) == "surveymonkey":
        table = read_table(name, content, replace(layout, header_rows=None))
    return table, layout


def _is_even(table: Table) -> bool:
    """Whether the header fits the rows below it."""
    bad = [row for row in table.rows if row.fault and row.fault[0] == "unexpected_shape"]
    unnamed = [name for name in table.header if re.fullmatch(r"kolumn \d+", name)]
    return len(bad) <= 0.5 * len(table.rows) and len(unnamed) <= 0.5 * len(table.header)


def _tabular_lines(columns: Sequence[Profile]) -> list[str]:
    header = [column.name for column in columns]
    for preset, facts in PRESETS.items():
        mapped = facts["columns"]
        texts = find_columns(mapped["text"], header)
        if texts and len(find_columns((mapped["id"], mapped["reported_at"]), header)) == 2:
            lines = [f'preset = "{preset}"', *_contact_lines(columns)]
            if len(texts) < len(mapped["text"]):
                listed = ", ".join(quoted(name) for name in texts)
                lines += ["", "[{table}.columns]", raw_entry("text", f"[{listed}]")]
            return lines
    return _by_hand(columns)


def _by_hand(columns: Sequence[Profile]) -> list[str]:
    usable = [column for column in columns if not column.is_contact]
    roles = _roles(usable)
    texts, text_doubt = _texts(usable)
    if not texts:
        raise SourceError("Hittar ingen kolumn med löpande text i filen.")
    top, lines = [], ["", "[{table}.columns]"]
    if "id" in roles:
        lines.append(entry("id", roles["id"].name))
    else:
        lines.append("# id saknas: varje rad får ett eget id av sitt innehåll")
    listed = ", ".join(quoted(name) for name in texts)
    lines.append(raw_entry("text", f"[{listed}]", text_doubt))
    times = [c for c in usable if c.is_time]
    reported = roles.get("reported_at") or (times[0] if times else None)
    if reported:
        doubt = "" if "reported_at" in roles else "osäker: första kolumnen med tid"
        lines.append(entry("reported_at", reported.name, doubt))
        top += day_first_lines(reported)
    else:
        lines.append('# reported_at = ""  # saknas: ange kolumnen som säger när det kom in')
    rest = [r for r in _WORDS if r in roles and r not in ("id", "reported_at")]
    lines += [entry(role, roles[role].name) for role in rest]
    lines += _area_lines(usable)
    return [*top, *_crs_lines(roles), *_contact_lines(columns), *lines]


def _roles(columns: Sequence[Profile]) -> dict[str, Profile]:
    """The column whose name says its role and whose values do not gainsay it."""
    by_name = {_plain(column.name): column for column in columns}
    roles: dict[str, Profile] = {}
    for role, words in _WORDS.items():
        for word in words.split():
            column = by_name.get(_plain(word))
            if column is not None and _fits(role, column):
                roles[role] = column
                break
    if not ("lat" in roles and "lon" in roles):
        roles.pop("lat", None)
        roles.pop("lon", None)
    return roles


def _fits(role: str, column: Profile) -> bool:
    if role.endswith("_at"):
        return column.is_time
    if role in ("lat", "lon"):
        return column.is_number
    if role == "id":
        return column.is_unique
    return bool(column.values)


def _texts(columns: Sequence[Profile]) -> tuple[list[str], str]:
    """Columns of the remark itself, and the doubt there is about them."""
    by_name = {_plain(column.name): column for column in columns if column.values}
    titles = [by_name[w].name for w in _TITLES if w in by_name][:1]
    texts = [by_name[w].name for w in _TEXTS if w in by_name][:1]
    if titles + texts:
        return titles + texts, "" if texts else "osäker: bara en rubrik"
    running = sorted((c for c in columns if c.is_running_text), key=lambda c: -c.mean_length)
    return [c.name for c in running[:1]], "osäker: kolumnen med längst text"


def _area_lines(columns: Sequence[Profile]) -> list[str]:
    by_name = {_plain(column.name): column.name for column in columns}
    found = {
        area: by_name[_plain(word)]
        for area, words in _AREAS.items()
        for word in words.split()
        if _plain(word) in by_name
    }
    if not found:
        return []
    pairs = ", ".join(entry(area, name) for area, name in found.items())
    return [raw_entry("areas", f"{{{pairs}}}")]


def _crs_lines(roles: Mapping[str, Profile]) -> list[str]:
    if "lat" not in roles:
        return []
    biggest = max(float(v.replace(",", ".")) for v in _numbers(roles["lat"].values))
    if biggest > 1_000_000:
        return [entry("crs", "sweref99tm", "koordinaterna är meter, inte grader")]
    return []


def _numbers(values: Sequence[str]) -> list[str]:
    return [value for value in values if re.fullmatch(r"-?\d+(?:[.,]\d+)?", value)] or ["0"]


def _contact_lines(columns: Sequence[Profile]) -> list[str]:
    contacts = [column.name for column in columns if column.is_contact]
    if not contacts:
        return []
    return [f"# sparas inte (kan visa vem som anmält): {', '.join(contacts)}"]


def _plain(name: str) -> str:
    return normal(name).replace("_", " ").replace("-", " ")
