"""Several people and workers at once, and a night in between: nothing lost, nothing twice."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lagesbild.review import index, index_whole, queue
from lagesbild.store import decisions as store
from lagesbild.store.decisions import Choice, ConflictError, Decisions, Reading, in_force
from lagesbild.verify import verify
from tests.review.conftest import Browser, ReviewTown

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def reading(number: int, *themes: str, mode: store.Mode = "open", who: str = "anna") -> Reading:
    chosen = {theme: Choice() for theme in themes}
    return Reading(
        f"reading-{number}", "s", "sha", "v", who, mode, themes=chosen, machine=("trafik",)
    )


def effective(decisions: Decisions) -> dict[str, str]:
    """The newest verdict of each theme, as the warehouse's view takes it."""
    with decisions.transaction() as db:
        rows = db.execute(
            "select theme, verdict from decision order by decided_at, decision_id"
        ).fetchall()
    return {theme: verdict for theme, verdict in dict(rows).items() if verdict != "withdrawn"}


def test_of_two_at_once_one_is_told(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "review.sqlite")
    outcomes: list[str] = []
    gate = threading.Barrier(8)

    def decide(number: int) -> None:
        gate.wait()
        try:
            Decisions(decisions.path).record(reading(number, "trafik"), None, NOON)
            outcomes.append("stored")
        except ConflictError as error:
            outcomes.append("told" if error.newest else "told nothing")

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stored"] + ["told"] * 7
    assert len(decisions.history("s", "sha")) == 1


def test_decisions_and_readings_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "review.sqlite")
    decisions.record(reading(1, "trafik"), None, NOON)
    for sql in (
        "update reading set note = 'x'",
        "delete from reading",
        "update decision set verdict = 'added'",
        "delete from decision",
    ):
        with pytest.raises(Exception, match="never"), decisions.transaction() as db:
            db.execute(sql)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sets(st.sampled_from(["trafik", "alkohol", "ungdomar"]))),
        st.tuples(st.just("undo"), st.just(set[str]())),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_deciding_and_undoing_is_a_stack(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, set[str]]]
) -> None:
    decisions = Decisions(tmp_path_factory.mktemp("d") / "review.sqlite")
    stack: list[tuple[str, set[str]]] = []
    for number, (step, themes) in enumerate(steps):
        seen = stack[-1][0] if stack else None
        if step == "decide":
            made = reading(number, *themes)
            decisions.record(made, seen, NOON)
            stack.append((made.reading_id, themes))
        elif seen is not None:
            assert decisions.undo(seen, f"undo-{number}", "anna", NOON)
            stack.pop()
    newest = in_force(decisions.history("s", "sha"))
    assert (newest.reading_id if newest else None) == (stack[-1][0] if stack else None)
    held = effective(decisions)
    if not stack:
        assert held == {}
    else:
        chosen = {theme for theme, verdict in held.items() if verdict != "rejected"}
        assert chosen == stack[-1][1]


def test_pages_read_the_newest_night_without_a_restart(town: ReviewTown) -> None:
    anna = town.reader()
    assert "splitterny" not in anna.get("/ko?reviewed=&q=splitterny").text.split("<ol")[1]
    town.night({"id": 7, "text": "en splitterny langare"})
    assert "splitterny" in anna.get("/ko?reviewed=&q=splitterny").text.split("<ol")[1]


