from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifiers.labelled import load_labelled, near_duplicates, read_gold, voice_folds
from lagesbild.errors import LagesbildError
from tests.classifiers.conftest import tiny_rows


def gold(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_three_forms_are_read(tmp_path: Path) -> None:
    ours, whole, mentions, none = read_gold(
        gold(
            tmp_path,
            {"id": "a", "voice": "v", "text": "x", "question": "q?", "lang": "en",
             "mentions": [["trafik", "hastighet", "problem"]], "kinds": ["plain"]},
            {"id": "b", "text": "x", "themes": ["trafik", "alkohol"], "stance": "onskemal"},
            {"id": "c", "text": "x", "themes": ["trafik"], "kind": "plain", "lang": "sv",
             "mentions": [{"theme": "trafik", "stance": "forbattring_eller_franvaro"}]},
            {"id": "d", "text": "x", "themes": None, "mentions": [], "kind": "offtopic"},
        )
    )  # fmt: skip
    assert (ours.voice, ours.question, ours.language, ours.kinds) == ("v", "q?", "en", ("plain",))
    assert [m.stances for m in whole.mentions] == [{"onskemal"}, {"onskemal"}]
    assert mentions.mentions[0].stances == {"forbattring", "franvaro"}
    assert none.themes == frozenset()
    assert none.voice == "d"


def test_residual_codes_are_no_themes_but_upkeep_is(tmp_path: Path) -> None:
    upkeep, other = read_gold(
        gold(
            tmp_path,
            {"id": 1, "text": "x", "themes": ["drift_underhall"]},
            {"id": 2, "text": "x", "themes": ["ovrigt"]},
        )
    )
    assert upkeep.themes == {"drift_underhall"}
    assert other.themes == frozenset()


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "text": "x", "themes": ["knark"]},
        {"id": 1, "text": "x", "mentions": [["trafik", "handel", "problem"]]},
        {"id": 1, "text": "x", "themes": ["trafik"], "stance": "arg"},
        {"id": 1, "text": 7, "themes": []},
        {"text": "x"},
        [1],
    ],
)
def test_a_row_that_is_no_labelled_text_names_its_line(tmp_path: Path, row) -> None:
    path = gold(tmp_path, {"id": 0, "text": "x", "themes": []}, row)
    with pytest.raises(LagesbildError, match="Rad 2"):
        read_gold(path)


def test_folds_hold_whole_voices_and_are_about_equal() -> None:
    rows = tiny_rows()
    folds = voice_folds(rows, 3)
    by_voice = {(row.voice, fold) for row, fold in zip(rows, folds, strict=True)}
    assert len(by_voice) == len({row.voice for row in rows})
    assert max(map(folds.count, range(3))) - min(map(folds.count, range(3))) <= 4


def test_near_duplicates_are_found_and_others_left() -> None:
    texts = ["Det luktar hasch i hela trappuppgången", "Lampan är trasig vid kiosken"]
    others = ["det luktar  hasch i hela trappuppgången!!", "något helt annat om vintern"]
    assert [(o, t) for o, t, _ in near_duplicates(texts, others)] == [(0, 0)]


def test_every_bundled_text_is_coded_and_none_stands_twice() -> None:
    rows = load_labelled()
    assert all(row.mentions and row.text.strip() for row in rows)
    texts = [(row.question, row.text) for row in rows]
    assert len(texts) - len(set(texts)) == 0
    residual_alone = [r for r in rows if {m.theme for m in r.mentions} & {"ovrigt", "oklart"}]
    assert all(len(row.mentions) == 1 for row in residual_alone)


def test_no_bundled_text_is_like_an_evaluation_text(shared_data: Path) -> None:
    texts = [row.text for row in load_labelled()]
    for path in sorted((shared_data / "gold").glob("*.jsonl")):
        assert list(near_duplicates(texts, [g.text for g in read_gold(path)])) == []


@pytest.mark.parametrize(("name", "at_least"), [("everyday", 500), ("stances", 400)])
def test_no_bundled_text_is_like_one_of_the_texts_that_measure(name: str, at_least: int) -> None:
    measuring = read_gold(Path(__file__).parents[2] / "data" / f"{name}.jsonl")
    texts = [row.text for row in load_labelled()]
    assert len(measuring) > at_least
    assert list(near_duplicates(texts, [m.text for m in measuring])) == []


def test_no_labelled_texts_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LagesbildError, match="Inga märkta texter"):
        load_labelled(tmp_path)
