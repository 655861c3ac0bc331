"""Nights group reports told by several, count both, and forget nothing that was told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lagesbild.duplicates import nearly_identical
from lagesbild.publish.families import Published, Tables, published, published_together
from lagesbild.publish.incidents import Incidents, incidents_of
from lagesbild.settings import Publish
from lagesbild.sources import SOURCES
from lagesbild.status import status, status_text
from lagesbild.store import incidents, snapshots
from lagesbild.verify import verify
from tests.city import TownSource
from tests.test_night import Town

LAMP = "lampan på gångvägen mellan skolan och centrum har varit trasig i tre veckor"


def family(snapshot: Path) -> Published:
    return published(snapshot, published_together(Publish()))


@pytest.fixture
def town(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    return Town(tmp_path)


def report(number: int, text: str, day: int = 2, **more: Any) -> dict[str, Any]:
    when = {"time": f"2026-03-{day:02}T12:00:00+00:00", "lat": 59.3, "lon": 18.0}
    return {"id": number, "text": text} | when | more


FIRST = [report(1, LAMP), report(2, "hej " + LAMP, 4), report(3, "langare vid torget")]
SECOND = [report(4, LAMP + " nu", 5), report(5, LAMP, 25)]
GROUPED = "select count(*), count(distinct incident_id), min(kind) from incident_report"
COUNTED = (
    "select n_reports, n_incidents from theme_count where theme = 'fysisk_miljo' "
    "and area_type = 'alla' and period_type = 'month'"
)


def test_both_numbers_are_kept(town: Town) -> None:
    town.sends(FIRST)
    town.night()
    assert town.rows(GROUPED) == [(2, 1, "incident")]
    assert town.rows(COUNTED) == [(2, 1)]
    town.sends(SECOND)
    town.night()
    assert town.rows(GROUPED) == [(3, 1, "incident")]
    assert town.rows(COUNTED) == [(4, 2)]
    assert verify(town.store) == []


def test_what_was_compared_is_not_compared_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []

    def noted(texts: Any, pairs: Any) -> Any:
        compared.extend(pairs)
        return nearly_identical(texts, pairs)

    monkeypatch.setattr(incidents, "nearly_identical", noted)
    town.sends(FIRST)
    town.night()
    assert len(compared) == 1
    town.sends([report(9, "bussen mot sjukhuset kommer aldrig i tid på morgonen")])
    town.night()
    assert len(compared) == 1
    assert town.rows(GROUPED) == [(2, 1, "incident")]


def test_status_and_metadata_tell_both(town: Town) -> None:
    many = [report(n, f"{LAMP} {'ja' * n}", 1 + n % 3) for n in range(8)]
    apart = [report(20 + n, f"en lampa saknas vid hus {'abcdefgh'[n] * 9}", n + 1, lat=59 + n)
             for n in range(8)]  # fmt: skip
    town.sends(many + apart)
    town.night()
    path = snapshots.current(town.store.snapshots)
    assert incidents_of(path, family(path)) == {"2026": {"fysisk_miljo": Incidents(16, 10)}}
    facts = status(town.settings, town.store)
    assert facts["told_by_several"] == {"n_reports": 8, "n_incidents": 1, "n_campaigns": 0}
    assert "8 synpunkter om 1 händelser" in status_text(facts)


def test_few_incidents_are_not_told(town: Town) -> None:
    town.sends([report(n, LAMP) for n in range(8)])
    town.night()
    path = snapshots.current(town.store.snapshots)
    assert incidents_of(path, family(path)) == {}


def test_incidents_are_told_only_beside_a_count_that_is_shown(town: Town) -> None:
    town.sends([report(n, f"{LAMP} {'ja' * n}", 1 + n % 3) for n in range(8)])
    town.sends([report(20 + n, f"en lampa saknas vid hus {'abcdefgh'[n] * 9}", n + 1, lat=59 + n)
                for n in range(8)])  # fmt: skip
    town.night()
    path = snapshots.current(town.store.snapshots)
    shown = family(path)
    cell = shown.cell(theme="fysisk_miljo", period="2026")
    protected = replace(shown.protected, complementary=frozenset([cell]))
    assert incidents_of(path, replace(shown, protected=protected)) == {}
    assert incidents_of(path, replace(shown, codes={**shown.codes, "period": ()})) == {}
    assert incidents_of(path, published(path, Tables((("theme",),)))) == {}


def test_the_order_of_nights_does_not_matter(town: Town) -> None:
    town.sends(SECOND)
    town.night()
    town.sends(FIRST)
    town.night()
    assert town.rows(GROUPED) == [(3, 1, "incident")]
    assert town.rows(COUNTED) == [(4, 2)]


def test_a_text_that_is_changed_leaves_its_incident_and_its_sketch_goes(town: Town) -> None:
    town.sends(FIRST)
    town.night()
    town.sends([report(2, "en lampa är trasig någon annanstans, vid stationen norr om ån", 4)])
    town.night()
    assert town.rows(GROUPED) == [(0, 0, None)]
    assert town.rows("select count(*) from text_sketch") == [(3,)]


def test_answers_and_notices_are_never_taken_for_one(town: Town) -> None:
    kinds = ("answer", "answer", "notice")
    town.sends([report(n, LAMP, kind=kind) for n, kind in enumerate(kinds)])
    town.night()
    assert town.rows(GROUPED) == [(0, 0, None)]
