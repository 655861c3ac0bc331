"""Where a remark belongs: coordinates, area fields and place names to areas of several types.

Area types lie side by side, each in one version of the geography; none is part of another but for
RegSO and DeSO, whose codes begin with the municipality's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field

from lagesbild.boundaries import Boundary, read_boundaries
from lagesbild.errors import UsageError
from lagesbild.gazetteer import Gazetteer, words
from lagesbild.records import Area, PlacedArea
from lagesbild.resources import data_path

Method = Literal["coordinates", "field", "text"]

MUNICIPALITY = "kommun"
COUNTY = "lan"
_MUNICIPALITY_VERSION = "2024"  # the year of the bundled population; codes unchanged since 2007
_REGSO_VERSION = "2025"
# RegSO "0114R001" and DeSO "0114A0010": the municipality's code, then a letter and digits.
_STATISTICAL_CODE = re.compile(r"(\d{4})[A-Z]\d{3,4}")
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    MUNICIPALITY: ("kommun", "stad", "kn"),
    COUNTY: ("län",),
    "*": ("stadsdelsområde", "stadsdelsnämnd", "stadsområde", "stadsdel", "distrikt"),
}
_CODE_LENGTH = {MUNICIPALITY: 4, COUNTY: 2}


class AreaConfig(BaseModel):
    """One area type and the user's boundary file. `code`, `name`, `population`: properties in it.

    `aliases`: a CSV file with the columns alias and code: other names people use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    area_type: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    file: Path
    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    geo_version: str = Field(min_length=1)
    population: str | None = None
    aliases: Path | None = None
    crs: Literal["wgs84", "sweref99tm"] = "wgs84"


class _Layer:
    """The areas of one type, by code, by name, and by point where boundaries are known."""

    def __init__(
        self,
        areas: Iterable[Area],
        names: Iterable[tuple[str, str]],
        boundaries: Sequence[Boundary] = (),
    ) -> None:
        self.areas = {area.area_code: area for area in areas}
        self.population: dict[str, int] = {}
        self.gazetteer = _gazetteer(tuple(names))
        self._codes = [boundary.code for boundary in boundaries]
        self._geometries = np.array([boundary.geometry for boundary in boundaries], dtype=object)
        shapely.prepare(self._geometries)
        self._tree = shapely.STRtree(self._geometries) if boundaries else None

    def at(self, lat: float, lon: float) -> str | None:
        """Code of the area that holds the point; on a shared border, the lowest code."""
        if self._tree is None:
            return None
        near = self._tree.query(shapely.points(lon, lat))
        inside = near[shapely.intersects_xy(self._geometries[near], lon, lat)]
        return min((self._codes[i] for i in inside), default=None)

    def named(self, area_type: str, value: str) -> frozenset[str]:
        """Codes that a field's value, a code or a name, may mean."""
        value = value.strip()
        length = _CODE_LENGTH.get(area_type)
        code = value.zfill(length) if length and value.isdecimal() else value
        if code in self.areas:
            return frozenset((code,))
        for name in _without_endings(area_type, value):
            if codes := self.gazetteer.named(name):
                return codes
        return frozenset()


