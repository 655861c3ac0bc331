"""The review page in a real Chromium: by keyboard alone, by two people, at every width."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from lagesbild.review.people import Role
from lagesbild.review.site import LANGUAGE_COOKIE
from lagesbild.sources import SOURCES
from lagesbild.store.decisions import Choice, Reading
from tests.city import TownSource
from tests.review.conftest import PASSWORD, ReviewTown

AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DRAWN = "[review]\nblind_share = 0.3\nblind_per_theme = 0\ndouble_share = 1\n"
# what the cleaner takes for a resident's own words, and a careless page for markup
INJECTED = "angrepp <img src=x onerror=document.title='tagen' <x-y onclick=1> {{ 7*7 }} \" ' &amp"
WIDE, PHONE, ZOOMED = 1280, 390, 320
PEOPLE: dict[str, Role] = {"anna": "reviewer", "bo": "reviewer", "plan": "planner", "chef": "admin"}

pytestmark = pytest.mark.slow


@dataclass
class Place:
    """The served page, the store behind it, and a browser to see it in."""

    town: ReviewTown
    address: str
    browser: Browser
    said: list[str] = field(default_factory=list)
    _states: dict[str, Any] = field(default_factory=dict)

    def context(self, name: str = "", width: int = WIDE, height: int = 900) -> BrowserContext:
        """A browser of one's own, logged in as `name` through the form the first time."""
        if name and name not in self._states:
            with self.browser.new_context(locale="sv-SE") as first:
                self.log_in(self._page(first), name)
                self._states[name] = first.storage_state()
        return self.browser.new_context(
            locale="sv-SE",
            viewport={"width": width, "height": height},
            storage_state=self._states.get(name),
        )

    def open(self, name: str = "", width: int = WIDE) -> Page:
        return self._page(self.context(name, width))

    def _page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        return page

    def log_in(self, page: Page, name: str) -> None:
        page.goto(f"{self.address}/logga-in")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "name":
                break
        page.keyboard.type(name)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/(ko|planera)$"))

    def go(self, page: Page, path: str) -> int:
        answer = page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def reports(self, word: str, *, is_drawn: bool) -> list[str]:
        """Ids of the reports with a word that are in the blind sample, or are not."""
        found = self.town.rows(
            "select submission_id from submission where is_current "
            f"and contains(text, '{word}') order by submission_id"
        )
        reports = self.town.app().state.site.reports
        return [id for (id,) in found if (reports.get(id).blind_rank is not None) == is_drawn]


def _records() -> list[dict[str, Any]]:
    texts = [f"lampa nummer {n} lyser inte vid Ängtorget" for n in range(32)]
    texts += [f"langare på plats {n} vid skolan" for n in range(10)]
    texts += [f"klotter på vägg {n} bakom kiosken" for n in range(12)]
    texts += [INJECTED + f" {n}" for n in range(8)]
    return [
        {"id": number, "text": text, "kommun": "1480", "category": "Vattenpump"}
        for number, text in enumerate(texts)
    ]


