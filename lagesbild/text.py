"""One normal form of text, a folded form to compare by, and the language it is written in."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from typing import Any

import ftfy

LANGUAGES = ("sv", "en", "fi", "ar", "so", "es", "pl", "uk", "no", "da", "de")

# Only what is surely a tag: "ljudet <70 dB" is a remark about noise.
_TAG_NAMES = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|figure|font|"
    "footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|label|li|link|main|meta|nav|o:p|ol|"
    "option|p|pre|s|script|section|select|small|span|strike|strong|style|sub|sup|svg|table|tbody|"
    "td|textarea|tfoot|th|thead|title|tr|u|ul|video"
)
_SCRIPT = re.compile(r"<(script|style)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--[^<>]*-->|<!doctype[^<>]*>", re.IGNORECASE)
_BLOCK_TAG = re.compile(
    r"</?(?:blockquote|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|table|tr|ul)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(rf"</?(?:{_TAG_NAMES})(?:[\s/][^<>]*)?>", re.IGNORECASE)
# An ampersand escaped many times over ("&amp;amp;lt;") is undone at once, not layer by layer.
_AMPERSANDS = re.compile(r"&(?:(?:amp|#0*38|#x0*26);)+", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters but tab and newline, invisible formatting but emoji joiners, lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b"
    "\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    "\U000e0020-\U000e007f\ud800-\udfff]"
)
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_MARKUP = str.maketrans("", "", "<>&")
_FTFY = ftfy.TextFixerConfig(unescape_html=False, restore_byte_a0=False, explain=False)
_MAX_LAYERS = 8


def normalise(text: str) -> str:
    """The text in one form: repaired encoding, no markup, no control characters, single spaces.

    Doing it twice changes nothing.
    """
    for _ in range(_MAX_LAYERS):
        cleaned = _normalise_once(text)
        if cleaned == text:
            return text
        text = cleaned
    # Markup hidden in markup eight layers deep is no resident's remark: drop what makes it markup.
    return _normalise_once(text.translate(_MARKUP))


def _normalise_once(text: str) -> str:
    if not text.isascii():
        text = ftfy.fix_encoding(text, _FTFY)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), _AMPERSANDS.sub("&amp;", text))
    if "<" in text:
        text = _without_tags(text)
    text = _LINE_END.sub("\n", text)
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_tags(text: str) -> str:
    text = _COMMENT.sub(" ", _SCRIPT.sub(" ", text))
    return _INLINE_TAG.sub(" ", _BLOCK_TAG.sub("\n", text))


def _folding_table() -> dict[int, str]:
    table = {ord(letter): base for letter, base in zip("øæđðłØÆĐÐŁ", "oaddl" * 2, strict=True)}
    for code in range(0xC0, 0x250):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii() and base.isalpha():
            table[code] = base.lower()
    return table


_FOLDING = _folding_table()


def fold(text: str) -> str:
    """Lower-case without diacritics (å ä -> a, ö -> o, é -> e), of the same length as `text`."""
    if text.isascii():
        return text.lower()
    folded = text.translate(_FOLDING)
    lowered = folded.lower()
    if len(lowered) == len(folded):
        return lowered
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)


_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_PLACEHOLDER = re.compile(r"\[[\w.-]+\]")
_MIN_WORDS = 3
_ENOUGH = 250  # characters; more cost time and settle nothing
# A short or misspelt Swedish remark is easily taken for one of Swedish's neighbours, so these must
# be likelier than Swedish and all the rest by so much (log odds; docs/decisions.md, 36).
_NEIGHBOURS = {"no": "no", "nn": "no", "da": "da", "de": "de"}
_FAR = 15.0


def language(text: str) -> str:
    """One of LANGUAGES; Swedish for a text too short to tell from, unless its script says more."""
    text = _PLACEHOLDER.sub(" ", text[:_ENOUGH])
    n_latin = len(_LATIN.findall(text))
    if not text.isascii():
        if len(_ARABIC.findall(text)) > n_latin:
            return "ar"
        if len(_CYRILLIC.findall(text)) > n_latin:
            return "uk"
    if n_latin < 12 or len(text.split()) < _MIN_WORDS:
        return "sv"
    likely: dict[str, float] = dict(_identifier().rank(text))
    for neighbour in _NEIGHBOURS:
        likely[neighbour] -= _FAR
    best = max(likely, key=likely.__getitem__)
    return _NEIGHBOURS.get(best, best)


@cache
def _identifier() -> Any:
    """Loaded at first need: the model takes a good part of a second and 100 MB."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages({*LANGUAGES, *_NEIGHBOURS})
    return identifier
