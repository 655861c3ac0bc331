"""Personal data out of text, before anything is stored.

One rule for each kind. A rule goes by the shape of what is written, never by whether a number is
valid: a mistyped personnummer is still somebody's. Where two rules claim the same characters the
one listed first in RULES names the kind. What stays: emergency and care numbers (112, 114 14, 1177,
116 117, 113 13), dates and times, roads and bus lines, prices, streets without a number.

Names can be promised least of all: see data/names/README.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from lagesbild import privacy_rules as rules
from lagesbild.names import find_names
from lagesbild.records import Redacted

REDACTOR_VERSION = "1"


class Span(NamedTuple):
    """Something to take out: half-open character positions, and what it is."""

    start: int
    end: int
    kind: str


# In order of precedence.
RULES: tuple[tuple[str, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("telefon", rules.find_telephone),
    ("personnummer", rules.find_personnummer),
    ("bankkonto", rules.find_bank_account),
    ("e-post", rules.find_email),
    ("ip-adress", rules.find_ip_address),
    ("konto", rules.find_account),  # in social media
    ("reg.nr", rules.find_plate),
    ("adress", rules.find_address),  # a street with a number, a flat
    ("namn", find_names),
)
KINDS = tuple(kind for kind, _ in RULES)


def redact(text: str) -> Redacted:
    """The text with `[kind]` where personal data stood. Doing it twice changes nothing.

    Best given text from `lagesbild.text.normalise`: invisible characters may hide a number.
    """
    text = _shield(text)
    while spans := find_personal_data(text):
        text = _replace(text, spans)
    kinds = tuple(KINDS[ord(taken) - _TAKEN] for taken in _TAKEN_NOW.findall(text))
    return Redacted(_PRIVATE.sub(lambda taken: _PLACEHOLDERS[taken[0]], text), kinds)


def find_personal_data(text: str) -> list[Span]:
    """What a single reading finds, in text order; overlapping finds are one."""
    plain = _plain(text)
    found = [Span(*span, kind) for kind, rule in RULES for span in rule(plain)]
    merged: list[Span] = []
    for span in sorted(found, key=lambda s: (s.start, KINDS.index(s.kind))):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            kind = min(last.kind, span.kind, key=KINDS.index)
            merged[-1] = Span(last.start, max(last.end, span.end), kind)
        else:
            merged.append(span)
    return merged


# While the rules run, a placeholder is one character of a private area, so that no rule can find
# anything in it: _TAKEN + kind for what was taken out now, _EARLIER + kind for what already stood
# as "[kind]" in the text. The rules see both as the same character: that makes redact idempotent.
_TAKEN, _EARLIER = 0xE000, 0xE100
_STANDING = re.compile(r"\[(" + "|".join(map(re.escape, KINDS)) + r")\]")
_PRIVATE = re.compile("[\ue000-\ue1ff]")
_TAKEN_NOW = re.compile("[\ue000-\ue0ff]")
_PLACEHOLDERS = {
    chr(base + i): f"[{kind}]" for base in (_TAKEN, _EARLIER) for i, kind in enumerate(KINDS)
}


def _shield(text: str) -> str:
    text = _PRIVATE.sub(" ", text)
    return _STANDING.sub(lambda found: chr(_EARLIER + KINDS.index(found[1])), text)


def _replace(text: str, spans: list[Span]) -> str:
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], chr(_TAKEN + KINDS.index(span.kind))]
        position = span.end
    return "".join([*parts, text[position:]])


_BEYOND_LATIN = re.compile("[^\x00-\x7f\xa1-\u024f]")


@cache
def _plain_characters() -> dict[int, str]:
    """Every digit, dash and space of Unicode as its plain form, so that rules need only those."""
    table = dict.fromkeys(range(_TAKEN, _EARLIER + 0x100), "\ue000")
    for code in range(0x80, 0x20000):
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            table[code] = str(unicodedata.digit(char))
        elif category == "Pd" or char == "\u2212":
            table[code] = "-"
        elif category == "Zs":
            table[code] = " "
        elif char in "\uff20\ufe6b":
            table[code] = "@"
        elif char in "\uff0b":
            table[code] = "+"
    return table


def _plain(text: str) -> str:
    """The text as the rules read it: as long as `text`, character for character."""
    return text.translate(_plain_characters()) if _BEYOND_LATIN.search(text) else text
