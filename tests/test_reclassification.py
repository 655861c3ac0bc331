"""Classifying everything anew: in batches, whatever it is cut off by, with the same end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lagesbild.publish.model_changes import break_note, model_changes
from lagesbild.reclassification import reclassify_all, reclassify_batch
from lagesbild.records import Classified
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots, warehouse
from lagesbild.verify import verify
from tests.city import TownSource, WordClassifier
from tests.test_night import Town

TEXTS = ["langare vid torget", "lampan är trasig", "langare igen", "inget särskilt", "en lampa"]
STORED = (
    "select * exclude (probabilities) from classified_text order by all",
    "select * from classification order by all",
    "select * from theme_count order by all",
)


class NewWords(WordClassifier):
    """Knows a word less; stops for good after so many calls."""

    words = {"langare": "narkotika"}  # noqa: RUF012

    def __init__(self, n_calls: int = 99) -> None:
        super().__init__("ord-2")
        self.n_calls = n_calls

    def classify(
        self, texts: Sequence[str], questions: Sequence[str | None]
    ) -> Sequence[Classified]:
        self.n_calls -= 1
        if self.n_calls < 0:
            raise KeyboardInterrupt
        return super().classify(texts, questions)


def started(folder: Path) -> Town:
    folder.mkdir()
    town = Town(folder)
    town.sends(
        [
            {"id": n, "text": text, "time": f"2026-0{1 + n % 2}-02T12:00:00+00:00"}
            for n, text in enumerate(TEXTS)
        ]
    )
    town.night()
    return town


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})


def everything(town: Town) -> list[list[tuple[Any, ...]]]:
    return [town.rows(query) for query in STORED]


@pytest.mark.usefixtures("source")
def test_cut_off_and_resumed_it_ends_as_if_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = started(tmp_path / "a")
    done: list[int] = []
    n = reclassify_all(undisturbed.settings, undisturbed.store, NewWords(), 2, done.append)
    assert (n, done) == (5, [2, 4, 5])

    town = started(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):  # while classifying the second batch
        reclassify_all(town.settings, town.store, NewWords(1), 2)
    with monkeypatch.context() as broken:
        broken.setattr(warehouse, "_recount", _stop)
        with pytest.raises(KeyboardInterrupt):  # while merging it
            reclassify_all(town.settings, town.store, NewWords(), 2)
    done_so_far = "select count(*) from classified_text where classifier_version = 'ord-2'"
    assert town.rows(done_so_far) == [(2,)]
    assert reclassify_all(town.settings, town.store, NewWords(), 2) == 3
    assert everything(town) == everything(undisturbed)
    assert verify(town.store) == []


def _stop(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("source")
def test_readers_keep_the_last_snapshot_until_all_is_done(tmp_path: Path) -> None:
    town = started(tmp_path / "a")
    before = snapshots.current(town.store.snapshots)
    reclassify_batch(town.store, NewWords(), 2)
    assert snapshots.current(town.store.snapshots) == before
    reclassify_all(town.settings, town.store, NewWords(), 2)
    assert snapshots.current(town.store.snapshots) != before
    assert reclassify_all(town.settings, town.store, NewWords(), 2) == 0


@pytest.mark.usefixtures("source")
def test_a_series_says_where_the_model_changes(tmp_path: Path) -> None:
    town = started(tmp_path / "a")
    path = town.store.warehouse.path
    assert model_changes(path) == [{"from": "2026-01", "classifier_versions": ["ord-1"]}]
    assert break_note(model_changes(path)) is None
    town.classifier = NewWords()
    town.configure("reclassify_per_night = 0")
    town.sends([{"id": 9, "text": "en annan sak", "time": "2026-03-01T12:00:00+00:00"}])
    town.night()
    changes = model_changes(path)
    assert [(change["from"], change["classifier_versions"]) for change in changes] == [
        ("2026-01", ["ord-1"]),
        ("2026-03", ["ord-2"]),
    ]
    assert "2026-03" in str(break_note(changes))
    reclassify_all(town.settings, town.store, NewWords(), 2)
    assert break_note(model_changes(path)) is None
