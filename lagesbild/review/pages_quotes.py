"""What of a report may be quoted in the lägesbild: released by a person, and taken back by one."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from lagesbild.errors import UsageError
from lagesbild.review import decide
from lagesbild.review.pages_reports import (
    Id,
    Reader,
    Short,
    Text,
    back_to_report,
    existing,
    report_page,
)
from lagesbild.review.quotable import quotes_of, span_of
from lagesbild.review.security import csrf
from lagesbild.review.site import site
from lagesbild.store import quotes
from lagesbild.store.hiding import sha256

router = APIRouter()


@router.post("/rapport/{submission_id}/citat", dependencies=[Depends(csrf)])
def release(
    request: Request,
    found: Reader,
    submission_id: Id,
    client_id: Short = "",
    shown: Short = "",
    words: Text = "",
    checked: Short = "",
) -> Response:
    """Release a stretch; only somebody who says that nobody can be recognised by it may."""
    here, me = site(request), found.person.name
    report = existing(here, submission_id)
    if report.is_reserved or not report.is_of_resident:
        raise HTTPException(403)
    if shown != sha256(report.text):
        problem = "Texten har ändrats; läs den igen."
        return report_page(request, found, report, problem=problem, status=409)
    try:
        if not checked:
            raise UsageError("Kontrollera först att ingen går att känna igen, och kryssa i det.")
        start, end = span_of(report.text, words)
        quotes.release(
            here.store.decisions,
            quotes.Release(
                decide.checked_id(client_id),
                submission_id,
                report.text_sha256,
                shown,
                start,
                end,
                me,
            ),
            here.clock(),
        )
    except UsageError as error:
        return report_page(request, found, report, problem=str(error), status=422)
    here.people.log(me, "release_quote", submission_id, client_id)
    return back_to_report(request, submission_id, "quoted")


@router.post("/rapport/{submission_id}/citat/tillbaka", dependencies=[Depends(csrf)])
def withdraw(
    request: Request, found: Reader, submission_id: Id, release_id: Short = ""
) -> Response:
    here, me = site(request), found.person.name
    report = existing(here, submission_id)
    if release_id not in {
        quote.release.release_id for quote in quotes_of(here.store.decisions, report)
    }:
        raise HTTPException(404)
    quotes.withdraw(here.store.decisions, release_id, me, here.clock())
    here.people.log(me, "withdraw_quote", submission_id, release_id)
    return back_to_report(request, submission_id, "not_quoted")
