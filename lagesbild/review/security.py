"""What stands between the page and the outside: headers, hosts, proxies, sessions, forms."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lagesbild.review.people import Right, Session
from lagesbild.settings import Review

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_LARGEST_BODY = 200_000
_Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


class NotLoggedIn(Exception):  # noqa: N818 - an answer, not an error
    """The page asks for somebody who has logged in."""


def guard(app: FastAPI, settings: Review) -> None:
    """Check host and size of every request, believe trusted proxies only, and set the headers."""
    hosts = {host.lower() for host in settings.hosts}
    proxies = [ipaddress.ip_network(text, strict=False) for text in settings.trusted_proxies]
    app.add_middleware(_Guard, hosts=hosts, proxies=proxies)


class _Guard:
    def __init__(self, app: ASGIApp, hosts: set[str], proxies: _Networks) -> None:
        self._app = app
        self._hosts = hosts
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        _believe_proxy(request, self._proxies)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        answer = _refusal(request, self._hosts) or self._app
        await answer(scope, receive, send_with_headers)


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if scope["path"].startswith("/static/"):
        headers["Cache-Control"] = "public, max-age=3600"


def _refusal(request: Request, hosts: set[str]) -> Response | None:
    name = request.headers.get("host", "").lower()
    bare = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() else name
    if bare not in hosts:
        return PlainTextResponse("Sidan svarar inte på det namnet.", status_code=400)
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST_BODY:
        return PlainTextResponse("För mycket på en gång.", status_code=413)
    if "transfer-encoding" in request.headers:  # its size cannot be told beforehand
        return PlainTextResponse("Längden måste anges.", status_code=411)
    return None


def _believe_proxy(request: Request, proxies: _Networks) -> None:
    """Take the browser's address and scheme from the headers, when a trusted proxy sent them."""
    address = request.client.host if request.client else ""
    if not _is_in(address, proxies):
        return
    for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        if not _is_address(hop.strip()):
            break
        address = hop.strip()
        if not _is_in(address, proxies):
            break
    request.scope["client"] = (address, 0)
    if request.headers.get("x-forwarded-proto", "").strip().lower() in ("http", "https"):
        request.scope["scheme"] = request.headers["x-forwarded-proto"].strip().lower()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(text: str, networks: _Networks) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in net for net in networks)


# --- sessions and forms ---------------------------------------------------------------------------
# What reads no file is a coroutine: each plain function costs a change of thread.


def is_loopback(request: Request) -> bool:
    host = (request.url.hostname or "").strip("[]")
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_secure(request: Request) -> bool:
    """Whether cookies are kept to https: always, but for plain http on this very machine."""
    return request.url.scheme == "https" or not is_loopback(request)


def cookie_name(request: Request) -> str:
    return "__Host-lagesbild" if is_secure(request) else "lagesbild"


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        cookie_name(request),
        token,
        httponly=True,
        secure=is_secure(request),
        samesite="lax",
        path="/",
    )


def maybe_session(request: Request) -> Session | None:
    token = request.cookies.get(cookie_name(request))
    return request.app.state.site.people.session(token) if token else None


async def session(found: Annotated[Session | None, Depends(maybe_session)]) -> Session:
    """Whoever is logged in; otherwise the browser is sent to the log-in form."""
    if found is None:
        raise NotLoggedIn
    return found


def need(right: Right) -> Callable[..., Coroutine[Any, Any, Session]]:
    """Somebody logged in whose role has this right."""

    async def checked(found: Annotated[Session, Depends(session)]) -> Session:
        if not found.person.may(right):
            raise HTTPException(403)
        return found

    return checked


async def csrf(
    found: Annotated[Session, Depends(session)], csrf: Annotated[str, Form(max_length=100)] = ""
) -> None:
    """The form was one of ours, made for this session."""
    if not hmac.compare_digest(csrf.encode(), found.csrf.encode()):
        raise HTTPException(403)
