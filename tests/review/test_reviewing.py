"""Deciding: one report, two people at once, many reports, undoing, and the night after."""

from __future__ import annotations

import json
from typing import Any

from classifiers.renewal import reviewed_rows
from lagesbild.store.decisions import in_force
from lagesbild.verify import verify
from tests.review.conftest import Browser, ReviewTown

NO_CHANGE: tuple[dict[str, Any], ...] = ()


def themes(town: ReviewTown, record_id: int) -> list[tuple[str, bool]]:
    report = town.report_id(record_id)
    rows = town.rows(
        f"select theme, is_reviewed from assigned_theme where submission_id = '{report}' order by 1"
    )
    return [(theme, is_reviewed) for theme, is_reviewed in rows]


def test_a_decision_holds_from_the_next_night(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(1)}"
    answer = anna.answer(path, "trafik", stance=["trafik:onskemal"], subtheme=["trafik:parkering"])
    assert answer.headers["location"].startswith("/nasta")
    town.night()
    assert themes(town, 1) == [("trafik", True)]
    assert town.rows("select stance, subtheme from assigned_theme where theme = 'trafik'") == [
        ("onskemal", "parkering")
    ]
    assert verify(town.store) == []


def test_the_same_form_sent_twice_is_one_decision(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(1)}"
    form = {**anna.answer_form(anna.get(path).text), "theme": "narkotika"}
    first, second = anna.client.post(path, data=form), anna.client.post(path, data=form)
    assert first.status_code == second.status_code == 303
    assert len(town.store.decisions.readings("open")) == 1


def test_a_decided_report_leaves_the_queue_before_the_night(town: ReviewTown) -> None:
    anna = town.reader()
    report = town.report_id(1)
    assert report in anna.get("/ko").text
    anna.answer(f"/rapport/{report}", "narkotika")
    assert report not in anna.get("/ko").text
    assert report in anna.get("/ko?reviewed=yes").text


