"""A map of the counts: one feature for each area, one property for each theme and period.

Beside a count that can be corrected stand n_corrected_…, n_corrected_low_… and n_corrected_high_….

RFC 7946: WGS 84, longitude first, outer rings counterclockwise. Areas without a configured
boundary, and "unknown", are features without geometry, so that nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from lagesbild.boundaries import read_boundaries
from lagesbild.errors import UsageError
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.table import Table
from lagesbild.settings import Settings

_GRID_DEGREES = 1e-6  # a decimetre
_AREA = ("area_type", "area_code", "area_name")


def boundaries(settings: Settings, area_type: str) -> dict[str, BaseGeometry]:
    """Each area's whole boundary by code; none where no file is configured for the type."""
    found: dict[str, list[BaseGeometry]] = {}
    for config in settings.areas:
        if config.area_type != area_type:
            continue
        for boundary in read_boundaries(
            settings.base_dir / config.file,
            code=config.code,
            name=config.name,
            population=config.population,
            crs=config.crs,
        ):
            found.setdefault(boundary.code, []).append(boundary.geometry)
    return {code: shapely.union_all(parts) for code, parts in found.items()}


def write_geojson(table: Table, _profile: str, settings: Settings | None) -> bytes:
    """Raises UsageError where the counts are not by area, or no boundaries are configured."""
    if "area_code" not in table.names:
        raise UsageError("En karta behöver områden: ta med area i --by.")
    if settings is None or not settings.areas:
        raise UsageError("En karta behöver gränser: ställ in [[areas]] i lagesbild.toml.")
    features: dict[tuple[str, ...], dict[str, Any]] = {}
    corrected = [i for i, name in enumerate(table.names) if name.startswith("n_corrected")]
    for row in table.rows:
        area = tuple(str(row[table.at(name)]) for name in _AREA)
        properties = features.setdefault(
            area, {**dict(zip(_AREA, area, strict=True)), "hidden": []}
        )
        value, told_apart = row[table.at("n_reports")], _told_apart(table, row)
        name = "_".join(["n", *told_apart])
        properties[name] = None if value == HIDDEN else value
        if value == HIDDEN:
            properties["hidden"].append(name)
        for place in corrected:
            if isinstance(number := row[place], float):
                properties["_".join([table.names[place], *told_apart])] = round(number, 1)
    shapes = {area_type: boundaries(settings, area_type) for area_type, _, _ in features}
    content = {
        "type": "FeatureCollection",
        "features": [_feature(properties, shapes) for _, properties in sorted(features.items())],
    }
    return (json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _told_apart(table: Table, row: Sequence[Any]) -> list[str]:
    """What a property counts: n_narkotika_2025-03, or plain n where nothing else is told apart."""
    return [
        str(value)
        for column, value in zip(table.columns, row, strict=True)
        if column.kind == "text" and column.name not in _AREA and not column.name.endswith("_sv")
    ]


def _feature(
    properties: Mapping[str, Any], shapes: Mapping[str, Mapping[str, BaseGeometry]]
) -> dict[str, Any]:
    geometry = shapes[properties["area_type"]].get(properties["area_code"])
    return {
        "type": "Feature",
        "id": f"{properties['area_type']}:{properties['area_code']}",
        "geometry": None if geometry is None else _oriented(geometry),
        "properties": dict(properties),
    }


def _oriented(geometry: BaseGeometry) -> Any:
    exact = shapely.set_precision(geometry, _GRID_DEGREES)
    parts = [orient(part) for part in getattr(exact, "geoms", [exact]) if part.area]
    whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return _rounded(mapping(whole))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
