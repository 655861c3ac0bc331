"""The bench of police types: each text once, only the types listed, half-years apart."""

from __future__ import annotations

import json
from pathlib import Path

from bench.learning_curve import next_thousand
from bench.police_types import ALSO, OTHER, THEME_OF, alarm_lines, read_notices, recall_lines
from lagesbild.themes import load_themes


def line(label: str, text: str, day: str, body: str | None = None) -> str:
    row = {"label": label, "text": text, "body": body, "datetime": f"{day}T12:00:00+01:00"}
    return json.dumps({**row, "name": f"{label}, Ekstad", "url": label})


def test_a_notice_is_read_once_and_never_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notices.jsonl"
    path.write_text(
        "\n".join(
            [
                line("Rattfylleri", "Bil stoppad.", "2025-01-03", "Föraren blåste positivt."),
                line("Rattfylleri", "BIL  stoppad.", "2025-08-03", "Föraren blåste positivt."),
                line("Rattfylleri", "Bil stoppad vid bron.", "2025-08-04"),
                line("Sammanfattning natt", "Mycket hände.", "2025-08-04"),
                line("Fjällräddning", "", "2025-08-04"),
            ]
        ),
        encoding="utf-8",
    )
    found = list(read_notices([path]))
    assert [(n.half_year, n.text) for n in found] == [
        ("2025-H1", "Bil stoppad.\nFöraren blåste positivt."),
        ("2025-H2", "Bil stoppad vid bron."),
    ]
    given = [frozenset({"trafik", "alkohol"}), frozenset({"alkohol"})]
    told = next(row for row in recall_lines(found, given) if row.startswith("Rattfylleri"))
    assert "0.500" in told
    assert "2025-H2 0.000" in told
    alarms = {row.split()[0]: row for row in alarm_lines(found, given)}
    assert "0.000" in alarms["skadegorelse"]
    assert alarms["trafik"].split()[1].startswith("-")


def test_the_mapping_names_only_themes_and_types_there_are() -> None:
    assert set(THEME_OF.values()) | set(ALSO) <= set(load_themes().main)
    assert {event for events in ALSO.values() for event in events} <= {*THEME_OF, *OTHER}
    crosswalk = load_themes().crosswalks["polisen_event_types"]
    for event, theme in THEME_OF.items():
        assert (crosswalk.get(event) or theme).partition(".")[0] == theme


def test_the_next_thousand_follow_the_curve() -> None:
    halved = [(1000, 0.5), (2000, 0.75)]  # twice the texts, half the error
    assert round(next_thousand(halved), 4) == round(0.25 * (1 - 2 / 3), 4)
