"""One text value from a file or an API -> a time, a status, a stance, a point. All pure.

Nothing is guessed that can be guessed wrong: 03/04/2026 is refused until the configuration says
whether the day comes first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import html
import json
import math
import re
from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import ftfy

from lagesbild.errors import UsageError
from lagesbild.projection import to_wgs84
from lagesbild.records import Stance

Status = Literal["open", "closed"]
Crs = Literal["wgs84", "sweref99tm"]

_CLOCK = r"(?:[T ,]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?)?"
_ZONE = r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
_ISO = re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_CLOCK}{_ZONE}", re.IGNORECASE)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?")
_YEAR_FIRST = re.compile(rf"(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}){_CLOCK}\s*([AaPp]\.?[Mm]\.?)?")
_WRITTEN = re.compile(rf"(\d{{1,2}})\.? ([a-zå]+)\.?,? (\d{{4}})(?: kl\.?)?{_CLOCK}", re.IGNORECASE)
_EXCEL_SERIAL = re.compile(r"[2-6]\d{4}(?:[.,]\d+)?")  # 1954 to 2091
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?")  # seconds or milliseconds, 2001 to 2033
_LONGEST_TIME = 40
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february feb",
            "mars march maart mar",
            "april apr",
            "maj may mei",
            "juni june jun",
            "juli july jul",
            "augusti august augustus aug",
            "september sept sep",
            "oktober october okt oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}

_OPEN_WORDS = """
open öppen öppet ny nytt new inskickat inkommet inkommen mottaget mottagen registrerat registrerad
pågår pågående påbörjat påbörjad tilldelat tilldelad kompletterad sparat vilande återöppnad
under behandling|under handläggning|under utredning|väntar på komplettering|sparat ärende|väntar
confirmed investigating planned acknowledged reopened unconfirmed assigned submitted received
in progress|action scheduled|internal referral|for triage|in review|on hold|pending
gemeld heropend behandeling gepland
in behandeling|in afwachting van behandeling|extern: in behandeling|verzoek tot afhandeling
"""
_CLOSED_WORDS = """
closed stängd stängt avslutad avslutat klar klart åtgärdad åtgärdat färdig besvarad besvarat
arkiverad arkiverat avvisad avvisat makulerad löst avfört
ärendet arkiveras|inte aktuellt|ej åtgärdas|åtgärdas ej
fixed duplicate resolved completed done rejected cancelled canceled archived
fixed - council|fixed - user|no further action|unable to fix|not responsible|closed - no action
afgehandeld gesloten geannuleerd gesplitst opgelost
"""
_HIDDEN_WORDS = frozenset({"hidden", "dold", "dolt", "borttagen", "raderad", "verwijderd"})
_STANCE_WORDS: Mapping[Stance, str] = {
    "berom": "beröm compliment praise ros compliments lof",
    "problem": "klagomål felanmälan fel problem complaint sig klacht melding com",
    "onskemal": "förslag förbättringsförslag idé ide idéer önskemål suggestion idea wish req",
    "fraga": "fråga question vraag que",
}
_TEST_TEXT = re.compile(
    r"(?:(?:detta|det här|this|dit) (?:är|is) (?:bara |only |een |ett |a |just )*)?"
    r"(?:ett |a |en )?(?:test(?:ar|ärende|rapport|rad|anmälan|palaute|melding|bericht)?"
    r"|testi(?:palaute)?|provanmälan)"
    r"(?: (?:test|testar|ignore|ignorera|please ignore|report|ärende|\d+))*",
)


def repair(text: str) -> str:
    """Text without double encoding (Ã¤), HTML entities and stray BOMs; nothing else changes."""
    if text.isascii() and "&" not in text:
        return text.strip()  # most values of a survey; ftfy is slow
    return html.unescape(ftfy.fix_encoding(text)).replace("\ufeff", "").strip()


def has_words(text: str) -> bool:
    return re.search(r"\w", text) is not None


def is_test_text(text: str) -> bool:
    """Whether the whole text says that it is a test, and nothing more."""
    words = " ".join(re.findall(r"\w+", text.casefold()))
    return _TEST_TEXT.fullmatch(words) is not None


def read_id(text: str) -> str:
    """An id as text. 12.0 is a whole number that a spreadsheet has been at."""
    text = text.strip()
    return text.split(".")[0] if re.fullmatch(r"\d+\.0+", text) else text


def keyed_hash(key: bytes, *parts: str) -> str:
    """HMAC-SHA256 of whoever reported. Raises UsageError without a key: a bare hash is no hiding.

    Case and surrounding space do not tell people apart.
    """
    if not key:
        raise UsageError(
            "Nyckeln för pseudonymer saknas; sätt miljövariabeln LAGESBILD_HASH_KEY "
            "innan personer kan skiljas åt utan att namnges."
        )
    message = "\x00".join(part.strip().casefold() for part in parts)
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


# --- words ----------------------------------------------------------------------------------------


def read_status(text: str, words: Mapping[str, Status] | None = None) -> Status | None:
    """open or closed, after the configuration's own words first; None where the word is unknown."""
    word = _status_word(text)
    own = {_status_word(key): value for key, value in (words or {}).items()}
    if word in own:
        return own[word]
    if word in _OPEN:
        return "open"
    return "closed" if word in _CLOSED else None


def is_hidden(status: str) -> bool:
    """Whether the source itself has taken the report away from the public."""
    return _status_word(status) in _HIDDEN_WORDS


