"""Two readers: the second reading, settling where they differ, the rules they read by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from lagesbild.errors import UsageError
from lagesbild.records import STANCES
from lagesbild.review import agreement, decide, queue
from lagesbild.review.pages_reports import (
    Answer,
    Id,
    Reader,
    Short,
    Text,
    theme_rows,
)
from lagesbild.review.people import Session
from lagesbild.review.reports import Report
from lagesbild.review.rules import (
    Comment,
    add_comment,
    agree,
    agreed,
    coding_rules,
    comments,
)
from lagesbild.review.security import csrf
from lagesbild.review.site import Site, render, site
from lagesbild.store.decisions import ConflictError, Reading, in_force

router = APIRouter()
Pair = tuple[Reading, Reading]


def _pairs(here: Site) -> list[Pair]:
    decisions = here.store.decisions
    return agreement.pairs(decisions.readings("blind"), decisions.readings("second"))


def _unsettled(here: Site, pairs: list[Pair]) -> list[Pair]:
    """Pairs that chose different themes, and that nobody has settled."""
    settled = {(r.submission_id, r.text_sha256) for r in here.store.decisions.readings("settle")}
    return [
        (first, second)
        for first, second in pairs
        if first.themes.keys() != second.themes.keys()
        and (first.submission_id, first.text_sha256) not in settled
    ]


@router.get("/andra")
def second_readers(request: Request, found: Reader) -> Response:
    here = site(request)
    pairs = _pairs(here)
    me = found.person.name
    return render(
        request,
        "second.html",
        found,
        rows=[agreement.agreement(theme, pairs) for theme in here.plan.decided],
        n_pairs=len(pairs),
        unsettled=_unsettled(here, pairs),
        is_waiting=_waiting(here, me) is not None,
    )


def _waiting(here: Site, me: str) -> Report | None:
    return queue.next_second(here.reports, me, here.settings.review.double_share)


@router.get("/andra/nasta")
def next_second(request: Request, found: Reader) -> Response:
    report = _waiting(site(request), found.person.name)
    if report is None:
        return RedirectResponse("/andra?sagt=empty", status_code=303)
    return RedirectResponse(f"/andra/{report.submission_id}", status_code=303)


def _second_report(here: Site, submission_id: str, me: str) -> Report:
    """The report, if it is read by two and this person is to be the second."""
    report = here.reports.get(submission_id)
    if report is None or not report.was_read_blind:
        raise HTTPException(404)
    history = here.store.decisions.history(submission_id, report.text_sha256)
    if any(r.reviewer == me or r.mode == "second" for r in history):
        raise HTTPException(403)
    if not queue.is_double(submission_id, here.settings.review.double_share):
        raise HTTPException(404)
    return report


@router.get("/andra/{submission_id}")
def second_form(request: Request, found: Reader, submission_id: Id) -> Response:
    here, me = site(request), found.person.name
    report = _second_report(here, submission_id, me)
    here.people.log(me, "view_second", submission_id)
    return _second_page(request, found, report)


def _second_page(
    request: Request,
    found: Session,
    report: Report,
    answer: decide.Answer | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    here = site(request)
    return render(
        request,
        "second_report.html",
        found,
        status=status,
        report=report,
        rows=theme_rows(here, report, None, answer, is_blind=True),
        stances=STANCES,
        note=answer.note if answer else "",
        problem=problem,
    )


@router.post("/andra/{submission_id}", dependencies=[Depends(csrf)])
def answer_second(
    request: Request,
    found: Reader,
    submission_id: Id,
    answer: Answer,
) -> Response:
    here, me = site(request), found.person.name
    report = _second_report(here, submission_id, me)
    try:
        reading = decide.reading(report, answer, me, "second", here.plan)
    except UsageError as error:
        return _second_page(request, found, report, answer, str(error), 422)
    here.store.decisions.record(reading, None, here.clock())
    here.people.log(me, "decide_second", submission_id, reading.reading_id)
    return RedirectResponse("/andra?sagt=saved", status_code=303)


# --- settling -------------------------------------------------------------------------------------


def _pair_of(here: Site, submission_id: str) -> tuple[Report, Pair]:
    report = here.reports.get(submission_id)
    if report is None:
        raise HTTPException(404)
    for pair in _pairs(here):
        if (pair[0].submission_id, pair[0].text_sha256) == (submission_id, report.text_sha256):
            return report, pair
    raise HTTPException(404)


@router.get("/jamka/{submission_id}")
def settle_form(request: Request, found: Reader, submission_id: Id) -> Response:
    here = site(request)
    report, pair = _pair_of(here, submission_id)
    here.people.log(found.person.name, "view", submission_id)
    return _settle_page(request, found, report, pair)


def _settle_page(
    request: Request,
    found: Session,
    report: Report,
    pair: Pair,
    answer: decide.Answer | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    here = site(request)
    newest = in_force(here.store.decisions.history(report.submission_id, report.text_sha256))
    return render(
        request,
        "settle.html",
        found,
        status=status,
        report=report,
        pair=pair,
        rows=theme_rows(here, report, newest, answer, is_blind=True),
        seen=newest.reading_id if newest else "",
        stances=STANCES,
        note=answer.note if answer else "",
        problem=problem,
    )


@router.post("/jamka/{submission_id}", dependencies=[Depends(csrf)])
def settle(
    request: Request,
    found: Reader,
    submission_id: Id,
    answer: Answer,
    seen: Short = "",
) -> Response:
    here, me = site(request), found.person.name
    report, pair = _pair_of(here, submission_id)
    try:
        reading = decide.reading(report, answer, me, "settle", here.plan)
        here.store.decisions.record(reading, seen or None, here.clock())
    except ConflictError as error:
        return _settle_page(request, found, report, pair, answer, str(error), 409)
    except UsageError as error:
        return _settle_page(request, found, report, pair, answer, str(error), 422)
    here.people.log(me, "decide_settle", submission_id, reading.reading_id)
    return RedirectResponse("/andra?sagt=settled", status_code=303)


# --- the rules ------------------------------------------------------------------------------------


@router.get("/regler")
def show_rules(request: Request, found: Reader) -> Response:
    written = comments(site(request).store.decisions)
    return render(
        request,
        "rules.html",
        found,
        rules=coding_rules(),
        remarks=[comment for comment in written if not comment.is_change],
        changes=[comment for comment in written if comment.is_change],
        agreed=agreed(written),
    )


@router.post("/regler/andring", dependencies=[Depends(csrf)])
def change_rule(request: Request, found: Reader, comment_id: Short = "") -> Response:
    """What they agreed on becomes part of the changelog of rules."""
    here, me = site(request), found.person.name
    change = agree(here.store.decisions, comment_id, me, here.clock())
    if change is None:
        raise HTTPException(404)
    here.people.log(me, "change_rule", detail=change.rule)
    return RedirectResponse("/regler?sagt=saved", status_code=303)


@router.post("/regler", dependencies=[Depends(csrf)])
def comment_rule(
    request: Request,
    found: Reader,
    client_id: Short = "",
    rule: Short = "",
    text: Text = "",
    is_change: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    here, me = site(request), found.person.name
    if rule not in coding_rules() or not text.strip():
        raise UsageError("Välj en regel och skriv något om den.")
    comment = Comment(decide.checked_id(client_id), rule, me, "", text.strip(), bool(is_change))
    add_comment(here.store.decisions, comment, here.clock())
    here.people.log(me, "comment", detail=rule)
    return RedirectResponse("/regler?sagt=saved", status_code=303)
