"""Quotes in a report: only what was released, only while it reads the same, only where shown."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lagesbild.publish.periods import Period
from lagesbild.publish.report.page import write_report
from lagesbild.publish.report.quotes import quotes_of
from lagesbild.publish.report.source import Place
from lagesbild.settings import Settings
from lagesbild.store import quotes, redactions
from lagesbild.store.decisions import Decisions
from lagesbild.store.hiding import Mark, sha256
from lagesbild.store.quotes import Release
from lagesbild.store.warehouse import connect
from lagesbild.themes import load_themes

Town = tuple[Path, Settings]
MALMO = Place("kommun", "1280", "Malmö")
MONTHS = ("2026-01",)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
BOTH = ("fysisk_miljo", "narkotika")


def reports(snapshot: Path, text: str, month: str, kommun: str = "1280") -> list[tuple[str, str]]:
    """(submission_id, digest) of the reports with this text."""
    with connect(snapshot, read_only=True) as db:
        return db.execute(
            "select submission_id, text_sha256 from submission join submission_area "
            "using (submission_id, version) where text = ? and area_code = ? "
            "and strftime(reported_date, '%Y-%m') = ? order by all",
            [text, kommun, month],
        ).fetchall()


def released(
    decisions: Decisions, report: tuple[str, str], text: str, *, start: int = 0, after: int = 0
) -> str:
    """Release the text from `start` on; `after`: minutes after the first. Returns its id."""
    release_id = f"{report[0]}-{start}"
    release = Release(release_id, *report, sha256(text), start, len(text), "anna")
    quotes.release(decisions, release, NOW + timedelta(minutes=after))
    return release_id


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    return Decisions(tmp_path / "review.sqlite")


def words(
    snapshot: Path,
    decisions: Decisions,
    *,
    place: Place = MALMO,
    months: Sequence[str] = MONTHS,
    themes: Sequence[str] = BOTH,
) -> dict[str, list[str]]:
    found = quotes_of(snapshot, decisions, place, months, themes)
    return {theme: [quote.words for quote in told] for theme, told in found.items()}


def test_three_of_a_theme_the_newest_first(town: Town, decisions: Decisions) -> None:
    snapshot, _ = town
    assert words(snapshot, decisions) == {}
    for number, report in enumerate(reports(snapshot, "lampa", "2026-01")[:5]):
        released(decisions, report, "lampa", start=number, after=number)
    dealer = reports(snapshot, "langare", "2026-01")[0]
    released(decisions, dealer, "langare")
    assert words(snapshot, decisions) == {
        "fysisk_miljo": ["… a", "… pa", "… mpa"],
        "narkotika": ["langare"],
    }
    assert words(snapshot, decisions, themes=("fysisk_miljo",)).keys() == {"fysisk_miljo"}


def test_a_report_is_quoted_under_one_theme_only(town: Town, decisions: Decisions) -> None:
    snapshot, _ = town
    text, month, kommun = "langare lampa", "2025-02", "0180"
    released(decisions, reports(snapshot, text, month, kommun)[0], text)
    here = Place("kommun", kommun, "Stockholm")
    for themes in (BOTH, BOTH[::-1]):
        found = words(snapshot, decisions, place=here, months=(month,), themes=themes)
        assert found == {themes[0]: [text]}


def test_only_from_here_and_from_then(town: Town, decisions: Decisions) -> None:
    snapshot, _ = town
    released(decisions, reports(snapshot, "lampa", "2026-01")[0], "lampa")
    assert words(snapshot, decisions, months=("2025-01",)) == {}
    assert words(snapshot, decisions, place=Place("kommun", "0180", "Stockholm")) == {}
    assert words(snapshot, decisions, place=Place("alla", "alla", "Allt")) != {}


def test_what_was_taken_back_marked_or_changed_is_gone(town: Town, decisions: Decisions) -> None:
    snapshot, _ = town
    back, marked, changed, newer = reports(snapshot, "lampa", "2026-01")[:4]
    quotes.withdraw(decisions, released(decisions, back, "lampa"), "bo", NOW)
    released(decisions, marked, "lampa")
    mark = Mark("m", *marked, ((0, 2),), ("aa",), "namn", "anna", "")
    redactions.mark(decisions, mark, NOW)
    released(decisions, changed, "lampan")  # it read otherwise then
    released(decisions, (newer[0], "0" * 64), "lampa")  # of another version
    assert words(snapshot, decisions) == {}
    redactions.unmark(decisions, "m", "anna", NOW)
    assert words(snapshot, decisions) == {"fysisk_miljo": ["lampa"]}


def test_the_page_shows_them_under_a_heading_of_their_own(town: Town, tmp_path: Path) -> None:
    snapshot, settings = town
    store = tmp_path / "store"
    shutil.copytree(settings.store_dir, store)
    settings = settings.model_copy(update={"store": store})
    copied = store / "snapshots" / snapshot.name
    hidden = reports(snapshot, "langare", "2025-02")[0]  # one of two: not shown
    decisions = Decisions(store / "review.sqlite")
    released(decisions, reports(snapshot, "lampa", "2025-01")[0], "lampa")
    released(decisions, hidden, "langare")
    page = write_report(copied, settings, load_themes(), "1280", Period("2025-01"), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert '<h2 id="roster">Röster</h2>' in text
    assert ">”lampa”</blockquote>" in text
    assert "langare" not in text
