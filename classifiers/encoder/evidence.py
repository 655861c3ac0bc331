"""Which words the encoder's decision rests on: those without which it would be less sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from classifiers.encoder.joined import ScoresTexts
from classifiers.features import FloatArray
from classifiers.reading import Reading

_MOST_WORDS = 40  # looked at; the cost is one reading a word


def worth_of_words(encoder: ScoresTexts, reading: Reading, column: int) -> FloatArray:
    """How far the theme's log odds fall when a word is left out, one number a word of the text.

    Leave-one-out occlusion (Li, Monroe & Jurafsky, arXiv 1612.08220).
    """
    tokens = reading.found.tokens
    shown = [i for i, word in enumerate(reading.words) if any(map(str.isalnum, word))]
    shown = shown[:_MOST_WORDS]
    without = [
        replace(reading, text=reading.text[: tokens.starts[i]] + reading.text[tokens.ends[i] :])
        for i in shown
    ]
    scores = encoder.scores([reading, *without]).themes[:, column]
    worth = np.zeros(len(reading.words))
    worth[shown] = scores[0] - scores[1:]
    return worth
