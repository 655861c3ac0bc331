"""The review page under load, and what is kept when it and the night are killed.

    python -m bench.review_load [--n 1000000] [--reviewers 20] [--workers 4] [--seconds 60]
                                [--think 2.5] [--store FOLDER]

Invented reports (bench/review_index.py) are published and indexed; then `lagesbild review serve`
answers reviewers who each read their own area: the next report, a while of thinking, a decision,
now and then the queue or a search. Meanwhile `lagesbild night` takes in new reports, again and
again. Everything shares this machine: workers, nights and the reviewers themselves.

Afterwards a worker and a night are killed (SIGKILL) while people decide, both start anew, and
every decision that a reviewer was told is saved must be stored, once, and merged by the night.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import html
import os
import random
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench.review_index import _THEMES, _WORDS, make_snapshot
from lagesbild.errors import LagesbildError
from lagesbild.night import Store
from lagesbild.review.index import ensure_index
from lagesbild.review.people import People
from lagesbild.settings import Settings, load
from lagesbild.store import snapshots
from lagesbild.store.warehouse import connect
from lagesbild.themes import load_themes

PASSWORD = "inte-hemligt-alls"  # noqa: S105 - of people who exist for a minute
N_AREAS = 60
TARGETS = {"queue": 150, "report": 150, "search": 150, "decide": 50}  # ms, 95 of 100 below
SEARCHES = ("lamp", "angen ostra", "knark park", "4711", "finnsinte")
_CONFIG = """
municipality_code = "9901"
reclassify_per_night = 0
[sources.synpunkter]
kind = "tabular"
path = "in/*.csv"
columns = {id = "id", text = "text", reported_at = "tid", areas = {stadsdel = "omrade"}}
"""
_COMMAND = "import sys; from lagesbild.cli import main; sys.exit(main(sys.argv[1:]))"


def prepare(folder: Path, n: int, names: list[str]) -> Settings:
    """A store with `n` published and indexed reports, and people who may log in."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lagesbild.toml").write_text(_CONFIG, encoding="utf-8")
    (folder / "in").mkdir(exist_ok=True)
    settings = load(folder / "lagesbild.toml")
    store = Store(settings)
    if not store.warehouse.exists():
        snapshot = make_snapshot(settings, n)
        ensure_index(snapshot, store.decisions, settings.review, load_themes())
    people = People(store.root / "people.sqlite")
    for name in names:
        people.add(name, "reviewer", PASSWORD)
    return settings


def _run(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _COMMAND, *words, "--config", str(folder / "lagesbild.toml")]
    with (folder / f"{words[0]}.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


# --- the server and the night ---------------------------------------------------------------------


class Server:
    """`lagesbild review serve` on a free port."""

    def __init__(self, folder: Path, n_workers: int) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        words = ("review", "serve", "--port", str(port), "--workers", str(n_workers))
        self.process = _run(folder, *words)

    def workers(self) -> list[int]:
        """Their process ids, as the system knows them."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = [int(pid) for pid in children.read_text().split()]
        return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    async def wait(self, n_workers: int) -> None:
        """Until the page answers and all workers are there."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            while self.process.poll() is None:
                try:
                    if (await client.get("/logga-in")).is_success and (
                        n_workers == 1 or len(self.workers()) == n_workers
                    ):
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        raise LagesbildError("Granskningssidan startade inte.")

    def cpu_s(self) -> float:
        ticks = 0
        for pid in [self.process.pid, *self.workers()]:
            values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(values[11]) + int(values[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path, n_workers: int) -> Iterator[Server]:
    server = Server(folder, n_workers)
    try:
        yield server
    finally:
        stop(server.process)


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Nights:
    """One night after another, each with new reports to take in."""

    def __init__(self, folder: Path, n_new: int) -> None:
        self._folder = folder
        self._n_new = n_new
        self.n_begun = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.exits: list[int] = []

    def begin(self) -> None:
        self.n_begun += 1
        day = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=self.n_begun)
        path = self._folder / "in" / f"{time.time_ns()}.csv"
        with path.with_suffix(".tmp").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "tid", "text", "omrade"))
            for number in range(self._n_new):
                words = random.sample(_WORDS, 12)
                row = (f"{path.stem}-{number}", day.isoformat(), " ".join(words), f"S{number % 60}")
                writer.writerow(row)
        path.with_suffix(".tmp").rename(path)
        self.process = _run(self._folder, "night")

    def is_running(self) -> bool:
        if self.process and self.process.poll() is not None:
            self.exits.append(self.process.returncode)
            self.process = None
        return self.process is not None

    async def go_on(self, until: float) -> None:
        while time.monotonic() < until:
            if not self.is_running():
                self.begin()
            await asyncio.sleep(0.2)

    async def merge(self, store: Store, within_s: float) -> bool:
        """One night more; whether it has published all decisions, each once, in time."""
        if not self.is_running():
            self.begin()
        until = time.monotonic() + within_s
        while time.monotonic() < until and self.is_running():
            await asyncio.sleep(0.5)
        return is_merged(store)