class Places:
    """Every area known: municipalities and counties always, others from the configured files."""

    def __init__(self, configs: Sequence[AreaConfig] = (), base_dir: Path = Path()) -> None:
        """Relative files are looked for in `base_dir`. Raises UsageError for a file at fault."""
        self._layers = {COUNTY: _counties(), MUNICIPALITY: _municipalities()}
        seen: set[str] = set()
        for config in configs:
            if config.area_type in seen:
                raise UsageError(f"Områdestypen {config.area_type} är inställd två gånger.")
            seen.add(config.area_type)
            self._layers[config.area_type] = _configured(config, base_dir)
        self._county_of = {row["code"]: row["county_code"] for row in _rows("kommun.csv")}
        self._add_bundled_population()
        # Municipality first: knowing it tells apart areas of the same name.
        self.area_types: tuple[str, ...] = (
            MUNICIPALITY,
            *(t for t in self._layers if t not in (MUNICIPALITY, COUNTY)),
            COUNTY,
        )

    def locate(
        self,
        lat: float | None,
        lon: float | None,
        area_fields: Sequence[tuple[str, str]],
        text: str,
    ) -> tuple[PlacedArea, ...]:
        """At most one area of each type: by coordinates, else by field, else by names in the text.

        A type that could not be placed, or not for certain, is left out.
        """
        found: dict[str, PlacedArea] = {}
        if lat is not None and lon is not None:
            for area_type, layer in self._layers.items():
                self._add(found, area_type, layer.at(lat, lon), "coordinates")
            self._derive(found)
        if area_fields:
            self._locate_by_field(area_fields, found)
        if text and len(found) < len(self.area_types):
            self._locate_by_text(text, found)
        return tuple(found[t] for t in self.area_types if t in found)

    def knows(self, area_type: str, value: str) -> bool:
        """Whether a field's value is a code or a name of an area of this type."""
        layer = self._layers.get(area_type)
        return layer is not None and bool(layer.named(area_type, value))

    def population(self, area_type: str, code: str) -> int | None:
        """Inhabitants, where known."""
        layer = self._layers.get(area_type)
        return layer.population.get(code) if layer else None

    def areas(self, area_type: str) -> tuple[Area, ...]:
        """All areas of one type by code; RegSO is listed even without boundaries."""
        if area_type == "regso" and area_type not in self._layers:
            return self._bundled_regso
        layer = self._layers.get(area_type)
        return tuple(sorted(layer.areas.values())) if layer else ()

    @cached_property
    def _bundled_regso(self) -> tuple[Area, ...]:
        rows = _rows("regso.csv")
        return tuple(Area("regso", row["code"], row["name"], _REGSO_VERSION) for row in rows)

    def _add(
        self, found: dict[str, PlacedArea], area_type: str, code: str | None, method: Method
    ) -> None:
        if code is not None and area_type not in found:
            area = self._layers[area_type].areas.get(code)
            if area is not None:
                found[area_type] = PlacedArea(area, method)

    def _locate_by_field(
        self, fields: Sequence[tuple[str, str]], found: dict[str, PlacedArea]
    ) -> None:
        for area_type in self.area_types:
            self._derive(found)
            for field_type, value in fields:
                if field_type == area_type and area_type not in found:
                    codes = self._layers[area_type].named(area_type, value)
                    self._add(found, area_type, self._only(codes, found), "field")
        self._derive(found)

    def _locate_by_text(self, text: str, found: dict[str, PlacedArea]) -> None:
        text_words = words(text)
        for area_type in self.area_types:
            self._derive(found)
            if area_type in found:
                continue
            mentioned = self._layers[area_type].gazetteer.mentioned(text, text_words)
            codes = {self._only(candidates, found) for candidates in mentioned}
            # Two places named, or one name of several places: we do not know which is meant.
            if len(codes) == 1:
                self._add(found, area_type, codes.pop(), "text")
        self._derive(found)

    def _only(self, codes: frozenset[str], found: Mapping[str, PlacedArea]) -> str | None:
        """The one code meant, with the help of the municipality where that is known."""
        known = found.get(MUNICIPALITY)
        if known is not None:
            codes = frozenset(
                c for c in codes if _municipality_in(c) in (None, known.area.area_code)
            )
        return next(iter(codes)) if len(codes) == 1 else None

    def _derive(self, found: dict[str, PlacedArea]) -> None:
        """The municipality of a RegSO or DeSO, and the county of a municipality."""
        if MUNICIPALITY not in found:
            for placed in tuple(found.values()):
                code = _municipality_in(placed.area.area_code)
                self._add(found, MUNICIPALITY, code, placed.method)
        if COUNTY not in found and MUNICIPALITY in found:
            municipality = found[MUNICIPALITY]
            county = self._county_of.get(municipality.area.area_code)
            self._add(found, COUNTY, county, municipality.method)

    def _add_bundled_population(self) -> None:
        counties: dict[str, int] = {}
        municipalities = self._layers[MUNICIPALITY].population
        for row in _rows("kommun.csv"):
            n_people = municipalities.setdefault(row["code"], int(row["population"]))
            counties[row["county_code"]] = counties.get(row["county_code"], 0) + n_people
        self._layers[COUNTY].population = counties | self._layers[COUNTY].population


def _municipality_in(code: str) -> str | None:
    match = _STATISTICAL_CODE.fullmatch(code)
    return match[1] if match else None


def _without_endings(area_type: str, value: str) -> Iterator[str]:
    """The value, then without "kommun", "stad", "län" …, then without the genitive s before it."""
    yield value
    for ending in _ENDINGS.get(area_type, _ENDINGS["*"]):
        if value.lower().endswith(f" {ending}"):
            base = value[: -len(ending)].rstrip()
            yield base
            if base.endswith("s"):
                yield base[:-1]


@lru_cache(maxsize=16)
def _gazetteer(names: tuple[tuple[str, str], ...]) -> Gazetteer:
    return Gazetteer(names, _careful_names())


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with data_path("places", name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _careful_names() -> frozenset[str]:
    lines = data_path("places", "words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _municipalities() -> _Layer:
    rows = _rows("kommun.csv")
    return _Layer(
        [Area(MUNICIPALITY, row["code"], row["name"], _MUNICIPALITY_VERSION) for row in rows],
        [(row[key], row["code"]) for row in rows for key in ("name", "long_name")],
    )


def _counties() -> _Layer:
    """A county goes by its long name; by its short one only where no municipality has it too."""
    rows = _rows("lan.csv")
    taken = {row["name"] for row in _rows("kommun.csv")}
    names = [(row["long_name"], row["code"]) for row in rows]
    names += [(row["name"], row["code"]) for row in rows if row["name"] not in taken]
    areas = [Area(COUNTY, row["code"], row["name"], _MUNICIPALITY_VERSION) for row in rows]
    return _Layer(areas, names)


def _configured(config: AreaConfig, base_dir: Path) -> _Layer:
    boundaries = read_boundaries(
        base_dir / config.file,
        code=config.code,
        name=config.name,
        population=config.population,
        crs=config.crs,
    )
    areas: dict[str, Area] = {}
    for boundary in boundaries:
        area = Area(config.area_type, boundary.code, boundary.name, config.geo_version)
        if areas.setdefault(boundary.code, area) != area:
            raise UsageError(
                f"Koden {boundary.code} har två olika namn i områdesfilen {base_dir / config.file}."
            )
    names = [(area.area_name, code) for code, area in areas.items()]
    if config.aliases is not None:
        names += _read_aliases(base_dir / config.aliases, areas)
    layer = _Layer(areas.values(), names, boundaries)
    layer.population = {b.code: b.population for b in boundaries if b.population is not None}
    return layer


def _read_aliases(file: Path, areas: Mapping[str, Area]) -> list[tuple[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"Aliasfilen {file} går inte att läsa: {error}.") from error
    found = []
    for number, row in enumerate(rows, 2):
        alias, code = row.get("alias"), row.get("code")
        if not alias or not code:
            raise UsageError(f"Aliasfilen {file}, rad {number}: kolumnerna alias och code behövs.")
        if code not in areas:
            raise UsageError(
                f"Aliasfilen {file}, rad {number}: koden {code} finns inte bland områdena."
            )
        found.append((alias, code))
    return found
