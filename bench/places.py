"""How many points of Sweden's RegSO areas fall in their own area, and how fast.

    python -m bench.places [FOLDER]

FOLDER holds regso_2025_simplified.geojson and regso_2025_names.csv (SCB), by default those beside
the project.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

from lagesbild.places import AreaConfig, Places

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "geo"
ROUNDS = 5


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    started = time.perf_counter()
    regso = AreaConfig(
        area_type="regso",
        file=Path("regso_2025_simplified.geojson"),
        code="regsokod",
        name="regsonamn",
        geo_version="2025",
    )
    places = Places([regso], folder)
    print(f"{len(places.areas('regso'))} areas loaded in {time.perf_counter() - started:.2f} s")
    with (folder / "regso_2025_names.csv").open(encoding="utf-8") as lines:
        points = [(float(r["lat"]), float(r["lon"]), r["regsokod"]) for r in csv.DictReader(lines)]
    right = 0
    started = time.process_time()  # processor time: other work on the machine does not count
    for _ in range(ROUNDS):
        for lat, lon, code in points:
            found = {p.area.area_type: p.area.area_code for p in places.locate(lat, lon, (), "")}
            right += found.get("regso") == code and found.get("kommun") == code[:4]
    seconds = time.process_time() - started
    n = ROUNDS * len(points)
    print(f"{right / n:.4f} of {len(points)} points in their own area and municipality")
    print(f"{n / seconds:,.0f} points a second of processor time")


if __name__ == "__main__":
    main()