def _read_blind(town: ReviewTown, ids: list[str]) -> None:
    """Anna has read these blind; Bo has read the first as second, and differed."""
    reports = town.app().state.site.reports

    def reading(id: str, who: str, mode: Any, theme: str) -> Reading:
        return Reading(
            f"{mode}-{id}",
            id,
            reports.get(id).text_sha256,
            "ord-1",
            who,
            mode,
            themes={theme: Choice()},
            weight=1.0,
        )

    for id in ids:
        town.store.decisions.record(
            reading(id, "anna", "blind", "fysisk_miljo"), None, town.clock()
        )
    town.store.decisions.record(reading(ids[0], "bo", "second", "trafik"), None, town.clock())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed, so nothing was seen in a real browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def place(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SOURCES, "town", TownSource)
        patch.setattr(TownSource, "answers", {})
        town = ReviewTown(tmp_path_factory.mktemp("sida"), DRAWN)
        town.night(*_records())
    for name, role in PEOPLE.items():
        town.people.add(name, role, PASSWORD)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(town.app(), log_level="error", proxy_headers=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            found = Place(town, f"http://127.0.0.1:{listening.getsockname()[1]}", chromium)
            _read_blind(town, found.reports("lampa", is_drawn=True)[:2])
            yield found
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(autouse=True)
def _silent(place: Place) -> Iterator[None]:
    """No page may complain: no script error, nothing stopped by the content policy."""
    place.said.clear()
    yield
    for context in place.browser.contexts:
        context.close()
    refusals = re.compile(r"Failed to load resource: .* status of 4(01|03|04|09)")
    assert [said for said in place.said if not refusals.search(said)] == []


# --- what one person does with the keyboard -------------------------------------------------------


def test_twenty_reports_are_decided_by_keyboard_alone(place: Place) -> None:
    page = place.open("anna")
    place.go(page, "/ko")
    before = len(place.town.store.decisions.readings("open"))
    page.keyboard.press("/")
    page.keyboard.type("lampa")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ko?*q=lampa*")
    page.keyboard.press("g")
    seen = set()
    for number in range(20):
        page.wait_for_url("**/rapport/*")
        page.wait_for_load_state()
        seen.add(page.url.split("/rapport/")[1][:32])
        if number % 4 == 0:
            page.keyboard.press("2")  # a theme the machine did not think of
            page.keyboard.press("s")  # with its next stance
        with page.expect_navigation():
            page.keyboard.press("g")
    readings = place.town.store.decisions.readings("open")[before:]
    assert {reading.submission_id for reading in readings} == seen
    assert len(readings) == len(seen) == 20
    added = [reading for reading in readings if len(reading.themes) == 2]
    assert len(added) == 5
    assert all(
        {choice.stance for choice in reading.themes.values()} == {"problem", "forbattring"}
        for reading in added
    )
    assert page.get_by_role("status").inner_text().strip() == "Sparat."


def test_skip_flag_note_undo_and_help_have_keys(place: Place) -> None:
    report = place.reports("klotter", is_drawn=False)[0]
    page = place.open("bo")
    place.go(page, f"/rapport/{report}")
    page.keyboard.press("?")
    assert page.locator("details.keys").get_attribute("open") is not None
    page.keyboard.press("n")
    page.keyboard.type("g h f u")  # letters in a note are letters
    assert page.locator("#note").input_value() == "g h f u"
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("f")
    (kept,) = [
        reading
        for reading in place.town.store.decisions.readings("open")
        if reading.submission_id == report
    ]
    assert (kept.outcome, kept.note) == ("cannot_decide", "g h f u")
    with page.expect_navigation():
        page.keyboard.press("u")
    assert page.get_by_role("status").inner_text().strip() == "Ångrat."
    place.go(page, f"/rapport/{report}")
    with page.expect_navigation():
        page.keyboard.press("h")
    assert page.get_by_role("status").inner_text().startswith("Överhoppad")


def test_keys_can_be_turned_off(place: Place) -> None:
    page = place.open("bo")
    place.go(page, f"/rapport/{place.reports('klotter', is_drawn=False)[1]}")
    page.keyboard.press("?")
    page.get_by_label("Kortkommandon på").uncheck()
    page.keyboard.press("1")
    assert page.locator("input[name=theme]:checked").count() == 0
    page.get_by_label("Kortkommandon på").check()
    page.keyboard.press("1")
    assert page.locator("input[name=theme]:checked").count() == 1


def test_subthemes_have_a_key(place: Place) -> None:
    page = place.open("bo")
    place.go(page, f"/rapport/{place.reports('lampa', is_drawn=False)[-1]}")
    for key in ("1", "1", "d"):  # off, on, and its next subtheme
        page.keyboard.press(key)
    expect(page.locator("#sub-fysisk_miljo")).not_to_have_value("fysisk_miljo:")


def test_a_decision_about_many_and_its_undoing(place: Place) -> None:
    ids = place.reports("langare", is_drawn=False)
    assert len(ids) > 3
    page = place.open("anna")
    place.go(page, "/ko?q=langare")
    page.get_by_role("link", name="Besluta om många").click()
    page.get_by_role("button", name=f"Besluta om {len(ids)} rapporter").click()
    page.wait_for_url("**/ko?*")
    decided = place.town.store.decisions.readings("bulk")
    assert {reading.submission_id for reading in decided} == set(ids)
    assert page.get_by_role("status").inner_text().strip() == "Det samlade beslutet är sparat."
    with page.expect_navigation():
        page.keyboard.press("u")
    assert page.get_by_role("status").inner_text().strip() == "Ångrat."
    place.go(page, "/samlat?q=langare")
    assert page.get_by_role("button", name=f"Besluta om {len(ids)} rapporter").is_visible()


def test_marked_words_are_hidden_for_everybody(place: Place) -> None:
    report = place.reports("klotter", is_drawn=False)[2]
    page = place.open("anna")
    place.go(page, f"/rapport/{report}")
    page.locator("#report-text").dblclick(position={"x": 40, "y": 24})
    marked = page.evaluate("String(document.getSelection()).trim()")
    assert marked
    page.keyboard.press("p")
    expect(page.locator("#words")).to_have_value(marked)  # filled in by an event of its own
    with page.expect_navigation():
        page.get_by_role("button", name="Dölj", exact=True).click()
    other = place.open("bo")
    place.go(other, f"/rapport/{report}")
    assert marked not in other.locator("#report-text").inner_text()


def test_marked_words_may_be_quoted_once_they_are_checked(place: Place) -> None:
    page = place.open("anna")
    place.go(page, f"/rapport/{place.reports('klotter', is_drawn=False)[3]}")
    page.locator("#report-text").dblclick(position={"x": 40, "y": 24})
    marked = page.evaluate("String(document.getSelection()).trim()")
    page.keyboard.press("c")
    expect(page.locator("#quote")).to_have_value(marked)
    page.get_by_role("button", name="Låt orden citeras").click()
    expect(page.get_by_label("Jag har kontrollerat")).to_be_focused()  # and nothing was sent
    page.get_by_label("Jag har kontrollerat").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Låt orden citeras").click()
    expect(page.locator("q")).to_have_text(marked)
    with page.expect_navigation():
        page.get_by_role("button", name="Ta tillbaka").click()
    expect(page.locator("q")).to_have_count(0)


# --- the blind sample, and two people -------------------------------------------------------------


def test_the_blind_sample_never_shows_the_machines_answer(place: Place) -> None:
    ids = [
        *place.reports("langare", is_drawn=True),
        *place.reports("lampa", is_drawn=True)[2:],
    ]
    page = place.open("bo")
    orders = set()
    for id in ids:
        place.go(page, f"/rapport/{id}")
        assert page.get_by_role("heading", level=1).inner_text().startswith("Blint prov")
        assert page.locator("mark, .mark, .theme.found, input[name=theme]:checked").count() == 0
        words = page.locator("main").inner_text()
        assert not re.search(r"%|sannolik|troligt|osäker|avstod|Vattenpump", words)
        orders.add(tuple(page.locator(".theme").evaluate_all("l => l.map(e => e.dataset.theme)")))
    assert len(ids) > 5
    assert len(orders) == 1
    page.keyboard.press("3")
    with page.expect_navigation():
        page.keyboard.press("g")
    place.go(page, f"/rapport/{ids[-1]}")  # read: now the machine's answer may be seen
    assert page.locator("mark").count() == 1
    assert page.locator("input[name=theme]:checked").count() == 1
    place.go(page, "/ko?q=langare&theme=narkotika")
    shown = page.locator(".reports a").evaluate_all("l => l.map(e => e.href.slice(-60))")
    assert not [id for id in ids if any(id in address for address in shown)]


def test_the_second_of_two_reviewers_sees_the_first_before_replacing(place: Place) -> None:
    report = place.reports("klotter", is_drawn=False)[3]
    anna, bo = place.open("anna"), place.open("bo")
    bo.context.add_init_script(path=AXE)
    for page in (anna, bo):
        place.go(page, f"/rapport/{report}")
    anna.get_by_label("Fysisk miljö").first.check()
    with anna.expect_navigation():
        anna.keyboard.press("g")
    with bo.expect_navigation():
        bo.keyboard.press("g")
    told = bo.get_by_role("alert").inner_text()
    assert "anna hann före." in told
    assert "Ditt svar är inte sparat." in told
    assert list(_faults(bo)) == []
    with bo.expect_navigation():
        bo.keyboard.press("g")  # having seen it, replaces it
    history = [
        reading
        for reading in place.town.store.decisions.readings("open")
        if reading.submission_id == report
    ]
    assert [reading.reviewer for reading in history] == ["anna", "bo"]
    place.go(anna, f"/rapport/{report}")
    assert anna.locator(".history li").count() == 2


def test_a_planner_is_refused_every_text(place: Place) -> None:
    report = place.reports("klotter", is_drawn=False)[0]
    page = place.open("plan")
    place.go(page, "/")
    assert page.url.endswith("/planera")
    assert page.get_by_role("link", name="Att granska").count() == 0
    paths = ["/ko", "/nasta", "/samlat", "/andra", "/resultat", "/regler", "/personer", "/logg"]
    paths += [f"/{kind}/{report}" for kind in ("rapport", "andra", "jamka")]
    for path in paths:
        assert place.go(page, path) == 403, path
        assert "kiosken" not in page.content()
    for path in (*paths, f"/rapport/{report}/hoppa", f"/rapport/{report}/personuppgift"):
        for method in ("get", "post"):
            answer = page.request.fetch(place.address + path, method=method, max_redirects=0)
            assert answer.status in (403, 405), (method, path)
            assert "kiosken" not in answer.text()


# --- every page, at every width -------------------------------------------------------------------


def test_markup_in_a_report_is_shown_as_text(place: Place) -> None:
    report, other, *_ = place.reports("angrepp", is_drawn=False)
    page = place.open("anna")
    place.go(page, f"/rapport/{report}")
    page.keyboard.press("n")
    page.keyboard.type("<img src=x onerror=\"document.title='tagen'\">")
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("g")
    for path in (
        f"/rapport/{report}",
        f"/rapport/{other}",
        "/ko?q=angrepp&reviewed=",
        "/samlat?q=angrepp",
    ):
        place.go(page, path)
        shown = page.locator("main").inner_text()
        assert "<img src=x onerror=document.title='tagen' <x-y onclick=1> {{ 7*7 }}" in shown, path
        assert page.locator("main script, main img, main i, main b").count() == 0
        assert "tagen" not in page.title()
    place.go(page, f"/rapport/{report}")
    assert "<img src=x" in page.locator(".history").inner_text()


def _pages(place: Place) -> dict[str, list[str]]:
    """Every page there is, by who may see it."""
    drawn = place.reports("lampa", is_drawn=True)
    return {
        "": ["/logga-in", "/tillganglighet"],
        "anna": [
            "/ko?q=lampa&reviewed=&theme=fysisk_miljo&order=newest",
            f"/rapport/{place.reports('lampa', is_drawn=False)[0]}",
            f"/rapport/{drawn[-1]}",
            "/samlat?q=lampa",
            "/andra",
            "/regler",
            "/resultat",
            "/konto",
        ],
        "bo": ["/ko", "/samlat?q=finnsinte", f"/andra/{drawn[1]}", f"/jamka/{drawn[0]}"],
        "plan": ["/planera", "/ko"],
        "chef": ["/personer", "/logg"],
    }


def _axe(page: Page) -> list[str]:
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']})"
        ".then(r => r.violations.map(v => v.id + ' ' + v.nodes.map(n => n.target).join(' ')))"
    )
    return [str(told) for told in found]


