"""Finds the lexicon's terms in a text: what was said, for which theme, and where it stands."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from classifiers.spelling import MIN_LETTERS, Misspellings
from classifiers.terms import (
    LexiconFile,
    PatternIndex,
    Term,
    fold_terms,
    load_lexicon,
    part_matches,
)
from classifiers.tokens import Tokens, folded, squeezed, tokenize

_CACHE_WORDS = 200_000
_GAP = "_"
_MAX_GAP = 2
_JOINED_STEM = 6  # shorter stems are too easily put together by chance
_CONJUNCTIONS = frozenset({"och", "o", "eller", "samt", "plus", "å", "and", "or"})
_COORDINATING = frozenset(
    ("säljer", "sälja", "säljs", "sålde", "köper", "köpa", "dricker", "röker", "langar", "langa")
)
# Never the first half of a split compound.
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "för upp ut med på under över av till från om vid in att det den de dom ett som och men "
        "har kan ska vill man sig sin sitt var när där här nu inte hur vad vem alla allt mot",
    )
)
_COLLOQUIAL = {
    **dict.fromkeys(("dom", "dem"), "de"),
    **{"nåt": "något", "nån": "någon", "nåra": "några", "sån": "sådan", "sånt": "sådant"},
    **{"e": "är", "ä": "är", "o": "och", "oxå": "också", "mkt": "mycket", "ngn": "någon"},
    **{"ngt": "något", "nåd": "något", "sen": "sedan", "ba": "bara", "mej": "mig", "sej": "sig"},
    **{"dej": "dig", "ej": "inte", "aldri": "aldrig", "inge": "inget", "ing": "inget"},
}


class Hit(NamedTuple):
    """A term found at the words [first, last) of a text."""

    term: Term
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Found:
    """A text's words and the hits among them, false friends already taken out."""

    tokens: Tokens
    hits: tuple[Hit, ...]

    def spans(self, theme: str) -> tuple[tuple[int, int], ...]:
        """Character spans of the theme's hits, in the text as given, without overlaps."""
        tokens = self.tokens
        raw = sorted(
            (tokens.starts[h.first], tokens.ends[h.last - 1])
            for h in self.hits
            if h.term.theme == theme
        )
        return merge_spans(raw)

    def between(self, first: int, last: int) -> Found:
        """The words [first, last) and the hits that lie wholly among them."""
        hits = tuple(
            Hit(h.term, h.first - first, h.last - first)
            for h in self.hits
            if first <= h.first and h.last <= last
        )
        return Found(self.tokens.between(first, last), hits)


