"""Who gets in, what each role sees, and what every answer carries."""

from __future__ import annotations

import pytest

from lagesbild.review.people import TooManyTriesError
from tests.review.conftest import PASSWORD, Browser, ReviewTown

TEXT_PATHS = ("/ko", "/ko?q=langare", "/nasta", "/samlat", "/andra", "/resultat", "/regler")


def every_path(town: ReviewTown) -> list[str]:
    report = town.report_id(1)
    return [
        *TEXT_PATHS,
        f"/rapport/{report}",
        f"/andra/{report}",
        f"/jamka/{report}",
        "/planera",
        "/planera/hamta",
        "/personer",
        "/logg",
        "/konto",
        "/",
    ]


def test_nobody_gets_anything_without_logging_in(town: ReviewTown) -> None:
    browser = Browser(town.app())
    for path in every_path(town):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/logga-in"), path
        assert "langare" not in answer.text


def test_a_planner_never_sees_a_text(town: ReviewTown) -> None:
    planner = town.reader("plan", "planner")
    report = town.report_id(1)
    for path in (*TEXT_PATHS, f"/rapport/{report}", f"/andra/{report}", f"/jamka/{report}"):
        answer = planner.get(path)
        assert answer.status_code == 403, path
        assert "langare" not in answer.text
    csrf = planner.csrf()
    for path in (f"/rapport/{report}", f"/rapport/{report}/personuppgift", "/samlat", "/angra"):
        assert planner.client.post(path, data={"csrf": csrf}).status_code == 403, path
    assert planner.get("/planera").status_code == 200
    assert "langare" not in planner.get("/planera").text


def test_only_administrators_see_people_and_the_log(town: ReviewTown) -> None:
    for name, role in (("anna", "reviewer"), ("plan", "planner")):
        browser = town.reader(name, role)  # type: ignore[arg-type]
        assert browser.get("/personer").status_code == 403
        assert browser.get("/logg").status_code == 403
    admin = town.reader("chef", "admin")
    assert "anna" in admin.get("/personer").text
    assert admin.get("/logg").status_code == 200