def _too_wide(page: Page) -> list[str]:
    width, shown = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    return [] if width <= shown else [f"{width} px wide"]


def _faults(page: Page) -> Iterator[str]:
    """What is wrong with the page at every width, with everything on it unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for width in (WIDE, PHONE, ZOOMED):
        page.set_viewport_size({"width": width, "height": 900})
        found = _too_wide(page) + (_axe(page) if width != ZOOMED else [])
        yield from (f"{width} px: {told}" for told in found)


@pytest.mark.parametrize("who", ["", *PEOPLE])
def test_every_page_is_accessible_at_every_width(place: Place, who: str) -> None:
    """axe-core finds nothing, and nothing scrolls sideways: 320 px is 1280 px at 400 percent."""
    context = place.context(who)
    context.add_init_script(path=AXE)
    wrong = []
    for path in _pages(place)[who]:
        page = place._page(context)
        place.go(page, path)
        wrong += [f"{path} at {told}" for told in _faults(page)]
        page.close()
    assert wrong == []


def test_every_page_is_accessible_in_english(place: Place) -> None:
    wrong = []
    for who in ("", "anna", "plan", "chef"):
        context = place.context(who)
        context.add_cookies([{"name": LANGUAGE_COOKIE, "value": "en", "url": place.address}])
        context.add_init_script(path=AXE)
        page = place._page(context)
        for path in _pages(place)[who]:
            place.go(page, path)
            assert page.locator("html").get_attribute("lang") == "en"
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            wrong += [f"{path}: {told}" for told in _axe(page)]
        context.close()
    assert wrong == []


def test_focus_is_seen_wherever_the_tab_key_goes(place: Place) -> None:
    page = place.open("anna")
    for path in ("/ko", f"/rapport/{place.reports('lampa', is_drawn=False)[-1]}"):
        place.go(page, path)
        reached = []
        for _ in range(200):
            page.keyboard.press("Tab")
            at = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                const box = e.getBoundingClientRect();
                return [e.tagName, parseFloat(s.outlineWidth), s.outlineStyle, box.width,
                box.top >= 0 && box.bottom <= innerHeight + 1]; }"""
            )
            if at[0] == "BODY":
                break
            assert at[1] >= 2, (path, at)
            assert at[2] != "none", (path, at)
            assert at[3] > 1, (path, at)
            assert at[4], (path, at)
            reached.append(at[0])
        assert len(reached) > 20
        assert {"A", "BUTTON", "SUMMARY"} <= set(reached)


def test_nothing_moves_for_who_wants_stillness(place: Place) -> None:
    page = place.open("anna")
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    place.go(page, "/ko")
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
