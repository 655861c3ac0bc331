"""JSON-stat 2.0 (json-stat.org): the format of Statistics Sweden's and Eurostat's interfaces.

One cube; zeros are written out, and what is not shown is null with its sign in `status`. Where the
table has corrected counts, they and their intervals are further measures: a dimension of its own.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lagesbild.errors import UsageError
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.metadata import BIAS_NOTE
from lagesbild.publish.table import NOT_APPLICABLE, TITLES, Table, Value
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
_MEASURES = ("n_reports", "n_corrected", "n_corrected_low", "n_corrected_high")
_MEASURE = "measure"  # the dimension's id


def write_json_stat(table: Table, _profile: str, settings: Settings | None) -> bytes:
    """The counts as one dataset; other intervals are left to the other formats."""
    names = [name for name in table.names if name in _DIMENSIONS]
    dimensions = {name: _categories(table, name) for name in names}
    measures = [name for name in _MEASURES if name in table.names]
    content: dict[str, Any] = {
        "version": "2.0",
        "class": "dataset",
        "label": "Antal rapporter",
        "source": settings.publish.publisher if settings else "",
        "note": [BIAS_NOTE, f"{HIDDEN} i status: antalet visas inte."],
        "id": names,
        "size": [len(found) for found in dimensions.values()],
        "role": _roles(names),
        "dimension": {name: _dimension(name, found) for name, found in dimensions.items()},
    }
    if len(measures) > 1:
        content["note"].append("null utan status: ett korrigerat antal kan inte räknas.")
        content["id"].append(_MEASURE)
        content["size"].append(len(measures))
        content["role"]["metric"] = [_MEASURE]
        content["dimension"][_MEASURE] = _measures(measures)
    _check_size(content["size"])
    content["value"], content["status"] = _values(table, dimensions, measures)
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _values(
    table: Table, dimensions: Mapping[str, Mapping[str, str]], measures: Sequence[str]
) -> tuple[list[float | None], dict[str, str]]:
    """Every cell of the cube in its order, and the signs of those that are not shown."""
    places = [table.at(name) for name in measures]
    cells = {
        tuple(_code(table, row, name) for name in dimensions): [row[place] for place in places]
        for row in table.rows
    }
    nothing: list[Value] = [0, *([NOT_APPLICABLE] * (len(measures) - 1))]
    values: list[float | None] = []
    status: dict[str, str] = {}
    for key in itertools.product(*dimensions.values()):
        for value in cells.get(key, nothing):
            if value == HIDDEN:
                status[str(len(values))] = HIDDEN
            values.append(_number(value))
    return values, status


def _number(value: Value) -> float | None:
    if isinstance(value, str):
        return None
    return value if isinstance(value, int) else round(value, 1)


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


def _measures(names: Sequence[str]) -> dict[str, Any]:
    return {
        "label": "Mått",
        "category": {
            "index": list(names),
            "label": {name: TITLES[name][0] for name in names},
            "unit": {
                name: {"base": "rapporter", "decimals": 0 if name == _MEASURES[0] else 1}
                for name in names
            },
        },
    }


def _roles(names: Sequence[str]) -> dict[str, list[str]]:
    roles = {
        "time": [name for name in names if name in _PERIODS],
        "geo": [name for name in names if name == "area_code"],
    }
    return {role: found for role, found in roles.items() if found}
