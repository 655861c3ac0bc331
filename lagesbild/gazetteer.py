"""Names of areas: which area does a field's value name, and which areas does a text mention?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from lagesbild.text import fold

# Words after which a name is a place even when the resident wrote it in lower case.
_PLACE_WORDS = frozenset(
    (
        *("i", "på", "vid", "från", "till", "genom", "kring", "runt", "nära", "mot", "mellan"),
        *("utanför", "bakom", "framför", "längs", "via", "inom", "centrala", "inre", "yttre"),
        *("norra", "södra", "östra", "västra", "gamla", "nya", "stora", "in", "at", "near"),
    )
)
_WORD = re.compile(r"[^\W_]+(?:[-:’'][^\W_]+)*")
_SENTENCE_END = frozenset(".!?:\n")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text. `starts_sentence`: a capital here says nothing."""

    text: str
    start: int
    end: int
    starts_sentence: bool


def words(text: str) -> list[Word]:
    """The text's words in order, hyphenated ones whole."""
    found: list[Word] = []
    previous_end = 0
    for match in _WORD.finditer(text):
        gap = text[previous_end : match.start()]
        starts = not found or not _SENTENCE_END.isdisjoint(gap)
        found.append(Word(match[0], match.start(), match.end(), starts))
        previous_end = match.end()
    return found


class Gazetteer:
    """Names and aliases of the areas of one type. A name may belong to several areas."""

    def __init__(self, names: Iterable[tuple[str, str]], careful: Set[str]) -> None:
        """`names`: (name, code) pairs. `careful`: lower-case names that are ordinary words too."""
        self._exact: dict[str, set[str]] = {}
        self._folded: dict[str, set[str]] = {}
        self._longest: dict[str, int] = {}
        self._careful = careful
        for name, code in names:
            key = " ".join(name.lower().split())
            if not key:
                continue
            self._exact.setdefault(key, set()).add(code)
            self._folded.setdefault(fold(key), set()).add(code)
            first, n_words = fold(key.split(" ", 1)[0]), key.count(" ") + 1
            self._longest[first] = max(n_words, self._longest.get(first, 0))

    def named(self, value: str) -> frozenset[str]:
        """Codes of the areas that go by this name, as written or with å ä ö left out."""
        key = " ".join(value.lower().split())
        # Håbo and Habo differ by the ring alone, so dots are ignored only where none were written.
        codes = self._exact.get(key) or (self._folded.get(key) if key == fold(key) else None)
        return frozenset(codes or ())

    def mentioned(self, text: str, text_words: Sequence[Word]) -> Iterator[frozenset[str]]:
        """For each place name in the text, longest match first, the codes it may stand for."""
        i = 0
        while i < len(text_words):
            n_words, codes = self._match(text, text_words, i)
            if codes and self._is_place(text, text_words, i, n_words):
                yield codes
            i += max(n_words, 1)

    def _match(self, text: str, ws: Sequence[Word], i: int) -> tuple[int, frozenset[str]]:
        longest = self._longest_from(ws[i].text)
        for n_words in range(min(longest, len(ws) - i), 0, -1):
            name = text[ws[i].start : ws[i + n_words - 1].end]
            if codes := self.named(name) or self._named_genitive(name):
                return n_words, codes
        return 0, frozenset()

    def _longest_from(self, word: str) -> int:
        first = fold(word)
        return max(self._longest.get(first, 0), self._longest.get(first.removesuffix("s"), 0))

    def _named_genitive(self, name: str) -> frozenset[str]:
        return self.named(name[:-1]) if len(name) > 4 and name[-1] in "sS" else frozenset()

    def _is_place(self, text: str, ws: Sequence[Word], i: int, n_words: int) -> bool:
        first, last = ws[i], ws[i + n_words - 1]
        before = ws[i - 1] if i else None
        after = ws[i + n_words] if i + n_words < len(ws) else None
        has_capital = first.text[0].isupper() and not _shouts(before)
        has_cue = (
            before is not None
            and not first.starts_sentence
            and before.text.lower() in _PLACE_WORDS
            and text[before.end : first.start] == " "
        )
        if after is not None and text[last.end : after.start] == " ":
            if after.text.lower() in {"län", "läns"}:
                return False
            follows_capital = after.text[0].isupper()
        else:
            follows_capital = False
        name = text[first.start : last.end].lower()
        if name in self._careful or name.removesuffix("s") in self._careful:
            return has_capital and has_cue and not follows_capital
        return has_capital or has_cue


def _shouts(word: Word | None) -> bool:
    """In a text all in capitals a capital letter tells nothing."""
    return word is not None and len(word.text) > 1 and word.text.isupper()
