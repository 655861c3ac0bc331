"""An index made out of the one before is the index that would have been made whole."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagesbild.records import digest
from lagesbild.review import index_whole
from lagesbild.review.index import ensure_index, path_of
from lagesbild.review.index_changes import renew
from lagesbild.review.index_rows import GAP
from lagesbild.settings import Review
from lagesbild.store.decisions import Choice, Decisions, Reading
from lagesbild.store.warehouse import Warehouse, connect
from lagesbild.themes import load_themes
from tests.review.conftest import ReviewTown

PLAN = load_themes()
SETTINGS = Review(blind_share=0.1, blind_per_theme=4)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = "lampan trasig ängen akut moped langare torget park_bänk Östra snö 7-eleven".split()  # noqa: SIM905
THEMES = ("narkotika", "trafik", "otrygghet")
_LISTED = {"classified_text": "* replace (map_from_entries(probabilities) as probabilities)"}


class Town:
    """A warehouse that changes at random, its snapshots, and what people decide."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.warehouse = Warehouse(folder / "warehouse.duckdb")
        self.warehouse.create()
        self.decisions = Decisions(folder / "review.sqlite")
        self.snapshots = folder / "snapshots"
        self.snapshots.mkdir()
        self.day = NOON
        self.n_nights = 0
        self.versions: dict[str, int] = {}
        self.shas: dict[str, str] = {}
        self.classified: set[tuple[str, str]] = set()
        self.rows: dict[str, list[dict[str, Any]]] = {}
        with connect(self.warehouse.path, read_only=False) as db:
            for code in "abc":
                db.execute("insert into area values ('stadsdel', ?, ?, '1')", [code, f"Del {code}"])

    def night(self, n_new: int) -> Path:
        """Some reports come, some late; some change, some go, some are classified anew."""
        self.day += timedelta(days=20)
        self.n_nights += 1
        self.rows = defaultdict(list)
        gone, hidden = self._some(0.04), self._some(0.03)
        again = self._some(0.05)
        for name in again:
            self._classify(name, f"v{self.n_nights}")
        written = [digest("town", str(self.n_nights), str(number))[:32] for number in range(n_new)]
        written += self._some(0.06)
        for name in written:
            self._write(name)
        for name in gone:
            del self.versions[name]
        with connect(self.warehouse.path, read_only=False) as db:
            db.execute("begin")
            outdated = [("classified_text", again), ("submission", [*written, *gone])]
            for table, names in outdated:
                db.execute(
                    f"update {table} set is_current = false where submission_id in "
                    "(select unnest(?::varchar[]))",
                    [names],
                )
            for table, rows in self.rows.items():
                db.register("made", pa.Table.from_pylist(rows))
                db.execute(
                    f"insert into {table} by name select {_LISTED.get(table, '*')} from made"
                )
            db.execute(
                "update submission set is_current = false where submission_id in "
                "(select unnest(?::varchar[]))",
                [gone],
            )
            db.execute(  # words that people hid are taken out of what is stored
                "update submission set text = replace(text, 'langare', '[dolt]') "
                "where submission_id in (select unnest(?::varchar[]))",
                [hidden],
            )
            if self.chance.random() < 0.3:
                db.execute("update area set area_name = area_name || 'x' where area_code = 'b'")
            for table in ("theme", "report"):
                db.execute(f"delete from {table}_count")
                db.execute(f"insert into {table}_count by name select * from {table}_recount")
            db.execute("commit")
            db.execute("checkpoint")
        self._decide()
        return self.publish()

    def _some(self, share: float) -> list[str]:
        return [name for name in sorted(self.versions) if self.chance.random() < share]

    def _write(self, name: str) -> None:
        version = self.versions.get(name, 0) + 1
        words = self.chance.sample(WORDS, self.chance.randint(1, 5))
        words += [f"nytt{chr(97 + self.n_nights)}"] if self.chance.random() < 0.3 else []
        text = " ".join(words)
        late = timedelta(days=self.chance.choice((0, 0, 0, 3, 25, 200)))
        at = self.day - late + timedelta(hours=self.chance.randrange(3))
        sha = digest(text)
        self.rows["submission"].append(
            {
                "submission_id": name,
                "version": version,
                "is_current": True,
                "raw_id": version,
                "source": "app",
                "source_record_id": name,
                "part": "",
                "kind": "report",
                "text": text,
                "text_sha256": sha,
                "content_sha256": sha,
                "reported_at": at.replace(tzinfo=None),
                "reported_date": at.date(),
                "language": "sv",
                "n_redacted": 0,
                "redactor_version": "1",
            }
        )
        if self.chance.random() < 0.9:
            self.rows["submission_area"].append(
                {
                    "submission_id": name,
                    "version": version,
                    "area_type": "stadsdel",
                    "area_code": self.chance.choice("abcd"),  # d has no name
                    "geo_version": "1",
                    "method": "field",
                }
            )
        self.versions[name], self.shas[name] = version, sha
        if (name, sha) not in self.classified:
            self._classify(name, "v0")

    def _classify(self, name: str, version: str) -> None:
        sha = self.shas[name]
        self.classified.add((name, sha))
        themes = self.chance.sample(THEMES, self.chance.choice((0, 1, 1, 2)))
        abstain = None if themes else self.chance.choice(("unsure", "none_of_these", None))
        said = {"submission_id": name, "text_sha256": sha, "classifier_version": version}
        self.rows["classified_text"].append(
            {
                **said,
                "is_current": True,
                "abstain": abstain,
                "needs_review": self.chance.random() < 0.2,
                "language": "sv",
                "probabilities": [
                    {"key": theme, "value": self.chance.choice((0.02, 0.5, 0.98))}
                    for theme in THEMES
                ],
            }
        )
        self.rows["classification"] += [
            {**said, "theme": theme, "probability": 0.9, "stance": "problem", "evidence": [[0, 3]]}
            for theme in themes
        ]

    def _decide(self) -> None:
        for number, name in enumerate(self._some(0.1)):
            reading = Reading(
                f"reading-{self.n_nights}-{number}", name, self.shas[name], "v0", "anna", "second",
                themes={"trafik": Choice()},
            )  # fmt: skip
            self.decisions.record(reading, None, self.day)

    def publish(self) -> Path:
        snapshot = self.snapshots / f"{self.n_nights:06}.duckdb"
        shutil.copyfile(self.warehouse.path, snapshot)
        return snapshot


