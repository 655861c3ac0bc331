"""Words that people search for, as the index understands them: folded, each the start of a word."""

from __future__ import annotations

import re

from lagesbild.text import fold

_TOKEN = re.compile(r"[^\W_]+")
_MOST_WORDS = 12


def tokens(query: str, most: int = _MOST_WORDS) -> list[str]:
    """The words of a search, folded as the index folds them: Ängelholm and angelholm are alike."""
    return folded_words(fold(query))[:most]


def folded_words(folded: str) -> list[str]:
    """The words of a folded text, in order; the index of words is made of these very ones."""
    return _TOKEN.findall(folded)


def match_expression(query: str) -> str | None:
    """For FTS5: every word must start some word of the text. None where there is nothing to find.

    Each word is quoted, so that no word of a person's can be an operator.
    """
    words = tokens(query)
    return " ".join(f'"{word}"*' for word in words) if words else None


def is_found_in(query: str, text: str) -> bool:
    """Whether a text has all the words; asks the text itself, where it is not as it was indexed."""
    starts = folded_words(fold(text))
    return all(any(start.startswith(word) for start in starts) for word in tokens(query))
