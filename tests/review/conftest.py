"""A small town with its review page, and people who may log in."""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest
from fastapi import FastAPI

from lagesbild.night import Store, run_night
from lagesbild.review.app import create_app
from lagesbild.review.people import People, Role
from lagesbild.settings import load
from lagesbild.sources import SOURCES
from lagesbild.store.warehouse import connect
from tests.city import Clock, TownSource, WordClassifier, write_config

with warnings.catch_warnings():  # the test client would rather have a successor of httpx
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient as TestClient

PASSWORD = "ett-langt-losenord"
WEAK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOT_DRAWN = "[review]\nblind_share = 0\nblind_per_theme = 0\n"
Reader = Callable[..., "Browser"]


class Browser:
    """Somebody at a browser: keeps cookies, fills in forms as the page gave them."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)

    def log_in(self, name: str, password: str = PASSWORD) -> Any:
        form = self.fields(self.client.get("/logga-in").text)
        return self.client.post(
            "/logga-in", data={"name": name, "password": password, "token": form["token"]}
        )

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def csrf(self) -> str:
        return self.fields(self.client.get("/konto").text)["csrf"]

    @staticmethod
    def fields(page: str) -> dict[str, str]:
        """The hidden fields of a page; the last form wins, but for those of the answer."""
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
        return {name: html.unescape(value) for name, value in found}

    @staticmethod
    def answer_form(page: str) -> dict[str, str]:
        form = page[page.index('id="answer"') : page.index("<fieldset")]
        return Browser.fields(form)

    def answer(self, path: str, *themes: str, **more: Any) -> Any:
        """Open a report, choose exactly these themes, and save."""
        return self.client.post(
            path, data={**self.answer_form(self.get(path).text), "theme": list(themes), **more}
        )


class ReviewTown:
    """A store of its own, nights against it, and the app that reads it."""

    def __init__(self, folder: Path, extra: str) -> None:
        self.settings = load(write_config(folder, extra))
        self.store = Store(self.settings)
        self.clock = Clock()
        self.classifier = WordClassifier()
        self.people = People(self.store.root / "people.sqlite", hasher=WEAK)

    def night(self, *records: dict[str, Any]) -> None:
        self.clock.tick(days=1)
        TownSource.answers["stan"] = [list(records)]
        run_night(self.settings, self.classifier, clock=self.clock)

    def app(self) -> FastAPI:
        return create_app(self.settings, people=self.people, clock=self.clock)

    def reader(self, name: str = "anna", role: Role = "reviewer") -> Browser:
        self.people.add(name, role, PASSWORD)
        browser = Browser(self.app())
        assert browser.log_in(name).status_code == 303
        return browser

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.store.warehouse.path, read_only=True) as db:
            return db.execute(query).fetchall()

    def report_id(self, record_id: object) -> str:
        ((found,),) = self.rows(
            "select submission_id from submission where is_current "
            f"and source_record_id = '{record_id}'"
        )
        return str(found)


@pytest.fixture
def make_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ReviewTown]:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(TownSource, "answers", {})
    return lambda extra: ReviewTown(tmp_path, extra)


@pytest.fixture
def town(make_town: Callable[[str], ReviewTown]) -> ReviewTown:
    """Without a blind sample: every report is open."""
    found = make_town(NOT_DRAWN)
    found.night(
        {"id": 1, "text": "en langare vid Ängtorget", "kommun": "1480"},
        {"id": 2, "text": "lampa trasig akut", "kommun": "1480"},
        {"id": 3, "text": "inget särskilt om parken"},
        {"id": 4, "text": "langare igen vid skolan, ring Bagarn Blom"},
    )
    return found


@pytest.fixture
def blind_town(make_town: Callable[[str], ReviewTown]) -> ReviewTown:
    """Every report is drawn for the blind sample, and all are read by two."""
    found = make_town("[review]\nblind_share = 1\nblind_per_theme = 0\ndouble_share = 1\n")
    found.night(
        {"id": 1, "text": "en langare vid Ängtorget", "category": "Vattenpump"},
        {"id": 2, "text": "lampa trasig"},
    )
    return found
