"""More texts from the labelled ones, for the encoder to learn from: misspelt, joined, cut out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from numpy.random import Generator

from classifiers.labelled import Labelled

_MISSPELT, _JOINED = 0.3, 0.2  # of the texts in one pass
_JOINTS = (" ", "\n", ". ")
_MOST_LETTERS = 600  # of joined texts: about what the encoder reads
_MOST_THEMES = 4
_WITHOUT_DOTS = str.maketrans("åäöÅÄÖé", "aaoAAOe")
_SLIPS = "aeiouåäönrtslkmdgvbfhpjy"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_FEWEST_WORDS = 3  # of a sentence cut out
T = TypeVar("T")


def misspelt(text: str, random: Generator) -> str:
    """As careless residents write: other capitals, no dots over letters, no signs, slips."""
    if random.random() < 0.3:
        text = text.lower() if random.random() < 0.8 else text.upper()
    if random.random() < 0.3:
        text = text.translate(_WITHOUT_DOTS)
    if random.random() < 0.2:
        text = "".join(letter for letter in text if letter not in ".,!?:;")
    if random.random() < 0.5:
        text = _with_slips(text, random)
    return text


def _with_slips(text: str, random: Generator) -> str:
    letters = list(text)
    for _ in range(max(1, int(len(letters) * random.uniform(0.005, 0.04)))):
        i = int(random.integers(len(letters))) if letters else 0
        if letters and letters[i].isalpha():
            letters[i : i + 2] = _slip(letters[i : i + 2], random)
    return "".join(letters)


def _slip(pair: list[str], random: Generator) -> list[str]:
    """A letter and, unless it was the last, the next one, as a finger gets them wrong."""
    wrong = (pair[1:], [pair[0], *pair], pair[::-1], [_one(_SLIPS, random), *pair[1:]])
    return _one(wrong, random)


def _one(options: Sequence[T], random: Generator) -> T:
    return options[int(random.integers(len(options)))]


def one_pass(rows: Sequence[Labelled], random: Generator) -> list[tuple[str, int | None]]:
    """Each row's text, some of them misspelt, some with another row's text after them: that row's
    place comes along, since what is true of either is true of both."""
    found = []
    for row in rows:
        text, other = row.text, None
        if random.random() < _JOINED:
            other = int(random.integers(len(rows)))
            if _may_join(row, rows[other]):
                text = f"{text}{_one(_JOINTS, random)}{rows[other].text}"
            else:
                other = None
        found.append((misspelt(text, random) if random.random() < _MISSPELT else text, other))
    return found


def _may_join(row: Labelled, other: Labelled) -> bool:
    """Not where one theme might have two stances, nor where it would be too much at once."""
    return (
        _is_plain(row)
        and _is_plain(other)
        and len(row.text) + len(other.text) < _MOST_LETTERS
        and not row.themes & other.themes
        and len(row.themes | other.themes) <= _MOST_THEMES
    )


def _is_plain(row: Labelled) -> bool:
    return row.language == "sv" and not row.question


def unlabelled(rows: Sequence[Labelled], random: Generator) -> list[tuple[str, str | None]]:
    """Texts and questions made of the rows', for which a teacher's scores stand in for labels: a
    misspelt copy of each, two or three joined, and a sentence of those that have several."""
    made = [(misspelt(row.text, random), row.question) for row in rows]
    plain = [row.text for row in rows if _is_plain(row)]
    for text in plain:
        more = [_one(plain, random) for _ in range(_one((1, 1, 2), random))]
        whole = _one(_JOINTS, random).join([text, *more])
        if len(whole) < _MOST_LETTERS:
            made.append((whole, None))
        sentences = [s for s in _SENTENCE_END.split(text) if len(s.split()) >= _FEWEST_WORDS]
        if len(sentences) > 1:
            made.append((_one(sentences, random), None))
    return made
