"""Log-in through OpenID Connect: authorization code with PKCE, by configuration alone."""

from __future__ import annotations

import os
import warnings
from typing import Any

import httpx
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.middleware.sessions import SessionMiddleware

from lagesbild.errors import UsageError
from lagesbild.review.people import RIGHTS, ROLES, People, Person, Role, checked_name
from lagesbild.review.security import maybe_session, set_session_cookie
from lagesbild.settings import Oidc

with warnings.catch_warnings(record=True):  # authlib tells that it would rather have httpx2
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
    from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]

_FLOW_LASTS_S = 600
_MOST_RIGHTS_FIRST = sorted(ROLES, key=lambda role: -len(RIGHTS[role]))


def add(app: FastAPI, settings: Oidc, people: People) -> None:
    """Add /oidc/in and /oidc/tillbaka. Raises UsageError when the secret is not set."""
    oauth = OAuth()
    oauth.register(
        "provider",
        client_id=settings.client_id,
        client_secret=_secret(settings),
        server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
    )
    # holds state, nonce and verifier of a log-in under way, and nothing else
    app.add_middleware(
        SessionMiddleware,
        secret_key=people.secret(),
        session_cookie="lagesbild-oidc",
        max_age=_FLOW_LASTS_S,
        same_site="lax",
        https_only=not settings.issuer.startswith("http://127.0.0.1"),
    )

    @app.get("/oidc/in")
    async def to_provider(request: Request) -> Response:
        address = str(request.url_for("from_provider"))
        try:
            answer: Response = await oauth.provider.authorize_redirect(request, address)
        except httpx.HTTPError:
            raise HTTPException(503) from None
        return answer

    @app.get("/oidc/tillbaka", name="from_provider")
    async def from_provider(request: Request) -> Response:
        try:
            token = await oauth.provider.authorize_access_token(request)
        except (AuthlibBaseError, JoseError):  # the person said no, or the token is not for us
            raise HTTPException(403) from None
        except httpx.HTTPError:
            raise HTTPException(503) from None
        claims: dict[str, Any] = token.get("userinfo") or {}
        request.session.clear()
        return await run_in_threadpool(_let_in, request, settings, people, claims)


def _secret(settings: Oidc) -> str | None:
    if settings.client_secret_env is None:
        return None
    if settings.client_secret_env not in os.environ:
        raise UsageError(
            f"Inloggningen behöver miljövariabeln {settings.client_secret_env}, som inte är satt."
        )
    return os.environ[settings.client_secret_env]


def _let_in(request: Request, settings: Oidc, people: People, claims: dict[str, Any]) -> Response:
    person = person_of(settings, people, claims)
    if person is None:
        people.log("", "failed_log_in", detail="oidc")
        raise HTTPException(403)
    old = maybe_session(request)
    if old:
        people.end_session(old)
    people.log(person.name, "log_in", detail="oidc")
    response = RedirectResponse("/", status_code=303)
    set_session_cookie(request, response, people.begin_session(person))
    return response


def person_of(settings: Oidc, people: People, claims: dict[str, Any]) -> Person | None:
    """The person the provider names, with the role its claim gives; None: not let in."""
    try:
        name = checked_name(str(claims.get(settings.name_claim, "")))
    except UsageError:
        return None
    known = people.find(name)
    if known and not known.is_active:
        return None
    if settings.role_claim is None:
        return known
    role = _role(settings, claims.get(settings.role_claim))
    if role is None:
        return None
    if known is None or known.role != role:
        people.add(name, role, None)
    return people.find(name)


def _role(settings: Oidc, value: Any) -> Role | None:
    """The role with most rights among those the claim gives."""
    values = value if isinstance(value, list) else [value]
    given = {
        settings.roles[text] for text in values if isinstance(text, str) and text in settings.roles
    }
    return next((role for role in _MOST_RIGHTS_FIRST if role in given), None)
