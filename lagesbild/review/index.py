"""One SQLite file beside each snapshot, made for reading one report, and for finding the next one.

It holds redacted texts only, so it is no more secret than the snapshot it was made from. Nights
make it before they publish; a page that finds none makes it itself. It is made from the one before
where that can be done (`index_changes`), and otherwise whole, with the same result.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lagesbild.review.index_changes import renew
from lagesbild.review.index_whole import build, path_of
from lagesbild.settings import Review
from lagesbild.store.decisions import Decisions
from lagesbild.themes import CodePlan

__all__ = ["ensure_index", "path_of"]

_KEPT = 2  # pages read the one before until the newest is made


def ensure_index(snapshot: Path, decisions: Decisions, settings: Review, plan: CodePlan) -> Path:
    """Make the snapshot's index unless it is there; several processes may ask at once."""
    target = path_of(snapshot)
    if target.exists():
        return target
    with (snapshot.parent / "index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            unfinished = target.with_suffix(".making")
            if not renew(snapshot, unfinished, decisions, settings, plan):
                build(snapshot, unfinished, decisions, settings, plan)
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            unfinished.replace(target)
        newest = sorted(snapshot.parent.glob("*.duckdb"))[-_KEPT:]
        kept = {path_of(path) for path in newest}
        for old in snapshot.parent.glob("*.review.sqlite"):
            if old not in kept:
                old.unlink()
    return target
