"""Polite HTTP for sources: identified, slow, patient, and never trusting the size of an answer."""

from __future__ import annotations

import logging
import random as random_module
import ssl
import time
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx

from lagesbild.errors import SourceError

RETRIED = frozenset({429, 500, 502, 503, 504})
MAX_REDIRECTS = 5
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 60.0
# A server that drips one byte at a time never trips a read time-out; this bounds the whole answer.
WHOLE_ANSWER_FACTOR = 20

ADVICE_SV: Mapping[int, str] = {
    400: "Kontrollera källans inställningar.",
    401: "Kontrollera nyckeln till källan.",
    403: "Kontrollera nyckeln till källan.",
    404: "Kontrollera källans adress.",
    429: "Källan vill ha färre anrop; höj min_interval_s.",
}


class StatusError(SourceError):
    """The source answered, with a status that means no. `status` is that HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _TransportFailedError(Exception):
    """No answer, and trying again may help. The message is already fit for a user."""


def _ascii(header: str) -> str:
    """Headers hold ASCII only: "påhittad" becomes "pahittad"."""
    return unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode()


@cache
def _trusted() -> ssl.SSLContext:
    """Read once: the list of authorities is long."""
    return httpx.create_ssl_context()


class PoliteClient:
    """One client for one source. Every error is a SourceError naming the host and nothing secret.

    `max_bytes` bounds an answer after decompression. `max_wait_s` is the longest Retry-After that
    is honoured; a source asking for more is left alone until the next pull. `sleep`, `monotonic`,
    `random` (0 to 1) and `now` are for tests.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        min_interval_s: float = 1.0,
        timeout_s: float = 30.0,
        max_bytes: int = 64 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] | None = None,
        transport: httpx.BaseTransport | None = None,
        random: Callable[[], float] | None = None,
        now: Callable[[], datetime] | None = None,
        max_tries: int = 5,
        max_wait_s: float = 300.0,
    ) -> None:
        self._min_interval_s = min_interval_s
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._sleep = sleep or time.sleep
        self._monotonic = monotonic or time.monotonic
        self._random = random or random_module.random
        self._now = now or (lambda: datetime.now(UTC))
        self._max_tries = max_tries
        self._max_wait_s = max_wait_s
        self._last_call: dict[str, float] = {}
        # httpx logs whole addresses at INFO, and ours may hold api_key.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._http = httpx.Client(
            headers={
                **(headers or {}),
                "User-Agent": _ascii(user_agent),
                "Accept-Encoding": "gzip, deflate",
            },
            timeout=timeout_s,
            transport=transport,
            verify=_trusted(),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of open connections."""
        self._http.close()

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, *, tries: int | None = None
    ) -> httpx.Response:
        """GET with interval, back-off and size cap; the answer is whole, decoded and 2xx.

        Raises StatusError for any other status and SourceError when no answer comes. `tries`
        lowers the number of tries where failing is expected.
        """
        return self._patiently(self._request("GET", url, params=params), tries)

    def post_json(self, url: str, body: Any) -> httpx.Response:
        """POST a JSON body under the same rules; a redirect is an error."""
        return self._patiently(self._request("POST", url, json=body), None)

    def _request(self, method: str, url: str, **kwargs: Any) -> httpx.Request:
        try:
            request = self._http.build_request(method, url, **kwargs)
        except httpx.InvalidURL:
            raise SourceError("Källans adress går inte att tolka; kontrollera url.") from None
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise SourceError("Källans adress måste börja med http:// eller https://.")
        return request

    def _patiently(self, request: httpx.Request, tries: int | None) -> httpx.Response:
        """Try until an answer worth having, a refusal, or the last try."""
        tries = min(tries or self._max_tries, self._max_tries)
        failure: SourceError | None = None
        for attempt in range(tries):
            asked_wait: float | None = None
            try:
                response = self._follow(request)
            except _TransportFailedError as error:
                failure = SourceError(f"{error} ({attempt + 1} försök).")
            else:
                if response.is_success:
                    return response
                failure = _status_error(response, attempt + 1)
                if response.status_code not in RETRIED:
                    raise failure
                asked_wait = self._retry_after(response)
            if attempt + 1 < tries:
                self._sleep(self._wait(attempt, asked_wait, request.url.host))
        raise failure or SourceError(f"{request.url.host} anropades aldrig.")

    def _wait(self, attempt: int, asked: float | None, host: str) -> float:
        if asked is not None:
            if asked > self._max_wait_s:
                raise SourceError(
                    f"{host} ber oss vänta {asked:.0f} sekunder; källan får vänta till nästa gång."
                )
            return asked
        return self._random() * float(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**attempt))

    def _retry_after(self, response: httpx.Response) -> float | None:
        value = response.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit():
            return float(value)
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return max(0.0, (until - self._now()).total_seconds())

    def _follow(self, request: httpx.Request) -> httpx.Response:
        """Send, following redirects of a GET that stay on the same scheme, host and port."""
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(request)
            if not response.has_redirect_location:
                return response
            target = self._redirect_target(request, response)
            request = self._http.build_request("GET", target)
        raise SourceError(f"{request.url.host} skickar oss vidare i en ring.")

    def _redirect_target(self, request: httpx.Request, response: httpx.Response) -> httpx.URL:
        host = request.url.host
        if request.method != "GET":
            raise SourceError(f"{host} skickade ett POST-anrop vidare; kontrollera källans adress.")
        try:
            target = request.url.join(response.headers["Location"])
        except httpx.InvalidURL:
            raise SourceError(f"{host} skickade oss vidare till en oläslig adress.") from None
        if _origin(target) != _origin(request.url):
            raise SourceError(
                f"{host} skickade oss vidare till en annan värd ({target.scheme}://{target.host}); "
                "skriv in den rätta adressen om den stämmer."
            )
        return target

    def _send(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self._keep_interval(host)
        try:
            response = self._http.send(request, stream=True)
            try:
                return self._whole(response)
            finally:
                response.close()
        except httpx.TimeoutException:
            message = f"{host} svarade inte inom {self._timeout_s:.0f} sekunder"
            raise _TransportFailedError(message) from None
        except httpx.TransportError:
            message = f"Det gick inte att nå {host}; kontrollera adressen och nätet"
            raise _TransportFailedError(message) from None
        except httpx.DecodingError:
            raise SourceError(f"{host} skickade ett svar som inte går att packa upp.") from None
        finally:
            # Measured from the end of a call, so that slow answers do not shorten the pause.
            self._last_call[host] = self._monotonic()

    def _keep_interval(self, host: str) -> None:
        last = self._last_call.get(host)
        if last is not None:
            remaining = last + self._min_interval_s - self._monotonic()
            if remaining > 0:
                self._sleep(remaining)

    def _whole(self, response: httpx.Response) -> httpx.Response:
        """Read the answer under the caps of size and time and hand it back undressed."""
        host = response.request.url.host
        if "," in response.headers.get("Content-Encoding", ""):
            raise SourceError(f"{host} skickade ett svar packat i flera lager; det läses inte.")
        deadline = self._monotonic() + WHOLE_ANSWER_FACTOR * self._timeout_s
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise SourceError(
                    f"{host} skickade ett svar större än {self._max_bytes} byte; det läses inte."
                )
            if self._monotonic() > deadline:
                raise SourceError(f"{host} skickar sitt svar så långsamt att det avbröts.")
        # Already unpacked: these headers would make httpx unpack it a second time.
        dropped = {"content-encoding", "content-length", "transfer-encoding"}
        headers = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in dropped]
        return httpx.Response(
            response.status_code, headers=headers, content=bytes(body), request=response.request
        )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def _status_error(response: httpx.Response, tries: int) -> StatusError:
    status = response.status_code
    attempts = f" efter {tries} försök" if tries > 1 else ""
    advice = ADVICE_SV.get(status, "Försök igen senare.")
    message = f"{response.request.url.host} svarade med status {status}{attempts}. {advice}"
    return StatusError(message, status)
