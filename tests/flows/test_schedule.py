"""A scheduled night is really created by the server and run by a worker.

This alone notices when versions of Prefect's own dependencies do not fit together: the server then
starts, runs started by hand work, and nothing scheduled ever comes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lagesbild.night import Store
from lagesbild.settings import load
from lagesbild.store import snapshots
from lagesbild.verify import verify
from tests.conftest import REPO

pytestmark = pytest.mark.slow

CONFIG = """
municipality_code = "1480"
[sources.app]
kind = "tabular"
path = "app.csv"
[sources.app.columns]
id = "Nr"
text = "Text"
reported_at = "Datum"
"""
REPORTS = "Nr;Text;Datum\n1;Lampan vid tunneln är trasig;2026-03-01\n2;;2026-03-02\n"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Prefect:
    """A server of its own, and commands against it; everything started is stopped by its id."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}/api"
        self._log = (folder / "prefect.log").open("wb")
        self._started: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")},
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "DO_NOT_TRACK": "1",
            "LAGESBILD_DIR": str(folder),
        }

    def start(self, *command: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *command],
            env=self._environment,
            cwd=REPO,
            stdout=self._log,
            stderr=self._log,
        )
        self._started.append(process)

    def run(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *command],
            env=self._environment,
            cwd=REPO,
            stdout=self._log,
            stderr=self._log,
            check=True,
            timeout=120,
        )

    def ask(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_for(self, what: Callable[[], Any], seconds: float, told: str) -> Any:
        """Ask until the answer is true; other processes can only be polled."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            dead = [p.args for p in self._started if p.poll() is not None]
            assert not dead, f"ended by itself: {dead}"
            if answer := what():
                return answer
            time.sleep(0.5)
        raise AssertionError(f"waited {seconds} s for {told}")

    def stop(self) -> None:
        for process in reversed(self._started):
            for _ in range(2):  # a worker started in the background ignores the first
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=10)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                process.kill()
                process.wait()
        self._log.close()


@pytest.fixture
def prefect(tmp_path: Path) -> Iterator[Prefect]:
    server = Prefect(tmp_path)
    try:
        yield server
    finally:
        server.stop()


def test_a_scheduled_night_is_created_and_run_by_a_worker(prefect: Prefect, tmp_path: Path) -> None:
    (tmp_path / "lagesbild.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "app.csv").write_text(REPORTS, encoding="utf-8")
    host, port = prefect.url.removesuffix("/api").removeprefix("http://").split(":")
    prefect.start("server", "start", "--host", host, "--port", port)
    prefect.wait_for(prefect.is_up, 120, "the server")
    prefect.run("work-pool", "create", "lagesbild", "--type", "process")
    prefect.run("deploy", "--all")
    prefect.run("automation", "create", "--from-file", "docs/automations.yaml")
    schedules = {
        deployment["name"]: [s["schedule"]["cron"] for s in deployment["schedules"]]
        for deployment in prefect.ask("deployments/filter")
    }
    assert schedules == {
        "nightly": ["15 3 * * *"],
        "police-hourly": ["5 * * * *"],
        "weekly": ["30 4 * * 0"],
        "by-hand": [],
    }
    # the same deployment, but due in seconds instead of at a quarter past three
    prefect.run("deployment", "schedule", "create", "night/nightly", "--interval", "20")
    prefect.start("worker", "start", "--pool", "lagesbild", "--limit", "1", "--name", "test")

    def finished() -> Any:
        return prefect.ask(
            "flow_runs/filter",
            flow_runs={"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}},
        )

    run = prefect.wait_for(finished, 150, "a scheduled run to end")[0]
    assert (run["auto_scheduled"], run["state_type"]) == (True, "COMPLETED")
    store = Store(load(tmp_path / "lagesbild.toml"))
    assert verify(store) == []
    assert snapshots.current(store.snapshots).exists()
    artifacts = {a["key"] for a in prefect.ask("artifacts/latest/filter")}
    assert {"night-ledger", "theme-counts"} <= artifacts
