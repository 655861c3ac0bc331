"""The client's manners, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient, StatusError

URL = "https://kalla.example/api"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Answer = httpx.Response | Exception


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def monotonic(self) -> float:
        return self.time


def client_of(
    handler: Callable[[httpx.Request], httpx.Response], clock: Clock, **kwargs: Any
) -> PoliteClient:
    options: dict[str, Any] = {"min_interval_s": 0.0, "random": lambda: 1.0} | kwargs
    return PoliteClient(
        user_agent="lagesbild/test",
        transport=httpx.MockTransport(handler),
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        now=lambda: NOW,
        **options,
    )


def answers(*given_answers: Answer) -> Callable[[httpx.Request], httpx.Response]:
    """Give these one after another; one call too many fails the test."""
    left = list(given_answers)

    def handler(_request: httpx.Request) -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


def test_says_who_it_is_and_asks_only_for_what_it_can_bound() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[])

    with client_of(handler, Clock(), headers={"User-Agent": "annan", "X-Nyckel": "k"}) as client:
        client.get(URL, {"a": "å"})
    assert seen[0].headers["User-Agent"] == "lagesbild/test"
    assert seen[0].headers["Accept-Encoding"] == "gzip, deflate"
    assert seen[0].headers["X-Nyckel"] == "k"
    assert seen[0].url.params["a"] == "å"


def test_interval_between_calls_to_one_host_only() -> None:
    clock = Clock()
    client = client_of(lambda r: httpx.Response(200), clock, min_interval_s=10.0)
    client.get(URL)
    client.get("https://annan.example/")
    assert clock.slept == []
    client.get(URL)
    clock.time += 4
    client.get(URL)
    assert clock.slept == [10.0, 6.0]


def test_interval_counts_from_the_end_of_a_slow_answer() -> None:
    clock = Clock()

    def slow(_request: httpx.Request) -> httpx.Response:
        clock.time += 7
        return httpx.Response(200)

    client = client_of(slow, clock, min_interval_s=10.0)
    client.get(URL)
    client.get(URL)
    assert clock.slept == [10.0]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_backs_off_exponentially_and_then_succeeds(status: int) -> None:
    clock = Clock()
    refusals = [httpx.Response(status) for _ in range(3)]
    client = client_of(answers(*refusals, httpx.Response(200, text="ja")), clock)
    assert client.get(URL).text == "ja"
    assert clock.slept == [1.0, 2.0, 4.0]


@given(st.floats(min_value=0, max_value=1, exclude_max=True))
def test_jitter_never_waits_longer_than_the_back_off(luck: float) -> None:
    clock = Clock()
    client = client_of(lambda r: httpx.Response(503), clock, random=lambda: luck, max_tries=9)
    with pytest.raises(SourceError):
        client.get(URL)
    ceilings = [1, 2, 4, 8, 16, 32, 60, 60]
    assert [luck * ceiling for ceiling in ceilings] == clock.slept


@pytest.mark.parametrize(
    ("header", "waits"),
    [
        ("7", 7.0),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", 1.0),
        ("", 1.0),
    ],
)
def test_retry_after(header: str, waits: float) -> None:
    clock = Clock()
    busy = httpx.Response(429, headers={"Retry-After": header})
    client = client_of(answers(busy, httpx.Response(200)), clock)
    client.get(URL)
    assert clock.slept == [waits]


@pytest.mark.parametrize("header", ["301", "99999999999999999999", "Mon, 01 Jun 2026 12:00:00 GMT"])
def test_retry_after_longer_than_the_cap_leaves_the_source_alone(header: str) -> None:
    clock = Clock()
    client = client_of(answers(httpx.Response(503, headers={"Retry-After": header})), clock)
    with pytest.raises(SourceError, match=r"kalla\.example ber oss vänta"):
        client.get(URL)
    assert clock.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 501])
def test_other_refusals_are_final_and_carry_the_status(status: int) -> None:
    clock = Clock()
    client = client_of(answers(httpx.Response(status)), clock)
    with pytest.raises(StatusError, match=f"kalla.example svarade med status {status}") as caught:
        client.get(URL)
    assert caught.value.status == status
    assert clock.slept == []


def test_tries_are_bounded_and_can_be_lowered_but_not_raised() -> None:
    def count_calls(tries: int | None) -> int:
        calls: list[int] = []

        def handler(_request: httpx.Request) -> httpx.Response:
            calls.append(1)
            return httpx.Response(500)

        with pytest.raises(StatusError, match="status 500"):
            client_of(handler, Clock()).get(URL, tries=tries)
        return len(calls)

    assert [count_calls(tries) for tries in (None, 1, 2, 50)] == [5, 1, 2, 5]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (httpx.ReadTimeout("x"), "svarade inte inom 30 sekunder"),
        (httpx.ConnectTimeout("x"), "svarade inte inom 30 sekunder"),
        (httpx.ConnectError("hemlig"), "Det gick inte att nå kalla.example"),
        (httpx.RemoteProtocolError("hemlig"), "Det gick inte att nå kalla.example"),
    ],
)
def test_transport_errors_are_tried_again_then_told(error: Exception, message: str) -> None:
    clock = Clock()
    assert client_of(answers(error, httpx.Response(200)), clock).get(URL).status_code == 200
    assert clock.slept == [1.0]
    with pytest.raises(SourceError, match=message) as caught:
        client_of(answers(*[error] * 5), Clock()).get(URL)
    assert "hemlig" not in str(caught.value)


def endless() -> Iterator[bytes]:
    while True:
        yield b"x" * 1000


def test_size_cap_stops_reading_an_endless_answer() -> None:
    client = client_of(lambda r: httpx.Response(200, content=endless()), Clock(), max_bytes=5000)
    with pytest.raises(SourceError, match="större än 5000 byte"):
        client.get(URL)


def test_size_cap_holds_after_unpacking() -> None:
    packed = gzip.compress(b"0" * 100_000)
    assert len(packed) < 1000

    def handler(_request: httpx.Request) -> httpx.Response:
        # A stream, as from a real server: given bytes, the double would unpack them itself.
        return httpx.Response(200, content=iter([packed]), headers={"Content-Encoding": "gzip"})

    with pytest.raises(SourceError, match="större än 50000 byte"):
        client_of(handler, Clock(), max_bytes=50_000).get(URL)
    assert len(client_of(handler, Clock(), max_bytes=100_000).get(URL).content) == 100_000


def test_layers_of_packing_and_broken_packing_are_refused() -> None:
    def answer(encoding: str) -> httpx.Response:
        headers = {"Content-Encoding": encoding}
        return httpx.Response(200, content=iter([b"inte packat"]), headers=headers)

    with pytest.raises(SourceError, match="flera lager"):
        client_of(lambda r: answer("gzip, gzip"), Clock()).get(URL)
    with pytest.raises(SourceError, match="packa upp"):
        client_of(lambda r: answer("gzip"), Clock()).get(URL)


def test_a_dripping_answer_is_cut_off() -> None:
    clock = Clock()

    def drip() -> Iterator[bytes]:
        while True:
            clock.time += 20
            yield b"x"

    client = client_of(lambda r: httpx.Response(200, content=drip()), clock)
    with pytest.raises(SourceError, match="långsamt"):
        client.get(URL)


def redirecting(location: str) -> Callable[[httpx.Request], httpx.Response]:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api":
            return httpx.Response(302, headers={"Location": location})
        return httpx.Response(200, text=str(request.url))

    return handler


@pytest.mark.parametrize("location", ["/v2?a=1", "https://kalla.example/v2?a=1", "v2?a=1"])
def test_follows_redirects_at_home(location: str) -> None:
    answer = client_of(redirecting(location), Clock()).get(URL)
    assert answer.text == "https://kalla.example/v2?a=1"


@pytest.mark.parametrize(
    "location",
    [
        "https://ond.example/v2?key=hemlig",
        "http://kalla.example/v2?key=hemlig",
        "https://kalla.example:8443/v2?key=hemlig",
        "//user:hemlig@ond.example/v2",
        "file:///etc/passwd?hemlig",
    ],
)
def test_refuses_redirects_elsewhere_without_telling_the_query(location: str) -> None:
    with pytest.raises(SourceError, match=r"kalla\.example skickade oss vidare") as caught:
        client_of(redirecting(location), Clock()).get(URL)
    assert "hemlig" not in str(caught.value)


def test_redirect_rings_and_redirected_posts_are_refused() -> None:
    ring = httpx.Response(301, headers={"Location": "/api"})
    with pytest.raises(SourceError, match="i en ring"):
        client_of(lambda r: ring, Clock()).get(URL)
    with pytest.raises(SourceError, match="POST-anrop vidare"):
        client_of(redirecting("/v2"), Clock()).post_json(URL, {})


def test_post_json_sends_the_body_and_is_tried_again() -> None:
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(503 if len(bodies) == 1 else 200, json={"svar": 1})

    answer = client_of(handler, Clock()).post_json(URL, {"fråga": 1})
    assert answer.json() == {"svar": 1}
    assert bodies == ['{"fråga":1}'.encode()] * 2


def test_no_secret_of_the_address_in_errors_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="root")
    address = "https://anna:losen@kalla.example/api?api_key=hemlig"
    client = client_of(answers(httpx.Response(200), httpx.Response(403)), Clock())
    client.get(address, {"token": "hemlig"})
    with pytest.raises(SourceError) as caught:
        client.get(address, {"token": "hemlig"})
    told = str(caught.value) + caplog.text
    assert not {word for word in ("hemlig", "losen", "anna") if word in told}
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["ftp://kalla.example/", "kalla.example/api", "https://", "http://x:y/"]
)
def test_only_web_addresses(url: str) -> None:
    with pytest.raises(SourceError, match="Källans adress"):
        client_of(answers(), Clock()).get(url)


def test_a_swedish_name_fits_in_a_header() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["User-Agent"])
        return httpx.Response(200)

    with PoliteClient(
        user_agent="lägesbild (påhittad kommun)", transport=httpx.MockTransport(handler)
    ) as client:
        client.get(URL)
    assert seen == ["lagesbild (pahittad kommun)"]
