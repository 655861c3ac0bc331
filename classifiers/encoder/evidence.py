"""Which words the encoder's decision rests on: those without which it would be less sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from classifiers.encoder.joined import ScoresTexts
from classifiers.features import FloatArray
from classifiers.reading import Reading

_MOST_WORDS = 40  # looked at, in a longer text its most telling stretch; one reading a word


def worth_of_words(encoder: ScoresTexts, reading: Reading, column: int) -> FloatArray:
    """How far the theme's log odds fall when a word is left out, one number a word of the text.

    Leave-one-out occlusion (Li, Monroe & Jurafsky, arXiv 1612.08220).
    """
    tokens = reading.found.tokens
    shown, start, end = _most_telling(encoder, reading, column)
    without = [
        replace(
            reading,
            text=reading.text[start : tokens.starts[i]] + reading.text[tokens.ends[i] : end],
        )
        for i in shown
    ]
    whole = replace(reading, text=reading.text[start:end])
    scores = encoder.scores([whole, *without]).themes[:, column]
    worth = np.zeros(len(reading.words))
    worth[shown] = scores[0] - scores[1:]
    return worth


def _most_telling(
    encoder: ScoresTexts, reading: Reading, column: int
) -> tuple[list[int], int, int]:
    """Places of words, and the characters they stand between: the whole of a short text, of a long
    one the stretch that by itself speaks most for the theme."""
    tokens = reading.found.tokens
    shown = [i for i, word in enumerate(reading.words) if any(map(str.isalnum, word))]
    if len(shown) <= _MOST_WORDS:
        return shown, 0, len(reading.text)
    parts = [shown[at : at + _MOST_WORDS] for at in range(0, len(shown), _MOST_WORDS)]
    ends = [(tokens.starts[own[0]], tokens.ends[own[-1]]) for own in parts]
    alone = [replace(reading, text=reading.text[start:end]) for start, end in ends]
    best = int(encoder.scores(alone).themes[:, column].argmax())
    return (parts[best], *ends[best])
