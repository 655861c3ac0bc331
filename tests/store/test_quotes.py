"""Releases of quotes: kept for ever, taken back by another row, never longer than a few lines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lagesbild.errors import UsageError
from lagesbild.store import quotes
from lagesbild.store.decisions import Decisions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def released(release_id: str, report: str = "s1", end: int = 20) -> quotes.Release:
    return quotes.Release(release_id, report, "known by", "shown", 0, end, "anna")


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    return Decisions(tmp_path / "review.sqlite")


def test_what_was_released_is_told_with_what_was_taken_back(decisions: Decisions) -> None:
    assert quotes.releases(decisions) == []
    quotes.release(decisions, released("b"), NOW)
    quotes.release(decisions, released("a", "s2"), NOW + timedelta(minutes=1))
    quotes.release(decisions, released("b", end=5), NOW + timedelta(minutes=2))  # sent again
    quotes.withdraw(decisions, "a", "bo", NOW)
    quotes.withdraw(decisions, "a", "anna", NOW)
    found = quotes.releases(decisions)
    assert [(r.release_id, r.end, r.is_undone) for r in found] == [
        ("b", 20, False),
        ("a", 20, True),
    ]
    assert [r.release_id for r in quotes.releases(decisions, "s2")] == ["a"]


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 4), (-1, 4), (0, quotes.LONGEST + 1)])
def test_a_quote_is_a_few_lines(decisions: Decisions, start: int, end: int) -> None:
    wrong = quotes.Release("a", "s1", "known by", "shown", start, end, "anna")
    with pytest.raises(UsageError, match="citat"):
        quotes.release(decisions, wrong, NOW)
    assert quotes.releases(decisions) == []


@pytest.mark.parametrize(
    "change",
    [
        "delete from quote_release",
        "update quote_release set end_at = 9",
        "delete from quote_undo",
        "update quote_undo set reviewer = 'x'",
    ],
)
def test_nothing_is_changed_afterwards(decisions: Decisions, change: str) -> None:
    quotes.release(decisions, released("a"), NOW)
    quotes.withdraw(decisions, "a", "bo", NOW)
    with closing(decisions.open()) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute(change)
