"""A small town with its review page, and people who may log in."""

from __future__ import annotations

import html
import re
import shutil
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
        self._app: FastAPI | None = None

    def night(self, *records: dict[str, Any]) -> None:
        self.clock.tick(days=1)
        TownSource.answers["stan"] = [list(records)]
        run_night(self.settings, self.classifier, clock=self.clock)

    def app(self) -> FastAPI:
        if self._app is None:
            self._app = create_app(self.settings, people=self.people, clock=self.clock)
        return self._app

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


Records = tuple[dict[str, Any], ...]
OPEN: Records = (
    {"id": 1, "text": "en langare vid Ängtorget", "kommun": "1480"},
    {"id": 2, "text": "lampa trasig akut", "kommun": "1480"},
    {"id": 3, "text": "inget särskilt om parken"},
    {"id": 4, "text": "langare igen vid skolan, ring Bagarn Blom"},
)
ALL_DRAWN = "[review]\nblind_share = 1\nblind_per_theme = 0\ndouble_share = 1\n"
DRAWN: Records = (
    {"id": 1, "text": "en langare vid Ängtorget", "category": "Vattenpump"},
    {"id": 2, "text": "lampa trasig"},
)


def _first_night(folder: Path, extra: str, records: Records) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SOURCES, "town", TownSource)
        patch.setattr(TownSource, "answers", {})
        ReviewTown(folder, extra).night(*records)
    return folder


@pytest.fixture(scope="session")
def _open_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _first_night(tmp_path_factory.mktemp("stad"), NOT_DRAWN, OPEN)


@pytest.fixture(scope="session")
def _drawn_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _first_night(tmp_path_factory.mktemp("stad"), ALL_DRAWN, DRAWN)


def _after(first_night: Path, folder: Path, town: ReviewTown) -> ReviewTown:
    """The town as it is after its first night, which is the same for every test."""
    shutil.copytree(first_night, folder, dirs_exist_ok=True)
    town.clock.tick(days=1)
    return town


@pytest.fixture
def town(make_town: Callable[[str], ReviewTown], _open_night: Path, tmp_path: Path) -> ReviewTown:
    """Without a blind sample: every report is open."""
    return _after(_open_night, tmp_path, make_town(NOT_DRAWN))


@pytest.fixture
def blind_town(
    make_town: Callable[[str], ReviewTown], _drawn_night: Path, tmp_path: Path
) -> ReviewTown:
    """Every report is drawn for the blind sample, and all are read by two."""
    return _after(_drawn_night, tmp_path, make_town(ALL_DRAWN))
