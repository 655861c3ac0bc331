"""The bench of real texts coded by id: how texts are put together, and what is right."""

from __future__ import annotations

import json
from pathlib import Path

from bench.real_texts import CODED, agreement_lines, alike, labelled, read_texts
from classifiers.labelled import load_labelled, near_duplicates
from lagesbild.records import STANCES
from lagesbild.themes import load_themes


def test_texts_are_put_together_as_the_readers_saw_them(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    rows = [
        {"id": "gbg-1", "title": "Fler lampor.", "text": "Det är mörkt i backen."},
        {"id": 7, "text": "Cykel stulen.", "body": "x" * 800},
        {"id": 8, "text": "En notis utan brödtext.", "body": None},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    found = dict(read_texts([path]))
    assert found["gbg-1"] == "Fler lampor. Det är mörkt i backen."
    assert len(found["pol-7"]) == 700
    assert set(found) == {"gbg-1", "pol-7"}


def test_a_stance_is_right_that_either_reader_gave() -> None:
    first, second = [["trafik", "problem"]], [["trafik", "onskemal"]]
    assert alike(first, second)
    row = labelled("pol-7", "De kör fort.", first, second)
    assert row.mentions[0].stances == {"problem", "onskemal"}
    assert row.kinds == ("pol",)


def test_themes_that_one_reader_alone_gave_are_no_agreement() -> None:
    assert not alike([["trafik", "problem"]], [["trafik", "problem"], ["ungdomar", "problem"]])
    rows = [
        {"first": [["trafik", "problem"]], "second": [["trafik", "problem"]]},
        {"first": [["trafik", "problem"]], "second": [["ovrigt", "oklart"]]},
        {"first": [["ovrigt", "oklart"]], "second": [["ovrigt", "oklart"]]},
        {"first": [["ovrigt", "oklart"]], "second": [["ovrigt", "oklart"]]},
    ]
    told = next(line for line in agreement_lines(rows) if line.startswith("trafik"))
    assert "kappa 0.50" in told
    assert "F1 0.67" in told


def test_every_coded_text_has_themes_and_stances_of_the_plan() -> None:
    rows = [json.loads(line) for line in CODED.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    plan = load_themes()
    for row in rows:
        assert row["part"] in {"seen", "aside"}
        for who in ("first", "second"):
            themes = [theme for theme, _ in row[who]]
            assert 1 <= len(set(themes)) == len(themes) <= plan.max_themes_per_text
            assert all(plan.has(theme, None) for theme in themes)
            assert {stance for _, stance in row[who]} <= set(STANCES)


def test_the_coded_texts_are_in_the_archives_and_no_labelled_text_is_like_one(
    shared_data: Path,
) -> None:
    files = [
        shared_data / "residents" / "goteborgsforslaget.jsonl",
        *(shared_data / "police" / f"polisen_events_{year}.jsonl.gz" for year in (2023, 2024)),
    ]
    known = dict(read_texts(files))
    rows = [json.loads(line) for line in CODED.read_text(encoding="utf-8").splitlines()]
    texts = [known[row["id"]] for row in rows]
    assert not list(near_duplicates([row.text for row in load_labelled()], texts))
