"""A split, merged or renamed theme re-codes what the machine and people said before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lagesbild import themes
from lagesbild.resources import data_path
from lagesbild.sources import SOURCES
from lagesbild.store.decisions import Choice, Reading
from lagesbild.themes import load_themes
from lagesbild.verify import verify
from tests.city import NOON, TownSource
from tests.test_night import Town

NewPlan = Callable[..., None]


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    return Town(tmp_path)


@pytest.fixture
def new_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewPlan]:
    """Put a plan in force in which `gone` themes have given way to new ones."""

    def put(gone: Sequence[str], added: Sequence[str], **change: Any) -> None:
        raw = yaml.safe_load(data_path("themes.yaml").read_text(encoding="utf-8"))
        raw["themes"] = [entry for entry in raw["themes"] if entry["key"] not in gone]
        raw["themes"] += [{"key": key, "sv": key.title(), "en": key.title()} for key in added]
        raw["crosswalks"] = {}
        raw["version"] = "2026.1"
        raw["changes"] = [{"version": "2026.1", **change}]
        path = tmp_path / "themes.yaml"
        path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
        monkeypatch.setattr(themes, "data_path", lambda *_: path)
        load_themes.cache_clear()

    yield put
    load_themes.cache_clear()


def says(town: Town, number: int, chosen: dict[str, Choice], machine: Sequence[str]) -> None:
    rows = town.rows(
        f"select submission_id, text_sha256 from submission where source_record_id = '{number}'"
    )
    reading = Reading(f"r{number}", *rows[0], "ord-1", "anna", "open", "decided", chosen, machine)
    town.store.decisions.record(reading, None, NOON)


def assigned(town: Town) -> list[tuple[str, str, str]]:
    return town.rows(
        "select s.source_record_id, a.theme, a.subtheme from assigned_theme a "
        "join submission s using (submission_id) order by all"
    )


TEXTS = (
    "langare vid torget",
    "folk dricker öl och en langare står vid kiosken",
    "en lampa är trasig",
    "ingen langare alls, bara en man som väntar",
)


def first_night(town: Town) -> None:
    town.sends([{"id": n, "text": text} for n, text in enumerate(TEXTS, 1)])
    town.night()
    says(town, 2, {"alkohol": Choice("berusade"), "narkotika": Choice("handel")}, ["narkotika"])
    says(town, 4, {}, ["narkotika"])


def later_night(town: Town) -> None:
    town.sends([{"id": 9, "text": "något annat"}])
    town.night()


def test_merged_themes_are_one_in_decisions_counts_and_readings(
    town: Town, new_plan: NewPlan
) -> None:
    first_night(town)
    new_plan(
        ["narkotika", "alkohol"], ["droger"], merge={"narkotika": "droger", "alkohol": "droger"}
    )
    later_night(town)
    assert assigned(town) == [("1", "droger", ""), ("2", "droger", ""), ("3", "fysisk_miljo", "")]
    counted = "select theme, sum(n_reports) from theme_count where area_type = 'alla' "
    assert town.rows(f"{counted} and period_type = 'month' group by all order by all") == [
        ("droger", 2),
        ("fysisk_miljo", 1),
    ]
    assert town.rows("select theme_version from counted_by") == [("2026.1",)]
    assert verify(town.store) == []
    (second, fourth) = town.store.decisions.readings("open")
    assert list(second.themes) == ["droger"]
    assert (fourth.machine, fourth.themes) == (("droger",), {})


def test_a_split_follows_the_subtheme_and_a_rejection_holds_for_every_part(
    town: Town, new_plan: NewPlan
) -> None:
    first_night(town)
    new_plan(
        ["narkotika"],
        ["langning", "missbruk"],
        split={"narkotika": {"handel": "langning", "": "missbruk"}},
    )
    later_night(town)
    assert assigned(town) == [
        ("1", "missbruk", ""),
        ("2", "alkohol", "berusade"),
        ("2", "langning", ""),
        ("3", "fysisk_miljo", ""),
    ]
    rejected = town.rows("select theme from decided_theme where verdict = 'rejected' order by all")
    assert rejected == [("langning",), ("missbruk",), ("missbruk",)]


def test_a_later_decision_in_the_new_theme_wins(town: Town, new_plan: NewPlan) -> None:
    first_night(town)
    new_plan(["narkotika"], ["droger"], rename={"narkotika": "droger"})
    later_night(town)
    town.store.decisions.undo("r4", "u4", "anna", NOON)
    later_night(town)
    assert ("4", "droger", "") in assigned(town)


def test_without_changes_nothing_is_recoded(town: Town) -> None:
    first_night(town)
    later_night(town)
    assert town.rows("select count(*) from theme_move") == [(0,)]
    assert town.rows("select theme_version from counted_by") == [(load_themes().version,)]
