"""A text as the classifiers read it: its words, the lexicon's hits, and its question."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifiers.lexicon import Found, bundled_lexicon
from classifiers.tokens import folded, tokenize

_SHORT = 3  # content words; below this a theme is coded with low certainty (coding rule R14)
_SENTENCE = 2  # words; less is no sentence of its own
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """One text and what was found in it.

    `words`: the tokens of `found`, one for one, as somebody without å ä ö types them.
    """

    text: str
    question: str | None
    found: Found
    words: tuple[str, ...]

    @property
    def question_words(self) -> tuple[str, ...]:
        """Empty without a question, so that the question counts only where there is one."""
        return _plain(tokenize(self.question).words) if self.question else ()

    @property
    def lexicon_themes(self) -> list[str]:
        """Themes and subthemes of the hits, weak and strong apart."""
        hits = self.found.hits
        themes = {f"{h.term.kind}:{h.term.theme}" for h in hits}
        return sorted(themes | {f"{h.term.theme}.{h.term.subtheme}" for h in hits})

    @property
    def lexicon_terms(self) -> list[str]:
        """Each term by its own words, so that a changed lexicon keeps what was learnt."""
        return sorted({f"{h.term.theme}:{folded(h.term.text)}" for h in self.found.hits})

    @property
    def n_content_words(self) -> int:
        return sum(len(word) > 2 and any(map(str.isalpha, word)) for word in self.words)

    @property
    def is_short(self) -> bool:
        return self.n_content_words < _SHORT

    def theme_words(self, theme: str) -> list[int]:
        """Which words the lexicon holds to speak of the theme."""
        return [i for h in self.found.hits if h.term.theme == theme for i in range(h.first, h.last)]

    def sentences(self) -> list[Reading]:
        """The text sentence by sentence; itself alone where it has only one worth reading."""
        numbers = self.found.tokens.sentences
        if not numbers or numbers[0] == numbers[-1]:
            return [self]
        starts = [i for i, n in enumerate(numbers) if i == 0 or n != numbers[i - 1]]
        ends = [*starts[1:], len(numbers)][: len(starts)]
        parts = [
            Reading(
                self.text, self.question, self.found.between(first, last), self.words[first:last]
            )
            for first, last in zip(starts, ends, strict=True)
            if last - first >= _SENTENCE
        ]
        return parts if len(parts) > 1 else [self]


def read(texts: Sequence[str], questions: Sequence[str | None] | None = None) -> list[Reading]:
    """Each text with its hits. `questions` is None, or has one entry a text."""
    asked = questions if questions is not None else [None] * len(texts)
    lexicon = bundled_lexicon()
    found = [lexicon.find(text) for text in texts]
    return [
        Reading(text, question, hits, _plain(hits.tokens.words))
        for text, question, hits in zip(texts, asked, found, strict=True)
    ]


def _plain(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_plain_word, words))


@functools.lru_cache(maxsize=200_000)
def _plain_word(word: str) -> str:
    return _DRAWN_OUT.sub(r"\1\1", folded(word))