def test_the_second_sees_the_firsts_decision_before_overwriting(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    path = f"/rapport/{town.report_id(1)}"
    form = bo.answer_form(bo.get(path).text)
    anna.answer(path, "trafik")
    answer = bo.client.post(path, data={**form, "theme": "alkohol"})
    assert answer.status_code == 409
    assert "anna hann före" in answer.text
    assert "Trafik" in answer.text.split('role="alert"')[1].split("</div>")[0]
    history = town.store.decisions.history(town.report_id(1), form["sha"])
    assert [reading.reviewer for reading in history] == ["anna"]
    again = bo.client.post(path, data={**bo.answer_form(answer.text), "theme": "alkohol"})
    assert again.status_code == 303
    town.night()
    assert themes(town, 1) == [("alkohol", True)]


def test_undoing_gives_the_machine_the_word_again(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(1)}"
    anna.answer(path, "trafik")
    town.night()
    assert themes(town, 1) == [("trafik", True)]
    page = anna.get(path).text
    undo = Browser.fields(page[page.index('action="/angra"') :].split("</form>")[0])
    assert anna.client.post("/angra", data=undo).status_code == 303
    town.night()
    assert themes(town, 1) == [("narkotika", False)]
    assert verify(town.store) == []


def test_undoing_gives_the_earlier_person_the_word_again(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    path = f"/rapport/{town.report_id(1)}"
    anna.answer(path, "trafik")
    bo.answer(path, "alkohol")
    page = bo.get(path).text
    undo = Browser.fields(page[page.index('action="/angra"') :].split("</form>")[0])
    bo.client.post("/angra", data=undo)
    sha = Browser.answer_form(page)["sha"]
    newest = in_force(town.store.decisions.history(town.report_id(1), sha))
    assert newest is not None
    assert newest.reviewer == "anna"
    town.night()
    assert themes(town, 1) == [("trafik", True)]


def test_nobody_undoes_what_another_has_built_on(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    path = f"/rapport/{town.report_id(1)}"
    anna.answer(path, "trafik")
    page = anna.get(path).text
    undo = Browser.fields(page[page.index('action="/angra"') :].split("</form>")[0])
    bo.answer(path, "alkohol")
    assert anna.client.post("/angra", data=undo).headers["location"].endswith("not_undone")


def test_more_themes_than_the_plan_allows_are_refused(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(1)}"
    answer = anna.answer(path, "trafik", "alkohol", "narkotika", "ungdomar")
    assert answer.status_code == 422
    assert "högst 3" in answer.text
    assert town.store.decisions.ids() == set()


def test_themes_and_stances_outside_the_plan_are_refused(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(1)}"
    assert anna.answer(path, "oklart").status_code == 422
    assert anna.answer(path, "trafik", stance=["trafik:hat"]).status_code == 422
    assert anna.answer(path, "trafik", subtheme=["trafik:finns_inte"]).status_code == 422


def test_cannot_decide_leaves_the_machines_answer_and_can_be_found(town: ReviewTown) -> None:
    anna = town.reader()
    report = town.report_id(1)
    anna.answer(f"/rapport/{report}", outcome="cannot_decide", note="för kort")
    assert report in anna.get("/ko?flagged=cannot_decide").text
    assert "för kort" in anna.get(f"/rapport/{report}").text
    town.night()
    assert themes(town, 1) == [("narkotika", False)]


def test_a_skipped_report_does_not_come_back_to_the_same_person(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    first = anna.get("/nasta").headers["location"]
    anna.client.post(f"{first}/hoppa", data={"csrf": anna.csrf()})
    assert anna.get("/nasta").headers["location"] != first
    assert bo.get("/nasta").headers["location"] == first


def test_a_changed_text_is_asked_again_and_says_so(town: ReviewTown) -> None:
    anna = town.reader()
    anna.answer(f"/rapport/{town.report_id(1)}", "trafik")
    town.night({"id": 1, "text": "en langare och en lampa vid Ängtorget", "kommun": "1480"})
    page = anna.get(f"/rapport/{town.report_id(1)}").text
    assert "texten har ändrats sedan den granskades" in page
    assert town.report_id(1) in anna.get("/ko").text
    assert themes(town, 1) == [("fysisk_miljo", False), ("narkotika", False)]


def test_a_form_for_an_older_text_is_refused(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(1)}"
    form = anna.answer_form(anna.get(path).text)
    town.night({"id": 1, "text": "nu en lampa"})
    assert anna.client.post(path, data={**form, "theme": "trafik"}).status_code == 409
    assert town.store.decisions.ids() == set()


def test_decisions_of_a_whole_filter_can_be_undone(town: ReviewTown) -> None:
    anna = town.reader()
    page = anna.get("/samlat?theme=narkotika").text
    form = Browser.fields(page[page.index('action="/samlat') :].split("<fieldset")[0])
    assert form["n"] == "2"
    sent = {**form, "action": "reject", "theme": "narkotika"}
    for _ in range(2):  # sent twice, stored once
        answer = anna.client.post("/samlat?theme=narkotika", data=sent)
        assert answer.headers["location"] == "/ko?sagt=bulk"
    assert len(town.store.decisions.readings("bulk")) == 2
    town.night()
    assert town.rows("select count(*) from assigned_theme where theme = 'narkotika'") == [(0,)]
    queue = anna.get("/ko").text
    undo = Browser.fields(queue[queue.index('action="/angra"') :].split("</form>")[0])
    anna.client.post("/angra", data=undo)
    town.night()
    assert town.rows("select count(*) from assigned_theme where theme = 'narkotika'") == [(2,)]
    assert verify(town.store) == []


def test_a_bulk_decision_over_another_count_than_was_shown_is_refused(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    page = anna.get("/samlat?theme=narkotika").text
    form = Browser.fields(page[page.index('action="/samlat') :].split("<fieldset")[0])
    bo.answer(f"/rapport/{town.report_id(1)}", "trafik")
    assert anna.client.post("/samlat?theme=narkotika", data=form).status_code == 409
    assert town.store.decisions.readings("bulk") == []


def test_personal_data_is_hidden_at_once_everywhere(town: ReviewTown) -> None:
    anna = town.reader()
    report = town.report_id(4)
    path = f"/rapport/{report}"
    page = anna.get(path).text
    assert "Bagarn" in page
    sent = {
        "csrf": anna.csrf(),
        "client_id": "personuppgift-1",
        "sha": Browser.answer_form(page)["sha"],
        "words": "bagarn blom",
    }
    assert anna.client.post(f"{path}/personuppgift", data=sent).status_code == 303
    for shown in (path, "/ko", "/ko?q=skolan", "/samlat?theme=narkotika"):
        assert "Bagarn" not in anna.get(shown).text, shown
    assert "[dolt]" in anna.get(path).text
    assert report not in anna.get("/ko?q=bagarn").text  # not even as a hit
    assert report in anna.get("/ko?q=skolan").text
    with town.store.decisions.transaction() as db:
        rows = db.execute("select start_at, end_at, shape from redaction").fetchall()
    assert [(end - start, shape) for start, end, shape in rows] == [(11, "Aaaaaa Aaaa")]
    assert b"Bagarn" not in b"".join(p.read_bytes() for p in town.store.root.glob("review.sqlite*"))


def test_words_that_are_not_in_the_text_hide_nothing(town: ReviewTown) -> None:
    anna = town.reader()
    path = f"/rapport/{town.report_id(4)}"
    sent = {"csrf": anna.csrf(), "client_id": "personuppgift-1", "words": "Kalle"}
    assert anna.client.post(f"{path}/personuppgift", data=sent).status_code == 422
    assert "[dolt]" not in anna.get(path).text


def test_a_text_never_becomes_markup(town: ReviewTown) -> None:
    evil = "langare <img src=x onerror=alert(1)> {{ 7*7 }} \" ' <b>"
    town.night({"id": 9, "text": evil})
    anna = town.reader()
    for path in (
        f"/rapport/{town.report_id(9)}",
        "/ko",
        "/ko?q=langare",
        "/samlat?theme=narkotika",
    ):
        page = anna.get(path).text
        assert "<img" not in page
        assert "{{ 7*7 }}" in page or "49" not in page
    answer = anna.answer(f"/rapport/{town.report_id(9)}", note="<script>x</script>")
    assert answer.status_code == 303
    assert "<script>x" not in anna.get(f"/rapport/{town.report_id(9)}").text
    assert "<script>x" not in anna.get("/ko?q=<script>x").text


def test_filters_are_saved_for_the_person(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    anna.client.post("/filter?theme=narkotika", data={"csrf": anna.csrf(), "name": "Mina"})
    assert "/ko?theme=narkotika" in anna.get("/ko").text
    assert "/ko?theme=narkotika" not in bo.get("/ko").text
    anna.client.post("/filter?", data={"csrf": anna.csrf(), "name": "Mina", "remove": "yes"})
    assert "/ko?theme=narkotika" not in anna.get("/ko").text


def test_every_item_says_why_it_is_here(town: ReviewTown) -> None:
    anna = town.reader()
    page = anna.get("/ko?q=akut").text
    assert "det låter brådskande" in page


# --- the blind sample -----------------------------------------------------------------------------


def test_the_blind_sample_never_tells_the_machines_answer(blind_town: ReviewTown) -> None:
    anna = blind_town.reader()
    page = anna.get(f"/rapport/{blind_town.report_id(1)}").text
    assert "Blint prov" in page
    answer = page[page.index('id="answer"') :]
    assert "checked" not in answer.split("<fieldset")[1].split("</fieldset>")[0]
    for told in ("<mark", " %", "Varför är den här", "Vattenpump", "Liknande"):
        assert told not in page, told
    plain = list(blind_town.app().state.site.plan.decided)
    assert [page.index(f'value="{theme}"') for theme in plain] == sorted(
        page.index(f'value="{theme}"') for theme in plain
    )
    for path in ("/ko", "/ko?theme=narkotika", "/samlat?theme=narkotika", "/ko?stance=problem"):
        assert blind_town.report_id(1) not in anna.get(path).text, path
    found = anna.get("/ko?q=langare").text
    assert blind_town.report_id(1) in found
    assert "Problem</span>" not in found


def test_an_open_answer_to_a_drawn_report_is_refused(blind_town: ReviewTown) -> None:
    anna = blind_town.reader()
    path = f"/rapport/{blind_town.report_id(1)}"
    form = anna.answer_form(anna.get(path).text)
    form.pop("blind")
    assert anna.client.post(path, data={**form, "theme": "trafik"}).status_code == 403


def test_two_readers_differ_and_it_is_settled(blind_town: ReviewTown) -> None:
    anna, bo, eva = (blind_town.reader(name) for name in ("anna", "bo", "eva"))
    report = blind_town.report_id(1)
    assert bo.get(f"/andra/{report}").status_code == 404  # not read by a first one yet
    anna.answer(f"/rapport/{report}", "narkotika")
    assert anna.get(f"/andra/{report}").status_code == 403  # never both
    page = bo.get(f"/andra/{report}").text
    assert "checked" not in page.split("<fieldset")[1]
    assert "anna" not in page.split("<main")[1].split("<fieldset")[0]
    form = Browser.fields(page.split('action="/andra/')[1].split("<fieldset")[0])
    assert bo.client.post(f"/andra/{report}", data={**form, "theme": "trafik"}).status_code == 303
    assert eva.get(f"/andra/{report}").status_code == 403  # two are enough
    blind_town.night()
    assert themes(blind_town, 1) == [("narkotika", True)]  # the first holds until it is settled
    assert report in eva.get("/andra").text
    page = eva.get(f"/jamka/{report}").text
    form = Browser.fields(page.split('action="/jamka/')[1].split("<fieldset")[0])
    settled = eva.client.post(f"/jamka/{report}", data={**form, "theme": ["narkotika", "trafik"]})
    assert settled.status_code == 303
    assert f"/jamka/{report}" not in eva.get("/andra").text
    blind_town.night()
    assert themes(blind_town, 1) == [("narkotika", True), ("trafik", True)]
    assert verify(blind_town.store) == []


def test_a_blind_reading_keeps_its_weight_and_the_machines_answer(blind_town: ReviewTown) -> None:
    anna = blind_town.reader()
    anna.answer(f"/rapport/{blind_town.report_id(1)}", "trafik")
    (reading,) = blind_town.store.decisions.readings("blind")
    assert (reading.weight, reading.machine) == (1.0, ("narkotika",))
    assert "Räknat ur 1 blind läsning." in anna.get("/resultat").text


def test_what_was_read_blind_never_teaches(blind_town: ReviewTown) -> None:
    """Else the measure of a model that has learnt from it would be too good."""
    blind_town.reader().answer(f"/rapport/{blind_town.report_id(1)}", "trafik")
    blind_town.night()
    assert themes(blind_town, 1) == [("trafik", True)]  # though it holds, as every decision does
    assert reviewed_rows(blind_town.app().state.site.reports.snapshot()) == []


def test_what_was_decided_openly_teaches(town: ReviewTown) -> None:
    town.reader().answer(f"/rapport/{town.report_id(1)}", "trafik")
    town.night()
    (row,) = reviewed_rows(town.app().state.site.reports.snapshot())
    assert row.themes == {"trafik"}


def test_counts_and_downloads_hide_small_numbers(town: ReviewTown) -> None:
    planner = town.reader("plan", "planner")
    page = planner.get("/planera?tema=narkotika").text
    assert '<td class="number">..</td>' in page
    assert '<td class="number">2</td>' not in page
    answer = planner.get("/planera/hamta?by=theme,month&style=csv&profile=excel_sv")
    assert "narkotika" in answer.text
    assert ".." in answer.text
    assert json.dumps(answer.headers["content-disposition"]).count("antal_theme_month") == 1
    early = planner.get("/planera/hamta?by=theme,month&style=csv&profile=open_data")
    assert early.status_code == 422
    assert "Ingen period är färdig att publicera" in early.text
