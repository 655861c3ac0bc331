"""A town with enough reports that some counts are shown, some are small and some protect those."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lagesbild.night import Store, run_night
from lagesbild.settings import Settings, load
from lagesbild.store import snapshots
from tests.city import Clock, TownSource, WordClassifier, write_config

# (municipality, words, month) -> reports
PLAN: dict[tuple[str, str, str], int] = {
    ("Stockholm", "langare", "2025-01"): 7,
    ("Stockholm", "langare", "2025-02"): 12,
    ("Stockholm", "langare", "2025-03"): 3,
    ("Stockholm", "lampa", "2025-01"): 21,
    ("Stockholm", "lampa", "2025-02"): 9,
    ("Stockholm", "langare lampa", "2025-02"): 6,
    ("Malmö", "langare", "2025-01"): 8,
    ("Malmö", "langare", "2025-02"): 2,
    ("Malmö", "lampa", "2025-01"): 11,
    ("Malmö", "lampa", "2026-01"): 40,
    ("Malmö", "langare", "2026-01"): 5,
}
AREAS = """
[[areas]]
area_type = "stadsdel"
file = "areas.geojson"
code = "kod"
name = "namn"
geo_version = "2025"

[publish]
publisher = "Påhittade stad"
base_url = "https://data.example.se/datasets"
contact_name = "Öppna data"
contact_email = "data@example.se"
pictures = {residents = ["stan"]}
"""
SQUARE = [[[18.0, 59.3], [18.1, 59.3], [18.1, 59.4], [18.0, 59.4], [18.0, 59.3]]]


def records() -> list[dict[str, Any]]:
    """Every report of the plan, some of them spread over days and hours."""
    found = []
    for (kommun, text, month), n in PLAN.items():
        for number in range(n):
            time = f"{month}-{1 + number % 27:02}T{8 + number % 12:02}:00:00+00:00"
            found.append({"id": len(found), "text": text, "time": time, "kommun": kommun})
    return found


def town(folder: Path, extra: str = AREAS) -> tuple[Path, Settings]:
    """The newest snapshot after one night, and the settings."""
    TownSource.answers["stan"] = [records()]
    feature = {"type": "Feature", "properties": {"kod": "S1", "namn": "Åsen"}}
    geometry = {"type": "Polygon", "coordinates": SQUARE}
    content = {"type": "FeatureCollection", "features": [{**feature, "geometry": geometry}]}
    (folder / "areas.geojson").write_text(json.dumps(content), encoding="utf-8")
    settings = load(write_config(folder, sources=f'[sources.stan]\nkind = "town"\n{extra}'))
    run_night(settings, WordClassifier(), clock=Clock())
    return snapshots.current(Store(settings).snapshots), settings
