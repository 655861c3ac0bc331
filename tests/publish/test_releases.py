"""Open data are released once: what came late, or was broken down anew, cannot be subtracted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bench.attacker import attack
from bench.random_families import two_releases
from lagesbild.errors import UsageError
from lagesbild.night import Store, run_night
from lagesbild.publish.counts import Selection, counts, export_counts
from lagesbild.publish.disclosure import HIDDEN, is_hidden, perturbed, protect, record_key, rounded
from lagesbild.publish.families import published_together
from lagesbild.publish.releases import released
from lagesbild.settings import HASH_KEY_VARIABLE, Publish, Settings, load
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots
from lagesbild.store.warehouse import connect
from lagesbild.themes import load_themes
from tests.city import Clock, TownSource, WordClassifier, write_config

PLAN = load_themes()
BY = ("area", "theme", "month")


def reports(first: int, n: int, month: str, kommun: str = "Malmö") -> list[dict[str, Any]]:
    return [
        {
            "id": first + number,
            "text": "langare" if number % 3 else "lampa",
            "time": f"{month}-{1 + number % 27:02}T12:00:00+00:00",
            "kommun": kommun,
        }
        for number in range(n)
    ]


FIRST = [
    *reports(0, 40, "2025-01"),
    *reports(100, 13, "2025-01", "Lund"),
    *reports(200, 25, "2025-02"),
    *reports(300, 9, "2025-02", "Lund"),
    *reports(400, 5, "2025-03"),
]
LATE = [
    *reports(500, 3, "2025-01"),
    *reports(600, 30, "2025-03"),
    *reports(700, 24, "2025-03", "Lund"),
    *reports(800, 4, "2025-04"),
]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, list[Path]]]:
    """The settings and the snapshots of three nights: one month, FIRST, FIRST and LATE."""
    patch = pytest.MonkeyPatch()
    patch.setitem(SOURCES, "town", TownSource)
    patch.setattr(TownSource, "answers", {})
    store = load(write_config(tmp_path_factory.mktemp("stad")))
    made = []
    try:
        for records in (FIRST[:40], FIRST, FIRST + LATE):
            TownSource.answers["stan"] = [records]
            run_night(store, WordClassifier(), clock=Clock())
            made.append(snapshots.current(Store(store).snapshots))
        yield store, made
    finally:
        patch.undo()


@dataclass
class Nights:
    """Snapshots in a folder of the test's own, where nothing has been released."""

    settings: Settings
    january: Path
    first: Path
    second: Path


@pytest.fixture
def store(nights: tuple[Settings, list[Path]], tmp_path: Path) -> Nights:
    settings, made = nights
    folder = tmp_path / "snapshots"
    folder.mkdir()
    return Nights(settings, *(Path(shutil.copy(snapshot, folder)) for snapshot in made))


def published_as(store: Nights, **changes: object) -> Settings:
    publish = store.settings.publish.model_copy(update=changes)
    return store.settings.model_copy(update={"publish": publish})


def rows(snapshot: Path, settings: Settings, *by: str) -> dict[tuple[Any, ...], Any]:
    table = counts(snapshot, Selection(by or BY), PLAN, settings, "open_data")
    at = [table.at(name) for name in ("area_code", "theme", "month") if name in table.names]
    n = table.at("n_reports")
    return {tuple(row[place] for place in at): row[n] for row in table.rows}


def test_a_released_month_stays_as_it_was_when_late_reports_come(store: Nights) -> None:
    old = rows(store.first, store.settings)
    assert {key[2] for key in old} == {"2025-01", "2025-02"}  # March waits
    assert old["1280", "narkotika", "2025-01"] == 26
    new = rows(store.second, store.settings)
    assert {key[2] for key in new} == {"2025-01", "2025-02", "2025-03"}
    assert {key: new[key] for key in old} == old
    assert new["12", "narkotika", "2025-03"] == 39


def test_both_releases_together_narrow_nothing(store: Nights) -> None:
    tables = published_together(Publish())
    old = released(store.first, tables, store.settings.publish).protected
    new = released(store.second, tables, store.settings.publish).protected
    assert old.small
    assert all(new.shown(cell) == old.shown(cell) for cell in old.family.counts)
    assert attack(new.family, new.small | new.complementary).narrowed == []


def test_a_quarter_is_released_when_it_is_over(store: Nights) -> None:
    def quarters(snapshot: Path) -> set[Any]:
        table = counts(snapshot, Selection(("theme", "quarter")), PLAN, store.settings, "open_data")
        return {row[table.at("quarter")] for row in table.rows}

    assert quarters(store.first) == set()
    assert quarters(store.second) == {"2025-Q1"}


def test_a_release_made_again_is_the_same(store: Nights) -> None:
    snapshot = store.first
    assert rows(snapshot, store.settings) == rows(snapshot, store.settings)


def test_what_is_published_together_may_not_change_between_releases(store: Nights) -> None:
    snapshot = store.first
    rows(snapshot, store.settings)
    wider = published_as(store, family=(("area", "theme", "period"), ("theme", "period", "source")))
    with pytest.raises(UsageError, match="har ändrats"):
        rows(snapshot, wider)


def test_releases_of_themes_and_reports_apart_are_not_forgotten(store: Nights) -> None:
    former = store.first.parent / "released" / "reports.json"
    former.parent.mkdir()
    former.write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="har ändrats"):
        rows(store.first, store.settings)


