"""Every recorded survey file, read by the mapping proposed for it; a part of bench.recordings."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from lagesbild.errors import LagesbildError
from lagesbild.polite import PoliteClient
from lagesbild.records import Rejection
from lagesbild.sources import SOURCES, PullContext
from lagesbild.sources.mapping import propose_mapping

Line = tuple[str, str, Counter[str]]


def survey_lines(folder: Path) -> Iterator[Line]:
    """Each file as proposed; where no time is kept, also with the date a person would fill in."""
    for path in sorted((folder / "surveys").iterdir()):
        kind, counts = file_counts(path)
        yield path.name, kind, counts
        if set(counts) == {"raw", "refused: missing_time"}:
            yield path.name, f"{kind}, with a date", file_counts(path, date(2020, 1, 1))[1]


def file_counts(path: Path, day: date | None = None) -> tuple[str, Counter[str]]:
    """(kind of source, what came of the rows), or ("refused", the reason)."""
    try:
        ((name, table),) = tomllib.loads(propose_mapping(path))["sources"].items()
        if day is not None:
            table["date"] = day
        return f"{table['kind']} {table.get('preset', '')}".strip(), _counts(path, name, table)
    except LagesbildError as error:
        reason = str(error).removeprefix(f"{path.name}: ")
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
    return "refused", Counter({f"refused: {reason}": 1})


def _counts(path: Path, name: str, table: dict[str, Any]) -> Counter[str]:
    kind = SOURCES[table["kind"]]
    source = kind(name, kind.Config.model_validate(table))
    no_client = cast("PoliteClient", None)  # files need none
    context = PullContext(no_client, {}, datetime.now(UTC), path.parent, b"bench")
    counts: Counter[str] = Counter()
    for page in source.fetch(context):
        counts["raw"] += len(page.records)
        counts.update(f"refused: {rejection.reason}" for _, rejection in page.refused)
        for raw in page.records:
            parsed = source.parse(raw)
            assert parsed, "parse gave nothing"
            counts.update(
                f"refused: {item.reason}" if isinstance(item, Rejection) else type(item).__name__
                for item in parsed
            )
    return counts
