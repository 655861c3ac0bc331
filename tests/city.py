"""A small invented town for tests of the night: a source held in memory and a simple classifier."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from lagesbild.records import (
    Classified,
    Page,
    Parsed,
    ParsedSubmission,
    RawSubmission,
    Rejection,
    SurveyAnswer,
    ThemeMention,
)
from lagesbild.sources import PullContext, SourceConfig

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class TownSource:
    """Yields whatever pages the test put in `answers[name]`: lists of dicts, or an exception.

    A record is {"id", "text", "time", "category", "place", "parts", "answers"}; only id is needed.
    """

    Config: ClassVar[type[SourceConfig]] = SourceConfig
    answers: ClassVar[dict[str, list[Any]]] = {}
    drift_fields: ClassVar[tuple[str, ...]] = ("category", "place.name")

    def __init__(self, name: str, config: SourceConfig) -> None:
        self.name = name

    def fetch(self, context: PullContext) -> Iterator[Page]:
        n_pages = context.state.get("n_pages", 0)
        for answer in self.answers.get(self.name, []):
            if isinstance(answer, BaseException):
                raise answer
            n_pages += 1
            if isinstance(answer, Page):
                yield answer
                continue
            records = [
                RawSubmission(
                    self.name, str(r["id"]), json.dumps(r, ensure_ascii=False), context.now
                )
                for r in answer
            ]
            yield Page(records, {"n_pages": n_pages})

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        record = json.loads(raw.payload)
        if record.get("broken"):
            return [Rejection(raw.source, raw.source_record_id, "missing_field", "time")]
        at = datetime.fromisoformat(record.get("time", NOON.isoformat()))
        if "parts" in record:
            found: list[Parsed] = [
                self._remark(raw, text, at, part) for part, text in record["parts"].items() if text
            ]
            found += [
                SurveyAnswer(raw.source, raw.source_record_id, "h" * 64, "2026", item, value, at)
                for item, value in record.get("answers", {}).items()
            ]
            return found
        return [self._remark(raw, record.get("text", ""), at, "")]

    def _remark(self, raw: RawSubmission, text: str, at: datetime, part: str) -> ParsedSubmission:
        record = json.loads(raw.payload)
        return ParsedSubmission(
            source=raw.source,
            source_record_id=raw.source_record_id,
            kind=record.get("kind", "report"),
            text=text,
            reported_at=at,
            part=part,
            category=record.get("category"),
            status=record.get("status"),
            lat=record.get("lat"),
            lon=record.get("lon"),
            areas=(("kommun", record["kommun"]),) if "kommun" in record else (),
        )


class WordClassifier:
    """The word 'langare' means narkotika, 'lampa' means fysisk_miljo; counts its calls."""

    words: ClassVar[dict[str, str]] = {"langare": "narkotika", "lampa": "fysisk_miljo"}

    def __init__(self, version: str = "ord-1") -> None:
        self.version = version
        self.n_texts = 0

    def classify(
        self, texts: Sequence[str], questions: Sequence[str | None]
    ) -> Sequence[Classified]:
        assert len(texts) == len(questions)
        self.n_texts += len(texts)
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Classified:
        found = tuple(
            ThemeMention(theme, None, 0.9, "problem", ((text.find(word), text.find(word) + 3),))
            for word, theme in self.words.items()
            if word in text
        )
        abstain = None if found else "none_of_these"
        probabilities = {theme: 0.9 if word in text else 0.1 for word, theme in self.words.items()}
        return Classified(found, abstain, False, "sv", self.version, probabilities)


class Clock:
    """A clock that only moves when told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def write_config(folder: Path, extra: str = "", sources: str = "") -> Path:
    """A configuration file with the source `stan` unless others are given."""
    path = folder / "lagesbild.toml"
    sources = sources or '[sources.stan]\nkind = "town"\n'
    path.write_text(f'municipality_code = "1480"\n{extra}\n{sources}', encoding="utf-8")
    return path
