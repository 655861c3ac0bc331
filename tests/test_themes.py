from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lagesbild.errors import UsageError
from lagesbild.records import STANCES
from lagesbild.resources import data_path
from lagesbild.themes import CodePlan, load_themes


def test_the_plan_has_fourteen_themes_and_upkeep_may_be_decided_too() -> None:
    plan = load_themes()
    assert len(plan.main) == 14
    assert plan.decided == (*plan.main, "drift_underhall")
    assert set(plan.stances) == set(STANCES)


def test_labels_in_both_languages() -> None:
    plan = load_themes()
    assert plan.label("skadegorelse") == "Skadegörelse, klotter och anlagda bränder"
    assert plan.label("narkotika.handel", "en") == "Open dealing"


def test_every_crosswalk_target_is_in_the_plan() -> None:
    crosswalks = load_themes().crosswalks
    assert crosswalks["polisen_event_types"]["Narkotikabrott"] == "narkotika"
    assert crosswalks["polisen_event_types"]["Brand"] is None
    assert crosswalks["sundsvall_incident_categories"]["1"] == "fysisk_miljo.belysning"


def _change(raw: dict[str, Any], **change: Any) -> None:
    raw["changes"].append({"version": "2026.1", **change})


def changed_plan(folder: Path, *changes: dict[str, Any]) -> CodePlan:
    raw = yaml.safe_load(data_path("themes.yaml").read_text(encoding="utf-8"))
    for change in changes:
        _change(raw, **change)
    path = folder / "themes.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return load_themes(path)


def test_an_earlier_code_is_told_in_the_themes_there_are_now(tmp_path: Path) -> None:
    plan = changed_plan(
        tmp_path,
        {"rename": {"knark": "droger"}, "merge": {"fylla": "alkohol.berusade"}},
        {"split": {"droger": {"handel": "narkotika", "bruk": "narkotika.bruk", "": "alkohol"}}},
    )
    assert plan.recoded("knark", "handel") == ("narkotika", "handel")
    assert plan.recoded("droger", "bruk") == ("narkotika", "bruk")
    assert plan.recoded("droger", "okant") == ("alkohol", None)
    assert plan.recoded("fylla") == ("alkohol", "berusade")
    assert plan.recoded("trafik", "hastighet") == ("trafik", "hastighet")
    assert plan.label("knark.bruk") == plan.label("narkotika.bruk")
    assert plan.successors("droger") == ("alkohol", "narkotika")
    assert plan.successors("trafik") == ("trafik",)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda raw: raw["themes"].append(raw["themes"][0]), "två gånger"),
        (lambda raw: raw["stances"].pop("fraga"), "fraga"),
        (lambda raw: raw["crosswalks"]["survey_items"].update(x="knark.handel"), "knark.handel"),
        (lambda raw: raw["themes"][0].pop("sv"), "sv"),
        (lambda raw: _change(raw, rename={"trafik": "vald_hot"}), "trafik finns kvar"),
        (lambda raw: _change(raw, rename={"gammalt": "borta"}), "leder ingenstans"),
        (lambda raw: _change(raw, split={"gammalt": {"x": "trafik"}}), "det övriga"),
        (lambda raw: _change(raw, byt={"a": "b"}), "okänd ändring byt"),
    ],
)
def test_a_plan_that_does_not_hold_together_is_refused(tmp_path: Path, change, named) -> None:
    raw = yaml.safe_load(data_path("themes.yaml").read_text(encoding="utf-8"))
    change(raw)
    path = tmp_path / "themes.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    with pytest.raises(UsageError, match=named):
        load_themes(path)


def test_a_missing_plan_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="går inte att läsa"):
        load_themes(tmp_path / "none.yaml")
