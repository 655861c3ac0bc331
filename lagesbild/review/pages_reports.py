"""The queue, one report, what is said of it, the blind sample, bulk decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from lagesbild.errors import UsageError
from lagesbild.records import STANCES
from lagesbild.review import decide, queue
from lagesbild.review.people import Session
from lagesbild.review.quotable import quotes_of
from lagesbild.review.reports import Report, pieces
from lagesbild.review.security import csrf, need
from lagesbild.review.similar import similar_reports
from lagesbild.review.site import Site, render, site
from lagesbild.store.decisions import Choice, ConflictError, Mode, Outcome, Reading, in_force
from lagesbild.store.hiding import sha256
from lagesbild.store.quotes import LONGEST

router = APIRouter()
Reader = Annotated[Session, Depends(need("texts"))]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, Form(max_length=5000)]
Short = Annotated[str, Form(max_length=300)]
Several = Annotated[list[Annotated[str, Field(max_length=100)]], Form(max_length=40)]


async def posted_answer(
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
        saved=saved_filters(here, me),
        latest=_latest(here, me),
        **_filter_choices(here),
    )


def saved_filters(here: Site, me: str) -> list[tuple[str, str]]:
    with here.store.decisions.lent() as db:
        return db.execute(
            "select name, query from saved_filter where reviewer = ? order by name", [me]
        ).fetchall()


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
    find_open = partial(queue.next_open, here.reports, chosen, me)
    find_blind = partial(queue.next_blind, here.reports, me)
    finds = [find_open]
    if chosen.is_empty:
        is_blind_turn = queue.is_blind_turn(here.settings.review.blind_every)
        finds = [find_blind, find_open] if is_blind_turn else [find_open, find_blind]
    free = (_taken_in_hand(here, me, find) for find in finds)
    report = next((found for found in free if found), None)
    if report is None:  # all that is left is in other hands
        report = next((found for found in (find() for find in finds) if found), None)
    if report is None:
        return RedirectResponse(f"/ko{tail or '?'}&sagt=empty", status_code=303)
    return RedirectResponse(f"/rapport/{report.submission_id}{tail}", status_code=303)


def _taken_in_hand(here: Site, me: str, find: Callable[..., Report | None]) -> Report | None:
    """What is found and nobody else was sent to."""
    while True:
        report = find(taken=here.people.in_other_hands(me))
        if report is None or here.people.take_in_hand(me, report.submission_id):
            return report


def _as_dict(chosen: queue.Filter) -> dict[str, str]:
    default = queue.Filter()
    given = {name: getattr(chosen, name) for name in queue.Filter.__slots__}
    return {name: value for name, value in given.items() if value != getattr(default, name)}


# --- one report -----------------------------------------------------------------------------------


@router.get("/rapport/{submission_id}")
def show_report(request: Request, found: Reader, submission_id: Id) -> Response:
    here = site(request)
    report = existing(here, submission_id)
    similar = [] if report.is_reserved else similar_reports(here.reports, report)
    here.people.log(
        found.person.name,
        "view_blind" if report.is_reserved else "view",
        submission_id,
        " ".join(other.submission_id for other in similar),  # whose beginnings are shown beside it
    )
    return report_page(request, found, report, similar=similar)


def existing(here: Site, submission_id: str) -> Report:
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
    similar: Sequence[Report] = (),
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
        marks=here.reports.marks(report.submission_id),
        kinds=decide.KINDS_OF_DATA,
        may_be_quoted=report.is_of_resident and not is_blind,
        quotes=quotes_of(here.store.decisions, report),
        longest_quote=LONGEST,
        shown=sha256(report.text),
        similar=similar,
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
    report = existing(here, submission_id)
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
        fresh = existing(here, report.submission_id)
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
    report = existing(here, submission_id)
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


# --- undoing --------------------------------------------------------------------------------------


def _latest(here: Site, me: str) -> Reading | None:
    """This person's newest decision that still stands, to offer its undoing."""
    with here.store.decisions.lent() as db:
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


def back_to_report(request: Request, submission_id: str, said: str) -> Response:
    """To the report's page again, in the same filter, with word of what was done."""
    tail = queue.read_filter(request.query_params).query_string()
    query = f"{tail}&sagt={said}" if tail else f"sagt={said}"
    return RedirectResponse(f"/rapport/{submission_id}?{query}", status_code=303)
