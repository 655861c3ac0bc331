"""What every source is: a configuration model, a `fetch` and a pure `parse`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from lagesbild.polite import PoliteClient
from lagesbild.records import Page, Parsed, RawSubmission


class SourceConfig(BaseModel):
    """Keys every `[sources.NAME]` table may have; each source adds its own.

    `min_received`: fewer records than this in a pull that found the source alive fails the source
    (its records wait in the inbox, unpublished). `max_received`: more than this warns.
    `silence_hours`: warn when nothing new has come for so long.
    `default_areas`: area type -> code or name for every record of the source, e.g. its kommun;
    used where the record itself says nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    min_received: int = Field(default=0, ge=0)
    max_received: int | None = Field(default=None, ge=1)
    silence_hours: float | None = Field(default=None, gt=0)
    default_areas: Mapping[str, str] = Field(default_factory=dict)
    min_interval_s: float = Field(default=1.0, ge=0)
    timeout_s: float = Field(default=30.0, gt=0)


@dataclass(frozen=True, slots=True)
class PullContext:
    """What a pull may use. `state` is what the last stored page returned, {} the first time.

    `open_record_ids()` lists the records last seen as open, for sources whose closing must be
    asked for. Times come from `now`, files are resolved against `base_dir` (the configuration's
    folder), `hash_key` keys the hashes of respondents and reporters.
    """

    client: PoliteClient
    state: Mapping[str, Any]
    now: datetime
    base_dir: Path
    hash_key: bytes
    open_record_ids: Callable[[], Sequence[str]] = lambda: ()


def client_for(source: Source, config: SourceConfig, user_agent: str) -> PoliteClient:
    """A polite client made to one source's settings; close it after use."""
    headers: Mapping[str, str] = getattr(source, "request_headers", dict)()
    return PoliteClient(
        user_agent=user_agent,
        min_interval_s=config.min_interval_s,
        timeout_s=config.timeout_s,
        headers=headers,
    )


class Source(Protocol):
    """A configured source. Made by `SOURCES[kind](name, config)`.

    `fetch` yields pages until the source has nothing more to give now; it raises `SourceError`
    when the source fails, after whatever pages it could give. It never guesses types.
    `parse` is pure and total: every raw record gives at least one `Parsed`, refusals included.
    A source may name `drift_fields`: keys or dotted paths of its payload whose values are few and
    tell what the source means (a category, an area); an alarm is raised when their distribution
    jumps. It may have `request_headers()`: what every request to it must carry, secrets included.
    """

    Config: ClassVar[type[SourceConfig]]
    name: str

    def __init__(self, name: str, config: Any) -> None: ...

    def fetch(self, context: PullContext) -> Iterator[Page]: ...

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]: ...
