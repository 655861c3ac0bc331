"""The texts made from labelled ones say nothing that the labelled ones did not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.variants import misspelt, one_pass, unlabelled
from classifiers.labelled import Labelled, Mention

LETTERS = st.text(st.sampled_from("abcdefåäö ABCÅÄÖ.,!?"), max_size=80)
SEEDS = st.integers(0, 2**32)


def row(
    number: int, text: str, *themes: str, question: str | None = None, language: str = "sv"
) -> Labelled:
    mentions = tuple(Mention(theme, None, frozenset({"problem"})) for theme in themes)
    return Labelled(str(number), "v", text, question, language, mentions, ())


ROWS = [
    row(0, "Lampan är trasig. Det är mörkt vid skolan.", "fysisk_miljo"),
    row(1, "De säljer knark vid bron", "narkotika"),
    row(2, "Bilarna kör alldeles för fort här", "trafik"),
    row(3, "Lampa efter lampa slocknar", "fysisk_miljo"),
    row(4, "Inget särskilt", question="Vad gör dig otrygg?"),
    row(5, "Too many scooters here", "trafik", language="en"),
]


@given(LETTERS, SEEDS)
def test_misspelling_keeps_most_of_a_text(text: str, seed: int) -> None:
    wrong = misspelt(text, np.random.default_rng(seed))
    n_signs = sum(letter in ".,!?:;" for letter in text)
    n_slips = max(1, int(len(text) * 0.04))
    assert len(text) - n_signs - n_slips <= len(wrong) <= len(text) + n_slips


def test_misspelling_happens() -> None:
    random = np.random.default_rng(1)
    made = {misspelt("Lampan vid älven är släckt.", random) for _ in range(50)}
    assert {"lampan vid älven är släckt.", "Lampan vid alven ar slackt."} <= made
    assert len(made) > 20


@given(SEEDS)
def test_a_pass_joins_only_texts_that_can_both_be_true(seed: int) -> None:
    made = one_pass(ROWS, np.random.default_rng(seed))
    assert len(made) == len(ROWS)
    for own, (text, other) in zip(ROWS, made, strict=True):
        assert text
        if other is not None:
            assert not own.themes & ROWS[other].themes
            assert not own.question
            assert not ROWS[other].question
            assert own.language == ROWS[other].language == "sv"
            assert len(text) > len(own.text)


def test_a_pass_changes_some_texts_and_leaves_most() -> None:
    made = one_pass(ROWS * 200, np.random.default_rng(0))
    kept = sum(text == own.text for own, (text, _) in zip(ROWS * 200, made, strict=True))
    joined = sum(other is not None for _, other in made)
    assert 0.5 < kept / len(made) < 0.8
    assert joined > 0


@given(SEEDS)
def test_unlabelled_texts_are_copies_joins_and_sentences(seed: int) -> None:
    made = unlabelled(ROWS, np.random.default_rng(seed))
    assert [question for _, question in made[: len(ROWS)]] == [own.question for own in ROWS]
    plain = [own.text for own in ROWS[:4]]
    for text, question in made[len(ROWS) :]:
        assert question is None
        starts = any(text.startswith(own) for own in plain)
        assert starts or any(text in own for own in plain)
    assert any(text in ("Lampan är trasig.", "Det är mörkt vid skolan.") for text, _ in made)
