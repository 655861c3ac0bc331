"""Text cut into words that remember where they stand in the text as given."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import spacy
from spacy.tokens import Doc

# Longer texts are read this far: a remark that has not said its theme by then never will.
MAX_CHARS = 10_000
_SENTENCE_END = frozenset(".!?…\n") | {"...", "..", "!!", "??", "?!", "!?"}
_CLAUSE_END = frozenset(",;:–—()") | {"-", "men", "fast", "dock", "däremot", "medan", "but"}
_FOLD = str.maketrans("åäáàâöøóôéèêëüíïæ", "aaaaaooooeeeeuiia")
_REPEATED = re.compile(r"(\w)\1{2,}")
_LETTERS = re.compile(r"[a-zåäöéüæø]{2,}", re.IGNORECASE)
_CHUNK = re.compile(r"\S+|\s*\n\s*")
_DIACRITIC = re.compile(r"[åäöÅÄÖ]")


@dataclass(slots=True)
class Tokens:
    """The words of one text, lower-case, with offsets into the text as given.

    `is_bare`: nobody typed å, ä or ö in a text long enough that somebody would have.
    """

    words: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    is_bare: bool = False

    def __len__(self) -> int:
        return len(self.words)

    def between(self, first: int, last: int) -> Tokens:
        """The words [first, last), still with offsets into the whole text."""
        return Tokens(
            self.words[first:last],
            self.starts[first:last],
            self.ends[first:last],
            self.sentences[first:last],
            self.clauses[first:last],
            self.is_bare,
        )


@functools.cache
def _tokenizer() -> Callable[[str], Doc]:
    language = spacy.blank("sv")
    # Shapes, norms and the like cost time and nobody reads them. (The stubs leave the name out.)
    language.vocab.lex_attr_getters = {}  # type: ignore[attr-defined]
    return language.tokenizer


def tokenize(text: str) -> Tokens:
    """Words with sentence and clause numbers. Marks of punctuation end sentences and are left out,
    but for ? and ! which tell questions and outbursts."""
    tokens = Tokens(is_bare=len(text) >= 25 and not _DIACRITIC.search(text))
    sentence = clause = 0
    for chunk in _CHUNK.finditer(text, 0, MAX_CHARS):
        for piece in _pieces(chunk[0]):
            if piece.word:
                start = chunk.start() + piece.offset
                tokens.words.append(piece.word)
                tokens.starts.append(start)
                tokens.ends.append(start + piece.length)
                tokens.sentences.append(sentence)
                tokens.clauses.append(clause)
            sentence += piece.ends_sentence
            clause += piece.ends_clause
    return tokens


class _Piece(NamedTuple):
    """What a token says wherever it stands. `word` is empty where it is no word."""

    word: str
    offset: int
    length: int
    ends_sentence: bool
    ends_clause: bool


@functools.lru_cache(maxsize=200_000)
def _pieces(chunk: str) -> tuple[_Piece, ...]:
    """spaCy cuts what stands between spaces alike wherever it stands; mere letters are one word."""
    if chunk.isspace():
        return (_Piece("", 0, 0, ends_sentence=True, ends_clause=True),)
    if _LETTERS.fullmatch(chunk):
        return (_piece(chunk, 0),)
    return tuple(_piece(token.text, token.idx) for token in _tokenizer()(chunk))


def _piece(raw: str, offset: int) -> _Piece:
    is_word = any(char.isalnum() for char in raw) or raw[0] in "?!"
    ends_sentence = raw in _SENTENCE_END or raw[0] in ".!?"
    ends_clause = ends_sentence or raw in _CLAUSE_END or raw.lower() in _CLAUSE_END
    return _Piece(normal(raw) if is_word else "", offset, len(raw), ends_sentence, ends_clause)


def normal(word: str) -> str:
    """Lower-case NFC without outer hyphens and quotes."""
    low = unicodedata.normalize("NFC", word.lower())
    return low.strip("-'’\"”*_#@") or low


def folded(word: str) -> str:
    """As typed by somebody without å ä ö."""
    return word.translate(_FOLD)


def squeezed(word: str) -> list[str]:
    """The word with drawn-out letters ("fooort") at one and at two; empty where there are none."""
    if not _REPEATED.search(word):
        return []
    return [_REPEATED.sub(r"\1", word), _REPEATED.sub(r"\1\1", word)]