# --- reviewers ------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What reviewers met. `acknowledged`: reading id -> (report, reviewer, themes)."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    n_conflicts: int = 0
    n_repeated: int = 0
    acknowledged: dict[str, tuple[str, str, str]] = field(default_factory=dict)


class Reviewer:
    """Somebody at a browser. `is_stubborn`: asks again when a worker dies, as people do."""

    def __init__(
        self, client: httpx.AsyncClient, number: int, tally: Tally, think_s: float
    ) -> None:
        self.client = client
        self.name = name_of(number)
        self.area = f"stadsdel/S{number % N_AREAS}"
        self.tally = tally
        self.is_stubborn = False
        self._think_s = think_s
        self._chance = random.Random(number)  # noqa: S311

    async def log_in(self) -> None:
        form = fields((await self.client.get("/logga-in")).text)
        data = {"name": self.name, "password": PASSWORD, "token": form["token"]}
        answer = await self.client.post("/logga-in", data=data)
        if answer.status_code != 303:
            raise LagesbildError("Inloggningen lyckades inte.")

    async def work(self, is_over: Callable[[], bool]) -> None:
        """Until it is over; begins at a moment of its own, so that not all ask at once."""
        await asyncio.sleep(self._chance.random() * self._think_s)
        onwards = f"/nasta?area={self.area}"
        while not is_over():
            onwards = await self._read_one(onwards) or ""
            if not onwards:  # nothing left, or somebody was quicker
                await asyncio.sleep(self._think_s)
                onwards = f"/nasta?area={self.area}"
            if self._chance.random() < 0.25:
                await self._ask("queue", f"/ko?area={self.area}")
            if self._chance.random() < 0.25:
                await self._ask("search", f"/ko?q={self._chance.choice(SEARCHES)}&reviewed=")

    async def _read_one(self, path: str) -> str | None:
        """Returns where the page sends them next."""
        sent = await self._ask("next", path)
        where = sent.headers.get("location", "") if sent else ""
        page = await self._ask("report", where) if where.startswith("/rapport/") else None
        if page is None or 'id="answer"' not in page.text:
            return None
        await asyncio.sleep(self._chance.uniform(0.6, 1.4) * self._think_s)
        text = page.text[page.text.index('id="answer"') :]
        form = fields(text[: text.index("<fieldset")])
        theme = self._chance.choice(_THEMES)
        answer = await self._ask("decide", where, {**form, "theme": theme, "outcome": "decided"})
        if answer is None or answer.status_code != 303:
            return None
        report = where.removeprefix("/rapport/")[:32]
        self.tally.acknowledged[form["client_id"]] = (report, self.name, theme)
        return answer.headers["location"]

    async def _ask(
        self, kind: str, path: str, data: Mapping[str, str] | None = None
    ) -> httpx.Response | None:
        while True:
            began = time.perf_counter()
            try:
                method = "GET" if data is None else "POST"
                answer = await self.client.request(method, path, data=data)
            except httpx.TransportError as error:
                if self.is_stubborn:
                    self.tally.n_repeated += 1
                    await asyncio.sleep(0.1)
                    continue
                self.tally.errors[f"{kind}: {type(error).__name__}"] += 1
                return None
            self.tally.took[kind].append((time.perf_counter() - began) * 1000)
            if answer.status_code == 409:  # somebody else decided: what the page is to say
                self.tally.n_conflicts += 1
            elif answer.status_code not in (200, 303):
                self.tally.errors[f"{kind}: {answer.status_code}"] += 1
            return answer


def name_of(number: int) -> str:
    return f"granskare{number}"


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


@asynccontextmanager
async def logged_in(
    url: str, n: int, tally: Tally, think_s: float
) -> AsyncIterator[list[Reviewer]]:
    async with AsyncExitStack() as stack:
        reviewers = []
        for number in range(n):
            client = httpx.AsyncClient(base_url=url, timeout=30, verify=False)  # noqa: S501 - http
            await stack.enter_async_context(client)
            reviewers.append(Reviewer(client, number, tally, think_s))
            await reviewers[-1].log_in()
        yield reviewers


# --- what is kept ---------------------------------------------------------------------------------


