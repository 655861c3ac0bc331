"""Which words residents use more than before. Words only, never what stands around them.

From redacted texts. A word is named only where at least five different people or texts use it, and
only where it is an ordinary word: what is mostly written with a capital letter, or stands among
common names, may name a person that the redactor missed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lagesbild.indicators.emerging import emerging_terms
from lagesbild.publish.disclosure import SMALLEST_DENOMINATOR, SMALLEST_SHOWN, is_hidden, rounded
from lagesbild.publish.report.source import Reader
from lagesbild.resources import data_path

_MOST = 10
_SMALL_LETTERS = 0.8  # of those who use the word, how many write it so
# Words that every text is built of: when they change, it is the way of writing that did.
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        """
    alla allt alltid andra annan annat aldrig bara behöver behövs bland blev blir bort borta
    borde både börjar därför detta dessa deras dock efter eftersom eller emot endast även
    fick finns flera fler fram från förra första gjort ganska gick göra gör gång gånger hade
    hela helt henne hittar honom hur håller igen ingen inget inga innan inte istället jätte
    kanske kommer kommit kunde kunna kring känns länge lite låter många mellan minst mycket
    måste något några någon ner nere nästan oavsett också ofta redan runt samma samt säger
    sedan senaste sitta sitter själv skulle snart stor stora står ställer större säga sånt
    sådan sådana tack trots tycker under upp uppe utan utanför vara varit varje varför
    verkar vilken vilket vill visst väldigt åtminstone åter ännu över about after also been
    from have here more most some than that their them then there they this very were what
    when where which will with would
    """,
    )
)


@dataclass(frozen=True, slots=True)
class NewWord:
    """`n_now` is rounded to fives; `n_before` as well, None where it is one to four."""

    word: str
    n_now: int
    n_before: int | None


def new_words(reader: Reader, now: Sequence[str], before: Sequence[str]) -> list[NewWord] | None:
    """Words more common in the months `now` than in `before`; None where the texts are too few."""
    n_now, used_now, in_small = reader.words(now)
    n_before, used_before, _ = reader.words(before)
    if min(n_now, n_before) < SMALLEST_DENOMINATOR:
        return None
    kept = {
        word
        for word in used_now.keys() | used_before.keys()
        if used_now.get(word, 0) + used_before.get(word, 0) >= SMALLEST_SHOWN
    }
    found = emerging_terms(
        {word: n for word, n in used_now.items() if word in kept},
        {word: n for word, n in used_before.items() if word in kept},
        n_now,
        n_before,
    )
    ordinary = [
        NewWord(
            term.term,
            rounded(term.n_now),
            None if is_hidden(term.n_before) else rounded(term.n_before),
        )
        for term in found
        if _is_ordinary(term.term, term.n_now, in_small)
    ]
    return ordinary[:_MOST]


def _is_ordinary(word: str, n: int, in_small: Mapping[str, int]) -> bool:
    if in_small.get(word, 0) < max(SMALLEST_SHOWN, _SMALL_LETTERS * n) or word in _EMPTY:
        return False
    stem = word.removesuffix("s")  # the genitive
    return not ({word, stem} & _names()) and not stem.endswith("son")


@cache
def _names() -> frozenset[str]:
    files: list[Path] = [data_path("names", name) for name in ("given.txt", "surnames.txt")]
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return frozenset(line.strip().lower() for line in lines if not line.startswith("#"))
