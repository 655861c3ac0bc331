from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.combined import Model
from classifiers.features import character_ngrams
from classifiers.linear import Linear
from classifiers.reading import Reading, read
from classifiers.tokens import _LETTERS, _tokenizer

_WORDS = ("langar", "knark", "i", "parken", "bilarna", "kör", "fort", "lampan", "och", "zzz")


def _given_by(linear: Linear, reading: Reading, column: int) -> list[float]:
    """Word by word and feature by feature, as the definition says."""
    row = linear.features.transform([reading]).toarray()[0] * linear.weights[:, column]
    worth = {}
    for block in ("characters", "words"):
        names = linear.features.vocabularies[block].names
        worth[block] = dict(zip(names, row[linear.features.columns()[block]], strict=True))
    words = reading.words
    found = []
    for i, word in enumerate(words):
        before = [f"{words[i - 1]} {word}"] if i else []
        after = [f"{word} {words[i + 1]}"] if i + 1 < len(words) else []
        found.append(
            sum(worth["characters"].get(n, 0.0) for n in character_ngrams(word))
            + worth["words"].get(word, 0.0)
            + sum(worth["words"].get(pair, 0.0) / 2 for pair in before + after)
        )
    return found


@given(st.lists(st.lists(st.sampled_from(_WORDS), max_size=8), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_each_word_is_told_what_it_gave(tiny_model: Model, said: list[list[str]]) -> None:
    linear = tiny_model.linear
    readings = read([" ".join(words) for words in said])
    columns = [i % 2 for i in range(len(readings))]
    for given_, reading, column in zip(
        linear.contributions(readings, columns), readings, columns, strict=True
    ):
        assert given_ == pytest.approx(np.array(_given_by(linear, reading, column)))


def test_mere_letters_are_one_word_to_the_tokenizer_too() -> None:
    rules = _tokenizer().rules
    cut = {word.lower() for word, parts in rules.items() if len(parts) > 1}
    # spaCy takes "fattaru" for "fattar du"; to us it is slang like any other.
    slang = {"driveru", "fattaru", "fixaru", "hajaru", "hörru", "köru", "leveru", "serru"}
    assert {word for word in cut if _LETTERS.fullmatch(word)} == slang


@given(st.from_regex(_LETTERS, fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_no_affix_is_cut_from_mere_letters(word: str) -> None:
    assert len(_tokenizer()(word)) == 1 or word in _tokenizer().rules
