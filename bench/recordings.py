"""Every recorded answer through its connector: what each file is and how its records fare.

Run: python -m bench.recordings [PART …]   (all parts when none is named)
The recordings lie beside the project, in ../shared/data; nothing of them is printed but counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench.recorded_surveys import survey_lines
from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient
from lagesbild.records import Parsed, Rejection
from lagesbild.sources.base import PullContext
from lagesbild.sources.open311 import Open311
from lagesbild.sources.open311_parse import read_answer
from lagesbild.sources.open311_server import Open311Config

RECORDED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
NOW = datetime(2026, 11, 1, tzinfo=UTC)

# (file, what it is, counts by outcome)
Line = tuple[str, str, Counter[str]]


def open311_lines(folder: Path) -> Iterator[Line]:
    """Each file served as the answer of a server that has nothing else to say."""
    for path in sorted((folder / "open311").iterdir()):
        body = path.read_bytes()
        kind = read_answer(body).kind
        try:
            yield path.name, kind, _pulled(body, "xml" if path.suffix == ".xml" else "json")
        except SourceError:
            yield path.name, kind, Counter({"no request list": 1})


def _pulled(body: bytes, format_: str) -> Counter[str]:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=body))
    config = Open311Config.model_validate(
        {
            "kind": "open311",
            "url": "http://recorded.invalid",
            "format": format_,
            "paging": "page",
            "updated_after": False,
            "min_interval_s": 0,
        }
    )
    source = Open311("recorded", config)
    counts: Counter[str] = Counter()
    with PoliteClient(user_agent="bench", min_interval_s=0, transport=transport) as client:
        for page in source.fetch(PullContext(client, {}, NOW, Path(), b"")):
            counts.update(f"refused: {rejection.reason}" for _, rejection in page.refused)
            for raw in page.records:
                for parsed in source.parse(raw):
                    counts[_outcome(parsed)] += 1
    return counts


def _outcome(parsed: Parsed) -> str:
    return f"refused: {parsed.reason}" if isinstance(parsed, Rejection) else "parsed"


PARTS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "open311": open311_lines,
    "surveys": survey_lines,
}


def main(names: Sequence[str]) -> int:
    unknown = set(names) - PARTS.keys()
    if unknown or not RECORDED.is_dir():
        print(f"parts: {', '.join(PARTS)}; recordings expected in ../shared/data", file=sys.stderr)
        return 2
    for name in names or PARTS:
        total: Counter[str] = Counter()
        print(f"# {name}")
        for file_name, kind, counts in PARTS[name](RECORDED):
            total += counts
            print(f"{file_name:68} {kind:20} {_written(counts)}")
        print(f"{'all':68} {'':20} {_written(total)}\n")
    return 0


def _written(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
