"""What people mark as personal data is gone after the next night, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.night import Store, run_night
from lagesbild.settings import load
from lagesbild.sources import SOURCES
from lagesbild.store import redactions, snapshots
from lagesbild.store.decisions import Choice, Reading
from lagesbild.store.hiding import (
    HIDDEN_SIGN,
    Mark,
    hide,
    joined,
    left_of,
    moved,
    places_of,
    sha256,
    shape,
    spans_alike,
    spans_carried,
    spans_in,
)
from lagesbild.store.warehouse import Warehouse, connect
from lagesbild.verify import verify
from tests.city import Clock, TownSource, WordClassifier, write_config

NAME = "Qvarnbagarn Blommenstam"  # no list of names has it
TEXT = f"{NAME} är langare vid skolan, ring inte {NAME}s bror"


class Town:
    """Nights over records, and marks in between."""

    def __init__(self, folder: Path) -> None:
        self.settings = load(write_config(folder))
        self.store = Store(self.settings)
        self.clock = Clock()
        self.classifier = WordClassifier()

    def night(self, *records: dict[str, Any]) -> Any:
        self.clock.tick(days=1)
        TownSource.answers["stan"] = [list(records)]
        return run_night(self.settings, self.classifier, clock=self.clock)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.store.warehouse.path, read_only=True) as db:
            return db.execute(query).fetchall()

    def texts(self) -> list[str]:
        return [text for (text,) in self.rows("select text from submission order by raw_id")]

    def mark(self, words: str = NAME, redaction_id: str = "m1") -> Mark:
        ((id, text),) = self.rows("select submission_id, text from submission where is_current")
        spans = places_of(text, words) if words else [(0, len(text))]
        shapes = tuple(shape(text[a:b]) for a, b in spans)
        marked = Mark(redaction_id, id, sha256(text), spans, shapes, "namn", "anna", "")
        redactions.mark(self.store.decisions, marked, self.clock())
        return marked

    def bytes_of_the_store(self) -> bytes:
        """Every file but the inbox, which keeps what came for as long as was decided."""
        files = [path for path in self.store.root.rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in files if "inbox" not in path.name)


@pytest.fixture
def make_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Town]:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    return lambda: Town(tmp_path)


@pytest.fixture
def town(make_town: Callable[[], Town]) -> Town:
    found = make_town()
    found.night({"id": 1, "text": TEXT})
    return found


def test_the_next_night_takes_the_words_out_of_every_file(town: Town) -> None:
    assert town.texts() == [TEXT]
    town.mark()
    town.night()
    assert town.texts() == [f"{HIDDEN_SIGN} är langare vid skolan, ring inte {HIDDEN_SIGN} bror"]
    stored = town.bytes_of_the_store()
    assert all(word.encode() not in stored for word in NAME.split())
    assert NAME.encode() in (town.store.inbox).read_bytes() + b"".join(
        path.read_bytes() for path in town.store.root.glob("inbox.sqlite*")
    )
    with connect(snapshots.current(town.store.snapshots), read_only=True) as db:
        assert db.execute("select text from submission").fetchall() == [(town.texts()[0],)]
    assert len(list(town.store.snapshots.glob("*.duckdb"))) == 1  # the older one had the words
    assert verify(town.store) == []


def test_a_short_word_in_a_large_table_is_gone_from_the_file(town: Town) -> None:
    many = [{"id": n, "text": f"rapport nummer {n} om en lampa"} for n in range(2, 400)]
    town.night(*many)
    about = town.rows("select submission_id, text from submission where source_record_id = '1'")
    ((id, text),) = about
    spans = places_of(text, "Qvarnbagarn")
    shapes = [shape(text[a:b]) for a, b in spans]
    marked = Mark("m1", id, sha256(text), spans, shapes, "namn", "anna", "")
    redactions.mark(town.store.decisions, marked, town.clock())
    town.night()
    assert b"Qvarnbagarn" not in town.bytes_of_the_store()
    assert town.rows("select count(*) from submission") == [(399,)]
    assert verify(town.store) == []


def test_decisions_and_the_machines_answer_stay_with_the_text(town: Town) -> None:
    ((id, sha, version),) = town.rows(
        "select submission_id, text_sha256, classifier_version from classified_text"
    )

    def decide(reading_id: str, theme: str, seen: str | None) -> None:
        reading = Reading(
            reading_id, id, sha, version, "anna", "open", "decided", {theme: Choice()}
        )
        town.store.decisions.record(reading, seen, town.clock())

    decide("r1", "trafik", None)
    town.night()
    town.mark()
    town.night()
    assigned = "select theme, is_reviewed from assigned_theme order by theme"
    assert town.rows(assigned) == [("narkotika", False), ("trafik", True)]
    decide("r2", "alkohol", "r1")  # later, on a page that knows the text by the same digest
    town.night()
    assert town.rows(assigned) == [("alkohol", True), ("narkotika", False)]
    ((text, evidence),) = town.rows(
        "select text, evidence from submission join classification using (submission_id)"
    )
    assert [text[start:end] for start, end in evidence] == ["lan"]
    assert town.classifier.n_texts == 1  # nothing was classified anew
    assert verify(town.store) == []


def test_the_same_record_pulled_again_is_nothing_new(town: Town) -> None:
    town.mark()
    town.night()
    result = town.night({"id": 1, "text": TEXT})
    assert result.snapshot is None
    assert len(town.texts()) == 1


def test_a_new_status_keeps_the_text_without_the_words(town: Town) -> None:
    town.mark()
    town.night()
    town.night({"id": 1, "text": TEXT, "status": "closed"})
    assert len(town.texts()) == 2
    assert NAME not in "".join(town.texts())
    assert town.rows("select distinct text_sha256 from submission") == [(sha256(TEXT),)]
    assert verify(town.store) == []


def test_an_edit_at_the_source_does_not_bring_the_words_back(town: Town) -> None:
    town.mark()
    town.night()
    edited = {"id": 1, "text": TEXT + " eller syster"}
    town.night(edited)
    assert town.texts()[1] == town.texts()[0] + " eller syster"
    assert verify(town.store) == []
    assert town.night(edited).snapshot is None
    town.night({"id": 1, "text": TEXT})  # and back again
    assert town.texts()[2] == town.texts()[0]
    assert NAME.encode() not in town.bytes_of_the_store()
    assert verify(town.store) == []


def test_older_versions_lose_the_words_too(town: Town) -> None:
    town.night({"id": 1, "text": f"en lampa, hälsar {NAME.upper()}"})
    town.mark(NAME.upper())
    town.night()
    assert NAME.lower() not in "".join(town.texts()).lower()
    assert "är langare vid skolan" in town.texts()[0]
    assert verify(town.store) == []


def test_an_edit_on_the_same_night_loses_the_words_too(town: Town) -> None:
    town.mark()
    town.night({"id": 1, "text": f"Rättelse: {NAME} är ingen langare"})
    assert town.texts()[1] == f"Rättelse: {HIDDEN_SIGN} är ingen langare"
    assert verify(town.store) == []


def test_a_whole_text_hidden_stays_hidden_however_it_is_edited(town: Town) -> None:
    town.mark("")
    town.night({"id": 1, "text": "nu om en lampa i stället"})
    assert town.texts() == [HIDDEN_SIGN, HIDDEN_SIGN]
    town.night({"id": 1, "text": "och något tredje"})
    assert town.texts()[2] == HIDDEN_SIGN
    assert verify(town.store) == []


def test_a_mark_taken_back_before_the_night_is_without_effect(town: Town) -> None:
    town.mark()
    redactions.unmark(town.store.decisions, "m1", "bo", town.clock())
    assert town.night().snapshot is None
    assert town.texts() == [TEXT]
    town.mark(redaction_id="m2")  # and it can be marked again
    town.night()
    assert NAME not in town.texts()[0]


def test_marks_on_what_is_hidden_already_add_up(town: Town) -> None:
    town.mark()
    town.night()
    town.mark("bror", "m2")
    town.night()
    sign = HIDDEN_SIGN
    assert town.texts() == [f"{sign} är langare vid skolan, ring inte {sign} {sign}"]
    assert verify(town.store) == []


def test_a_mark_made_while_the_night_ran_is_taken_out_the_night_after(town: Town) -> None:
    late = town.mark("bror", "m2")
    redactions.unmark(town.store.decisions, "m2", "anna", town.clock())
    town.mark()
    town.night()
    again = Mark("m3", late.submission_id, late.text_sha256, late.spans, late.shapes, "", "bo", "")
    redactions.mark(town.store.decisions, again, town.clock())  # points into the text of yesterday
    town.night()
    sign = HIDDEN_SIGN
    assert town.texts() == [f"{sign} är langare vid skolan, ring inte {sign} {sign}"]
    assert verify(town.store) == []


def test_a_night_killed_before_the_file_is_written_anew_is_made_up_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.mark()
    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "erase", _killed)
        with pytest.raises(KeyboardInterrupt):
            town.night()
    assert NAME not in town.texts()[0]
    town.night()
    assert NAME.encode() not in town.bytes_of_the_store()
    assert len(list(town.store.snapshots.glob("*.duckdb"))) == 1
    assert verify(town.store) == []


def _killed(_: Warehouse) -> bool:
    raise KeyboardInterrupt


def test_verify_tells_of_a_mark_that_could_not_be_found(town: Town) -> None:
    ((id,),) = town.rows("select submission_id from submission")
    lost = Mark("m1", id, "0" * 64, [(0, 4)], ["Aaaa"], "namn", "anna", "")
    redactions.mark(town.store.decisions, lost, town.clock())
    town.night()
    assert any("gick inte att hitta" in sentence for sentence in verify(town.store))


def test_verify_tells_of_a_hidden_text_that_was_changed(town: Town) -> None:
    town.mark()
    town.night()
    with connect(town.store.warehouse.path, read_only=False) as db:
        db.execute("update submission set text = text || '!'")
    assert any("kontrollsumma" in sentence for sentence in verify(town.store))


# --- the text alone -------------------------------------------------------------------------------


def test_words_are_whole_words_where_they_can_be() -> None:
    assert places_of("Bo bor här, säg till Bos bror", "bo") == [(0, 2), (21, 24)]
    assert places_of("hej anna@ekstad.example nu", "ANNA@ekstad.example") == [(4, 23)]
    assert places_of("xAnnax", "anna") == [(1, 5)]  # nowhere by itself
    assert places_of(f"{HIDDEN_SIGN} dolt", "dolt") == [(7, 11)]


WORDS = st.lists(st.sampled_from(["ring", "Anna", "Bo", "hem", "nu", "till", "."]), max_size=12)


@given(WORDS, st.data())
def test_hiding_keeps_all_else_and_moves_evidence_with_it(words: list[str], data: Any) -> None:
    text = " ".join(words)
    numbers = st.integers(0, len(text))
    pair = st.tuples(numbers, numbers).map(lambda p: (min(p), max(p)))
    spans = [p for p in data.draw(st.lists(pair, max_size=3)) if p[0] < p[1]]
    evidence = [p for p in data.draw(st.lists(pair, max_size=3)) if p[0] < p[1]]
    hidden = hide(text, spans)
    gone = {i for start, end in spans for i in range(start, end)}
    assert hidden.replace(HIDDEN_SIGN, "") == "".join(
        c for i, c in enumerate(text) if i not in gone
    )
    kept = [text[a:b] for a, b in evidence if not gone & set(range(a, b))]
    assert [hidden[a:b] for a, b in left_of(evidence, spans)] == kept
    assert moved(len(text), spans) == len(hidden)


@given(WORDS, WORDS, st.data())
def test_what_was_hidden_stays_hidden_when_words_are_added_around(
    before: list[str], after: list[str], data: Any
) -> None:
    text = " ".join([*before, "Qvarnbagarn Blommenstam", *after])
    hidden = hide(text, places_of(text, "Qvarnbagarn Blommenstam"))
    added = data.draw(st.sampled_from(["", "tillägg ", "och en gång till "]))
    edited = added + text + " slut"
    assert "Qvarnbagarn" not in hide(edited, spans_carried(hidden, edited))
    assert "Blommenstam" not in hide(edited, spans_carried(hidden, edited))


def test_a_word_on_both_sides_of_what_was_hidden_does_not_uncover_it() -> None:
    hidden, edited = "[dolt] till", "och en gång till Kalle Karlsson till slut"
    assert "Kalle" not in hide(edited, spans_carried(hidden, edited))
    assert "Karlsson" not in hide(edited, spans_carried(hidden, edited))


def test_other_versions_are_hidden_alike() -> None:
    marked = "Kalle langar"
    assert hide("det är kalle!", spans_alike(marked, [(0, 5)], "det är kalle!")) == "det är [dolt]!"
    assert spans_alike(marked, [(0, 12)], "helt annat") == [(0, 10)]


def test_marks_of_another_text_are_not_placed() -> None:
    mark = Mark("m", "s", sha256("Kalle langar"), [(0, 5)], ["Aaaaa"], "namn", "anna", "")
    assert spans_in("Kalle langar", [mark], set()) == [(0, 5)]
    assert spans_in("Pelle langar", [mark], set()) == []
    assert joined([(3, 5), (0, 3)]) == [(0, 5)]
