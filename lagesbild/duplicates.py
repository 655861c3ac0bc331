"""Reports that say nearly the same: one incident told by several, or a campaign of many.

Nothing is thrown away: every report stays a report, and incidents are counted beside them. Only
remarks of residents are compared. Survey answers are one each of a person, and police notices
repeat their wording about different events.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5  # letters
NEARLY_IDENTICAL = 0.5  # share of common shingles; chosen by bench/duplicates.py
N_BANDS, _ROWS = 16, 4  # texts alike by 0.6 share a band 9 times in 10, those by 0.75 always
DAYS = 7
METRES = 250
SHORT, SHORT_METRES = 40, 50  # "lampan är trasig" may be said of two lamps in one park
CAMPAIGN_REPORTS, CAMPAIGN_PLACES = 10, 3
_NEXT = 200  # later reports each is compared with: a campaign of thousands stays cheap
_BATCH = 2000
_SEED = 20_240_229
_MIX = np.uint64(0x9E3779B97F4A7C15)

Sketches = NDArray[np.uint32]


def plain(text: str) -> str:
    """The letters and digits of a text, one space between words."""
    return re.sub(r"\W+", " ", text.lower()).strip()


def sketches(texts: Sequence[str]) -> Sketches:
    """A sketch of each text, shape (texts, bands): nearly identical texts share some band.

    MinHash (A. Broder, Compression and Complexity of Sequences, 1997) over shingles of letters;
    four smallest hashes make a band.
    """
    parts = [_sketched(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, N_BANDS), np.uint32)


def _sketched(texts: Sequence[str]) -> Sketches:
    padded = [plain(text).ljust(SHINGLE) for text in texts]
    lengths = np.array([len(text) for text in padded])
    letters = np.frombuffer("".join(padded).encode("utf-32-le"), np.uint32).astype(np.uint64)
    hashes = np.zeros(len(letters) - SHINGLE + 1, np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * _MIX + letters[place : place + len(hashes)]
    hashes ^= hashes >> np.uint64(29)
    ends = np.cumsum(lengths)
    is_whole = np.ones(len(letters), bool)  # a shingle that does not run into the next text
    for place in range(1, SHINGLE):
        is_whole[ends - place] = False
    hashes = hashes[is_whole[: len(hashes)]]
    starts = np.concatenate([[0], np.cumsum(lengths - SHINGLE + 1)[:-1]])
    rng = np.random.default_rng(_SEED)
    factors = rng.integers(0, 2**63, N_BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    bands = np.zeros((len(texts), N_BANDS), np.uint64)
    for number, factor in enumerate(factors):
        least = np.minimum.reduceat((hashes * factor) >> np.uint64(16), starts)
        band = number // _ROWS
        bands[:, band] = (bands[:, band] ^ least) * _MIX
    return (bands >> np.uint64(32)).astype(np.uint32)


def likeness(first: str, second: str) -> float:
    """The share of shingles that two texts have in common (Jaccard's index)."""
    a, b = _shingles(first), _shingles(second)
    return len(a & b) / len(a | b)


def _shingles(text: str) -> set[str]:
    letters = plain(text).ljust(SHINGLE)
    return {letters[i : i + SHINGLE] for i in range(len(letters) - SHINGLE + 1)}


def candidates(bands: Iterable[tuple[int, int, int]]) -> set[tuple[int, int]]:
    """Pairs of texts that may be nearly identical, from (band number, band, place of the text).

    Within a band each text is paired with the next two and the first one: enough to join them all,
    where every pair of a campaign would be millions.
    """
    sharing: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, band, place in bands:
        sharing[number, band].append(place)
    pairs: set[tuple[int, int]] = set()
    for places in sharing.values():
        places.sort()
        for step in (1, 2):
            pairs.update(zip(places, places[step:], strict=False))
        pairs.update((places[0], place) for place in places[1:])
    return pairs


def nearly_identical(
    texts: Mapping[int, str] | Sequence[str],
    pairs: Iterable[tuple[int, int]],
    threshold: float = NEARLY_IDENTICAL,
) -> Iterator[tuple[int, int]]:
    """The pairs whose texts really are alike."""
    for first, second in pairs:
        if texts[first] == texts[second] or likeness(texts[first], texts[second]) >= threshold:
            yield first, second


def joined(n: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `n` things the smallest number that it hangs together with."""
    parent = list(range(n))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for first, second in pairs:
        a, b = sorted((root(first), root(second)))
        parent[b] = a
    return [root(place) for place in range(n)]


@dataclass(frozen=True, slots=True)
class Told:
    """A report as far as grouping needs it. `areas`: codes of areas smaller than a municipality."""

    submission_id: str
    day: date
    n_letters: int
    position: tuple[float, float] | None
    areas: frozenset[str]
    sender: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Reports of one incident, or of one campaign; the first told names it."""

    kind: Literal["incident", "campaign"]
    submission_ids: tuple[str, ...]


def groups(alike: Sequence[Told]) -> list[Group]:
    """Incidents and campaigns among reports whose texts are nearly identical.

    An incident: told within a week of each other about the same place, or by the same sender. A
    campaign: at least ten reports in a row, a week apart at most, about three places or more.
    """
    told = sorted(alike, key=lambda t: (t.day, t.submission_id))
    own = _joined(told, _same_incident)
    in_time = _joined(told, lambda a, b: min(a.n_letters, b.n_letters) >= SHORT)
    found, taken = [], set[int]()
    for places in _members(in_time):
        if len(places) >= CAMPAIGN_REPORTS and len({own[p] for p in places}) >= CAMPAIGN_PLACES:
            found.append(_group("campaign", told, places))
            taken.update(places)
    left = [-1 - place if place in taken else own[place] for place in range(len(told))]
    found += [_group("incident", told, p) for p in _members(left) if len(p) > 1]
    return found


def _joined(told: Sequence[Told], is_same: Callable[[Told, Told], bool]) -> list[int]:
    pairs = []
    for first, one in enumerate(told):
        for second in range(first + 1, min(first + 1 + _NEXT, len(told))):
            if (told[second].day - one.day).days > DAYS:
                break
            if is_same(one, told[second]):
                pairs.append((first, second))
    return joined(len(told), pairs)


def _same_incident(one: Told, other: Told) -> bool:
    if one.sender is not None and one.sender == other.sender:
        return True
    is_short = min(one.n_letters, other.n_letters) < SHORT
    if one.position and other.position:
        return _metres(one.position, other.position) <= (SHORT_METRES if is_short else METRES)
    return not is_short and not one.areas.isdisjoint(other.areas)


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Good enough for a few hundred metres."""
    north = (other[0] - one[0]) * 111_320
    east = (other[1] - one[1]) * 111_320 * math.cos(math.radians(one[0]))
    return math.hypot(north, east)


def _members(labels: Sequence[int]) -> list[list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        found[label].append(place)
    return list(found.values())


def _group(
    kind: Literal["incident", "campaign"], told: Sequence[Told], places: Sequence[int]
) -> Group:
    return Group(kind, tuple(told[place].submission_id for place in places))
