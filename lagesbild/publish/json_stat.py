"""JSON-stat 2.0 (json-stat.org): the format of Statistics Sweden's and Eurostat's interfaces.

One cube; zeros are written out, and what is not shown is null with its sign in `status`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lagesbild.errors import UsageError
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.metadata import BIAS_NOTE
from lagesbild.publish.table import TITLES, Table
from lagesbild.settings import Settings

LARGEST_CUBE = 2_000_000
# dimension -> the column of its labels
_DIMENSIONS = {
    "area_code": "area_name",
    "theme": "theme_sv",
    "subtheme": "subtheme_sv",
    **{name: name for name in ("month", "quarter", "tertial", "year", "week", "source", "stance")},
}
_PERIODS = ("month", "quarter", "tertial", "year", "week")


def write_json_stat(table: Table, _profile: str, settings: Settings | None) -> bytes:
    """The counts as one dataset; intervals are left to the other formats."""
    names = [name for name in table.names if name in _DIMENSIONS]
    categories = [_categories(table, name) for name in names]
    sizes = [len(found) for found in categories]
    _check_size(sizes)
    cells = {
        tuple(_code(table, row, name) for name in names): row[table.at("n_reports")]
        for row in table.rows
    }
    values: list[int | None] = []
    status: dict[str, str] = {}
    for number, key in enumerate(itertools.product(*categories)):
        value = cells.get(key, 0)
        if value == HIDDEN:
            status[str(number)] = HIDDEN
        values.append(None if value == HIDDEN else int(value))
    content = {
        "version": "2.0",
        "class": "dataset",
        "label": "Antal rapporter",
        "source": settings.publish.publisher if settings else "",
        "note": [BIAS_NOTE, f"{HIDDEN} i status: antalet visas inte."],
        "id": names,
        "size": sizes,
        "role": _roles(names),
        "dimension": {
            name: _dimension(name, found) for name, found in zip(names, categories, strict=True)
        },
        "value": values,
        "status": status,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _check_size(sizes: Sequence[int]) -> None:
    total = 1
    for size in sizes:
        total *= size
    if total > LARGEST_CUBE:
        raise UsageError(
            f"Tabellen blir {total} celler som JSON-stat; välj färre indelningar, kortare tid "
            "eller formatet parquet."
        )


def _code(table: Table, row: Sequence[Any], name: str) -> str:
    """Areas of different types may share a code, so theirs begins with the type."""
    value = str(row[table.at(name)])
    if name == "area_code":
        return f"{row[table.at('area_type')]}:{value}"
    return value.replace("V", "W") if name == "week" else value


def _categories(table: Table, name: str) -> Mapping[str, str]:
    """Code -> label, in the order of the codes."""
    label = table.at(_DIMENSIONS[name])
    found = {_code(table, row, name): str(row[label]) for row in table.rows}
    return dict(sorted(found.items()))


def _dimension(name: str, categories: Mapping[str, str]) -> dict[str, Any]:
    return {
        "label": TITLES[name][0],
        "category": {"index": list(categories), "label": dict(categories)},
    }


def _roles(names: Sequence[str]) -> dict[str, list[str]]:
    roles = {
        "time": [name for name in names if name in _PERIODS],
        "geo": [name for name in names if name == "area_code"],
    }
    return {role: found for role, found in roles.items() if found}
