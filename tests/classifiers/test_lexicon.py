from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.lexicon import bundled_lexicon
from classifiers.spelling import is_one_slip
from classifiers.terms import load_lexicon, split_terms
from lagesbild.errors import UsageError


def themes(text: str) -> set[str]:
    return {hit.term.theme for hit in bundled_lexicon().find(text).hits}


def said(text: str, theme: str) -> list[str]:
    return [text[start:end] for start, end in bundled_lexicon().find(text).spans(theme)]


@pytest.mark.parametrize(
    ("text", "theme", "words"),
    [
        ("Det luktar HASCH i hissen", "narkotika", ["luktar HASCH"]),
        ("någon har knarkförsäljning i porten", "narkotika", ["knarkförsäljning"]),
        ("knark försäljning i porten", "narkotika", ["knark försäljning"]),
        ("narkotikaforsaljning bakom kiosken", "narkotika", ["narkotikaforsaljning"]),
        ("det är skadegörrelse på hållplatsen", "skadegorelse", ["skadegörrelse"]),
        ("en a traktor står och dunkar", "trafik", ["a traktor"]),
        ("en A-traktor står där", "trafik", ["A-traktor"]),
        ("så otryyyyggt här", "otrygghet", ["otryyyyggt"]),
        ("hit vågar man ju inte gå", "otrygghet", ["vågar man ju inte"]),
        (
            "han säljer cigaretter och alkohol till barnen",
            "alkohol",
            ["säljer cigaretter och alkohol"],
        ),
    ],
)
def test_a_term_is_found_in_every_spelling_and_shows_where(text, theme, words) -> None:
    assert said(text, theme) == words


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("Reparationen av bron dröjer", "trafik"),
        ("han drog iväg med bussen", "narkotika"),
        ("vi vill kunna röka på balkongen", "narkotika"),
        ("full soptunna vid stranden", "alkohol"),
        ("beslutet skjuts upp till våren", "vapen_natverk"),
        ("vi har en trygg ekonomi", "otrygghet"),
        ("gräset är för högt i parken", "narkotika"),
        ("kommunvapnet på skylten är fult", "vapen_natverk"),
        ("skottkärran är borta", "vapen_natverk"),
        ("en man i 40-årsåldern", "ungdomar"),
        ("de hackade mig på datorn", "fysisk_miljo"),
    ],
)
def test_a_false_friend_is_no_hit(text, theme) -> None:
    assert theme not in themes(text)


def test_a_weak_term_needs_its_context_in_the_same_sentence() -> None:
    assert "narkotika" in themes("Det ligger en spruta på lekplatsen.")
    assert "narkotika" not in themes("Jag fick en spruta i armen. Sedan gick vi till lekplatsen.")


def test_a_place_alone_gives_no_theme() -> None:
    assert themes("parken vid stationen") == set()


def test_a_misspelling_that_two_themes_compete_for_is_left_alone() -> None:
    lexicon = bundled_lexicon()
    for term in lexicon.source.terms:
        hits = lexicon._misspelt(term.parts[0].strip("*") + "x")
        assert len({hit.theme for hit in hits}) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "Hon springer i parken och skriver brev.",
        "Stämningen vid stranden är underbar överallt.",
        "Hotellet ligger bakom klosterträdgården.",
        "Jag förstår att bussarna ställer in.",
        "Skolbarnen lekte vid klätterväggen.",
        "Räddningstjänsten räddade en katt ur garaget.",
        "Kriminalromanen handlar om elsparande och förfalskade tavlor.",
        "Cykelvagnen har genomfört sin sista resa.",
    ],
)
def test_a_word_of_its_own_is_no_slip_from_a_term(text) -> None:
    assert themes(text) == set()


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("skadegörelese på muren", "skadegorelse"),
        ("fyrverkerri hela natten", "ordning_buller"),
        ("elsparcyklar överallt", "trafik"),
        ("hotellser mot personalen", "vald_hot"),
        ("kriminallitet i centrum", "vapen_natverk"),
    ],
)
def test_a_slip_is_still_read(text, theme) -> None:
    assert theme in themes(text)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("klotter", "kloter", True),
        ("klotter", "klottre", True),
        ("klotter", "klottar", True),
        ("klotter", "klotter", False),
        ("klotter", "kottre", False),
    ],
)
def test_one_slip(a, b, expected) -> None:
    assert is_one_slip(a, b) is expected
    assert is_one_slip(b, a) is expected


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    found = bundled_lexicon().find(text)
    for theme in {hit.term.theme for hit in found.hits}:
        spans = found.spans(theme)
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))


def test_offsets_hold_in_text_with_emoji_and_decomposed_letters() -> None:
    text = "👩‍👧 ovan\u0308lig skadego\u0308relse 🔥 i natt"
    assert said(text, "skadegorelse") == ["skadego\u0308relse"]


def test_a_lexicon_with_an_unknown_theme_is_refused(tmp_path) -> None:
    path = tmp_path / "lexicon.yaml"
    path.write_text(
        'version: "1"\nthemes: {knark: {terms: {"": a}, weak: {}, misspelled: b, not: c}}\n'
        "cues: {}\nplaces: {}\nreal_words: ''\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="knark"):
        load_lexicon(path)


def test_terms_are_split_at_commas_and_hyphens_do_not_matter() -> None:
    assert split_terms(" röka  på,\n a-traktor*, ") == [("röka", "på"), ("atraktor*",)]


def test_hits_come_in_the_same_order_in_every_process() -> None:
    """Python hashes words anew in every process; a set of them must not decide an order."""
    told = (
        "from classifiers.lexicon import bundled_lexicon as b;"
        "hits = b().find('Rutan krossats, någon sprängde knark försäljningen').hits;"
        "print([(hit.first, hit.term.number) for hit in hits])"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", told],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1
    assert shown.pop().count(b"(") > 5