def lost_or_doubled(store: Store, acknowledged: Mapping[str, tuple[str, str, str]]) -> list[str]:
    """Sentences about every decision that somebody was told is saved and that is not, or twice."""
    with closing(store.decisions.open()) as db:
        rows = db.execute(
            "select r.reading_id, r.submission_id, r.reviewer, d.theme from reading r "
            "left join decision d on d.decision_id glob r.reading_id || ':*' "
            "and d.verdict in ('accepted', 'added')"
        ).fetchall()
    found = Counter(row[0] for row in rows)
    stored = {row[0]: row[1:] for row in rows}
    broken = [f"{id} is lost" for id, said in acknowledged.items() if stored.get(id) != said]
    broken += [f"{id} is there {n} times" for id, n in found.items() if n > 1]
    by_report = Counter((row[1], row[2]) for row in rows)
    broken += [
        f"{who} decided {report} {n} times" for (report, who), n in by_report.items() if n > 1
    ]
    return broken


def is_merged(store: Store) -> bool:
    """Whether the newest snapshot has every decision, once."""
    with connect(snapshots.current(store.snapshots), read_only=True) as db:
        rows = db.execute("select decision_id from review").fetchall()
    return sorted(row[0] for row in rows) == sorted(store.decisions.ids())


async def crash(
    server: Server,
    reviewers: list[Reviewer],
    *,
    is_time: Callable[[], bool],
    is_over: Callable[[], bool],
    night: subprocess.Popen[bytes] | None = None,
) -> None:
    """Kill a worker and the night while people decide, and let people go on."""
    for reviewer in reviewers:
        reviewer.is_stubborn = True
    work = [asyncio.create_task(reviewer.work(is_over)) for reviewer in reviewers]
    while not is_time():
        await asyncio.sleep(0.02)
    os.kill(server.workers()[0], signal.SIGKILL)
    if night is not None and night.poll() is None:
        night.kill()
        night.wait()
    await asyncio.gather(*work)


# --- the whole bench ------------------------------------------------------------------------------


def report(tally: Tally) -> None:
    for kind, took in tally.took.items():
        took = sorted(took)
        p95 = took[min(int(len(took) * 0.95), len(took) - 1)]
        target = f"   target {TARGETS[kind]}" if kind in TARGETS else ""
        print(
            f"{kind:<8} p50 {statistics.median(took):7.1f} ms   p95 {p95:7.1f} ms   "
            f"n {len(took)}{target}"
        )
    n_errors = sum(tally.errors.values())
    print(f"errors {n_errors} {dict(tally.errors) or ''}, conflicts told {tally.n_conflicts}")


async def measure(options: argparse.Namespace, folder: Path, settings: Settings) -> bool:
    store, nights = Store(settings), Nights(folder, options.new)
    with served(folder, options.workers) as server:
        await server.wait(options.workers)
        tally = Tally()
        async with logged_in(server.url, options.reviewers, tally, options.think) as reviewers:
            try:
                before = (server.cpu_s(), _own_cpu_s())
                until = time.monotonic() + options.seconds
                going = asyncio.create_task(nights.go_on(until))
                await asyncio.gather(*(r.work(lambda: time.monotonic() > until) for r in reviewers))
                await going
                used = (server.cpu_s() - before[0], _own_cpu_s() - before[1])
                print(
                    f"{options.reviewers} reviewers, a decision each {options.think} s of thinking,"
                    f" {options.workers} workers, {options.seconds:.0f} s; processor: server "
                    f"{used[0]:.0f} s, reviewers {used[1]:.0f} s of {os.cpu_count()} x "
                    f"{options.seconds:.0f} s; nights begun {nights.n_begun}, ended {nights.exits}"
                )
                report(tally)
                if not nights.is_running():
                    nights.begin()
                half = time.monotonic() + options.crash_seconds / 2
                await crash(
                    server,
                    reviewers,
                    is_time=lambda: time.monotonic() > half,
                    is_over=lambda: time.monotonic() > half + options.crash_seconds / 2,
                    night=nights.process,
                )
                has_merged = await nights.merge(store, options.merge_seconds)
            finally:
                if nights.process:
                    stop(nights.process)
        broken = lost_or_doubled(store, tally.acknowledged)
        print(
            f"after killing a worker and a night: {len(tally.acknowledged)} decisions acknowledged,"
            f" {len(broken)} lost or doubled, {tally.n_repeated} requests sent again; "
            f"all published once by the next night: {has_merged}"
        )
        return not broken and has_merged and not tally.errors


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=2.5)
    parser.add_argument("--new", type=int, default=500, help="new reports a night")
    parser.add_argument("--crash-seconds", type=float, default=12)
    parser.add_argument("--merge-seconds", type=float, default=600)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    folder = options.store or Path(tempfile.mkdtemp(prefix="lagesbild-"))
    try:
        began = time.perf_counter()
        settings = prepare(folder, options.n, [name_of(i) for i in range(options.reviewers)])
        print(f"{options.n} reports made ready in {time.perf_counter() - began:.0f} s", flush=True)
        sys.exit(0 if asyncio.run(measure(options, folder, settings)) else 1)
    finally:
        if options.store is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