def test_until_the_newest_index_is_made_pages_read_the_one_before(
    town: ReviewTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = town.reader()
    assert anna.get("/ko").status_code == 200
    asked = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr("lagesbild.night.ensure_index", lambda *_: None)
        town.night({"id": 7, "text": "en splitterny langare"})
        made = index.ensure_index
        patch.setattr(index, "ensure_index", lambda *_: asked.set())
        page = anna.get("/ko?q=splitterny")
        assert page.status_code == 200
        assert town.report_id(7) not in page.text
        assert asked.wait(10)
        site = town.app().state.site
        made(site.reports.snapshot(), town.store.decisions, site.settings.review, site.plan)
    assert town.report_id(7) in anna.get("/ko?q=splitterny").text


def test_only_the_newest_indexes_are_kept(town: ReviewTown) -> None:
    for number in range(10, 14):
        town.night({"id": number, "text": f"langare {number}"})
    kept = sorted(path.name[:6] for path in town.store.snapshots.glob("*.review.sqlite"))
    assert kept == ["000004", "000005"]
    assert list(town.store.snapshots.glob("*.making")) == []


def test_a_night_while_people_decide_loses_nothing(town: ReviewTown) -> None:
    people = [town.reader(name) for name in ("anna", "bo")]
    for number, person in zip((1, 2), people, strict=True):
        person.answer(f"/rapport/{town.report_id(number)}", "trafik")
        town.night()
    assert town.rows("select count(*) from assigned_theme where theme = 'trafik'") == [(2,)]
    assert town.rows("select count(*) from review") == [(4,)]  # each also rejects the machine's
    assert verify(town.store) == []
    shown = queue.find(town.app().state.site.reports, queue.Filter(reviewed="")).reports
    worth = {report.submission_id: report.worth for report in shown}
    assert {id for id, value in worth.items() if value < 0} == {
        town.report_id(number) for number in (1, 2)
    }
    assert list(worth.values()) == sorted(worth.values(), reverse=True)


def test_an_index_of_another_version_is_made_anew(
    town: ReviewTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = town.store.snapshots.glob("*.review.sqlite")
    monkeypatch.setattr(index_whole, "_layout", lambda: "another")
    assert town.reader().get(f"/rapport/{town.report_id(1)}").status_code == 200
    assert [path.name[6:] for path in town.store.snapshots.glob("*.review.sqlite")] == [
        ".another.review.sqlite"
    ]
    assert not old.exists()


def sent_to(person: Browser) -> str:
    return str(person.get("/nasta").headers["location"]).partition("?")[0]


def test_people_are_sent_to_different_reports(town: ReviewTown) -> None:
    people = [town.reader(name) for name in ("anna", "bo", "cilla", "david")]
    sent = [sent_to(person) for person in people]
    assert len(set(sent)) == 4  # as many as there are reports
    assert [sent_to(person) for person in people] == sent  # and each again to their own
    assert sent_to(town.reader("eva")).startswith("/rapport/")  # rather together than not at all
    people[0].answer(sent[0], "trafik")
    assert sent_to(people[0]) in sent[1:]


def test_of_two_sent_at_once_one_is_sent_on(town: ReviewTown) -> None:
    anna, bo = (town.people for _ in range(2))
    assert anna.take_in_hand("anna", "s1")
    assert not bo.take_in_hand("bo", "s1")
    assert bo.in_other_hands("bo") == ["s1"]
    assert anna.take_in_hand("anna", "s2")
    assert bo.take_in_hand("bo", "s1")
    assert anna.in_other_hands("anna") == ["s1"]


def test_a_report_is_not_kept_for_long(town: ReviewTown, monkeypatch: pytest.MonkeyPatch) -> None:
    assert town.people.take_in_hand("anna", "s1")
    later = time.time() + 11 * 60
    monkeypatch.setattr("lagesbild.review.people.time.time", lambda: later)
    assert town.people.in_other_hands("bo") == []
    assert town.people.take_in_hand("bo", "s1")


def test_blind_reports_are_shared_out_too(blind_town: ReviewTown) -> None:
    anna, bo = (blind_town.reader(name) for name in ("anna", "bo"))
    assert sent_to(anna) != sent_to(bo)


def test_a_file_put_back_from_a_backup_is_the_one_written_to(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "review.sqlite")
    decisions.record(reading(1, "trafik"), None, NOON)
    with decisions.lent() as db:
        db.execute("pragma wal_checkpoint(truncate)")
    backup = tmp_path / "backup.sqlite"
    backup.write_bytes(decisions.path.read_bytes())
    decisions.record(reading(2, "trafik"), "reading-1", NOON)
    for beside in ("-wal", "-shm"):
        Path(f"{decisions.path}{beside}").unlink()
    backup.replace(decisions.path)
    assert [r.reading_id for r in decisions.history("s", "sha")] == ["reading-1"]
    decisions.record(reading(3, "trafik"), "reading-1", NOON)
    assert [r.reading_id for r in Decisions(decisions.path).history("s", "sha")] == [
        "reading-1",
        "reading-3",
    ]


def test_what_was_not_committed_is_not_there_for_the_next(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "review.sqlite")

    def fail_half_way() -> None:
        with decisions.transaction() as db:
            db.execute("insert into saved_filter values ('anna', 'f', '', '')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with decisions.lent() as db:
        assert not db.in_transaction
        assert db.execute("select count(*) from saved_filter").fetchone() == (0,)


def test_the_index_holds_redacted_texts_and_nothing_of_the_inbox(town: ReviewTown) -> None:
    town.night({"id": 8, "text": "langare på nummer 070-123 45 67 vid torget"})
    (path,) = sorted(town.store.snapshots.glob("*.review.sqlite"))[-1:]
    assert b"123 45 67" not in path.read_bytes()
    assert "[telefon]" in town.app().state.site.reports.get(town.report_id(8)).text


def test_a_draw_does_not_depend_on_other_reports(blind_town: ReviewTown) -> None:
    site = blind_town.app().state.site
    before = site.reports.get(blind_town.report_id(1)).blind_rank
    blind_town.night({"id": 5, "text": "en lampa till"})
    after = blind_town.app().state.site.reports.get(blind_town.report_id(1)).blind_rank
    assert before == after
    assert queue.next_blind(blind_town.app().state.site.reports, "anna") is not None
