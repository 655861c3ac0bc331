"""Coordinates, fields and place names to areas; what is not certain is left out."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lagesbild.errors import UsageError
from lagesbild.gazetteer import Gazetteer, words
from lagesbild.places import AreaConfig, Places
from lagesbild.projection import to_sweref99tm


def square(code: str, name: str, west: float, south: float, **more: Any) -> dict[str, Any]:
    """A feature of a tenth of a degree."""
    ring = [(0, 0), (0.1, 0), (0.1, 0.1), (0, 0.1), (0, 0)]
    coordinates = [[[west + x, south + y] for x, y in ring]]
    return {
        "type": "Feature",
        "properties": {"kod": code, "namn": name, **more},
        "geometry": {"type": "Polygon", "coordinates": coordinates},
    }


def write(folder: Path, features: list[dict[str, Any]], name: str = "a.geojson", **top: Any) -> str:
    content = {"type": "FeatureCollection", "features": features, **top}
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return name


def config(file: str, area_type: str = "stadsdel", **more: Any) -> AreaConfig:
    keys = {"code": "kod", "name": "namn", "geo_version": "2025", **more}
    return AreaConfig(area_type=area_type, file=Path(file), **keys)


@pytest.fixture(scope="module")
def bundled() -> Places:
    return Places()


@pytest.fixture
def city(tmp_path: Path) -> Places:
    """Two neighbourhoods side by side, and RegSO areas of Umeå over the first."""
    file = write(
        tmp_path,
        [
            square("01", "Björkängen", 20.0, 63.8, folkmängd=4200),
            square("02", "Norra Hamnen", 20.1, 63.8, folkmängd="1300"),
        ],
    )
    regso = write(
        tmp_path,
        [square("2480R001", "Haga", 20.0, 63.8), square("1480R001", "Haga", 11.9, 57.6)],
        "regso.geojson",
    )
    (tmp_path / "alias.csv").write_text("alias,code\nhamna,02\nNH,02\n", encoding="utf-8")
    return Places(
        [
            config(file, population="folkmängd", aliases=Path("alias.csv")),
            config(regso, "regso"),
        ],
        tmp_path,
    )


def placed(places: Places, **given: Any) -> dict[str, tuple[str, str]]:
    arguments = {"lat": None, "lon": None, "area_fields": (), "text": "", **given}
    return {
        found.area.area_type: (found.area.area_code, found.method)
        for found in places.locate(**arguments)
    }


def test_facts(bundled: Places) -> None:
    assert bundled.area_types == ("kommun", "lan")
    assert len(bundled.areas("kommun")) == 290
    assert len(bundled.areas("lan")) == 21
    assert len(bundled.areas("regso")) == 3363
    assert bundled.areas("stadsdel") == ()
    assert bundled.population("kommun", "2480") == 134155
    assert bundled.population("kommun", "9999") is None
    assert bundled.population("stadsdel", "01") is None
    counties = [bundled.population("lan", area.area_code) or 0 for area in bundled.areas("lan")]
    towns = [bundled.population("kommun", area.area_code) or 0 for area in bundled.areas("kommun")]
    assert sum(counties) == sum(towns) == 10_587_140
    assert bundled.areas("lan")[0].area_code == "01"


def test_by_coordinates(city: Places) -> None:
    assert placed(city, lat=63.85, lon=20.05) == {
        "kommun": ("2480", "coordinates"),
        "stadsdel": ("01", "coordinates"),
        "regso": ("2480R001", "coordinates"),
        "lan": ("24", "coordinates"),
    }
    assert placed(city, lat=63.85, lon=20.15) == {"stadsdel": ("02", "coordinates")}
    assert placed(city, lat=0.0, lon=0.0) == {}


def test_a_point_on_a_border_has_one_area(city: Places) -> None:
    assert placed(city, lat=63.85, lon=20.1)["stadsdel"] == ("01", "coordinates")


def test_coordinates_win_over_field_over_text(city: Places) -> None:
    fields = [("stadsdel", "Norra Hamnen")]
    text = "Bråk i Björkängen"
    assert placed(city, lat=63.85, lon=20.05, area_fields=fields, text=text)["stadsdel"] == (
        "01",
        "coordinates",
    )
    assert placed(city, area_fields=fields, text=text)["stadsdel"] == ("02", "field")
    assert placed(city, text=text)["stadsdel"] == ("01", "text")


@pytest.mark.parametrize(
    ("area_type", "value", "code"),
    [
        ("kommun", "Umeå", "2480"),
        ("kommun", " umeå ", "2480"),
        ("kommun", "Umea", "2480"),
        ("kommun", "Umeå kommun", "2480"),
        ("kommun", "Göteborgs Stad", "1480"),
        ("kommun", "Österåkers kommun", "0117"),
        ("kommun", "0180", "0180"),
        ("kommun", "180", "0180"),  # a spreadsheet ate the zero
        ("kommun", "Håbo", "0305"),
        ("kommun", "Habo", "0643"),  # not Håbo without its ring
        ("kommun", "Stockholms län", None),
        ("kommun", "Atlantis", None),
        ("kommun", "", None),
        ("lan", "Stockholms län", "01"),
        ("lan", "stockholms lan", "01"),
        ("lan", "Skåne", "12"),
        ("lan", "1", "01"),
        ("plats", "Umeå", None),
    ],
)
def test_by_field(bundled: Places, area_type: str, value: str, code: str | None) -> None:
    found = placed(bundled, area_fields=[(area_type, value)])
    assert found.get(area_type) == (None if code is None else (code, "field"))
    assert bundled.knows(area_type, value) == (code is not None)


def test_every_municipality_is_found_by_each_of_its_names(bundled: Places) -> None:
    for area in bundled.areas("kommun"):
        for value in (area.area_code, area.area_name, area.area_name.upper()):
            found = placed(bundled, area_fields=[("kommun", value)])
            assert found["kommun"] == (area.area_code, "field")
            assert "lan" in found


def test_a_name_of_two_areas_needs_the_municipality(city: Places) -> None:
    assert "regso" not in placed(city, area_fields=[("regso", "Haga")])
    both = [("regso", "Haga"), ("kommun", "Göteborg")]
    assert placed(city, area_fields=both)["regso"] == ("1480R001", "field")
    assert placed(city, text="Stökigt vid Haga i Umeå")["regso"] == ("2480R001", "text")
    assert "regso" not in placed(city, text="Stökigt vid Haga")


def test_a_statistical_code_tells_municipality_and_county(city: Places) -> None:
    assert placed(city, area_fields=[("regso", "1480R001")]) == {
        "kommun": ("1480", "field"),
        "regso": ("1480R001", "field"),
        "lan": ("14", "field"),
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Det är stökigt i Umeå", "2480"),
        ("stökigt i umeå på natten", "2480"),
        ("stökigt i umea på natten", "2480"),
        ("Umeås centrum är mörkt", "2480"),
        ("Vid Upplands Väsby station", "0114"),
        ("Rån i Borås", "1490"),
        ("umeå är bäst", None),  # neither capital nor place word
        ("Umeåborna är arga", None),
        ("Stockholmsvägen är hal", None),
        ("Olycka i Uppsala län", None),
        ("Bråk i Umeå och i Luleå", None),
        ("Klippan är hal och brant", None),
        ("Han står vid Klippan", "1276"),
        ("vi satt vid klippan", None),
        ("Anna Berg bor här", None),
        ("Vara rädd är inget liv", None),
        ("Tjuvar i Lund", "1281"),
        ("HELA UMEÅ ÄR OTRYGGT", None),  # capitals tell nothing here
        ("HÄNDE I UMEÅ IGEN", "2480"),
    ],
)
def test_by_text(bundled: Places, text: str, code: str | None) -> None:
    assert placed(bundled, text=text).get("kommun") == (None if code is None else (code, "text"))


def test_county_in_text(bundled: Places) -> None:
    assert placed(bundled, text="Olycka i Uppsala län") == {"lan": ("03", "text")}
    assert placed(bundled, text="Bråk i Lund, Uppsala län")["lan"] == ("12", "text")


def test_aliases_and_the_longest_name(city: Places) -> None:
    assert placed(city, text="det är mörkt i hamna")["stadsdel"] == ("02", "text")
    assert placed(city, text="Mörkt i Norra Hamnen")["stadsdel"] == ("02", "text")
    assert placed(city, area_fields=[("stadsdel", "nh")])["stadsdel"] == ("02", "field")
    assert placed(city, area_fields=[("stadsdel", "Björkängens stadsdel")])["stadsdel"][0] == "01"
    names = Gazetteer([("Hamnen", "a"), ("Norra Hamnen", "b")], frozenset())
    text = "Norra Hamnen"
    assert list(names.mentioned(text, words(text))) == [frozenset({"b"})]


def test_population_from_the_file(city: Places) -> None:
    assert city.population("stadsdel", "01") == 4200
    assert city.population("stadsdel", "02") == 1300
    assert city.population("regso", "2480R001") is None


def test_sweref_boundaries_give_the_same_areas(tmp_path: Path) -> None:
    feature = square("01", "Björkängen", 20.0, 63.8)
    ring = feature["geometry"]["coordinates"][0]
    feature["geometry"]["coordinates"] = [
        [list(reversed(to_sweref99tm(float(lat), float(lon)))) for lon, lat in ring]
    ]
    crs = {"type": "name", "properties": {"name": "EPSG:3006"}}
    file = write(tmp_path, [feature], crs=crs)
    places = Places([config(file, crs="sweref99tm")], tmp_path)
    assert placed(places, lat=63.85, lon=20.05)["stadsdel"] == ("01", "coordinates")
    assert "stadsdel" not in placed(places, lat=63.95, lon=20.05)
    with pytest.raises(UsageError, match="sweref99tm"):
        Places([config(file)], tmp_path)


def test_an_area_of_several_features_is_one(tmp_path: Path) -> None:
    file = write(tmp_path, [square("01", "Öarna", 20.0, 63.8), square("01", "Öarna", 21.0, 63.8)])
    places = Places([config(file)], tmp_path)
    assert len(places.areas("stadsdel")) == 1
    assert placed(places, lat=63.85, lon=20.05) == placed(places, lat=63.85, lon=21.05) != {}


def test_a_figure_of_eight_is_repaired(tmp_path: Path) -> None:
    feature = square("01", "Åttan", 20.0, 63.8)
    ring = feature["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]
    places = Places([config(write(tmp_path, [feature]))], tmp_path)
    for lon in (20.01, 20.09):
        assert placed(places, lat=63.85, lon=lon)["stadsdel"] == ("01", "coordinates")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: f["properties"].pop("kod"), "saknar egenskapen kod"),
        (lambda f: f["properties"].update(namn=" "), "saknar egenskapen namn"),
        (lambda f: f.update(properties=None), "saknar egenskaper"),
        (lambda f: f.update(geometry=None), "ingen läsbar geometri"),
        (lambda f: f.update(geometry={"type": "Point", "coordinates": [20, 63]}), "ingen yta"),
        (lambda f: f["properties"].update(folk="många"), "inget helt tal"),
        (
            lambda f: f["geometry"].update(
                coordinates=[[[7e5, 7e6], [7e5, 8e6], [8e5, 8e6], [7e5, 7e6]]]
            ),
            "inte är grader",
        ),
        (
            lambda f: f["geometry"].update(coordinates=[[[63, 20], [63, 21], [64, 21], [63, 20]]]),
            "omkastade",
        ),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path: Path, break_it: Any, message: str) -> None:
    feature = square("01", "Björkängen", 20.0, 63.8, folk=1)
    break_it(feature)
    with pytest.raises(UsageError, match=message) as error:
        Places([config(write(tmp_path, [feature]), population="folk")], tmp_path)
    assert "a.geojson" in str(error.value)


def test_mistakes_in_the_configuration(tmp_path: Path) -> None:
    file = write(tmp_path, [square("01", "A", 20.0, 63.8), square("01", "B", 21.0, 63.8)])
    with pytest.raises(UsageError, match="finns inte"):
        Places([config("saknas.geojson")], tmp_path)
    with pytest.raises(UsageError, match="två olika namn"):
        Places([config(file)], tmp_path)
    (tmp_path / "text.geojson").write_text("hej", encoding="utf-8")
    with pytest.raises(UsageError, match="GeoJSON"):
        Places([config("text.geojson")], tmp_path)
    with pytest.raises(UsageError, match="FeatureCollection"):
        Places([config(write(tmp_path, [], "tom.geojson"))], tmp_path)
    good = write(tmp_path, [square("01", "A", 20.0, 63.8)], "bra.geojson")
    with pytest.raises(UsageError, match="två gånger"):
        Places([config(good), config(good)], tmp_path)
    for content, message in (("alias,code\nx,99\n", "rad 2"), ("a;b\nx;1\n", "alias och code")):
        (tmp_path / "alias.csv").write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match=message):
            Places([config(good, aliases=Path("alias.csv"))], tmp_path)
    with pytest.raises(ValidationError):
        config(good, okänd="x")
    with pytest.raises(ValidationError):
        config(good, crs="rt90")


@given(
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    text=st.text(max_size=60),
    field=st.text(max_size=20),
)
def test_at_most_one_area_of_each_type(lat: float, lon: float, text: str, field: str) -> None:
    found = PLACES.locate(lat, lon, [("kommun", field), ("lan", field)], text)
    types = [p.area.area_type for p in found]
    assert len(types) == len(set(types))
    assert set(types) <= set(PLACES.area_types)


PLACES = Places()


def regso_config() -> AreaConfig:
    file = Path("regso_2025_simplified.geojson")
    return AreaConfig(
        area_type="regso", file=file, code="regsokod", name="regsonamn", geo_version="2025"
    )


def test_every_regso_point_falls_in_its_own_area(shared_data: Path) -> None:
    geo = shared_data / "geo"
    places = Places([regso_config()], geo)
    with (geo / "regso_2025_names.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    right = sum(
        placed(places, lat=float(row["lat"]), lon=float(row["lon"])).get("regso")
        == (row["regsokod"], "coordinates")
        for row in rows
    )
    assert len(rows) == 3363
    assert right == len(rows)


def test_the_bundled_regso_names_are_the_same(shared_data: Path) -> None:
    configured = Places([regso_config()], shared_data / "geo")
    assert configured.areas("regso") == PLACES.areas("regso")


def test_real_neighbourhoods_in_sweref_load(shared_data: Path) -> None:
    umea = AreaConfig(
        area_type="stadsdel",
        file=Path("umea_stadsdelar_epsg3006.json"),
        code="STADSDEL",
        name="STADSDEL",
        geo_version="2025",
        crs="sweref99tm",
    )
    places = Places([umea], shared_data / "geo")
    assert placed(places, lat=63.8258, lon=20.2630)["stadsdel"] == ("Centrala stan", "coordinates")
