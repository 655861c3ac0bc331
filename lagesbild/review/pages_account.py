"""Coming in, going out, choosing a language; what everybody may read."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from lagesbild.review.people import Session, TooManyTriesError
from lagesbild.review.security import (
    cookie_name,
    csrf,
    is_secure,
    maybe_session,
    session,
    set_session_cookie,
)
from lagesbild.review.site import LANGUAGE_COOKIE, render, site

router = APIRouter()
_FORM_COOKIE = "lagesbild-formular"
_FORM_LASTS_S = 3600


@router.get("/")
def home(found: Annotated[Session, Depends(session)]) -> Response:
    return RedirectResponse("/ko" if found.person.may("texts") else "/planera", status_code=303)


@router.get("/logga-in")
def log_in_form(
    request: Request, found: Annotated[Session | None, Depends(maybe_session)]
) -> Response:
    if found:
        return RedirectResponse("/", status_code=303)
    return _form(request, "")


def _form(request: Request, problem: str, status: int = 200) -> Response:
    token = secrets.token_urlsafe(16)
    signed = URLSafeTimedSerializer(site(request).people.secret(), "log-in").dumps(token)
    response = render(
        request,
        "log_in.html",
        None,
        status=status,
        problem=problem,
        token=token,
        has_oidc=site(request).settings.review.oidc is not None,
    )
    response.set_cookie(
        _FORM_COOKIE,
        signed,
        max_age=_FORM_LASTS_S,
        httponly=True,
        secure=is_secure(request),
        samesite="strict",
    )
    return response


def _is_own_form(request: Request, token: str) -> bool:
    signer = URLSafeTimedSerializer(site(request).people.secret(), "log-in")
    try:
        signed = signer.loads(request.cookies.get(_FORM_COOKIE, ""), max_age=_FORM_LASTS_S)
    except BadSignature:
        return False
    return hmac.compare_digest(str(signed).encode(), token.encode())


@router.post("/logga-in")
def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    token: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    people = site(request).people
    if not _is_own_form(request, token):
        return _form(request, "Formuläret var för gammalt; försök igen.", 403)
    address = request.client.host if request.client else ""
    try:
        person = people.check_password(name, password, address)
    except TooManyTriesError as error:
        return _form(request, str(error), 429)
    if person is None:
        people.log("", "failed_log_in")
        return _form(request, "Namnet eller lösenordet stämmer inte.", 401)
    old = maybe_session(request)
    if old:
        people.end_session(old)
    people.log(person.name, "log_in")
    response = RedirectResponse("/", status_code=303)
    set_session_cookie(request, response, people.begin_session(person))
    response.delete_cookie(_FORM_COOKIE)
    return response


@router.post("/logga-ut", dependencies=[Depends(csrf)])
def log_out(
    request: Request,
    found: Annotated[Session, Depends(session)],
    everywhere: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    site(request).people.end_session(found, everywhere=bool(everywhere))
    site(request).people.log(found.person.name, "log_out", detail="överallt" if everywhere else "")
    response = RedirectResponse("/logga-in", status_code=303)
    response.delete_cookie(
        cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )
    return response


@router.get("/konto")
def account(request: Request, found: Annotated[Session, Depends(session)]) -> Response:
    return render(request, "account.html", found)


@router.post("/sprak")
def choose_language(
    request: Request,
    language: Annotated[str, Form(max_length=5)] = "sv",
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    response = RedirectResponse(local_path(back), status_code=303)
    response.set_cookie(
        LANGUAGE_COOKIE,
        "en" if language == "en" else "sv",
        max_age=365 * 86400,
        httponly=True,
        secure=is_secure(request),
        samesite="lax",
    )
    return response


def local_path(address: str) -> str:
    """The address if it stays on this site, else the first page."""
    if any(ord(c) < 33 or c == "\\" for c in address) or not address.startswith("/"):
        return "/"
    parts = urlsplit(address)
    return "/" if parts.scheme or parts.netloc or address.startswith("//") else address


@router.get("/tillganglighet")
def statement(
    request: Request, found: Annotated[Session | None, Depends(maybe_session)]
) -> Response:
    review = site(request).settings.review
    return render(request, "statement.html", found, contact=review.contact)