def read_stance(text: str, words: Mapping[str, Stance] | None = None) -> Stance | None:
    """What the reporter chose as kind of remark (beröm, klagomål …), as a hint and no more."""
    word = text.strip().casefold()
    own = {key.strip().casefold(): value for key, value in (words or {}).items()}
    return own.get(word) or _STANCES.get(word)


def _status_word(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())


def _vocabulary(text: str) -> frozenset[str]:
    words: list[str] = []
    for line in text.strip().splitlines():
        words += line.split("|") if "|" in line else line.split()
    return frozenset(words)


_OPEN = _vocabulary(_OPEN_WORDS)
_CLOSED = _vocabulary(_CLOSED_WORDS)
_STANCES: Mapping[str, Stance] = {
    word: stance for stance, words in _STANCE_WORDS.items() for word in words.split()
}


# --- time -----------------------------------------------------------------------------------------


def read_time(text: str, zone: ZoneInfo, day_first: bool | None = None) -> dt.datetime | None:
    """A time in UTC, or None where it cannot be read with certainty.

    Times without an offset are local in `zone`; in the hour that comes twice, the first is meant.
    """
    text = text.strip()
    if len(text) > _LONGEST_TIME or not any(map(str.isdecimal, text)):
        return None
    try:
        found = _from_number(text, zone) or _from_words(text, zone, day_first)
        utc = found.astimezone(dt.UTC) if found else None
    except (ValueError, OverflowError):
        return None
    return utc if utc and 1970 <= utc.year < 2100 else None


def _from_number(text: str, zone: ZoneInfo) -> dt.datetime | None:
    if _EPOCH.fullmatch(text):
        seconds = int(text) / (1000 if len(text) == 13 else 1)
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    if _EXCEL_SERIAL.fullmatch(text):
        days = dt.timedelta(days=float(text.replace(",", ".")))
        whole = dt.timedelta(seconds=round(days.total_seconds()))
        return (dt.datetime(1899, 12, 30, tzinfo=zone) + whole).replace(tzinfo=zone)
    if compact := _COMPACT.fullmatch(text):
        return _local(compact.groups(), zone)
    return None


def _from_words(text: str, zone: ZoneInfo, day_first: bool | None) -> dt.datetime | None:
    if iso := _ISO.fullmatch(text):
        local = _local(iso.groups()[:6], zone)
        return local.replace(tzinfo=_offset(iso[7])) if iso[7] else local
    if slashed := _YEAR_FIRST.fullmatch(text):
        return _local(slashed.groups(), zone)
    if written := _WRITTEN.fullmatch(text):
        month = _MONTHS.get(written[2].casefold())
        return (
            _local((written[3], month, written[1], *written.groups()[3:]), zone) if month else None
        )
    if last := _YEAR_LAST.fullmatch(text):
        return _from_year_last(last, zone, day_first)
    return None


def _from_year_last(
    match: re.Match[str], zone: ZoneInfo, day_first: bool | None
) -> dt.datetime | None:
    first, separator, second, year, hour, minute, second_of, half = match.groups()
    if day_first is None:
        if separator == "." or int(first) > 12 or first == second:
            day_first = True  # dots are not used between month and day
        elif int(second) > 12:
            day_first = False
        else:
            return None
    day, month = (first, second) if day_first else (second, first)
    if half and hour:
        hour = str(int(hour) % 12 + (12 if half[0] in "Pp" else 0))
    return _local((year, month, day, hour, minute, second_of), zone)


def _local(parts: tuple[str | int | None, ...], zone: ZoneInfo) -> dt.datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in (*parts, 0, 0, 0)[:6])
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _offset(text: str) -> dt.tzinfo:
    if text.upper() in ("Z", "UTC", "GMT"):
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    delta = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-delta if text[0] == "-" else delta)


# --- place ----------------------------------------------------------------------------------------


def read_point(text: str, crs: Crs = "wgs84") -> tuple[float, float] | None:
    """(lat, lon) of "lat,lon", "lat; lon" with decimal commas, WKT or GeoJSON; None if no point."""
    text = text.strip()
    if text.startswith("{"):
        return _from_geojson(text)
    if wkt := re.fullmatch(r"(?:SRID=4326;)?\s*POINT\s*\(\s*(\S+)\s+(\S+)\s*\)", text, re.I):
        return read_lat_lon(wkt[2], wkt[1])
    parts = [part for part in re.split(r"[;\s]+", text) if part]
    if len(parts) == 1:
        parts = text.split(",")
    return read_lat_lon(parts[0].rstrip(","), parts[1], crs) if len(parts) == 2 else None


def read_lat_lon(lat: str, lon: str, crs: Crs = "wgs84") -> tuple[float, float] | None:
    """WGS 84 degrees of a place. With `sweref99tm`, `lat` is N and `lon` is E in metres.

    (0, 0) is what systems write when they have no place, so it is none.
    """
    try:
        y, x = (float(value.strip().replace(",", ".")) for value in (lat, lon))
    except ValueError:
        return None
    if not (math.isfinite(y) and math.isfinite(x)) or y == 0.0 or x == 0.0:
        return None
    if crs == "sweref99tm":
        if not (6_000_000 < y < 7_800_000 and 200_000 < x < 1_000_000):
            return None
        y, x = map(float, to_wgs84(y, x))
    return (y, x) if abs(y) <= 90 and abs(x) <= 180 else None


def _from_geojson(text: str) -> tuple[float, float] | None:
    try:
        lon, lat = json.loads(text)["coordinates"][:2]
    except (ValueError, KeyError, TypeError):
        return None
    return read_lat_lon(str(lat), str(lon))