def test_a_form_without_this_sessions_token_is_refused(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    path = f"/rapport/{town.report_id(1)}"
    form = anna.answer_form(anna.get(path).text)
    for csrf in ("", "x", bo.csrf()):
        assert anna.client.post(path, data={**form, "csrf": csrf}).status_code == 403
    assert town.store.decisions.ids() == set()
    assert anna.client.post(path, data=form).status_code == 303


def test_a_log_in_sent_from_elsewhere_is_refused(town: ReviewTown) -> None:
    town.people.add("anna", "reviewer", PASSWORD)
    browser = Browser(town.app())
    sent = {"name": "anna", "password": PASSWORD, "token": "påhittad"}
    assert browser.client.post("/logga-in", data=sent).status_code == 403


def test_the_session_changes_at_log_in_and_ends_at_log_out(town: ReviewTown) -> None:
    town.people.add("anna", "reviewer", PASSWORD)
    browser = Browser(town.app())
    browser.client.cookies.set("lagesbild", "fastnaglad", domain="127.0.0.1", path="/")
    browser.log_in("anna")
    token = next(c.value for c in browser.client.cookies.jar if c.name == "lagesbild")
    assert token != "fastnaglad"
    assert town.people.session(token or "") is not None
    browser.client.post("/logga-ut", data={"csrf": browser.csrf()})
    assert town.people.session(token or "") is None


def test_log_out_everywhere_ends_every_session(town: ReviewTown) -> None:
    here, there = town.reader("anna"), Browser(town.app())
    there.log_in("anna")
    here.client.post("/logga-ut", data={"csrf": here.csrf(), "everywhere": "yes"})
    assert there.get("/konto").status_code == 303


def test_somebody_shut_out_is_out_at_once(town: ReviewTown) -> None:
    anna, admin = town.reader("anna"), town.reader("chef", "admin")
    admin.client.post("/personer/av", data={"csrf": admin.csrf(), "name": "anna"})
    assert anna.get("/ko").status_code == 303
    assert anna.log_in("anna").status_code == 401


def test_a_new_role_holds_at_once(town: ReviewTown) -> None:
    anna, admin = town.reader("anna"), town.reader("chef", "admin")
    admin.client.post("/personer", data={"csrf": admin.csrf(), "name": "Anna", "role": "planner"})
    assert anna.get("/konto").status_code == 303  # logged out
    anna.log_in("anna")
    assert anna.get("/ko").status_code == 403


def test_an_administrator_cannot_shut_themselves_out(town: ReviewTown) -> None:
    admin = town.reader("chef", "admin")
    answer = admin.client.post("/personer/av", data={"csrf": admin.csrf(), "name": "chef"})
    assert answer.status_code == 422
    assert admin.get("/konto").status_code == 200


def test_guessing_is_stopped_even_with_the_right_password(town: ReviewTown) -> None:
    town.people.add("anna", "reviewer", PASSWORD)
    browser = Browser(town.app())
    for _ in range(5):
        assert browser.log_in("anna", "fel-losenord-igen").status_code == 401
    assert browser.log_in("anna").status_code == 429


def test_guessing_from_one_address_does_not_shut_out_the_others(town: ReviewTown) -> None:
    town.people.add("anna", "reviewer", PASSWORD)
    for _ in range(5):
        town.people.check_password("anna", "fel", "192.0.2.1")
    with pytest.raises(TooManyTriesError):
        town.people.check_password("anna", PASSWORD, "192.0.2.1")
    assert town.people.check_password("anna", PASSWORD, "192.0.2.2") is not None


def test_unknown_names_are_told_as_wrong_passwords_are(town: ReviewTown) -> None:
    town.people.add("anna", "reviewer", PASSWORD)
    town.people.add("oidc", "reviewer", None)
    browser = Browser(town.app())
    told = {
        browser.log_in(name, "fel-losenord-igen").text.split("<main")[1].split("<form")[0]
        for name in ("anna", "ingen", "oidc")
    }
    assert len(told) == 1


def test_neither_passwords_nor_tokens_are_stored(town: ReviewTown) -> None:
    browser = town.reader("anna")
    token = next(c.value for c in browser.client.cookies.jar if c.name == "lagesbild") or ""
    stored = b"".join(p.read_bytes() for p in town.store.root.glob("people.sqlite*"))
    assert PASSWORD.encode() not in stored
    assert token.encode() not in stored


def test_every_answer_carries_the_headers(town: ReviewTown) -> None:
    anna = town.reader("anna")
    for path in ("/ko", "/finns-inte", "/static/review.js", "/logga-in"):
        headers = anna.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
    assert anna.get("/ko").headers["cache-control"] == "no-store"


def test_cookies_are_kept_to_https_but_on_this_machine(town: ReviewTown) -> None:
    plain = Browser(town.app()).get("/logga-in").headers["set-cookie"]
    assert "Secure" not in plain
    assert "HttpOnly" in plain
    other = Browser(town.app())
    other.client.base_url = "https://localhost"
    answer = other.client.get("https://localhost/logga-in")
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


def test_a_name_the_page_does_not_answer_to_is_refused(town: ReviewTown) -> None:
    answer = Browser(town.app()).client.get("/logga-in", headers={"host": "ond.example"})
    assert answer.status_code == 400


def test_too_much_at_once_is_refused(town: ReviewTown) -> None:
    answer = Browser(town.app()).client.post("/logga-in", data={"name": "a" * 300_000})
    assert answer.status_code == 413


def test_the_log_has_views_and_decisions_and_cannot_be_changed(town: ReviewTown) -> None:
    anna = town.reader("anna")
    report = town.report_id(1)
    anna.answer(f"/rapport/{report}", "narkotika")
    actions = [(name, action, about) for _, _, name, action, about, _ in town.people.audit(50)]
    assert ("anna", "view", report) in actions
    assert ("anna", "decide_open", report) in actions
    with town.people._writing() as db, pytest.raises(Exception, match="never"):
        db.execute("delete from audit")


@pytest.mark.parametrize(
    "back",
    ["https://ond.example", "//ond.example", "/\\ond.example", "javascript:alert(1)", "\t//x"],
)
def test_the_choice_of_language_never_leads_away(town: ReviewTown, back: str) -> None:
    answer = Browser(town.app()).client.post("/sprak", data={"language": "en", "back": back})
    assert answer.headers["location"] == "/"


def test_english_by_switch(town: ReviewTown) -> None:
    anna = town.reader("anna")
    assert 'lang="sv"' in anna.get("/ko").text
    anna.client.post("/sprak", data={"language": "en", "back": "/ko"})
    page = anna.get("/ko").text
    assert '<html lang="en">' in page
    assert "The queue" in page
