"""The queue, one report, what is said of it, the blind sample, bulk decisions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from lagesbild.errors import UsageError
from lagesbild.records import STANCES
from lagesbild.review import decide, queue
from lagesbild.review.people import Session
from lagesbild.review.reports import Report, pieces
from lagesbild.review.security import csrf, need
from lagesbild.review.similar import similar_reports
from lagesbild.review.site import Site, render, site
from lagesbild.store.decisions import Choice, ConflictError, Mode, Outcome, Reading, in_force

router = APIRouter()
Reader = Annotated[Session, Depends(need("texts"))]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, Form(max_length=5000)]
Short = Annotated[str, Form(max_length=300)]
Several = Annotated[list[Annotated[str, Field(max_length=100)]], Form(max_length=40)]


def posted_answer(
    client_id: Short = "",
    outcome: Short = "decided",
    theme: Several = [],  # noqa: B006 - FastAPI copies it
    stance: Several = [],  # noqa: B006
    subtheme: Several = [],  # noqa: B006
    note: Text = "",
) -> decide.Answer:
    """What the form of a report says; checked against the code plan later."""
    said: Outcome = "cannot_decide" if outcome == "cannot_decide" else "decided"
    return decide.Answer(client_id, theme, stance, subtheme, said, note)


Answer = Annotated[decide.Answer, Depends(posted_answer)]
_ABSTENTIONS = ("none_of_these", "unsure", "too_little_text", "language")


# --- the queue ------------------------------------------------------------------------------------


@router.get("/ko")
def show_queue(
    request: Request, found: Reader, sida: Annotated[int, Query(ge=1, le=400)] = 1
) -> Response:
    here = site(request)
    chosen = queue.read_filter(request.query_params)
    me = found.person.name
    page = queue.find(here.reports, chosen, sida)
    ids = " ".join(report.submission_id for report in page.reports)
    here.people.log(me, "list", detail=ids)
    return render(
        request,
        "queue.html",
        found,
        page=page,
        chosen=chosen,
        n_found=queue.count(here.reports, chosen),
        saved=_saved_filters(here, me),
        latest=_latest(here, me),
        **_filter_choices(here),
    )


def _filter_choices(here: Site) -> dict[str, Any]:
    return {
        "areas": here.reports.areas(),
        "sources": here.reports.sources(),
        "themes": here.plan.decided,
        "stances": STANCES,
        "abstentions": _ABSTENTIONS,
    }


@router.get("/nasta")
def next_report(request: Request, found: Reader) -> Response:
    """Send the person to the report most worth their time, now and then to the blind sample."""
    here, me = site(request), found.person.name
    chosen = queue.read_filter(request.query_params)
    said = {"sagt": request.query_params["sagt"]} if "sagt" in request.query_params else {}
    tail = "?" + urlencode({**_as_dict(chosen), **said}) if said or not chosen.is_empty else ""
    if chosen.is_empty and queue.is_blind_turn(here.settings.review.blind_every):
        blind = queue.next_blind(here.reports, me)
        if blind:
            return RedirectResponse(f"/rapport/{blind.submission_id}{tail}", status_code=303)
    report = queue.next_open(here.reports, chosen, me)
    if report is None and chosen.is_empty:
        report = queue.next_blind(here.reports, me)
    if report is None:
        return RedirectResponse(f"/ko{tail or '?'}&sagt=empty", status_code=303)
    return RedirectResponse(f"/rapport/{report.submission_id}{tail}", status_code=303)


def _as_dict(chosen: queue.Filter) -> dict[str, str]:
    default = queue.Filter()
    given = {name: getattr(chosen, name) for name in queue.Filter.__slots__}
    return {name: value for name, value in given.items() if value != getattr(default, name)}


# --- one report -----------------------------------------------------------------------------------


@router.get("/rapport/{submission_id}")
def show_report(request: Request, found: Reader, submission_id: Id) -> Response:
    here = site(request)
    report = _existing(here, submission_id)
    here.people.log(
        found.person.name, "view_blind" if report.is_reserved else "view", submission_id
    )
    return report_page(request, found, report)


def _existing(here: Site, submission_id: str) -> Report:
    report = here.reports.get(submission_id)
    if report is None:
        raise HTTPException(404)
    return report


def report_page(
    request: Request,
    found: Session,
    report: Report,
    *,
    answer: decide.Answer | None = None,
    conflict: Reading | None = None,
    is_conflict: bool = False,
    problem: str = "",
    status: int = 200,
) -> Response:
    """The page of one report; blind when it is drawn for the sample and not read yet.

    `answer`: what the person had chosen, when the page must be shown again.
    """
    here = site(request)
    history = here.store.decisions.history(report.submission_id, report.text_sha256)
    newest = in_force(history)
    is_blind = report.is_reserved
    chosen = queue.read_filter(request.query_params)
    return render(
        request,
        "report.html",
        found,
        status=status,
        report=report,
        is_blind=is_blind,
        pieces=[] if is_blind else pieces(report),
        rows=theme_rows(here, report, newest, answer, is_blind=is_blind),
        seen=newest.reading_id if newest else "",
        # what others said of a report drawn for the sample would colour the reading as well
        history=[] if is_blind else [reading for reading in history if reading.mode != "second"],
        conflict=conflict,
        is_conflict=is_conflict,
        problem=problem,
        note=answer.note if answer else "",
        similar=[] if is_blind else similar_reports(here.reports, report),
        stances=STANCES,
        tail=f"?{chosen.query_string()}" if chosen.query_string() else "",
        latest=_latest(here, found.person.name),
        action=f"/rapport/{report.submission_id}",
    )


def theme_rows(
    here: Site,
    report: Report,
    newest: Reading | None,
    answer: decide.Answer | None,
    *,
    is_blind: bool,
) -> list[dict[str, Any]]:
    """One row for each theme of the plan: what is chosen, and why the machine thought so.

    Blind rows stand in the order of the plan, so that not even the order tells anything.
    """
    given = _given(here, report, newest, answer, is_blind=is_blind)
    order = {theme: number for number, theme in enumerate(here.plan.decided)}
    mentions = {} if is_blind else {mention.theme: mention for mention in report.mentions}
    odds: Mapping[str, float] = {} if is_blind else report.probabilities

    def place(theme: str) -> tuple[bool, float, int]:
        return (theme not in mentions, -odds.get(theme, 0.0), order[theme])

    return [
        {
            "theme": theme,
            "is_chosen": theme in given,
            "stance": given[theme].stance if theme in given else "problem",
            "subtheme": (given[theme].subtheme if theme in given else None) or "",
            "probability": odds.get(theme),
            "is_machine": theme in mentions,
            "key": str(number) if number <= 9 else "",
        }
        for number, theme in enumerate(sorted(order, key=place), 1)
    ]


def _given(
    here: Site,
    report: Report,
    newest: Reading | None,
    answer: decide.Answer | None,
    *,
    is_blind: bool,
) -> Mapping[str, Choice]:
    if answer is not None:
        try:
            return decide.choices(answer, here.plan)
        except UsageError:
            return {theme: Choice() for theme in answer.themes}
    if is_blind:
        return {}
    if newest is not None and newest.outcome == "decided":
        return newest.themes
    return {m.theme: Choice(m.subtheme, m.stance) for m in report.mentions}


@router.post("/rapport/{submission_id}", dependencies=[Depends(csrf)])
def answer_report(
    request: Request,
    found: Reader,
    submission_id: Id,
    answer: Answer,
    seen: Short = "",
    sha: Short = "",
    blind: Short = "",
) -> Response:
    here, me = site(request), found.person.name
    report = _existing(here, submission_id)
    if sha != report.text_sha256:
        return report_page(
            request, found, report, status=409, problem="Texten har ändrats; läs den igen."
        )
    mode: Mode = "blind" if blind else "open"
    if report.is_reserved and not blind:
        raise HTTPException(403)
    return _record(request, found, report, answer, mode, seen or None, me)


def _record(
    request: Request,
    found: Session,
    report: Report,
    answer: decide.Answer,
    mode: Mode,
    seen: str | None,
    me: str,
) -> Response:
    here = site(request)
    try:
        reading = decide.reading(report, answer, me, mode, here.plan)
        here.store.decisions.record(reading, seen, here.clock())
    except ConflictError as error:
        fresh = _existing(here, report.submission_id)
        return report_page(
            request,
            found,
            fresh,
            answer=answer,
            conflict=error.newest,
            is_conflict=True,
            status=409,
        )
    except UsageError as error:
        return report_page(request, found, report, answer=answer, problem=str(error), status=422)
    here.people.log(me, f"decide_{mode}", report.submission_id, reading.reading_id)
    return _onwards(request, "saved")


def _onwards(request: Request, said: str) -> Response:
    chosen = queue.read_filter(request.query_params)
    query = urlencode({**_as_dict(chosen), "sagt": said})
    return RedirectResponse(f"/nasta?{query}", status_code=303)


@router.post("/rapport/{submission_id}/hoppa", dependencies=[Depends(csrf)])
def skip_report(request: Request, found: Reader, submission_id: Id) -> Response:
    here = site(request)
    report = _existing(here, submission_id)
    with here.store.decisions.transaction() as db:
        db.execute(
            "insert or ignore into skip values (?, ?, ?, ?)",
            [
                found.person.name,
                submission_id,
                report.text_sha256,
                here.clock().isoformat(timespec="seconds"),
            ],
        )
    return _onwards(request, "skipped")


@router.post("/rapport/{submission_id}/personuppgift", dependencies=[Depends(csrf)])
def hide_personal_data(
    request: Request,
    found: Reader,
    submission_id: Id,
    client_id: Short = "",
    sha: Short = "",
    words: Text = "",
) -> Response:
    here, me = site(request), found.person.name
    report = _existing(here, submission_id)
    text = here.reports.whole_text(submission_id)
    try:
        redaction_id = decide.checked_id(client_id)
        spans = decide.spans_of(text, words)
    except UsageError as error:
        return report_page(request, found, report, problem=str(error), status=422)
    if sha != report.text_sha256:
        return report_page(
            request, found, report, problem="Texten har ändrats; läs den igen.", status=409
        )
    at = here.clock().isoformat(timespec="seconds")
    with here.store.decisions.transaction() as db:
        db.executemany(
            "insert or ignore into redaction values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    redaction_id,
                    submission_id,
                    sha,
                    start,
                    end,
                    decide.shape(text[start:end]),
                    me,
                    at,
                )
                for start, end in spans
            ],
        )
    here.people.log(me, "hide_personal_data", submission_id, f"{len(spans)} ställen")
    query = urlencode({**_as_dict(queue.read_filter(request.query_params)), "sagt": "hidden"})
    return RedirectResponse(f"/rapport/{submission_id}?{query}", status_code=303)


# --- undoing --------------------------------------------------------------------------------------


def _latest(here: Site, me: str) -> Reading | None:
    """This person's newest decision that still stands, to offer its undoing."""
    with closing(here.store.decisions.open()) as db:
        row = db.execute(
            "select reading_id, submission_id, text_sha256 from reading r where reviewer = ? "
            "and mode not in ('undo', 'second') and not exists (select 1 from reading u "
            "where u.undoes = r.reading_id) order by read_at desc, rowid desc limit 1",
            [me],
        ).fetchone()
    if row is None:
        return None
    history = here.store.decisions.history(row[1], row[2])
    return next(reading for reading in history if reading.reading_id == row[0])


