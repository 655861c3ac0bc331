"""For administrators: who may come in, and what was done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from lagesbild.errors import UsageError
from lagesbild.review.people import ROLES, Session
from lagesbild.review.security import csrf, need
from lagesbild.review.site import render, site

router = APIRouter()
Admin = Annotated[Session, Depends(need("people"))]
_AUDIT_PAGE = 100


@router.get("/personer")
def people(request: Request, found: Admin) -> Response:
    return _people(request, found)


def _people(request: Request, found: Session, problem: str = "", status: int = 200) -> Response:
    everyone = site(request).people.everyone()
    return render(
        request,
        "people.html",
        found,
        status=status,
        everyone=everyone,
        roles=ROLES,
        problem=problem,
    )


@router.post("/personer", dependencies=[Depends(csrf)])
def add_person(
    request: Request,
    found: Admin,
    name: Annotated[str, Form(max_length=100)] = "",
    role: Annotated[str, Form(max_length=20)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    people = site(request).people
    if role not in ROLES:
        return _people(request, found, "Välj en roll.", 422)
    try:
        people.add(name, role, password or None)
    except UsageError as error:
        return _people(request, found, str(error), 422)
    people.log(found.person.name, "add_person", detail=f"{name.strip().lower()} {role}")
    return RedirectResponse("/personer?sagt=saved", status_code=303)


@router.post("/personer/av", dependencies=[Depends(csrf)])
def switch_person(
    request: Request,
    found: Admin,
    name: Annotated[str, Form(max_length=100)] = "",
    is_active: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    people = site(request).people
    if name == found.person.name:
        return _people(request, found, "Du kan inte stänga ute dig själv.", 422)
    people.set_active(name, is_active=bool(is_active))
    people.log(found.person.name, "let_in" if is_active else "shut_out", detail=name)
    return RedirectResponse("/personer?sagt=saved", status_code=303)


@router.get("/logg")
def audit(
    request: Request, found: Admin, before: Annotated[int | None, Query(ge=0, lt=2**62)] = None
) -> Response:
    rows = site(request).people.audit(_AUDIT_PAGE, before)
    return render(request, "audit.html", found, rows=rows, is_full=len(rows) == _AUDIT_PAGE)
