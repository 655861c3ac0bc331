"""The notation of data/lexicon.yaml, compiled: which patterns a word can begin."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from classifiers.tokens import folded
from lagesbild.errors import UsageError
from lagesbild.resources import data_path
from lagesbild.themes import CodePlan, load_themes

# Shorter stems mean too many other words once å ä ö are gone ("häck*" would match "hackad").
_MIN_FOLDED_STEM = 6
_MIN_FOLDED_STEM_BARE = 4

_WHOLE = 4  # letters; a shorter context word must be a word of its own
_EDGE = 3  # letters of a stem by which most words are told to match none

TermKind = Literal["strong", "weak", "not"]


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of the lexicon. `parts`: one pattern a token; "_" stands for up to two tokens.

    `number` is the term's place in the lexicon, the same for the same lexicon version.
    """

    number: int
    theme: str
    subtheme: str | None
    parts: tuple[str, ...]
    kind: TermKind
    contexts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(self.parts)


@dataclass(frozen=True, slots=True)
class LexiconFile:
    """The lexicon as read: its version, its terms, its cue lists, its place nouns, and words that
    are no slips ("stranden" is not "störande")."""

    version: str
    terms: tuple[Term, ...]
    cues: Mapping[str, tuple[tuple[str, ...], ...]]
    places: Mapping[str, tuple[str, ...]]
    real_words: tuple[str, ...]


def split_terms(listed: str) -> list[tuple[str, ...]]:
    """ "röka på, knark*" -> [("röka", "på"), ("knark*",)]; hyphens are as good as nothing."""
    found = [" ".join(term.split()) for term in listed.split(",")]
    return [tuple(p.replace("-", "") for p in term.split(" ")) for term in found if term]


@functools.cache
def load_lexicon(path: Path | None = None) -> LexiconFile:
    """The bundled lexicon, or the one at `path`; UsageError where it does not fit the code plan."""
    path = path or data_path("lexicon.yaml")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        terms = tuple(_terms(raw["themes"], load_themes()))
        cues = {name: tuple(split_terms(listed)) for name, listed in raw["cues"].items()}
        places = {n: tuple(t[0] for t in split_terms(v)) for n, v in raw["places"].items()}
        real_words = tuple(t[0] for t in split_terms(raw["real_words"]))
        return LexiconFile(str(raw["version"]), terms, cues, places, real_words)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"Ordlistan {path.name} går inte att läsa: rätta filen.") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"Ordlistan {path.name} har fel form: {error}.") from error


def _terms(raw: Mapping[str, Any], plan: CodePlan) -> Iterator[Term]:
    for number, entry in enumerate(_entries(raw)):
        theme, subtheme, parts, kind, contexts = entry
        if not plan.has(theme, subtheme):
            raise ValueError(f"okänt tema {theme}.{subtheme}")
        if any("*" in part.strip("*") for part in parts):
            raise ValueError(f"* mitt i ordet: {' '.join(parts)}")
        yield Term(number, theme, subtheme, parts, kind, contexts)


_Entry = tuple[str, str | None, tuple[str, ...], TermKind, tuple[str, ...]]


def _entries(raw: Mapping[str, Any]) -> Iterator[_Entry]:
    for theme, entry in raw.items():
        for subtheme, listed in entry["terms"].items():
            for parts in dict.fromkeys(split_terms(listed)):
                yield theme, subtheme or None, parts, "strong", ()
        for parts in split_terms(entry["misspelled"]):
            yield theme, None, parts, "strong", ()
        for weak, listed in entry["weak"].items():
            contexts = tuple(_as_said(folded(" ".join(c))) for c in split_terms(listed))
            yield theme, None, split_terms(weak)[0], "weak", contexts
        for parts in split_terms(entry["not"]):
            yield theme, None, parts, "not", ()


def _as_said(context: str) -> str:
    """As it stands in a sentence: a whole word where it is short, else the beginning of one."""
    return f" {context} " if len(context) < _WHOLE else f" {context}"


class PatternIndex:
    """Finds the terms whose part number `at` a word matches, in a few dictionary look-ups."""

    def __init__(self, terms: tuple[Term, ...], at: int = 0) -> None:
        self._exact: dict[str, list[Term]] = defaultdict(list)
        self._prefix: dict[str, list[Term]] = defaultdict(list)
        self._suffix: dict[str, list[Term]] = defaultdict(list)
        self._inside: list[tuple[str, Term]] = []
        for term in terms:
            self._add(term.parts[at], term)
        self._longest = max(map(len, (*self._prefix, *self._suffix)), default=0)
        self._begins = frozenset(stem[:_EDGE] for stem in self._prefix)
        self._ends = frozenset(stem[-_EDGE:] for stem in self._suffix)

    def _add(self, pattern: str, term: Term) -> None:
        stem = pattern.strip("*")
        if pattern.startswith("*") and pattern.endswith("*"):
            self._inside.append((stem, term))
        elif pattern.startswith("*"):
            self._suffix[stem].append(term)
        elif pattern.endswith("*"):
            self._prefix[stem].append(term)
        else:
            self._exact[stem].append(term)

    def find(self, word: str) -> list[Term]:
        found = list(self._exact.get(word, ()))
        lengths = range(2, min(len(word), self._longest) + 1)
        if not self._begins.isdisjoint((word[:2], word[:_EDGE])):
            for length in lengths:
                found += self._prefix.get(word[:length], ())
        if not self._ends.isdisjoint((word[-2:], word[-_EDGE:])):
            for length in lengths:
                found += self._suffix.get(word[-length:], ())
        found += [term for stem, term in self._inside if stem in word]
        return found


@functools.lru_cache(maxsize=200_000)
def part_matches(pattern: str, word: str) -> bool:
    """Whether one pattern of a phrase fits one word, as typed or without å ä ö."""
    return _fits(pattern, word) or _fits(folded(pattern), word)


def _fits(pattern: str, word: str) -> bool:
    if pattern.endswith("*"):
        stem = pattern.strip("*")
        return stem in word if pattern.startswith("*") else word.startswith(stem)
    return word.endswith(pattern[1:]) if pattern.startswith("*") else word == pattern


def fold_terms(terms: tuple[Term, ...], *, is_bare: bool) -> tuple[Term, ...]:
    """The terms as a writer without å ä ö types them, where that is safe to match."""
    least = _MIN_FOLDED_STEM_BARE if is_bare else _MIN_FOLDED_STEM
    return tuple(
        Term(t.number, t.theme, t.subtheme, tuple(map(folded, t.parts)), t.kind, t.contexts)
        for t in terms
        if folded(t.parts[0]) != t.parts[0]
        and (len(t.parts) > 1 or len(t.parts[0].strip("*")) >= least)
    )
