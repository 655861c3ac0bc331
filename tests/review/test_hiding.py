"""Personal data that a person marks: hidden at once, taken back, gone after the night, told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lagesbild.cli import main
from lagesbild.review.flagged import flagged
from lagesbild.store import redactions
from lagesbild.store.decisions import Decisions
from lagesbild.verify import verify
from tests.review.conftest import Browser, ReviewTown

WORDS = "Bagarn Blom"


def hide(browser: Browser, report: str, words: str = WORDS, kind: str = "namn") -> Any:
    path = f"/rapport/{report}"
    sent = {
        "csrf": browser.csrf(),
        "client_id": f"markering-{kind}",
        "sha": Browser.answer_form(browser.get(path).text)["sha"],
        "words": words,
        "kind": kind,
    }
    return browser.client.post(f"{path}/personuppgift", data=sent)


def show_again(browser: Browser, report: str, redaction_id: str = "markering-namn") -> Any:
    sent = {"csrf": browser.csrf(), "redaction_id": redaction_id}
    return browser.client.post(f"/rapport/{report}/personuppgift/visa", data=sent)


def test_what_is_hidden_can_be_shown_again_before_the_night(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    report = town.report_id(4)
    hide(anna, report)
    page = bo.get(f"/rapport/{report}").text
    assert WORDS not in page
    assert "anna: namn, 1 ställe." in page
    assert "Tas bort ur lagret nästa natt." in page
    assert show_again(bo, report).headers["location"].endswith("sagt=shown")
    page = anna.get(f"/rapport/{report}").text
    assert WORDS in page
    assert "Dolt som personuppgift" not in page
    town.night()
    assert WORDS in anna.get(f"/rapport/{report}").text
    actions = [(name, action) for _, _, name, action, _, _ in town.people.audit(50)]
    assert {("anna", "hide_personal_data"), ("bo", "show_again")} <= set(actions)


def test_after_the_night_the_words_are_gone_and_cannot_come_back(town: ReviewTown) -> None:
    anna = town.reader()
    report = town.report_id(4)
    anna.answer(f"/rapport/{report}", "narkotika")
    hide(anna, report)
    town.night()
    page = anna.get(f"/rapport/{report}").text
    assert "igen vid skolan, ring [dolt]" in page
    assert "Borttaget ur lagret." in page
    assert show_again(anna, report).status_code == 409
    assert report not in anna.get("/ko?q=bagarn&reviewed=").text
    assert report in anna.get("/ko?q=skolan&reviewed=yes").text  # the decision stays
    assert report not in anna.get("/ko").text
    assert report in anna.get("/ko?flagged=personal_data&reviewed=").text
    anna.answer(f"/rapport/{report}", "trafik")  # and can be made again
    town.night()
    assert town.rows(
        f"select theme from assigned_theme where submission_id = '{report}' and is_reviewed"
    ) == [("trafik",)]
    assert verify(town.store) == []


def test_more_can_be_hidden_after_the_night(town: ReviewTown) -> None:
    anna = town.reader()
    report = town.report_id(4)
    hide(anna, report)
    town.night()
    assert hide(anna, report, "skolan", "annat").status_code == 303
    assert "skolan" not in anna.get(f"/rapport/{report}").text
    town.night()
    assert "vid [dolt], ring [dolt]" in anna.get(f"/rapport/{report}").text
    assert verify(town.store) == []


def test_a_planner_can_neither_hide_nor_show(town: ReviewTown) -> None:
    planner = town.reader("plan", "planner")
    assert show_again(planner, town.report_id(4)).status_code == 403


@pytest.mark.parametrize("is_merged", [False, True])
def test_the_list_for_the_redactor_has_no_words(town: ReviewTown, *, is_merged: bool) -> None:
    anna = town.reader()
    report = town.report_id(4)
    hide(anna, report)
    hide(anna, report, "skolan", "annat")
    if is_merged:
        town.night()
    found = list(flagged(town.store))
    told = {entry["kind"]: entry for entry in found}
    assert told["namn"]["shape"] == "Aaaaaa Aaaa"
    assert told["namn"]["length"] == len(WORDS)
    assert told["namn"]["before"] == "langare igen vid [dolt], ring"
    assert told["namn"]["after"] == ""
    assert told["annat"]["before"] == "langare igen vid"
    assert told["annat"]["after"] == ", ring [dolt]"
    assert not any(word in json.dumps(found) for word in (*WORDS.split(), "skolan", report))


def test_marks_taken_back_are_not_told_of(town: ReviewTown) -> None:
    anna = town.reader()
    hide(anna, town.report_id(4))
    show_again(anna, town.report_id(4))
    assert list(flagged(town.store)) == []


def test_the_command_prints_a_line_for_each_place(
    town: ReviewTown, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(town.reader(), town.report_id(4))
    assert main(["review", "flagged", "--config", str(tmp_path / "lagesbild.toml")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["kind"] == "namn"


def test_a_file_of_decisions_of_the_version_before_is_brought_up_to_date(town: ReviewTown) -> None:
    with town.store.decisions.transaction() as db:
        for table in ("redaction_kind", "redaction_undo"):
            db.execute(f"drop table {table}")
        db.execute("pragma user_version = 1")
    opened_anew = Decisions(town.store.decisions.path)
    assert redactions.marks(opened_anew) == []