def told(path: Path) -> Iterator[tuple[Any, ...]]:
    """All that an index says, by the order of its items instead of by their numbers."""
    with closing(sqlite3.connect(path)) as db:
        items = db.execute("select * from item order by item_id").fetchall()
        place = {row[0]: number for number, row in enumerate(items)}
        yield from (row[1:] for row in items)
        for table in ("item_theme", "item_area", "changed_text"):
            rows = db.execute(f"select item_id, * from {table}").fetchall()
            named = [(table, place[i], *(v for v in rest if v != i)) for i, *rest in rows]
            yield from sorted(named, key=repr)
        yield from db.execute("select * from area order by area")
        yield from db.execute("select * from fact order by key")
        yield from db.execute(
            "select word, sum(n_items) from common_word group by word order by word"
        )
        yield from _words(db, place)


def _words(db: sqlite3.Connection, place: dict[int, int]) -> list[tuple[Any, ...]]:
    found = []
    for part, n_items in db.execute("select part, n_items from part").fetchall():
        db.execute(
            f"create virtual table temp.v_{part} using fts5vocab(main, word_{part}, instance)"
        )
        rows = db.execute(f"select term, doc from v_{part}").fetchall()
        found += [(term, place[doc]) for term, doc in rows]
        assert n_items == len({doc for _, doc in rows})
    return sorted(found)


@pytest.mark.parametrize("seed", range(3))
def test_renewed_is_as_made_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("lagesbild.review.index_changes._MOST_CHANGED", 1)
    town = Town(tmp_path, seed)
    ensure_index(town.night(70), town.decisions, SETTINGS, PLAN)
    for _ in range(4):
        snapshot = town.night(town.chance.choice((0, 4, 9)))
        path = path_of(snapshot)
        assert renew(snapshot, path, town.decisions, SETTINGS, PLAN)
        whole = tmp_path / "whole.sqlite"
        index_whole.build(snapshot, whole, town.decisions, SETTINGS, PLAN)
        assert list(told(path)) == list(told(whole))


def test_what_is_renewed_is_not_made_whole(
    town: ReviewTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.night(*({"id": n, "text": f"lampa {n}"} for n in range(10, 30)))
    with monkeypatch.context() as patch:
        patch.setattr("lagesbild.review.index.build", lambda *_: pytest.fail("made whole"))
        town.night({"id": 7, "text": "en splitterny langare"})
    assert town.report_id(7) in town.reader().get("/ko?q=splitterny").text


def test_other_rules_and_many_changes_make_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(tmp_path, 1)
    ensure_index(town.night(40), town.decisions, SETTINGS, PLAN)
    town.n_nights += 1
    snapshot, path = town.publish(), tmp_path / "new.sqlite"
    assert not renew(snapshot, path, town.decisions, Review(blind_share=0.2), PLAN)
    with monkeypatch.context() as patch:
        patch.setattr("lagesbild.review.index_changes.stamp", lambda *_: "other code")
        assert not renew(snapshot, path, town.decisions, SETTINGS, PLAN)
    assert renew(snapshot, path, town.decisions, SETTINGS, PLAN)
    assert not renew(town.night(40), path, town.decisions, SETTINGS, PLAN)


def test_without_room_between_two_reports_it_is_made_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lagesbild.review.index_whole.GAP", 1)
    town = Town(tmp_path, 3)
    monkeypatch.setattr(town.chance, "choice", lambda options: options[-1])  # all are late
    ensure_index(town.night(80), town.decisions, SETTINGS, PLAN)
    snapshot = town.night(5)
    assert not renew(snapshot, tmp_path / "new.sqlite", town.decisions, SETTINGS, PLAN)
    ensure_index(snapshot, town.decisions, SETTINGS, PLAN)
    assert GAP > 1
    assert list(told(path_of(snapshot)))


def test_what_people_hid_is_not_left_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lagesbild.review.index_changes._MOST_CHANGED", 1)
    town = Town(tmp_path, 2)
    first = ensure_index(town.night(200), town.decisions, SETTINGS, PLAN)
    assert b"langare" in first.read_bytes()
    with connect(town.warehouse.path, read_only=False) as db:
        db.execute("update submission set text = replace(text, 'langare', '[dolt]')")
        db.execute("checkpoint")
    town.n_nights += 1
    snapshot = town.publish()
    assert renew(snapshot, path_of(snapshot), town.decisions, SETTINGS, PLAN)
    assert b"langare" not in path_of(snapshot).read_bytes()