def merge_spans(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted spans with those that overlap made one."""
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


class Lexicon:
    """The compiled lexicon. `find` is pure; the caches only remember what words mean."""

    def __init__(self, source: LexiconFile | None = None) -> None:
        self.source = source or load_lexicon()
        terms = self.source.terms
        self.version = self.source.version
        self._index = PatternIndex(terms)
        self._folded = {
            bare: PatternIndex(fold_terms(terms, is_bare=bare)) for bare in (True, False)
        }
        single = [t for t in terms if len(t.parts) == 1 and t.kind == "strong"]
        by_stem: dict[str, list[Term]] = {}
        for term in single:
            if not term.parts[0].startswith("*"):
                by_stem.setdefault(term.parts[0].rstrip("*"), []).append(term)
        self._by_stem = by_stem
        self._misspellings = Misspellings(by_stem)
        self._real = frozenset(w for w in self.source.real_words if not w.endswith("*"))
        self._real_beginnings = tuple(w[:-1] for w in self.source.real_words if w.endswith("*"))
        self._first_halves = _first_halves(by_stem)
        self._known: dict[tuple[str, bool], tuple[Term, ...]] = {}

    def find(self, text: str) -> Found:
        """Every hit in the text, in text order."""
        return self.find_in(tokenize(text))

    def find_in(self, tokens: Tokens) -> Found:
        """Every hit in a text already cut into words."""
        return Found(tokens, tuple(self._hits(tokens)))

    def _hits(self, tokens: Tokens) -> list[Hit]:
        begun = [self._terms(word, is_bare=tokens.is_bare) for word in tokens.words]
        hits: list[Hit] = []
        context = _Sentences(tokens)
        for i, terms in enumerate(begun):
            for term in terms:
                if term.kind == "weak" and not context.has(i, term.contexts):
                    continue
                if len(term.parts) == 1:
                    hits.append(Hit(term, i, i + 1))
                else:
                    hits += [Hit(term, i, last) for last in _phrase_ends(term, tokens, i)]
            if tokens.words[i] in self._first_halves:
                hits += self._joined(tokens, i)
        return _without_false_friends(hits)

    def _terms(self, word: str, *, is_bare: bool) -> tuple[Term, ...]:
        known = self._known.get((word, is_bare))
        if known is None:
            if len(self._known) >= _CACHE_WORDS:
                self._known.clear()
            known = self._known[(word, is_bare)] = self._look_up(word, is_bare=is_bare)
        return known

    def _look_up(self, word: str, *, is_bare: bool) -> tuple[Term, ...]:
        """Terms that the word is, or begins: as typed, colloquial, squeezed, bare, misspelt."""
        plain = word.replace("-", "")
        forms = [plain, *squeezed(plain)]
        if plain in _COLLOQUIAL:
            forms.append(_COLLOQUIAL[plain])
        found: dict[int, Term] = {}
        for form in forms:
            found |= {t.number: t for t in self._index.find(form)}
            if folded(form) == form:
                found |= {t.number: t for t in self._folded[is_bare].find(form)}
        if not any(len(t.parts) == 1 for t in found.values()):
            found |= {t.number: t for t in self._misspelt(plain)}
        return tuple(found.values())

    def _misspelt(self, word: str) -> list[Term]:
        """The one theme's terms that the word is a slip from; none where two themes compete."""
        if len(word) < MIN_LETTERS or not word.isalpha():
            return []
        if word in self._real or word.startswith(self._real_beginnings):
            return []
        terms = [t for stem in sorted(self._misspellings.meant(word)) for t in self._by_stem[stem]]
        terms = [t for t in terms if t.parts[0].endswith("*") or _close(t.parts[0], word)]
        return terms if len({t.theme for t in terms}) == 1 else []

    def _joined(self, tokens: Tokens, i: int) -> Iterator[Hit]:
        """Compounds written apart: "knark försäljning", "a traktor"."""
        if i + 1 >= len(tokens):
            return
        first, second = tokens.words[i], tokens.words[i + 1]
        if tokens.starts[i + 1] - tokens.ends[i] > 1 or not second.isalpha():
            return
        for form in dict.fromkeys((first + second, folded(first + second))):
            for term in (*self._index.find(form), *self._folded[tokens.is_bare].find(form)):
                stem = term.parts[0].strip("*")
                if len(term.parts) == 1 and len(stem) > len(first) and form.startswith(stem):
                    yield Hit(term, i, i + 2)


def _close(pattern: str, word: str) -> bool:
    return abs(len(pattern) - len(word)) <= 1


def _first_halves(stems: dict[str, list[Term]]) -> frozenset[str]:
    """What may stand alone before the rest of a compound in the lexicon."""
    halves = {
        half
        for stem in stems
        if len(stem) >= _JOINED_STEM
        for cut in range(3, len(stem) - 1)
        for half in (stem[:cut], folded(stem[:cut]))
    }
    return frozenset(halves | {"a", "epa", "gc"}) - _FUNCTION_WORDS


def _phrase_ends(term: Term, tokens: Tokens, first: int) -> tuple[int, ...]:
    """Where a term of several words ends when it begins at `first`; usually nowhere."""
    last = _match_rest(term.parts, 1, tokens, first + 1)
    if last is not None:
        return (last,)
    if len(term.parts) == 2 and term.parts[0] in _COORDINATING:
        return tuple(_coordinated(term, tokens, first))
    return ()


def _match_rest(parts: tuple[str, ...], at: int, tokens: Tokens, word: int) -> int | None:
    if at == len(parts):
        return word
    if parts[at] == _GAP:
        for skipped in range(_MAX_GAP + 1):
            last = _match_rest(parts, at + 1, tokens, word + skipped)
            if last is not None:
                return last
        return None
    if word >= len(tokens) or tokens.sentences[word] != tokens.sentences[word - 1]:
        return None
    said = tokens.words[word]
    if part_matches(parts[at], said) or part_matches(parts[at], _COLLOQUIAL.get(said, said)):
        return _match_rest(parts, at + 1, tokens, word + 1)
    return None


def _coordinated(term: Term, tokens: Tokens, first: int) -> Iterator[int]:
    """ "säljer narkotika och alkohol" says "säljer alkohol" too."""
    for word in range(first + 3, min(first + 8, len(tokens))):
        if tokens.sentences[word] != tokens.sentences[first]:
            return
        joined = tokens.words[word - 1] in _CONJUNCTIONS
        if joined and part_matches(term.parts[1], tokens.words[word]):
            yield word + 1
            return


class _Sentences:
    """Answers whether a context word stands in the same sentence as a word."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._texts: dict[int, str] = {}

    def has(self, word: int, contexts: tuple[str, ...]) -> bool:
        sentence = self._tokens.sentences[word]
        if sentence not in self._texts:
            words = self._tokens.words
            said = (words[i] for i, s in enumerate(self._tokens.sentences) if s == sentence)
            self._texts[sentence] = f" {folded(' '.join(said))} "
        text = self._texts[sentence]
        return any(c in text for c in contexts)


def _without_false_friends(hits: list[Hit]) -> list[Hit]:
    friends = [hit for hit in hits if hit.term.kind == "not"]
    if not friends:
        return hits
    return [
        hit
        for hit in hits
        if hit.term.kind != "not"
        and not any(
            f.term.theme == hit.term.theme and f.first < hit.last and hit.first < f.last
            for f in friends
        )
    ]


@functools.cache
def bundled_lexicon() -> Lexicon:
    """The lexicon that travels with the program, compiled once."""
    return Lexicon()
