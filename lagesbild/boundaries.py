"""Boundaries of one area type from a GeoJSON file, in WGS 84 degrees."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lagesbild.errors import UsageError
from lagesbild.projection import to_wgs84


@dataclass(frozen=True, slots=True)
class Boundary:
    """One feature of the file. An area in several parts may be several features."""

    code: str
    name: str
    population: int | None
    geometry: BaseGeometry


def read_boundaries(
    file: Path, *, code: str, name: str, population: str | None, crs: str
) -> list[Boundary]:
    """The file's features; `code`, `name` and `population` are names of properties.

    Raises UsageError, naming file and feature, for anything that is not as configured.
    """
    features, stated_crs = _read_features(file)
    if stated_crs and stated_crs != crs:
        raise UsageError(
            f"Områdesfilen {file} säger att den är i {stated_crs}, men inställningen crs är {crs}. "
            f'Skriv crs = "{stated_crs}" för områdestypen.'
        )
    found = []
    for number, feature in enumerate(features, 1):
        where = f"Område nr {number} i {file}"
        properties = _properties(feature, where)
        found.append(
            Boundary(
                _text(properties, code, where),
                _text(properties, name, where),
                None if population is None else _whole(properties, population, where),
                _geometry(feature, where, is_projected=crs == "sweref99tm"),
            )
        )
    _check_degrees(file, found)
    return found


def _read_features(file: Path) -> tuple[Sequence[Any], str | None]:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"Områdesfilen {file} finns inte. Rätta file för områdestypen.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"Områdesfilen {file} går inte att läsa som GeoJSON: {error}.") from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not features:
        raise UsageError(f"Områdesfilen {file} är ingen GeoJSON FeatureCollection med områden.")
    return features, _stated_crs(content.get("crs"))


def _stated_crs(crs: Any) -> str | None:
    """What an old-style GeoJSON `crs` member says, where it says one of the two we know."""
    stated = json.dumps(crs).upper() if crs else ""
    if "3006" in stated:
        return "sweref99tm"
    return "wgs84" if "CRS84" in stated or "4326" in stated else None


def _properties(feature: Any, where: str) -> Mapping[str, Any]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise UsageError(f"{where} saknar egenskaper (properties).")
    return properties


def _text(properties: Mapping[str, Any], key: str, where: str) -> str:
    value = properties.get(key)
    if value is None or isinstance(value, dict | list | bool) or not str(value).strip():
        raise UsageError(
            f"{where} saknar egenskapen {key}. Egenskaper som finns: {', '.join(properties)}."
        )
    return str(value).strip()


def _whole(properties: Mapping[str, Any], key: str, where: str) -> int:
    text = _text(properties, key, where)
    if not text.isdecimal():
        raise UsageError(f"{where}: egenskapen {key} är inget helt tal.")
    return int(text)


def _geometry(feature: Mapping[str, Any], where: str, *, is_projected: bool) -> BaseGeometry:
    try:
        geometry = shape(feature.get("geometry") or {})
    except (ShapelyError, AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(f"{where} har ingen läsbar geometri.") from None
    if geometry.geom_type not in {"Polygon", "MultiPolygon"} or geometry.is_empty:
        raise UsageError(f"{where} är ingen yta utan {geometry.geom_type}.")
    geometry = shapely.force_2d(geometry)
    if is_projected:
        geometry = shapely.transform(geometry, _to_degrees)
    return geometry if geometry.is_valid else shapely.make_valid(geometry)


def _to_degrees(points: np.ndarray) -> np.ndarray:
    """(E, N) rows to (longitude, latitude) rows, the order GeoJSON uses."""
    latitude, longitude = to_wgs84(points[:, 1], points[:, 0])
    return np.column_stack((longitude, latitude))


def _check_degrees(file: Path, boundaries: Sequence[Boundary]) -> None:
    west, south, east, north = shapely.total_bounds([b.geometry for b in boundaries])
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise UsageError(
            f"Områdesfilen {file} har koordinater som inte är grader. "
            'Är den i SWEREF 99 TM, skriv crs = "sweref99tm" för områdestypen.'
        )
    if west > 50 and east < 75 and south > 5 and north < 30:
        raise UsageError(
            f"Områdesfilen {file} har latitud och longitud omkastade; longitud ska stå först."
        )
