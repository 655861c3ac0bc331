"""Deciding about a whole filter at once, and keeping filters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from lagesbild.errors import UsageError
from lagesbild.review import decide, queue
from lagesbild.review.pages_reports import Reader, Short
from lagesbild.review.people import Session
from lagesbild.review.reports import Report
from lagesbild.review.security import csrf
from lagesbild.review.site import render, site
from lagesbild.store.decisions import Reading

router = APIRouter()


@router.get("/samlat")
def bulk_form(request: Request, found: Reader) -> Response:
    chosen = queue.read_filter(request.query_params)
    return _bulk_page(request, found, chosen)


def _bulk_page(
    request: Request, found: Session, chosen: queue.Filter, problem: str = "", status: int = 200
) -> Response:
    here, me = site(request), found.person.name
    limit = here.settings.review.bulk_limit
    reports = queue.for_bulk(here.reports, _undecided(chosen), limit)
    here.people.log(me, "list", detail=" ".join(r.submission_id for r in reports[:10]))
    return render(
        request,
        "bulk.html",
        found,
        status=status,
        chosen=chosen,
        n=len(reports),
        limit=limit,
        is_too_many=len(reports) > limit,
        examples=reports[:10],
        themes=here.plan.decided,
        problem=problem,
        batch_id=uuid.uuid4().hex,
    )


def _undecided(chosen: queue.Filter) -> queue.Filter:
    """A bulk decision is about what nobody has decided, whatever the filter shows besides."""
    values = {name: getattr(chosen, name) for name in queue.Filter.__slots__}
    return queue.Filter(**{**values, "reviewed": "no", "flagged": ""})


@router.post("/samlat", dependencies=[Depends(csrf)])
def bulk_decide(
    request: Request,
    found: Reader,
    batch_id: Short = "",
    n: Annotated[int, Form(ge=0)] = 0,
    action: Short = "accept",
    theme: Short = "",
) -> Response:
    here, me = site(request), found.person.name
    chosen = queue.read_filter(request.query_params)
    limit = here.settings.review.bulk_limit
    try:
        decide.checked_id(batch_id)
    except UsageError as error:
        return _bulk_page(request, found, chosen, str(error), 422)
    if here.store.decisions.has_batch(batch_id):
        return RedirectResponse("/ko?sagt=bulk", status_code=303)
    reports = queue.for_bulk(here.reports, _undecided(chosen), limit)
    if len(reports) != n or n > limit:
        return _bulk_page(request, found, chosen, "Antalet har ändrats; kontrollera igen.", 409)
    if action == "reject" and theme not in here.plan.decided:
        return _bulk_page(request, found, chosen, "Välj ett tema.", 422)
    readings = _bulk_readings(reports, action, theme, batch_id, me)
    stored = here.store.decisions.record_batch(readings, here.clock())
    here.people.log(me, "decide_bulk", detail=f"{batch_id} {stored}")
    return RedirectResponse("/ko?sagt=bulk", status_code=303)


def _bulk_readings(
    reports: Sequence[Report], action: str, theme: str, batch_id: str, me: str
) -> list[Reading]:
    found = []
    for number, report in enumerate(reports):
        reading_id = f"{batch_id}:{number}"
        if action == "reject":
            found.append(decide.without(report, theme, reading_id, batch_id, me))
        else:
            found.append(decide.agreeing(report, reading_id, batch_id, me))
    return found


# --- saved filters --------------------------------------------------------------------------------


@router.post("/filter", dependencies=[Depends(csrf)])
def save_filter(request: Request, found: Reader, name: Short = "", remove: Short = "") -> Response:
    here, me = site(request), found.person.name
    query = queue.read_filter(request.query_params).query_string()
    name = name.strip()[:60]
    with here.store.decisions.transaction() as db:
        if remove:
            db.execute("delete from saved_filter where reviewer = ? and name = ?", [me, name])
        elif name:
            at = here.clock().isoformat(timespec="seconds")
            db.execute(
                "insert or replace into saved_filter values (?, ?, ?, ?)", [me, name, query, at]
            )
    return RedirectResponse(f"/ko?{query}", status_code=303)
