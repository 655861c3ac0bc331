"""Texts that people labelled: ours in data/labelled, and the gold files `evaluate` is given."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from lagesbild.errors import LagesbildError
from lagesbild.records import STANCES, Stance
from lagesbild.resources import data_path
from lagesbild.themes import load_themes

_EITHER = "forbattring_eller_franvaro"  # some gold files do not tell these two apart
SHINGLE = 5
REVIEWED = "granskad-"  # begins the voice of a text whose themes staff decided
N_BUCKETS = 10
FROZEN_BUCKET, CALIBRATION_BUCKET = 0, 1
_BLOCK = 500  # texts compared with all others at once
NEAR_DUPLICATE = 0.5  # share of common letter shingles from which two texts count as one


@dataclass(frozen=True, slots=True)
class Mention:
    """One theme of one text. `stances`: those that count as right; empty where none was coded."""

    theme: str
    subtheme: str | None
    stances: frozenset[Stance]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with what people said it is about. No mentions: no theme and no residual code."""

    labelled_id: str
    voice: str
    text: str
    question: str | None
    language: str
    mentions: tuple[Mention, ...]
    kinds: tuple[str, ...]

    @property
    def batch(self) -> str:
        """The file of data/labelled it came in, by which its id begins."""
        return self.labelled_id.partition("-")[0]

    @property
    def themes(self) -> frozenset[str]:
        """Themes a classifier may decide, drift_underhall among them."""
        return frozenset(m.theme for m in self.mentions) & frozenset(load_themes().decided)


def load_labelled(folder: Path | None = None) -> list[Labelled]:
    """Every row of data/labelled/*.jsonl (or of `folder`), in the order of the files."""
    folder = folder or data_path("labelled")
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in read_gold(path)]
    if not rows:
        raise LagesbildError(f"Inga märkta texter i {folder}: lägg dit .jsonl-filer.")
    doubled = [key for key, n in Counter(row.labelled_id for row in rows).items() if n > 1]
    if doubled:
        raise LagesbildError(f"Samma id står två gånger i märkta texter: {doubled[0]}.")
    return rows


def read_second_coding(folder: Path | None = None) -> dict[str, tuple[Mention, ...]]:
    """What a second coder gave, by the id of the text; they had not seen the first codes."""
    path = (folder or data_path("labelled")) / "second" / "coding.jsonl"
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {row["id"]: tuple(_mentions(row)) for row in rows}


def read_gold(path: Path) -> list[Labelled]:
    """A labelled file in any of the three forms described in data/labelled/README.md."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LagesbildError(f"Filen {path} går inte att läsa: kontrollera sökvägen.") from error
    return [_row(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _row(path: Path, number: int, line: str) -> Labelled:
    try:
        raw = json.loads(line)
        mentions = tuple(_mentions(raw))
        kinds = raw.get("kinds") or ([raw["kind"]] if raw.get("kind") else [])
        return Labelled(
            labelled_id=str(raw["id"]),
            voice=str(raw.get("voice") or raw["id"]),
            text=_text(raw["text"]),
            question=raw.get("question"),
            language=raw.get("lang") or "sv",
            mentions=mentions,
            kinds=tuple(kinds),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LagesbildError(
            f"Rad {number} i {path.name} är inte en märkt text ({error}): rätta raden."
        ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text saknas")
    return value


def _mentions(raw: dict[str, Any]) -> Iterator[Mention]:
    """From [theme, subtheme, stance], {"theme", "stance"} or a text's themes and one stance."""
    listed: list[tuple[str, str | None, str | None]]
    if raw.get("mentions"):
        listed = [
            (m["theme"], m.get("subtheme"), m.get("stance")) if isinstance(m, dict) else tuple(m)
            for m in raw["mentions"]
        ]
    else:
        listed = [(theme, None, raw.get("stance")) for theme in raw.get("themes") or ()]
    plan = load_themes()
    for said, part, stance in listed:
        theme, subtheme = plan.recoded(said, part)
        if not plan.has(theme, subtheme):
            raise ValueError(f"okänt tema {said}.{part}")
        yield Mention(theme, subtheme, _stances(stance))


def _stances(value: str | None) -> frozenset[Stance]:
    if value is None:
        return frozenset()
    wanted = value.split("_eller_") if value == _EITHER else [value]
    if not set(wanted) <= set(STANCES):
        raise ValueError(f"okänd ställning {value}")
    return frozenset(s for s in STANCES if s in wanted)


def voice_folds(rows: Sequence[Labelled], n_folds: int = 5) -> list[int]:
    """The fold of each row: whole voices, the biggest first into the emptiest fold."""
    sizes = Counter(row.voice for row in rows)
    filled = [0] * n_folds
    fold_of: dict[str, int] = {}
    for voice, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        fold = filled.index(min(filled))
        fold_of[voice] = fold
        filled[fold] += size
    return [fold_of[row.voice] for row in rows]


def voice_bucket(voice: str) -> int:
    """0 to 9, by a digest: the same for a voice in every year and on every machine."""
    return int(hashlib.sha256(voice.encode()).hexdigest()[:8], 16) % N_BUCKETS


def is_reviewed(row: Labelled) -> bool:
    """Whether staff's decision on a real report made the row."""
    return row.voice.startswith(REVIEWED)


def is_frozen(row: Labelled) -> bool:
    """Whether a text belongs to a frozen voice, which only measures and never teaches.

    Staff's texts never do: the frozen texts must be the same for every model.
    """
    return not is_reviewed(row) and voice_bucket(row.voice) == FROZEN_BUCKET


def is_for_encoder(row: Labelled) -> bool:
    """Whether the encoder learns from the text. One voice in ten more is kept from it, to find how
    far its scores can be trusted."""
    return not is_reviewed(row) and voice_bucket(row.voice) not in (
        FROZEN_BUCKET,
        CALIBRATION_BUCKET,
    )


def near_duplicates(
    texts: Sequence[str], others: Sequence[str], threshold: float = NEAR_DUPLICATE
) -> Iterator[tuple[int, int, float]]:
    """(place in `others`, place in `texts`, likeness) of each pair alike above the threshold.

    Likeness is the share of the two texts' shingles that both have (Jaccard).
    """
    counter = CountVectorizer(analyzer=_shingles, dtype=np.float32)
    known = counter.fit_transform([*texts, *others])
    size = np.diff(known.indptr)
    known, other = known[: len(texts)], known[len(texts) :]
    for start in range(0, len(others), _BLOCK):
        both = (other[start : start + _BLOCK] @ known.T).tocoo()
        place = start + both.row
        likeness = both.data / (size[len(texts) + place] + size[both.col] - both.data)
        for pair in np.flatnonzero(likeness > threshold):
            yield int(place[pair]), int(both.col[pair]), float(likeness[pair])


def _shingles(text: str) -> set[str]:
    plain = re.sub(r"\W+", " ", text.lower()).strip()
    return {plain[i : i + SHINGLE] for i in range(max(1, len(plain) - SHINGLE + 1))}
