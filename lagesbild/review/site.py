"""What every page shares: the stores, the code plan, the templates, the language."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from lagesbild.night import Store
from lagesbild.review.people import People, Session
from lagesbild.review.planner import Planner
from lagesbild.review.reports import Reports
from lagesbild.review.texts import decimal, local, translate, whole
from lagesbild.settings import Settings
from lagesbild.themes import CodePlan

Language = Literal["sv", "en"]
LANGUAGE_COOKIE = "lagesbild-sprak"


@dataclass(frozen=True, slots=True)
class Site:
    """One per app."""

    settings: Settings
    store: Store
    people: People
    reports: Reports
    planner: Planner
    plan: CodePlan
    templates: jinja2.Environment
    clock: Callable[[], datetime]


def site(request: Request) -> Site:
    found: Site = request.app.state.site
    return found


def language(request: Request) -> Language:
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "sv"


@functools.cache  # so that each template is read once in a process
def templates() -> jinja2.Environment:
    """Every text is escaped; a name that is missing is a mistake, not an empty string."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("lagesbild.review"),
        autoescape=True,
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(
    request: Request,
    name: str,
    session: Session | None,
    *,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """A page in the reader's language."""
    here = site(request)
    spoken = language(request)

    def t(text: str, **parts: Any) -> str:
        return translate(text, spoken).format(**parts) if parts else translate(text, spoken)

    def tn(one: str, many: str, n: int, **parts: Any) -> str:
        """The sentence for one, or for several or none; both languages make that difference."""
        return t(one if n == 1 else many, n=whole(n), **parts)

    html = here.templates.get_template(name).render(
        t=t,
        tn=tn,
        local=local,
        lang=spoken,
        request=request,
        session=session,
        person=session.person if session else None,
        csrf=session.csrf if session else "",
        plan=here.plan,
        label=lambda key: here.plan.label(key, spoken),
        organisation=here.settings.review.organisation,
        said=request.query_params.get("sagt", ""),
        new_id=lambda: uuid.uuid4().hex,
        decimal=lambda value, places: decimal(value, places, spoken),
        whole=whole,
        **values,
    )
    return HTMLResponse(html, status_code=status)