def test_reports_are_released_with_the_themes_they_are_the_union_of(store: Nights) -> None:
    rows(store.first, store.settings)
    ledger = store.first.parent / "released" / "counts.json"
    before = ledger.read_bytes()
    table = counts(store.first, Selection(("area", "month")), PLAN, store.settings, "open_data")
    found = {(row[table.at("area_code")], row[table.at("month")]) for row in table.rows}
    assert ("1280", "2025-01") in found
    assert ledger.read_bytes() == before


def test_nothing_is_released_before_a_month_is_over(store: Nights) -> None:
    snapshot = store.january
    with pytest.raises(UsageError, match="Ingen period är färdig"):
        rows(snapshot, store.settings)
    assert rows(snapshot, published_as(store, wait=0))


def test_open_data_need_a_period(store: Nights) -> None:
    with pytest.raises(UsageError, match="period"):
        counts(store.first, Selection(("area", "theme")), PLAN, store.settings, "open_data")


@pytest.mark.parametrize(
    "by", [("theme", "week"), ("theme", "source"), ("theme", "stance", "month"), ("source",)]
)
def test_what_is_not_protected_together_is_not_exported(
    store: Nights, tmp_path: Path, by: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match="publiceras tillsammans"):
        export_counts(store.first, Selection(by), PLAN, tmp_path / "ut", settings=store.settings)
    assert not (tmp_path / "ut").exists()


@examples(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
@example(224)  # sums of small counts that must pass 4 before a part can be 4
def test_the_attacker_narrows_nothing_in_two_releases(seed: int) -> None:
    first, _, second = two_releases(seed)
    old = protect(first)
    new = protect(second, old)
    assert all(new.shown(cell) == old.shown(cell) for cell in first.counts)
    assert attack(second, new.small | new.complementary).narrowed == []


def test_releases_protected_apart_can_be_subtracted() -> None:
    """The attack that the rule is for: without it late reports are told one by one."""
    told = 0
    for seed in range(8):
        first, again, _ = two_releases(seed)
        old, new = protect(first), protect(again)
        pairs = [(old.shown(cell), new.shown(cell)) for cell in again.counts]
        told += sum(is_hidden(b - a) for a, b in pairs if a is not None and b is not None)
    assert told > 0


# --- rounding -------------------------------------------------------------------------------------


def test_rounding_to_five_changes_what_is_shown_and_hides_no_less(store: Nights) -> None:
    snapshot = store.second
    plain = dict(rows(snapshot, store.settings))
    ledger = snapshot.parent / "released" / "counts.json"
    ledger.unlink()
    fives = rows(snapshot, published_as(store, rounding="five"))
    assert {k for k, n in fives.items() if n == HIDDEN} == {
        k for k, n in plain.items() if n == HIDDEN
    }
    assert fives == {k: n if n == HIDDEN else rounded(n) for k, n in plain.items()}
    assert 23 in plain.values()


def test_cell_keys_follow_the_reports(store: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same noise as adding the keys of the reports one by one, in every table and release."""
    monkeypatch.setenv(HASH_KEY_VARIABLE, "hemlig")
    noisy = published_as(store, rounding="cell_key")
    snapshot = store.first
    tables = published_together(Publish())
    family = released(snapshot, tables, noisy.publish)
    cell = family.cell(area="kommun:1280", theme="narkotika", period="2025-01")
    with connect(snapshot, read_only=True) as db:
        ids = db.execute(
            "select submission_id from dated_submission join assigned_theme using (submission_id) "
            "where area_code = '1280' and theme = 'narkotika' and period = '2025-01'"
        ).fetchall()
    assert len(ids) == 26
    keys = sum(record_key(row[0], b"hemlig") for row in ids)
    assert family.rounded(cell) == perturbed(26, keys)
    old = rows(snapshot, noisy)
    new = rows(store.second, noisy)
    assert {key: new[key] for key in old} == old


def test_cell_keys_need_a_secret(store: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HASH_KEY_VARIABLE, raising=False)
    with pytest.raises(UsageError, match=HASH_KEY_VARIABLE):
        rows(store.first, published_as(store, rounding="cell_key"))


def test_rounded_counts_have_no_exact_figure_beside_them(store: Nights) -> None:
    table = counts(
        store.first, Selection(BY), PLAN, published_as(store, rounding="five"), "open_data"
    )
    assert "share_percent" not in table.names
    for row in table.rows:
        n, low, high = (row[table.at(name)] for name in ("n_reports", "n_low", "n_high"))
        assert n == HIDDEN or (int(n) % 5 == 0 and float(low) <= int(n) <= float(high))


def test_no_sheet_of_a_rounded_workbook_has_another_number(store: Nights, tmp_path: Path) -> None:
    fives = published_as(store, rounding="five")
    path = export_counts(
        store.first,
        Selection(BY),
        PLAN,
        tmp_path,
        style="xlsx",
        profile="open_data",
        settings=fives,
    )
    told = [
        value
        for row in openpyxl.load_workbook(path)["Diagram"].iter_rows(values_only=True)
        for value in row
        if isinstance(value, (int, float))
    ]
    assert told
    assert all(value > 0 and value % 5 == 0 for value in told)
