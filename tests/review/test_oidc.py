"""Logging in through an identity provider on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.review.conftest import PASSWORD, Browser, ReviewTown
from tests.review.provider import Provider, serving

CONFIG = """
[review.oidc]
issuer = "{url}"
client_id = "lagesbild"
client_secret_env = "LAGESBILD_TEST_SECRET"
role_claim = "groups"
roles = {{"granskare" = "reviewer", "planerare" = "planner"}}
"""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("LAGESBILD_TEST_SECRET", "hemlig")
    with serving() as found:
        yield found


@pytest.fixture
def oidc_town(provider: Provider, make_town: Callable[[str], ReviewTown]) -> ReviewTown:
    town = make_town(CONFIG.format(url=provider.url))
    town.night({"id": 1, "text": "langare vid torget"})
    return town


def log_in(browser: Browser) -> Any:
    sent = browser.get("/oidc/in")
    assert sent.status_code == 302
    back = httpx.get(sent.headers["location"]).headers["location"]
    return browser.get(back)


def test_the_provider_names_the_person_and_gives_the_role(oidc_town: ReviewTown) -> None:
    browser = Browser(oidc_town.app())
    assert "/oidc/in" in browser.get("/logga-in").text
    assert log_in(browser).status_code == 303
    assert "anna" in browser.get("/konto").text
    assert browser.get("/ko").status_code == 200


def test_the_role_follows_the_provider_at_every_log_in(
    oidc_town: ReviewTown, provider: Provider
) -> None:
    log_in(Browser(oidc_town.app()))
    provider.claims = {"preferred_username": "anna", "groups": ["planerare"]}
    browser = Browser(oidc_town.app())
    log_in(browser)
    assert browser.get("/ko").status_code == 403
    assert browser.get("/planera").status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "anna", "groups": ["annan"]},
        {"preferred_username": "anna"},
        {"groups": ["granskare"]},
        {"preferred_username": " ", "groups": "granskare"},
    ],
)
def test_without_a_role_or_a_name_nobody_comes_in(
    oidc_town: ReviewTown, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    browser = Browser(oidc_town.app())
    assert log_in(browser).status_code == 403
    assert browser.get("/konto").status_code == 303


@pytest.mark.parametrize(
    "spoil", [{"aud": "annan"}, {"iss": "http://ond.example"}, {"nonce": "annan"}, {"exp": 1}]
)
def test_a_token_meant_for_others_is_refused(
    oidc_town: ReviewTown, provider: Provider, spoil: dict[str, Any]
) -> None:
    provider.spoil = spoil
    browser = Browser(oidc_town.app())
    assert log_in(browser).status_code == 403
    assert browser.get("/konto").status_code == 303


def test_a_log_in_begun_in_another_browser_is_refused(oidc_town: ReviewTown) -> None:
    attacker, victim = Browser(oidc_town.app()), Browser(oidc_town.app())
    sent = attacker.get("/oidc/in")
    back = httpx.get(sent.headers["location"]).headers["location"]
    assert victim.get(back).status_code == 403


def test_somebody_shut_out_stays_out(oidc_town: ReviewTown) -> None:
    log_in(Browser(oidc_town.app()))
    oidc_town.people.set_active("anna", is_active=False)
    assert log_in(Browser(oidc_town.app())).status_code == 403


def test_somebody_of_the_provider_has_no_password(oidc_town: ReviewTown) -> None:
    log_in(Browser(oidc_town.app()))
    assert Browser(oidc_town.app()).log_in("anna", "").status_code == 401
    assert Browser(oidc_town.app()).log_in("anna", PASSWORD).status_code == 401


def test_a_provider_that_does_not_answer_is_told_in_words(
    make_town: Callable[[str], ReviewTown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAGESBILD_TEST_SECRET", "hemlig")
    with serving() as gone:
        url = gone.url
    town = make_town(CONFIG.format(url=url))
    answer = Browser(town.app()).get("/oidc/in")
    assert answer.status_code == 503
    assert "svarar inte" in answer.text
