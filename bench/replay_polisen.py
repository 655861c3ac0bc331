"""Replay recorded answers of the police API, in order, through whole nights over loopback.

    python -m bench.replay_polisen ../shared/data/police/polisen_snapshots_*.jsonl.xz [--every N]

Prints what a separate, slow reading of the recordings says should be in the store beside what is
there: events, versions, times, municipalities; and when the change of meaning was alarmed. Exits
with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lagesbild.night import Store, run_night
from lagesbild.records import Classified
from lagesbild.settings import load
from lagesbild.store.inbox import Inbox
from lagesbild.store.warehouse import connect
from lagesbild.verify import verify

CONFIG = """
municipality_code = "0180"
[sources.polisen]
kind = "polisen"
url = "http://127.0.0.1:{port}/api/events"
min_interval_s = 0
"""


class Undecided:
    """Classifies nothing: only what happens to events is measured here."""

    version = "none"

    def classify(
        self, texts: Sequence[str], _questions: Sequence[str | None]
    ) -> Sequence[Classified]:
        return [Classified((), "none_of_these", False, "sv", self.version) for _ in texts]


class Feed:
    """A loopback server that answers with whatever `body` is now."""

    def __init__(self) -> None:
        self.body = b"[]"
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(feed.body)))
                self.end_headers()
                self.wfile.write(feed.body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def recordings(path: Path) -> Iterator[tuple[datetime, str]]:
    """(fetched_at, body) of every good recorded answer, in order."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["status"] == 200:
                yield datetime.fromisoformat(row["fetched_at"]).astimezone(UTC), row["body"]


def slow_time(text: str) -> datetime:
    """'2026-01-10 6:44:09 +01:00' read figure by figure."""
    y, mo, d, h, mi, s, sign, oh, om = re.fullmatch(
        r"(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+) ([+-])(\d+):(\d+)", text
    ).groups()  # type: ignore[union-attr]
    offset = timedelta(hours=int(oh), minutes=int(om)) * (1 if sign == "+" else -1)
    local = datetime(int(y), int(mo), int(d), int(h), int(mi), int(s), tzinfo=timezone(offset))
    return local.astimezone(UTC).replace(tzinfo=None)


class Expected:
    """What the recordings hold, counted the slow way."""

    def __init__(self) -> None:
        self.newest: dict[str, dict[str, Any]] = {}
        self.n_versions: dict[str, int] = {}
        self.offsets: dict[str, int] = {}
        self.n_unpadded = 0

    def add(self, items: list[dict[str, Any]]) -> None:
        for item in {str(item["id"]): item for item in items}.values():
            event = str(item["id"])
            if event not in self.newest:
                self.offsets[item["datetime"][-6:]] = self.offsets.get(item["datetime"][-6:], 0) + 1
                self.n_unpadded += re.search(r" \d:", item["datetime"]) is not None
            if self.newest.get(event) != item:
                self.n_versions[event] = self.n_versions.get(event, 0) + 1
                self.newest[event] = item


def replay(path: Path, every: int) -> bool:
    """Replay one file and print the comparison. Returns whether everything agreed."""
    expected = Expected()
    alarms: list[tuple[datetime, str, str]] = []
    with tempfile.TemporaryDirectory() as folder, Feed() as feed:
        config = Path(folder) / "lagesbild.toml"
        config.write_text(CONFIG.format(port=feed.port), encoding="utf-8")
        settings = load(config)
        n = 0
        for number, (fetched_at, body) in enumerate(recordings(path)):
            if number % every:
                continue
            n += 1
            expected.add(json.loads(body))
            feed.body = body.encode()
            result = run_night(settings, Undecided(), clock=lambda at=fetched_at: at)
            alarms += [
                (fetched_at, alarm.check, alarm.message) for alarm in result.sources[0].alarms
            ]
        print(f"\n{path.name}: {n} answers replayed")
        return compare(Store(settings), expected, alarms)


def compare(store: Store, expected: Expected, alarms: list[tuple[datetime, str, str]]) -> bool:
    with connect(store.warehouse.path, read_only=True) as db:
        kept = db.execute(
            "select s.source_record_id, s.reported_at, a.area_name from submission s "
            "left join submission_area p on p.submission_id = s.submission_id "
            "and p.version = s.version and p.area_type = 'kommun' "
            "left join area a using (area_type, area_code, geo_version) where s.is_current"
        ).fetchall()
        refused = {
            row[0]
            for row in db.execute("select source_record_id from rejected_submission").fetchall()
        }
        kommuner = {
            row[0]
            for row in db.execute(
                "select area_name from area where area_type = 'kommun'"
            ).fetchall()
        }
    with Inbox(store.inbox) as inbox:
        versions: dict[str, int] = {}
        for row in inbox.rows_after("polisen", 0):
            event = row.raw.source_record_id
            versions[event] = versions.get(event, 0) + 1
    events = {row[0] for row in kept}
    wrong_time = sum(slow_time(expected.newest[event]["datetime"]) != at for event, at, _ in kept)
    named = [
        (expected.newest[e]["name"].rsplit(",", 1)[-1].strip(), kommun) for e, _, kommun in kept
    ]
    told = [pair for pair in named if pair[0] in kommuner]
    facts: list[tuple[str, Any, Any]] = [
        ("events", len(expected.newest), len(events | refused)),
        ("events lost", 0, len(expected.newest.keys() - events - refused)),
        ("events twice", 0, len(kept) - len(events)),
        ("versions (edits kept)", sum(expected.n_versions.values()), sum(versions.values())),
        (
            "events with wrong number of versions",
            0,
            sum(versions.get(e) != k for e, k in expected.n_versions.items()),
        ),
        ("times wrong", 0, wrong_time),
        ("municipalities named but not placed so", 0, sum(a != b for a, b in told)),
        ("verify", [], verify(store)),
    ]
    for name, want, got in facts:
        print(f"  {name}: expected {want}, found {got}{'' if want == got else '   <-- DIFFERS'}")
    print(f"  refused: {len(refused)}; unpadded hours: {expected.n_unpadded}")
    print(f"  offsets: {expected.offsets}")
    print(f"  events whose name ends with a municipality: {len(told)} of {len(kept)}")
    seen: set[str] = set()
    for at, check, message in alarms:
        if check + message not in seen:
            seen.add(check + message)
            print(f"  {at:%Y-%m-%d %H:%M} UTC {check}: {message}")
    return all(want == got for _, want, got in facts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, help="replay every Nth answer only")
    options = parser.parse_args()
    agreed = [replay(path, options.every) for path in options.files]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    sys.exit(main())
