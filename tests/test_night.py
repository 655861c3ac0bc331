"""Whole nights over an invented town: nothing lost, nothing twice, one fault stops one source."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from lagesbild.errors import LagesbildError, SourceError
from lagesbild.night import NightResult, Store, night_lock, run_night
from lagesbild.records import Page, Rejection
from lagesbild.settings import Settings, load
from lagesbild.sources import SOURCES
from lagesbild.store import snapshots
from lagesbild.store.inbox import Inbox
from lagesbild.store.warehouse import connect
from lagesbild.verify import verify
from tests.city import NOON, Clock, TownSource, WordClassifier, write_config


class Town:
    """A store of its own, and nights run against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.classifier = WordClassifier()
        self.configure()

    def configure(self, extra: str = "", sources: str = "") -> None:
        self.settings: Settings = load(write_config(self.folder, extra, sources))
        self.store = Store(self.settings)

    def sends(self, *answers: Any, source: str = "stan") -> None:
        TownSource.answers[source] = list(answers)

    def night(self, **options: Any) -> NightResult:
        self.clock.tick(days=1)
        return run_night(self.settings, self.classifier, clock=self.clock, **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.store.warehouse.path, read_only=True) as db:
            return db.execute(query).fetchall()


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    return Town(tmp_path)


def test_a_night_merges_counts_and_publishes(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare vid torget"}, {"id": 2, "text": "en lampa är trasig"}])
    result = town.night()
    assert result.snapshot is not None
    assert verify(town.store) == []
    assert town.rows(
        "select theme, period, n_reports from theme_count "
        "where area_type = 'alla' and period_type = 'month' order by theme"
    ) == [("fysisk_miljo", "2026-03", 1), ("narkotika", "2026-03", 1)]


def test_a_second_night_with_nothing_new_writes_nothing(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare vid torget"}])
    town.night()
    before = town.store.warehouse.path.stat()
    result = town.night()
    after = town.store.warehouse.path.stat()
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    assert result.snapshot is None
    assert result.sources[0].ledger.unchanged == 1
    assert town.classifier.n_texts == 1


def test_an_edit_becomes_a_new_version_and_the_old_one_is_kept(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare vid torget"}])
    town.night()
    town.sends([{"id": 1, "text": "en lampa vid torget"}])
    result = town.night()
    assert result.sources[0].ledger.changed == 1
    assert town.rows("select version, is_current, text from submission order by version") == [
        (1, False, "langare vid torget"),
        (2, True, "en lampa vid torget"),
    ]
    assert town.rows("select theme from assigned_theme") == [("fysisk_miljo",)]
    assert verify(town.store) == []


def test_going_back_to_an_earlier_text_reuses_its_classification(town: Town) -> None:
    for text in ("langare", "lampa", "langare"):
        town.sends([{"id": 1, "text": f"en {text} här"}])
        town.night()
    assert town.rows("select max(version) from submission") == [(3,)]
    assert town.rows("select count(*) from classified_text") == [(2,)]
    assert town.rows("select theme from assigned_theme") == [("narkotika",)]
    assert verify(town.store) == []


def test_several_versions_in_one_night_end_with_the_last(town: Town) -> None:
    town.sends(
        [{"id": 1, "text": "langare"}], [{"id": 1, "text": "lampa"}], [{"id": 1, "text": "x"}]
    )
    town.night()
    assert town.rows("select version, is_current from submission order by 1") == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert verify(town.store) == []


def test_the_same_id_twice_on_a_page_is_one_remark(town: Town) -> None:
    town.sends(
        [{"id": 1, "text": "langare"}, {"id": 1, "text": "langare"}, {"id": 2, "text": "b b"}]
    )
    ledger = town.night().sources[0].ledger
    assert (ledger.received, ledger.new, ledger.duplicates_on_page) == (3, 2, 1)
    town.night()
    assert town.rows("select count(*) from submission") == [(2,)]


def test_refused_records_are_kept_with_a_reason_and_can_be_retried(town: Town) -> None:
    town.sends([{"id": 1, "broken": True}, {"id": 2, "text": ""}, {"id": 3, "text": "langare"}])
    town.night()
    assert town.rows("select source_record_id, reason from rejected_submission order by 1") == [
        ("1", "missing_field"),
        ("2", "empty_text"),
    ]
    assert verify(town.store) == []
    original = TownSource.parse

    def mended(self: TownSource, raw: Any) -> Any:
        return original(self, dataclasses.replace(raw, payload=raw.payload.replace("broken", "b")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TownSource, "parse", mended)
        town.night(retry_rejected=True)
    assert town.rows("select source_record_id from rejected_submission order by 1") == [
        ("1",),  # its text is missing still, now for another reason
        ("2",),
    ]
    assert town.rows("select distinct reason from rejected_submission") == [("empty_text",)]
    assert verify(town.store) == []


def test_what_a_source_could_not_read_is_kept_as_refused(town: Town) -> None:
    refusal = Rejection("stan", "page-3", "unreadable", "rad 7")
    town.sends(Page([], {}, refused=[('{"half', refusal)]))
    town.night()
    assert town.rows("select source_record_id, reason, detail from rejected_submission") == [
        ("page-3", "unreadable", "rad 7")
    ]
    assert verify(town.store) == []


def test_an_emptied_survey_answer_is_withdrawn_and_the_other_stays(town: Town) -> None:
    town.sends([{"id": 1, "parts": {"q1": "langare", "q2": "lampa"}, "answers": {"trygg": "3"}}])
    town.night()
    town.sends([{"id": 1, "parts": {"q1": "langare", "q2": ""}, "answers": {"trygg": "5"}}])
    town.night()
    assert town.rows("select part, is_current from submission order by part") == [
        ("q1", True),
        ("q2", False),
    ]
    assert town.rows("select value, is_current from survey_answer order by 1") == [
        ("3", False),
        ("5", True),
    ]
    assert town.rows("select theme from assigned_theme") == [("narkotika",)]
    assert verify(town.store) == []


def test_a_failed_minimum_holds_one_source_and_the_rest_goes_on(town: Town) -> None:
    town.configure(
        sources='[sources.stan]\nkind = "town"\nmin_received = 2\n[sources.byn]\nkind = "town"\n'
    )
    town.sends([{"id": 1, "text": "langare"}])
    town.sends([{"id": 1, "text": "lampa"}], source="byn")
    result = town.night()
    assert result.has_failed_source
    assert [night.is_held for night in result.sources] == [True, False]
    assert town.rows("select source from submission") == [("byn",)]
    assert verify(town.store) == []
    town.sends([{"id": 1, "text": "langare"}, {"id": 2, "text": "en till"}])
    assert not town.night().has_failed_source
    assert town.rows("select source, count(*) from submission group by all order by 1") == [
        ("byn", 1),
        ("stan", 2),
    ]


def test_a_source_that_fails_midway_loses_nothing(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare"}], SourceError("Källan stan svarar inte."))
    result = town.night()
    assert result.sources[0].is_held
    assert "svarar inte" in result.sources[0].alarms[0].message
    town.sends([{"id": 2, "text": "lampa"}])
    town.night()
    assert town.rows("select count(*) from submission") == [(2,)]
    assert verify(town.store) == []


def test_a_fault_in_one_source_names_its_place_but_no_text(town: Town) -> None:
    town.configure(sources='[sources.stan]\nkind = "town"\n[sources.byn]\nkind = "town"\n')
    town.sends([{"id": 1, "text": "langare"}], ValueError("Kalle bor på Storgatan 1"))
    town.sends([{"id": 1, "text": "lampa"}], source="byn")
    result = town.night()
    assert "ValueError" in str(result.sources[0].ledger.error)
    assert "Kalle" not in str(result.sources[0])
    assert town.rows("select source from submission") == [("byn",)]


def test_a_summary_is_kept_but_not_counted(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare", "kind": "summary"}])
    town.night()
    assert town.rows("select count(*) from submission") == [(1,)]
    assert town.rows("select count(*) from theme_count") == [(0,)]
    assert verify(town.store) == []


def test_a_new_classifier_version_reclassifies_and_keeps_the_old(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare"}, {"id": 2, "text": "lampa"}])
    town.night()
    town.classifier = WordClassifier("ord-2")
    assert town.night().n_reclassified == 2
    assert town.rows(
        "select classifier_version, is_current, count(*) from classified_text "
        "group by all order by 1"
    ) == [("ord-1", False, 2), ("ord-2", True, 2)]
    assert town.rows("select count(*) from assigned_theme") == [(2,)]
    assert town.night().n_reclassified == 0
    assert verify(town.store) == []


def test_a_decision_wins_until_the_text_changes(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare"}])
    town.night()
    ((submission_id, sha),) = town.rows("select submission_id, text_sha256 from submission")
    decision = {
        "submission_id": submission_id,
        "subtheme": None,
        "stance": "problem",
        "reviewer": "anna",
        "decided_at": NOON.replace(tzinfo=None).isoformat(),
        "text_sha256": sha,
        "classifier_version": "ord-1",
    }
    town.store.decisions.append(decision_id="a", theme="narkotika", verdict="rejected", **decision)
    town.store.decisions.append(decision_id="b", theme="trafik", verdict="added", **decision)
    town.store.decisions.append(decision_id="b", theme="trafik", verdict="added", **decision)
    assert town.night().n_decisions == 2
    assert town.rows("select theme, is_reviewed from assigned_theme") == [("trafik", True)]
    assert verify(town.store) == []
    town.sends([{"id": 1, "text": "langare och lampa"}])
    town.night()
    assert town.rows("select theme from assigned_theme order by 1") == [
        ("fysisk_miljo",),
        ("narkotika",),
    ]


def test_raw_payloads_are_purged_only_under_a_decision(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare hos Kerstin-Testfall"}])
    town.night()
    town.clock.tick(days=400)
    assert town.night().n_purged == 0
    town.configure('[retention]\nraw_days = 30\ndecision_id = "KS 2026:7"\n')
    assert town.night().n_purged == 1
    assert b"Kerstin-Testfall" not in town.store.inbox.read_bytes()
    with Inbox(town.store.inbox) as inbox:
        ((decision, n),) = inbox.gallring_log()
    assert (decision, n) == ("KS 2026:7", 1)
    assert town.night().sources[0].ledger.unchanged == 1  # still known, not new again
    assert verify(town.store) == []


def test_only_the_owner_can_read_the_inbox(town: Town) -> None:
    town.sends([{"id": 1, "text": "langare"}])
    town.night()
    assert stat.S_IMODE(os.stat(town.store.inbox).st_mode) == 0o600  # noqa: PTH116


def test_two_nights_at_once_are_refused(town: Town) -> None:
    with night_lock(town.store), pytest.raises(LagesbildError, match="annan natt"):
        town.night()


def test_a_night_cut_off_before_publishing_publishes_next_time(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.sends([{"id": 1, "text": "langare"}])

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "publish", cut_off)
        with pytest.raises(KeyboardInterrupt):
            town.night()
    assert verify(town.store) == [
        "Ögonblicksbilden är äldre än databasen; kör lagesbild night igen."
    ]
    assert town.night().snapshot is not None
    assert verify(town.store) == []


def test_old_snapshots_go_and_readers_get_the_newest(town: Town) -> None:
    for number in range(6):
        town.sends([{"id": number, "text": "langare"}])
        town.night()
    kept = sorted(path.name for path in town.store.snapshots.glob("*.duckdb"))
    assert kept == ["000004.duckdb", "000005.duckdb", "000006.duckdb"]
    assert snapshots.current(town.store.snapshots).name == "000006.duckdb"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("delete from submission", "finns varken"),
        ("insert into submission select * from submission", "mer än en gång"),
        ("update submission set text = 'annan'", "kontrollsumma"),
        ("update theme_count set n_reports = 99", "omräkning"),
        ("update classified_text set is_current = false", "gällande klassning"),
        ("update submission set version = 7", "luckor"),
        ("update merge_cursor set raw_id = 99", "längre än"),
        ("update submission set submission_id = 'fel'", "inte stämmer med källa"),
        ("delete from classified_text", "hör inte till"),
    ],
)
def test_verify_finds_what_is_broken(town: Town, sql: str, told: str) -> None:
    town.sends([{"id": 1, "text": "langare"}])
    town.night()
    assert verify(town.store) == []
    with connect(town.store.warehouse.path, read_only=False) as db:
        db.execute(sql)
    assert any(told in sentence for sentence in verify(town.store))
