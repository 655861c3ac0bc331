"""Names of people in a text, found by a list of common names and by the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from lagesbild.resources import data_path

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")

# After these, what follows is a name: "heter Kalle", "vid namn Rashid", "mvh Sol".
_INTRODUCTIONS = frozenset(
    ("heter", "hette", "kallas", "namn", "namnet", "undertecknad", "underteckna")
)
_GREETINGS = frozenset(("mvh", "vh", "hälsningar", "hälsning", "hälsar", "hilsen", "hilsning"))
_TITLES = frozenset(
    (
        *("herr", "fru", "fröken", "familjen", "doktor", "dr", "tant", "farbror", "morbror"),
        *("moster", "faster", "onkel", "syster", "bror", "mamma", "pappa"),
    )
)
_PRONOUNS = frozenset(("han", "hon", "hen"))
_OWNERS = frozenset(
    ("min", "mitt", "mina", "din", "hans", "hennes", "vår", "vårt", "våra", "våran", "deras", "sin")
)
# With an owner before them: "min granne Kalle", "hennes pojkvän Sebastian".
_RELATIONS = frozenset(
    (
        *("granne", "grannar", "kompis", "kompisar", "vän", "vänner", "väninna", "kollega", "fru"),
        *("man", "make", "maka", "sambo", "särbo", "son", "söner", "dotter", "döttrar", "bror"),
        *("bröder", "syster", "systrar", "mamma", "pappa", "mor", "far", "mormor", "farmor"),
        *("morfar", "farfar", "kusin", "barn", "barnbarn", "pojkvän", "flickvän", "exman", "exfru"),
        *(
            "ex",
            "chef",
            "lärare",
            "läkare",
            "fritidsledare",
            "fältare",
            "kurator",
            "hyresvärd",
            "tränare",
            "handläggare",
        ),
    )
)
# By themselves: "läraren Anna", "vaktmästaren Roger".
_ROLES = frozenset(
    (
        *("grannen", "grannarna", "kompisen", "sonen", "dottern", "läraren", "rektor", "rektorn"),
        *("läkaren", "doktorn", "sköterskan", "vaktmästare", "vaktmästaren", "chefen", "vakten"),
        *("tränaren", "handläggaren", "kuratorn", "fältaren", "fritidsledaren", "chauffören"),
        *("ordföranden", "killen", "tjejen", "pojken", "flickan", "mannen", "kvinnan", "snubben"),
        *("langaren", "ägaren", "hyresvärden", "eleven", "personen", "brodern", "systern"),
        *("polisen", "polismannen", "polis", "prästen", "tandläkaren", "väktaren", "barnen"),
    )
)
_PEOPLE = (
    _PRONOUNS
    | _ROLES
    | _RELATIONS
    | {"jag", "vid", "kille", "tjej", "person", "gubbe", "kvinna", "pojke", "flicka", "elev"}
)
_SAINTS = frozenset(("sankt", "sankta", "st", "t", "ta"))  # S:t and S:ta end in a word "t", "ta"
_PARTICLES = frozenset(("von", "van", "af", "de", "da", "al", "el", "bin", "der"))
# A street, square or school named after somebody tells where, not who.
_PLACE_NOUNS = frozenset(
    (
        *("gata", "gatan", "väg", "vägen", "gränd", "torg", "torget", "plats", "plan", "park"),
        *("allé", "stig", "backe", "backar", "bro", "skola", "gymnasium", "kyrka", "församling"),
        *("sjukhus", "barnsjukhus", "minne", "strand", "kaj", "terrass", "esplanad", "förskola"),
        *(
            "arena",
            "station",
            "centrum",
            "stiftelse",
            "museum",
            "hamn",
            "trappor",
            "kulle",
            "källa",
        ),
        *("kanal", "center", "skolgård", "lekplats", "allée", "gatas", "vägs", "staty", "monument"),
    )
)
_PLACE_ENDING = re.compile(
    r"(?:gatan?|väg(?:en)?|torg(?:et)?|plan|platsen|skolan?|gymnasiet|kyrkan?|sjukhus(?:et)?|"
    r"parken|gården|hallen|arenan?|bron|gränd|allén?|hamnen|området|stan|staden|huset|bussen|monumentet|terminalen)$"
)
_SURNAME_ENDING = re.compile(
    r"..(?:sson|(?<!per)son|sen|berg|ström|lund|gren|qvist|kvist|quist|dahl|holm|man|mark|ell|blad|blom|"
    r"strand|stedt|ander|vall|wall|fors|lin|din|én|ić|ic|ski|ska|nen|ova?|ev|eva|enko|zadeh|oğlu|"
    r"oglu|ian|yan|pour)s?$"
)
_COMPANIES = frozenset((("clas", "ohlson"), ("john", "deere"), ("kalle", "anka")))
_NUMERAL = re.compile(r"[IVX]{2,5}")  # Karl IX is no resident
_MAX_WORDS = 4


class _Token(NamedTuple):
    word: str
    start: int
    end: int
    gap: str  # what stands between the word before and this one


class _Lists(NamedTuple):
    given: frozenset[str]
    surnames: frozenset[str]
    ambiguous: frozenset[str]


@cache
def _lists() -> _Lists:
    return _Lists(*(_read(name) for name in ("given.txt", "surnames.txt", "ambiguous.txt")))


def _read(name: str) -> frozenset[str]:
    lines = data_path("names", name).read_text(encoding="utf-8").splitlines()
    return frozenset(line.lower() for line in lines if line and not line.startswith("#"))


def find_names(text: str) -> Iterator[tuple[int, int]]:
    """Half-open spans of what is taken for the name of a person."""
    tokens = _tokens(text)
    previous_name_end = -1  # index of the word after the last name, for "Lisa och Per"
    i = 0
    while i < len(tokens):
        n_words, is_name = _name_at(tokens, i, previous_name_end)
        if is_name:
            yield tokens[i].start, tokens[i + n_words - 1].end
            previous_name_end = i + n_words
        i += n_words


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    before = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        tokens.append(_Token(match[0], start, end, text[before:start]))
        before = end
    return tokens


def _name_at(tokens: Sequence[_Token], i: int, previous_name_end: int) -> tuple[int, bool]:
    """(number of words to step, whether they are a name) for the words that begin at `i`."""
    word = tokens[i].word
    if word.islower():
        return 1, word in _lists().given and _is_lower_case_name(tokens, i)
    if not word[0].isupper():
        return 1, False
    given = _is_in(word, _lists().given)
    if not given and not _may_follow_sign(word):
        return 1, False
    if not given and not _has_strong_sign(tokens, i):
        return 1, False
    run = _capitalised_run(tokens, i)
    if n_place := _place_name(tokens, i, run):
        return n_place, False
    if tuple(t.word.lower() for t in tokens[i : i + 2]) in _COMPANIES:
        return 2, False
    n_words = _n_name_words(tokens, i, run)
    clear = not given or not _is_ambiguous(word)
    if clear or _is_surname_after(tokens, i, n_words) or _has_sign(tokens, i):
        return n_words, True
    return n_words, previous_name_end == i - 1 and tokens[i - 1].word.lower() in {"och", "o"}


def _is_in(word: str, names: frozenset[str]) -> bool:
    """Listed as it stands, in the genitive, or part by part: "Annas", "Britt-Marie"."""
    lower = word.lower()
    if lower in names or (lower.endswith("s") and lower[:-1] in names):
        return True
    if "-" in lower and not word.isupper():
        parts = word.split("-")
        return all(part[:1].isupper() and part.lower().removesuffix("s") in names for part in parts)
    return False


def _is_ambiguous(word: str) -> bool:
    lower = word.lower()
    ambiguous = _lists().ambiguous
    return lower in ambiguous or lower.removesuffix("s") in ambiguous


def _may_follow_sign(word: str) -> bool:
    return not word.isupper() and not _PLACE_ENDING.search(word)


def _capitalised_run(tokens: Sequence[_Token], i: int) -> int:
    """How many words from `i` on could be one name: capitals, with "von" and the like between."""
    n = 1
    while i + n < len(tokens) and n < _MAX_WORDS and tokens[i + n].gap == " ":
        word = tokens[i + n].word
        if not (word[0].isupper() or word in _PARTICLES):
            break
        n += 1
    while n > 1 and not tokens[i + n - 1].word[0].isupper():
        n -= 1
    return n


def _place_name(tokens: Sequence[_Token], i: int, run: int) -> int:
    """Number of words of a place named after a person that begins here, else 0."""
    if i and tokens[i - 1].word.lower() in _SAINTS and tokens[i].gap.strip() in {"", ":"}:
        return run
    for n in range(1, run):
        word = tokens[i + n].word
        lower = word.lower()
        after_genitive = tokens[i + n - 1].word.endswith("s")
        if _PLACE_ENDING.search(lower) or _NUMERAL.fullmatch(word):
            return n + 1
        if after_genitive and lower in _PLACE_NOUNS:
            return n + 1
    if i + run < len(tokens):
        after = tokens[i + run]
        if after.gap in {" ", "-"} and after.word.lower() in _PLACE_NOUNS:
            return run + 1
    return 0


def _n_name_words(tokens: Sequence[_Token], i: int, run: int) -> int:
    """The given name and the names after it; a capitalised word of another sort ends the name."""
    n = 1
    while n < run:
        word = tokens[i + n].word
        if not (_is_name_word(word) or word in _PARTICLES or tokens[i + n - 1].word in _PARTICLES):
            break
        n += 1
    if n == 1 and run > 1 and _is_unknown_surname(tokens[i].word, tokens[i + 1].word):
        n = 2
    return n


def _is_name_word(word: str) -> bool:
    lists = _lists()
    return (
        _is_in(word, lists.surnames)
        or _is_in(word, lists.given)
        or len(word) == 1
        or bool(_SURNAME_ENDING.search(word.lower()))
    )


def _is_unknown_surname(given: str, word: str) -> bool:
    """A capitalised word in mid-sentence after a clear given name: "Nasrin Xhemaili"."""
    lists = _lists()
    if given.isupper() or word.isupper() or not _is_in(given, lists.given):
        return False
    return not _is_ambiguous(given) and not given.lower().endswith("s")


def _is_surname_after(tokens: Sequence[_Token], i: int, n_words: int) -> bool:
    """An ambiguous given name is a name when a surname follows it: "Björn Ström"."""
    return n_words > 1 and any(
        _is_in(t.word, _lists().surnames) or _SURNAME_ENDING.search(t.word.lower())
        for t in tokens[i + 1 : i + n_words]
    )


def _has_sign(tokens: Sequence[_Token], i: int) -> bool:
    """A word before that says a person comes: enough for a listed name that is also a word."""
    return _has_strong_sign(tokens, i) or (
        i > 0 and tokens[i].gap == " " and tokens[i - 1].word.lower() in _PRONOUNS | _ROLES
    )


def _has_strong_sign(tokens: Sequence[_Token], i: int) -> bool:
    """A word before that says a name comes: enough for a name no list has."""
    token = tokens[i]
    if i == 0:
        return False
    before = tokens[i - 1].word.lower()
    if before in _GREETINGS or (before == "hälsning" and token.gap.strip(" ,:\n/-") == ""):
        return token.gap.strip(" ,:\n/-") == ""
    if token.gap.endswith("/") and token.gap.strip() == "/" and i == len(tokens) - 1:
        return _is_in(token.word, _lists().given)
    if token.gap not in {" ", ": ", ", "}:
        return False
    if before == "o" and token.gap == " " and tokens[i - 1].gap.endswith("/"):  # c/o
        return tokens[i - 2].word == "c" if i > 1 else False
    if before in _INTRODUCTIONS:
        return _is_in(token.word, _lists().given) or _speaks_of_person(tokens, i - 1)
    if before in _TITLES:
        return token.gap == " "
    return before in _RELATIONS and i > 1 and tokens[i - 2].word.lower() in _OWNERS


def _speaks_of_person(tokens: Sequence[_Token], i: int) -> bool:
    """Whether "heter" at `i` has a person before it, and not a school or a street."""
    return any(t.word.lower() in _PEOPLE for t in tokens[max(0, i - 2) : i])


def _is_lower_case_name(tokens: Sequence[_Token], i: int) -> bool:
    """A listed name without its capital, only right after a clear sign: "heter kalle"."""
    lists = _lists()
    word = tokens[i].word
    if word in lists.ambiguous or len(word) < 3:
        return False
    return _has_strong_sign(tokens, i)
