"""A pull without a network: a context, a client that answers from a list, and what came of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx

from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient
from lagesbild.records import Parsed, RawSubmission, Rejection
from lagesbild.sources.base import PullContext, Source

NOW = dt.datetime(2026, 2, 1, 3, 15, tzinfo=dt.UTC)


class FakeClient:
    """Answers through a function of (url, params or body) and remembers what was asked."""

    def __init__(self, answer: Callable[[str, Any], httpx.Response]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Any]] = []

    def get(self, url: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        return self._ask(url, dict(params or {}))

    def post_json(self, url: str, body: Any) -> httpx.Response:
        return self._ask(url, body)

    def _ask(self, url: str, sent: Any) -> httpx.Response:
        self.asked.append((url, json.loads(json.dumps(sent))))
        response = self.answer(url, sent)
        response.request = httpx.Request("GET", url)
        return response


@dataclass
class Pulled:
    records: list[RawSubmission] = field(default_factory=list)
    refused: list[tuple[str, Rejection]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    state: Mapping[str, Any] = field(default_factory=dict)
    n_pages: int = 0
    error: str = ""

    def parsed(self, source: Source) -> list[Parsed]:
        return [parsed for raw in self.records for parsed in source.parse(raw)]

    @property
    def reasons(self) -> list[str]:
        return [rejection.reason for _, rejection in self.refused]


def context(
    base_dir: Path = Path(),
    state: Mapping[str, Any] | None = None,
    client: FakeClient | None = None,
    hash_key: bytes = b"nyckel",
) -> PullContext:
    return PullContext(
        client=cast("PoliteClient", client),
        state=json.loads(json.dumps(state or {})),
        now=NOW,
        base_dir=base_dir,
        hash_key=hash_key,
    )


def pull(source: Source, where: PullContext) -> Pulled:
    """Everything a source gives, and the error it ended with."""
    pulled = Pulled(state=where.state)
    try:
        for page in source.fetch(where):
            pulled.records += page.records
            pulled.refused += page.refused
            pulled.notes += page.notes
            pulled.state = page.state
            pulled.n_pages += 1
    except SourceError as error:
        pulled.error = str(error)
    return pulled


def rejections(parsed: Sequence[Parsed]) -> list[tuple[str, str]]:
    return [(p.source_record_id, p.reason) for p in parsed if isinstance(p, Rejection)]
