"""A worker that is killed while people decide loses nothing that somebody was told is saved."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from bench import review_load
from lagesbild.night import Store, give_way

N_REVIEWERS, N_WORKERS = 3, 2


def test_a_night_gives_way_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[int, int] = {}
    monkeypatch.setattr(os, "setpriority", lambda _, thread, nice: asked.update({thread: nice}))
    give_way()
    assert asked[threading.get_native_id()] > 0


@pytest.mark.slow
def test_no_acknowledged_decision_is_lost_when_a_worker_is_killed(tmp_path: Path) -> None:
    names = [review_load.name_of(number) for number in range(N_REVIEWERS)]
    settings = review_load.prepare(tmp_path, 1500, names)
    tally = review_load.Tally()

    async def decide() -> None:
        with review_load.served(tmp_path, N_WORKERS) as server:
            await server.wait(N_WORKERS)
            known = set(server.workers())
            async with review_load.logged_in(server.url, N_REVIEWERS, tally, 0.02) as reviewers:
                await review_load.crash(
                    server,
                    reviewers,
                    is_time=lambda: len(tally.acknowledged) >= 4,
                    is_over=lambda: len(tally.acknowledged) >= 16,
                )
            await server.wait(N_WORKERS)
            assert set(server.workers()) != known  # another took the place of the killed one

    asyncio.run(asyncio.wait_for(decide(), 240))
    assert len(tally.acknowledged) >= 16
    assert not tally.errors
    assert review_load.lost_or_doubled(Store(settings), tally.acknowledged) == []
    # the check itself sees what is lost, and what is there twice
    assert review_load.lost_or_doubled(Store(settings), {"never-stored": ("x", "anna", "trafik")})
