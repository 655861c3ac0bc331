"""The planner's counts are made by the night; pages and downloads only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagesbild.publish import families
from lagesbild.publish.counts import Selection, export_counts
from lagesbild.review import planner
from lagesbild.store import snapshots
from lagesbild.themes import load_themes
from tests.review.conftest import ReviewTown

TROUBLE = [
    {"id": n, "text": f"langare {n} igen", "time": f"2026-0{1 + n % 3}-02T12:00:00+01:00"}
    for n in range(24)
]


def test_a_page_reads_what_the_night_counted(
    town: ReviewTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.night(*TROUBLE)
    reader = town.reader("pia", "planner")
    monkeypatch.setattr(planner, "counts", lambda *_: pytest.fail("counted by a page"))
    page = reader.get("/planera?tema=narkotika").text
    assert "2026-01" in page
    newest = town.store.snapshots / "000002.duckdb"
    made = planner.Planner(town.settings, load_themes())
    (series,) = [s for s in made.series(newest, "") if s.theme == "narkotika"]
    assert list(series.months) == ["2026-01", "2026-02", "2026-03"]
    shown = [count.n if count else None for count in series.counts]
    assert shown == [8, 8, 8]


def test_until_the_night_has_counted_pages_show_the_snapshot_before(
    town: ReviewTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(planner, "ensure_counts", lambda *_: None)
        town.night(*TROUBLE)
    made = planner.Planner(town.settings, load_themes())
    newest = snapshots.current(town.store.snapshots)
    assert made.ready(newest).name == "000001.duckdb"
    planner.ensure_counts(newest, town.settings, load_themes())
    assert made.ready(newest) == newest


def test_a_download_is_the_command_lines_export_and_protects_nothing_anew(
    town: ReviewTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.night(*TROUBLE)
    snapshot = snapshots.current(town.store.snapshots)
    plan = load_themes()
    for by in planner.OFFERED.values():
        export_counts(snapshot, Selection(by), plan, tmp_path / "cli", settings=town.settings)
    families.published.cache_clear()
    monkeypatch.setattr(families, "protect", lambda *_: pytest.fail("protected again"))
    reader = town.reader("pia", "planner")
    for name, by in planner.OFFERED.items():
        answer = reader.get(f"/planera/hamta?by={name}&style=csv")
        expected = tmp_path / "cli" / f"antal_{'_'.join(by)}_excel_sv.csv"
        assert answer.content == expected.read_bytes()


def test_counts_of_removed_snapshots_are_removed(town: ReviewTown) -> None:
    for number in range(10, 14):
        town.night({"id": number, "text": f"langare {number}"})
    kept = {path.stem for path in town.store.snapshots.glob("*.duckdb")}
    counted = {path.name.partition(".")[0] for path in town.store.snapshots.glob("*.counts.sqlite")}
    assert counted == kept


def test_too_many_counts_are_made_by_who_asks_and_not_by_the_night(
    town: ReviewTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "_MOST_COUNTS", 0)
    town.night(*TROUBLE)
    newest = snapshots.current(town.store.snapshots)
    path = planner.counts_path(newest, town.settings, load_themes())
    assert not path.exists()
    assert planner.Planner(town.settings, load_themes()).ready(newest) == newest
    assert path.exists()


def test_readers_are_not_sent_to_what_could_not_be_made_ready(tmp_path: Path) -> None:
    warehouse, folder = tmp_path / "warehouse.duckdb", tmp_path / "snapshots"
    warehouse.write_bytes(b"one")
    first = snapshots.publish(warehouse, folder, 3)
    warehouse.write_bytes(b"two")

    def cut_off(copy: Path) -> None:
        assert snapshots.current(folder) == first
        copy.with_suffix(".review.sqlite").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshots.publish(warehouse, folder, 3, cut_off)
    assert snapshots.current(folder) == first
    assert snapshots.is_stale(warehouse, folder)
    second = snapshots.publish(warehouse, folder, 3)
    assert snapshots.current(folder) == second
    assert sorted(path.name for path in folder.iterdir()) == [
        "000001.duckdb",
        "000003.duckdb",
        "CURRENT",
    ]