@router.post("/angra", dependencies=[Depends(csrf)])
def undo(
    request: Request, found: Reader, reading_id: Short = "", client_id: Short = ""
) -> Response:
    here, me = site(request), found.person.name
    latest = _latest(here, me)
    if latest is None or latest.reading_id != reading_id:
        return RedirectResponse("/ko?sagt=not_undone", status_code=303)
    new_id = decide.checked_id(client_id)
    now = here.clock()
    if latest.batch_id:
        n = here.store.decisions.undo_batch(latest.batch_id, new_id, me, now)
        here.people.log(me, "undo_bulk", detail=f"{latest.batch_id} {n}")
        return RedirectResponse("/ko?sagt=undone", status_code=303)
    done = here.store.decisions.undo(reading_id, new_id, me, now)
    here.people.log(me, "undo", latest.submission_id, reading_id)
    said = "undone" if done else "not_undone"
    return RedirectResponse(f"/rapport/{latest.submission_id}?sagt={said}", status_code=303)


# --- many at once ---------------------------------------------------------------------------------


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


def _saved_filters(here: Site, me: str) -> list[tuple[str, str]]:
    with closing(here.store.decisions.open()) as db:
        return db.execute(
            "select name, query from saved_filter where reviewer = ? order by name", [me]
        ).fetchall()


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
