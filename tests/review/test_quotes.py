"""Words that a person lets be quoted: released after a check, taken back, gone with the text."""

from __future__ import annotations

from typing import Any

import pytest

from lagesbild.errors import UsageError
from lagesbild.review.quotable import span_of
from lagesbild.store import quotes
from lagesbild.store.hiding import sha256
from tests.review.conftest import Browser, ReviewTown
from tests.review.test_hiding import hide

RELEASED = "citat-nummer-ett"


def quote(browser: Browser, report: str, words: str, **more: str) -> Any:
    path = f"/rapport/{report}"
    page = browser.get(path).text
    sent = {"csrf": browser.csrf(), "client_id": RELEASED, "words": words, "checked": "yes"}
    sent["shown"] = Browser.fields(page).get("shown", "")
    return browser.client.post(f"{path}/citat", data={**sent, **more})


def take_back(browser: Browser, report: str) -> Any:
    sent = {"csrf": browser.csrf(), "release_id": RELEASED}
    return browser.client.post(f"/rapport/{report}/citat/tillbaka", data=sent)


def test_words_are_released_and_taken_back(town: ReviewTown) -> None:
    anna, bo = town.reader("anna"), town.reader("bo")
    report = town.report_id(1)
    assert quote(anna, report, "langare vid").headers["location"].endswith("sagt=quoted")
    quote(anna, report, "langare vid")  # the same again
    (found,) = quotes.releases(town.store.decisions, report)
    assert (found.reviewer, found.start, found.end, found.is_undone) == ("anna", 3, 14, False)
    assert found.shown_sha256 == sha256("en langare vid Ängtorget")
    assert ">langare vid</q>" in bo.get(f"/rapport/{report}").text
    assert take_back(bo, report).headers["location"].endswith("sagt=not_quoted")
    assert take_back(bo, report).status_code == 404
    assert "</q>" not in bo.get(f"/rapport/{report}").text
    assert [one.is_undone for one in quotes.releases(town.store.decisions)] == [True]
    told = {(name, action) for _, _, name, action, _, _ in town.people.audit(50)}
    assert {("anna", "release_quote"), ("bo", "withdraw_quote")} <= told


def test_nothing_is_released_unchecked_or_that_is_not_there(town: ReviewTown) -> None:
    anna, report = town.reader(), town.report_id(1)
    assert quote(anna, report, "langare", checked="").status_code == 422
    assert quote(anna, report, "Bagarn").status_code == 422
    assert quote(anna, report, "langare", client_id="x").status_code == 422
    assert quote(anna, report, "langare", shown="0" * 64).status_code == 409
    assert quote(anna, report, "langare", csrf="x").status_code == 403
    assert quotes.releases(town.store.decisions) == []


def test_a_text_that_is_hidden_in_is_no_longer_quoted(town: ReviewTown) -> None:
    anna, report = town.reader(), town.report_id(4)
    quote(anna, report, "langare igen")
    hide(anna, report)
    page = anna.get(f"/rapport/{report}").text
    assert "Texten är en annan nu, så orden citeras inte." in page
    assert "</q>" not in page


def test_planners_and_blind_readers_see_and_release_nothing(blind_town: ReviewTown) -> None:
    anna, report = blind_town.reader(), blind_town.report_id(1)
    assert "Får citeras" not in anna.get(f"/rapport/{report}").text
    assert quote(anna, report, "langare").status_code == 403
    planner = blind_town.reader("petra", "planner")
    assert quote(planner, report, "langare").status_code == 403
    assert quotes.releases(blind_town.store.decisions) == []


@pytest.mark.parametrize(
    ("words", "span"), [("", (0, 12)), ("två  rader", (3, 12)), ("en\r\ntvå", (0, 6))]
)
def test_words_are_found_however_they_are_broken(words: str, span: tuple[int, int]) -> None:
    assert span_of("en två\nrader", words) == span


def test_words_are_no_patterns() -> None:
    with pytest.raises(UsageError, match="finns inte"):
        span_of("en text", "[.]")
