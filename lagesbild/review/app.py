"""The web app: what it is made of, and what it answers when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from lagesbild.errors import LagesbildError, UsageError
from lagesbild.night import Store, utc_now
from lagesbild.review import (
    pages_account,
    pages_counts,
    pages_hiding,
    pages_many,
    pages_people,
    pages_quotes,
    pages_reports,
    pages_second,
)
from lagesbild.review.people import People
from lagesbild.review.planner import Planner
from lagesbild.review.reports import Reports
from lagesbild.review.security import NotLoggedIn, guard, maybe_session
from lagesbild.review.site import Site, render, templates
from lagesbild.settings import Settings
from lagesbild.themes import load_themes

_HERE = Path(__file__).parent


def create_app(
    settings: Settings,
    *,
    people: People | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The review page of one municipality. `people`: tests give one with a faster hash."""
    store = Store(settings)
    chosen = settings.review
    plan = load_themes()
    people = people or People(
        store.root / "people.sqlite",
        session_s=chosen.session_hours * 3600,
        idle_s=chosen.idle_minutes * 60,
    )
    app = FastAPI(title="lagesbild review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = Site(
        settings=settings,
        store=store,
        people=people,
        reports=Reports(store.snapshots, store.decisions, chosen, plan),
        planner=Planner(settings, plan),
        plan=plan,
        templates=templates(),
        clock=clock,
    )
    for pages in (
        pages_account,
        pages_people,
        pages_reports,
        pages_hiding,
        pages_quotes,
        pages_many,
        pages_second,
        pages_counts,
    ):
        app.include_router(pages.router)
    if chosen.oidc:
        from lagesbild.review import oidc  # not loaded where passwords are enough

        oidc.add(app, chosen.oidc, people)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    _add_answers(app)
    guard(app, chosen)
    return app


_SAID = {
    400: "Sidan förstod inte vad du bad om.",
    403: "Du har inte behörighet till sidan, eller så var formuläret för gammalt.",
    404: "Sidan finns inte.",
    405: "Sidan tar inte emot det.",
    422: "Formuläret gick inte att läsa. Gå tillbaka, ladda om sidan och försök igen.",
    503: "Kommunens inloggningstjänst svarar inte; försök igen om en stund.",
}


def _add_answers(app: FastAPI) -> None:
    @app.exception_handler(NotLoggedIn)
    def _to_log_in(_request: Request, _: NotLoggedIn) -> Response:
        return RedirectResponse("/logga-in", status_code=303)

    @app.exception_handler(StarletteHTTPException)
    def _refused(request: Request, error: HTTPException) -> Response:
        return _error(request, error.status_code, _SAID.get(error.status_code, _SAID[400]))

    @app.exception_handler(RequestValidationError)
    def _unreadable(request: Request, _: RequestValidationError) -> Response:
        return _error(request, 422, _SAID[422])

    @app.exception_handler(LagesbildError)
    def _told(request: Request, error: LagesbildError) -> Response:
        asked_wrongly = request.method != "GET" or isinstance(error, UsageError)
        return _error(request, 422 if asked_wrongly else 503, str(error))


def _error(request: Request, status: int, sentence: str) -> Response:
    return render(request, "error.html", maybe_session(request), status=status, sentence=sentence)
