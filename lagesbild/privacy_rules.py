"""One rule for each kind of personal data but names: where in the text it stands.

The text a rule is given has plain digits, dashes and spaces only (see `lagesbild.privacy`). A rule
goes by the shape of what is written, and by the words around it where the shape says too little.
Every repetition in a pattern is bounded, so that no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Spans = Iterator[tuple[int, int]]


def _has_digit(text: str) -> bool:
    return re.search("[0-9]", text) is not None


def _by(*patterns: re.Pattern[str], group: int | str = 0) -> Callable[[str], Spans]:
    def rule(text: str) -> Spans:
        for pattern in patterns:
            for match in pattern.finditer(text):
                yield match.span(group)

    return rule


# --- personnummer and samordningsnummer (day + 60), whatever the check digit -------------------

_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])"
_YEAR = r"(?:(?:18|19|20) ?)?\d{2}"
_PERSONNUMMER = (
    re.compile(rf"(?<!\d){_YEAR}{_MONTH}{_DAY}(?: ?[-+] ?| )?\d{{4}}(?!\d)"),
    # Spaced or dashed within the date; then a dash must come before the last four, or it may be
    # a date and a time of day.
    re.compile(rf"(?<!\d){_YEAR}[-/. ]{_MONTH}[-/. ]{_DAY} ?[-+] ?\d{{4}}(?!\d)"),
    # A date of birth, but only where the text says that it is one.
    re.compile(
        rf"\b(?:född|födelsedatum|(?:pers(?:on)?\.? ?|p)n(?:umme)?r)\b[ :.]{{0,3}}(?:den )?"
        rf"(?P<born>{_YEAR}[-/. ]?{_MONTH}[-/. ]?{_DAY})(?!\d)",
        re.IGNORECASE,
    ),
)


def find_personnummer(text: str) -> Spans:
    if _has_digit(text):
        yield from _by(*_PERSONNUMMER[:2])(text)
        yield from _by(_PERSONNUMMER[2], group="born")(text)


# --- telephone ---------------------------------------------------------------------------------

# Subscriber numbers never begin with 0, so "08.00-17.00" and "0800-1700" are no telephones; a dash
# stands between area code and number, or between groups of two or three.
_AREA = (
    r"(?:0(?:8|1[013689]|2[0136]|3[1356]|4[0246]|54|6[03]|77|90|"
    r"(?:1[2457]|2[24578]|3[0247-9]|4[1357-9]|5[0-35-9]|6[124-9]|7[0-9]|9[1-9])\d))"
)
_SUBSCRIBER = (
    r"(?:[1-9]\d{4,7}|[1-9]\d{1,2}(?:[ -]\d{2,3}){1,3}|[1-9]\d{2}[ -]\d{4}|[1-9]\d{3} \d{4})"
)
_TELEPHONE = (
    # abroad and +46, with a stray (0)
    re.compile(r"(?<![\d+])\+ ?\d(?:[ ./()-]{0,3}\d){7,14}(?!\d)"),
    re.compile(r"(?<![\d+])00[ -]?[1-9]\d(?:[ ./()-]{0,3}\d){6,12}(?!\d)"),
    re.compile(r"(?<![\d+])46[ -]?7[02369](?:[ -]?\d){7}(?!\d)"),
    # mobile, grouped anyhow but as a personnummer
    re.compile(r"(?<!\d)(?!\d{6}[-+])\(?0[ -]?7[ -]?[02369](?:[ )./-]{0,3}\d){7}(?!\d)"),
    # fixed
    re.compile(rf"(?<![\d.,:-])\(?{_AREA}(?:\)? ?[-/] ?|\)? )?{_SUBSCRIBER}(?![\d]|[.:]\d)"),
)
_TELEPHONE_WORD = re.compile(
    r"\b(?:tel(?:efon)?(?:\.? ?(?:nr|nummer))?|mobil(?:\.? ?(?:nr|nummer))?|ring|ringa|sms|sms:a|"
    r"swish(?:a)?|whatsapp|nås på)(?!\w)"
    r"[^\d\n]{0,12}(?P<number>\+?\d(?:[ -]{0,3}\d){5,12})(?! ?(?:\d|kr|:-|tkr|mkr|mil))",
    re.IGNORECASE,
)
_KEPT_NUMBERS = frozenset(("112", "11414", "1177", "116117", "11313"))


def find_telephone(text: str) -> Spans:
    if not _has_digit(text):
        return
    yield from _by(*_TELEPHONE)(text)
    for match in _TELEPHONE_WORD.finditer(text):
        if re.sub(r"\D", "", match["number"]).removeprefix("46") not in _KEPT_NUMBERS:
            yield match.span("number")


# --- bank accounts and cards -------------------------------------------------------------------

_BANK = (
    re.compile(r"\b[A-Z]{2}\d{2}(?: ?\d{4}){4,6}(?: ?\d{1,3})?\b"),  # IBAN
    re.compile(r"(?<!\d)[3-6]\d{3}(?:[ -]?\d{4}){3}(?!\d)"),  # card
    re.compile(
        r"\b(?:(?:bank)?konto(?:t|nr|nummer)?|clearing(?:nr|nummer)?|bankgiro|plusgiro|bg|pg)\b"
        r"[^\d\n]{0,12}(?P<number>\d(?:[ ,.-]{0,2}\d){5,20})(?!\d)",
        re.IGNORECASE,
    ),
)


def find_bank_account(text: str) -> Spans:
    if _has_digit(text):
        yield from _by(*_BANK[:2])(text)
        yield from _by(_BANK[2], group="number")(text)


# --- e-mail, also spelled out ------------------------------------------------------------------

_DOT = r"(?:\.| ?[(\[]?(?:punkt|dot|prick)[)\]]? ?)"
_SNABEL = r"(?:@|[(\[{](?:at|a|ät|snabel-? ?a)[)\]}]|(?<= )snabel-? ?a(?= ))"
_HOST = r"[\w-]{1,63}"
_EMAIL = (
    re.compile(
        rf"(?<![\w.+%-])[\w+%'-]{{1,64}}(?:{_DOT}[\w+%'-]{{1,64}}){{0,4}} ?{_SNABEL} ?"
        rf"{_HOST}(?:{_DOT}{_HOST}){{0,4}}",
        re.IGNORECASE,
    ),
    # A bare "at" only with the dot spelled out too: "kalle82 at hotmail dot com".
    re.compile(
        rf"(?<![\w.+%-])[\w+%'-]{{1,64}}(?:{_DOT}[\w+%'-]{{1,64}}){{0,4}} (?:at|ät) "
        rf"{_HOST}(?: ?[(\[]?(?:punkt|dot|prick)[)\]]? ?{_HOST}){{1,3}}",
        re.IGNORECASE,
    ),
)
_EMAIL_SIGN = re.compile(r"@|snabel|[(\[{](?:at|a|ät)[)\]}]| (?:at|ät) ", re.IGNORECASE)


def find_email(text: str) -> Spans:
    if _EMAIL_SIGN.search(text):
        for start, end in _by(*_EMAIL)(text):
            if "@ " not in text[start:end] or "." in text[start:end]:  # "3 st @ 50 kr"
                yield start, end


# --- IP addresses ------------------------------------------------------------------------------

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HEX = r"[0-9A-Fa-f]{1,4}"
_IP = (
    re.compile(rf"(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\.?\d)"),
    re.compile(
        rf"(?<![\w:])(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:){{1,6}}(?::{_HEX}){{1,6}})(?![\w:])"
    ),
)


def find_ip_address(text: str) -> Spans:
    if "." in text or ":" in text:
        yield from _by(*_IP)(text)


# --- accounts in social media ------------------------------------------------------------------

_MEDIA = (
    r"(?:insta(?:n|gram)?|snap(?:pen|chat)?|tik ?tok|facebook|fb|kik|telegram|discord|twitter|"
    r"messenger)"
)
_HANDLE = r"\w[\w.#-]{1,38}\w"
_ODD_HANDLE = rf"(?=\w{{0,30}}[\d_.#]\w){_HANDLE}"
_ACCOUNT = (
    re.compile(r"(?<![\w@./])@(?P<handle>[^\W\d][\w.]{1,29}(?<!\.))"),
    re.compile(
        r"(?P<handle>(?:https?://)?(?:\w+\.)?(?:instagram|facebook|tiktok|snapchat|twitter)\.com/"
        r"[^\s,)]{1,100}|\bt\.me/\w{1,64})",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b{_MEDIA}(?:-?(?:konto(?:t)?|namn))?(?: ?[:=] ?)@?(?P<handle>{_HANDLE})",
        re.IGNORECASE,
    ),
    # Without a sign between, only what no word looks like: a digit, dot or underscore within.
    re.compile(
        rf"\b{_MEDIA}(?:-?kontot?)? (?:är |heter |som )?(?P<handle>{_ODD_HANDLE})", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?:heter|kallas|är|finns som) (?P<handle>{_ODD_HANDLE}) på {_MEDIA}\b", re.IGNORECASE
    ),
)


_ACCOUNT_SIGNS = (
    *("@", ".com/", "t.me/", "insta", "snap", "tik", "facebook", "fb", "kik", "telegram"),
    *("discord", "twitter", "messenger"),
)


def find_account(text: str) -> Spans:
    lower = text.lower()
    if any(sign in lower for sign in _ACCOUNT_SIGNS):
        yield from _by(*_ACCOUNT, group="handle")(text)


# --- registration plates -----------------------------------------------------------------------

_PLATE_LETTERS = "A-HJ-PR-UW-Za-hj-pr-uw-z"
_PLATE = re.compile(rf"(?<![\w-])([{_PLATE_LETTERS}]{{3}})([ -]?)(\d\d[\d{_PLATE_LETTERS}])(?!\w)")
_VEHICLE = re.compile(
    r"reg|bil|\w*bil(?:en|ar|arna)?|moped\w*|\w*skylt\w*|skåp\w*|volvo|audi|bmw|saab|merc\w*|"
    r"toyota|kia|tesla|vw|volkswagen|ford|skoda|passat|golf|renault|peugeot|nissan|hyundai|opel|"
    r"mc|mc:n|motorcykel\w*|scooter\w*|taxin?|epa\w*|a-traktor\w*|regn?\w*|regist\w*|buss\w*|suv"
)
# Three letters that are a word, not a plate: "och 112", "BUS 172".
_WORDS_OF_THREE = frozenset(
    (
        *(
            "amp",
            "apr",
            "art",
            "att",
            "aug",
            "bra",
            "bus",
            "dag",
            "dec",
            "dem",
            "den",
            "det",
            "ens",
        ),
        *(
            "ett",
            "eur",
            "feb",
            "fem",
            "får",
            "ggr",
            "han",
            "har",
            "hen",
            "hon",
            "hos",
            "hsb",
            "jan",
        ),
        *(
            "jul",
            "jun",
            "kan",
            "kap",
            "kod",
            "lag",
            "lss",
            "maj",
            "man",
            "mar",
            "max",
            "med",
            "men",
        ),
        *(
            "mer",
            "min",
            "mkr",
            "mot",
            "nej",
            "ngt",
            "nok",
            "nov",
            "nya",
            "nån",
            "och",
            "okt",
            "oss",
        ),
        *(
            "par",
            "per",
            "pga",
            "pos",
            "rum",
            "sek",
            "sen",
            "sep",
            "sex",
            "ska",
            "som",
            "sos",
            "ssk",
        ),
        *("tar", "tel", "tex", "tre", "ung", "ups", "usb", "usd", "var", "www"),
    )
)
_FOUR_WORDS = re.compile(r"[\w:-]+")
_PLATE_STATED = re.compile(
    r"\breg(?:istrerings)?\.? ?(?:nr|num(?:mer|ret)?|skylt)?\.?[ :]{1,3}"
    r"(?P<plate>[a-z]{3} ?\d\d\w|(?=\w{0,6}\d)\w{4,8})\b",
    re.IGNORECASE,
)


def find_plate(text: str) -> Spans:
    if not _has_digit(text):
        return
    yield from _by(_PLATE_STATED, group="plate")(text)
    for match in _PLATE.finditer(text):
        letters, gap, rest = match.groups()
        is_word = letters.lower() in _WORDS_OF_THREE
        if is_word and not (letters.isupper() and gap != " "):
            continue
        is_plain = letters.isupper() and rest == rest.upper() and not is_word
        if is_plain or _is_near_vehicle(text, *match.span()):
            yield match.span()


def _is_near_vehicle(text: str, start: int, end: int) -> bool:
    """A word for a vehicle or its plate within four words before or after."""
    before = _FOUR_WORDS.findall(text[max(0, start - 60) : start].lower())[-4:]
    after = _FOUR_WORDS.findall(text[end : end + 60].lower())[:4]
    return any(_VEHICLE.fullmatch(word) for word in (*before, *after))


# --- street address with a number, flat number -------------------------------------------------

_STREET_END = (
    r"(?:gatan|gata|vägen|väg|gränd|gränden|stigen|stig|allén|allé|esplanaden|stråket|slingan|"
    r"kroken|backen|backe|kajen|kaj|leden|ringen|svängen|promenaden|terrassen)"
)
_SQUARE_END = r"(?:torget|torg|plan|platsen|plats|bron|strand|stranden|hamnen|gården|parken|park)"
_NUMBER = r"[1-9]\d{0,2}(?: ?- ?\d{1,3})?(?: ?[A-HJ-Za-h](?![\w]))?"
_FLAT = (
    r"(?:,? ?(?:lgh|lägenhet|vån|våning|uppg|uppgång|port)\.? ?(?:nr\.? ?)?(?:\d{1,4}|[A-H])\b"
    r"|,? \d{1,2} ?tr(?:appor)?\b|,? ?(?:SE-)?\d{3} ?\d{2} [A-ZÅÄÖ][\wåäö]{1,30})"
)
_FRONT = r"(?:(?:[A-ZÅÄÖÉ][\wåäöé'-]{0,30}|S:ta?|af|von) ){0,3}"
_SIDE = r"(?:(?:Norra|Södra|Östra|Västra|Gamla|Nya|Stora|Lilla|Övre|Nedre|Sankta?|S:ta?) ){0,2}"
_NOT_A_NUMBER = (
    r"(?! ?(?:[:.,]\d|%|:-|m\b|km|meter|kr\b|kronor|st\b|ggr|gånger|dagar|kvällar|nätter|timmar|"
    r"minuter|min\b|veckor|månader|år\b|personer|person\b|ungdomar|unga\b|killar|tjejer|män\b|"
    r"kvinnor|bilar|barn\b|poliser|lampor|lampa|stycken|tiden|jan|feb|mars|apr|maj|jun|jul|aug|"
    r"sep|okt|nov|dec)|-tiden|/\d|\w)"
)
_STREET = (
    # A street name with a capital, or of several words: "Björkvägen 12", "Karl Johans gata 5"
    re.compile(
        rf"(?<![\w-])(?:{_SIDE}[A-ZÅÄÖÉ][\wåäöé'-]{{0,30}}?(?:{_STREET_END}|{_SQUARE_END})"
        rf"|{_FRONT}[A-ZÅÄÖÉ][\wåäöé'-]{{1,30}}s? (?:{_STREET_END}|{_SQUARE_END})),? "
        rf"{_NUMBER}{_NOT_A_NUMBER}{_FLAT}{{0,3}}"
    ),
    # and without: "storgatan 4b"
    re.compile(rf"(?<![\w-])[a-zåäöé]{{3,30}}{_STREET_END} {_NUMBER}{_NOT_A_NUMBER}{_FLAT}{{0,3}}"),
)
_FLAT_ALONE = re.compile(
    r"\b(?:lgh|lägenhet(?:s?nr|snummer)?)\.? ?(?:nr\.? ?)?\d{1,4}(?!\d)"
    rf"{_NOT_A_NUMBER}(?! ?(?:rum|rok))",
    re.IGNORECASE,
)
# "På väg 73", "Längs väg 222", "riksväg 40", and roads that are no address.
_ROAD = re.compile(
    r"(?:(?:på|längs|från|till|vid|utmed|mot|via|den|europa|riks|läns|cykel|gång|bil|motor|"
    r"lands|skog|skogs|grus|huvud|tvär|gå|infarts|utfarts|genomfarts|hem|skol)(?: ?|s))"
    r"(?:väg|vägen|gata|gatan|stig|stigen)\b",
    re.IGNORECASE,
)


def find_address(text: str) -> Spans:
    if not _has_digit(text):
        return
    yield from _by(_FLAT_ALONE)(text)
    for start, end in _by(*_STREET)(text):
        road = _ROAD.match(text, start)
        if road is None or text[road.end()] not in " ,":
            yield start, end
