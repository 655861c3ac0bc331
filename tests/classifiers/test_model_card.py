"""The model card says the same in both languages, and only what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from classifiers.combined import CombinedClassifier
from classifiers.evaluation import score
from classifiers.model_card import write_cards
from classifiers.training import card
from lagesbild.errors import LagesbildError
from tests.classifiers.conftest import tiny_rows


@pytest.fixture(scope="module")
def cards(tiny: CombinedClassifier, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    rows = tiny_rows()
    frozen = score(tiny, rows)
    frozen["macro_f1"] = {"value": 0.649, "low": 0.618, "high": 0.675}
    trained = {"minutes": 30.0, "cores": 2}
    model = {**card(tiny.model, rows), "frozen": frozen, "trained": trained}
    folder = tmp_path_factory.mktemp("card")
    paths = write_cards({"tiny": score(tiny, rows)}, model, folder)
    assert [path.name for path in paths] == ["model-card.sv.md", "model-card.en.md"]
    return {path.name.split(".")[1]: path.read_text(encoding="utf-8") for path in paths}


def test_both_languages_have_the_same_figures(cards: dict[str, str]) -> None:
    swedish, english = (re.findall(r"\d+\.\d+", cards[language]) for language in ("sv", "en"))
    assert swedish == english
    assert "0.649 [0.618–0.675]" in cards["sv"]
    assert cards["sv"].count("|") == cards["en"].count("|")


def test_each_is_in_its_own_language(cards: dict[str, str]) -> None:
    assert "Kända brister" in cards["sv"]
    assert "Våld, hot, rån och ofredande" in cards["sv"]
    assert "under 5 ord" in cards["sv"]
    assert "under 5 words" in cards["en"]
    assert not re.search("[åäöÅÄÖ]", cards["en"])


def test_every_part_is_there(cards: dict[str, str]) -> None:
    told = cards["en"]
    parts = ("learnt from", "How right", "frozen voices", "right subtheme", "| problem |")
    for part in (*parts, "By kind", "By length", "By language", "Risk and"):
        assert part in told
    assert "24 invented texts of 6 voices" in told
    assert "Known failures" in told
    assert "Wh per 1,000 texts" in told
    assert "30 minutes on 2 cores, by the same reckoning 15 Wh" in told


def test_no_resident_is_quoted(cards: dict[str, str]) -> None:
    for row in tiny_rows():
        assert row.text not in cards["sv"]


def test_without_figures_there_is_no_card(tmp_path: Path) -> None:
    with pytest.raises(LagesbildError, match="--gold"):
        write_cards({}, {}, tmp_path)
    with pytest.raises(LagesbildError, match="äldre version"):
        write_cards({"fil": {}}, {"n_texts": 1}, tmp_path)
