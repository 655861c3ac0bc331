"""What is said about a theme: a problem, an improvement, its absence, a wish, praise, a question.

The cue words stand in data/lexicon.yaml. They count by how near they stand to the mention: in its
clause, in its sentence, anywhere in the text.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from classifiers.lexicon import Found, Hit, Lexicon
from classifiers.terms import LexiconFile, Term, load_lexicon
from classifiers.tokens import Tokens
from lagesbild.records import Stance

_REACH = 4  # how many words ahead a negator governs
# A wish for something of these themes is about the measure itself.
_MEASURES = frozenset({"narvaro_fortroende", "fysisk_miljo", "drift_underhall", "trafik"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Names of the cues around one mention, nearest first; each set holds the one before it."""

    theme: str
    clause: frozenset[str]
    sentence: frozenset[str]
    text: frozenset[str]

    def features(self) -> list[str]:
        """For a learned stance: each cue with its distance, and what the rules would say."""
        near = [f"c:{cue}" for cue in self.clause]
        near += [f"s:{cue}" for cue in self.sentence - self.clause]
        near += [f"x:{cue}" for cue in self.text - self.sentence]
        ruled = rule_stance(self)
        return [*sorted(near), f"rule:{ruled}", f"theme:{self.theme}", f"{self.theme}:{ruled}"]


def rule_stance(around: Surroundings) -> Stance:
    """The stance by rule alone; `problem` where nothing says otherwise (coding rules R5-R8)."""
    if "displaced" in around.text and around.text & {"improvement", "negator"}:
        return "problem"
    if "asked" in around.sentence and "wish" not in around.clause:
        return "fraga"
    if "wish" in around.clause or ("wish" in around.sentence and around.theme in _MEASURES):
        return "onskemal"
    return _change(around)


def _change(around: Surroundings) -> Stance:
    """Praise, improvement or absence, if the clause says so."""
    missing = "negated_good" in around.clause
    if "improvement" in around.clause and not missing and "worse" not in around.clause:
        return "forbattring"
    if "praise" in around.sentence and not missing:
        return "berom"
    if "worse" in around.clause:
        return "problem"
    if "absence" in around.clause or ("negated" in around.clause and not missing):
        return "franvaro" if around.theme != "narvaro_fortroende" else "problem"
    return "problem"


class StanceReader:
    """Finds the cues of a text once, then tells what stands around each mention."""

    def __init__(self, source: LexiconFile | None = None) -> None:
        source = source or load_lexicon()
        cues = [(name, parts) for name, listed in source.cues.items() for parts in listed]
        terms = tuple(
            Term(number, name, None, parts, "strong") for number, (name, parts) in enumerate(cues)
        )
        self._cues = Lexicon(LexiconFile(source.version, terms, {}, {}, source.real_words))

    def cues(self, tokens: Tokens) -> list[tuple[str, int]]:
        """(cue, word) pairs. Idioms swallow the negator in them; a negator makes a good thing
        missing, an improvement none, and anything else it reaches absent."""
        hits = self._cues.find_in(tokens).hits
        idioms = [h for h in hits if h.term.theme == "idiom"]
        negators = [h for h in hits if h.term.theme == "negator" and not _inside(h, idioms)]
        found = [("idiom", h.first) for h in idioms]
        for hit in hits:
            if hit.term.theme not in {"negator", "idiom"}:
                found.append((_governed(hit, negators, tokens), hit.first))
        found += [("negator", h.first) for h in negators]
        found += [("?", i) for i, word in enumerate(tokens.words) if word.startswith("?")]
        return found

    def around(
        self, found: Found, theme: str, words: Iterable[int], cues: list[tuple[str, int]]
    ) -> Surroundings:
        """The cues around the words that speak of the theme; the whole text where none do."""
        tokens = found.tokens
        own = sorted(set(words)) or list(range(len(tokens)))
        clauses = {tokens.clauses[i] for i in own}
        sentences = {tokens.sentences[i] for i in own}
        clause = {cue for cue, at in cues if tokens.clauses[at] in clauses}
        sentence = {cue for cue, at in cues if tokens.sentences[at] in sentences}
        if _is_negated(own, cues, tokens):
            clause.add("negated")
        if {"?", "question"} <= sentence:
            sentence.add("asked")
        whole = {cue for cue, _ in cues} | sentence | clause
        return Surroundings(
            theme, frozenset(clause), frozenset(sentence | clause), frozenset(whole)
        )


def _inside(hit: Hit, idioms: list[Hit]) -> bool:
    return any(i.first <= hit.first < i.last for i in idioms)


def _governed(hit: Hit, negators: list[Hit], tokens: Tokens) -> str:
    """The cue's name, changed where a negator governs it; "inte längre" governs itself."""
    cue = hit.term.theme
    ruled = any(
        n.last <= hit.first <= n.last + _REACH
        and tokens.clauses[n.first] == tokens.clauses[hit.first]
        for n in negators
    )
    if not ruled:
        return cue
    return {"good_things": "negated_good", "improvement": "worse", "praise": "no_praise"}.get(
        cue, cue
    )


def _is_negated(own: list[int], cues: list[tuple[str, int]], tokens: Tokens) -> bool:
    """Whether a negator in the clause stands shortly before the mention, or right after it."""
    return any(
        cue == "negator"
        and any(
            tokens.clauses[at] == tokens.clauses[i] and -2 <= i - at <= _REACH and i != at
            for i in own
        )
        for cue, at in cues
    )


@functools.cache
def bundled_stance_reader() -> StanceReader:
    """The reader of the lexicon that travels with the program."""
    return StanceReader()
