"""Personal data that the redactor missed: hidden on every page at once, and by the next night."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
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
from lagesbild.review.security import csrf
from lagesbild.review.site import site
from lagesbild.store import redactions

router = APIRouter()


@router.post("/rapport/{submission_id}/personuppgift", dependencies=[Depends(csrf)])
def hide(
    request: Request,
    found: Reader,
    submission_id: Id,
    client_id: Short = "",
    sha: Short = "",
    words: Text = "",
    kind: Short = "",
) -> Response:
    here, me = site(request), found.person.name
    report = existing(here, submission_id)
    form = decide.Hiding(client_id, words, kind)
    try:
        mark = decide.mark(report, here.reports.whole_text(submission_id), form, me)
    except UsageError as error:
        return report_page(request, found, report, problem=str(error), status=422)
    if sha != report.text_sha256:
        return report_page(
            request, found, report, problem="Texten har ändrats; läs den igen.", status=409
        )
    redactions.mark(here.store.decisions, mark, here.clock())
    places = "1 ställe" if len(mark.spans) == 1 else f"{len(mark.spans)} ställen"
    here.people.log(me, "hide_personal_data", submission_id, places)
    return back_to_report(request, submission_id, "hidden")


@router.post("/rapport/{submission_id}/personuppgift/visa", dependencies=[Depends(csrf)])
def show_again(
    request: Request, found: Reader, submission_id: Id, redaction_id: Short = ""
) -> Response:
    """Take a mark back, as long as no night has taken the words out."""
    here, me = site(request), found.person.name
    report = existing(here, submission_id)
    marks = here.reports.marks(submission_id)
    if redaction_id not in {mark.redaction_id for mark, can_undo in marks if can_undo}:
        problem = "Det går inte att visa igen: natten har tagit bort orden."
        return report_page(request, found, report, problem=problem, status=409)
    redactions.unmark(here.store.decisions, redaction_id, me, here.clock())
    here.people.log(me, "show_again", submission_id, redaction_id)
    return back_to_report(request, submission_id, "shown")
