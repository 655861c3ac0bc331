import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from lagesbild.errors import UsageError
from lagesbild.polite import StatusError
from lagesbild.records import ParsedSubmission
from lagesbild.sources.http_json import HttpJsonConfig, HttpJsonSource
from tests.sources.pulling import FakeClient, Pulled, context, pull, rejections

URL = "https://api.example.org/2281/incident"
COLUMNS = {"id": "id", "text": "text", "reported_at": "at"}
SUNDSVALL = {
    "paging": "page",
    "page_param": "pageNumber",
    "page_start": 0,
    "size_param": "pageSize",
    "columns": {
        "id": "incidentId",
        "text": "description",
        "category": "category.title",
        "reported_at": "created",
        "updated_at": "updated",
        "status": "status",
        "latlon": "mapCoordinates",
    },
}


def make(**table: Any) -> HttpJsonSource:
    return HttpJsonSource(
        "api", HttpJsonConfig.model_validate({"kind": "http_json", "url": URL, **table})
    )


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "text": f"Mörkt på gata {number}", "at": "2026-01-05T10:00:00Z", **more}


def ask(source: HttpJsonSource, answer: Any, state: Mapping[str, Any] | None = None) -> Pulled:
    client = answer if isinstance(answer, FakeClient) else FakeClient(answer)
    return pull(source, context(state=state, client=client))


def ids(pulled: Pulled) -> list[str]:
    return [raw.source_record_id for raw in pulled.records]


def test_sundsvalls_shape(recordings: Path) -> None:
    def answer(url: str, params: Mapping[str, Any]) -> httpx.Response:
        path = recordings / "http_json" / f"incidents_page_{params['pageNumber']}.json"
        return httpx.Response(200, content=path.read_bytes() if path.exists() else b"[]")

    client = FakeClient(answer)
    source = make(**SUNDSVALL)
    pulled = ask(source, client)
    assert client.asked == [(URL, {"pageNumber": n, "pageSize": 100}) for n in range(3)]
    stored = "".join(raw.payload for raw in pulled.records)
    assert not any(secret in stored for secret in ("pahittad@", "0700000000", "p-1"))
    parsed = pulled.parsed(source)
    first, second = parsed[:2]
    assert isinstance(first, ParsedSubmission)
    assert (first.category, first.status, first.lat) == ("Belysning", "open", 62.39)
    assert first.reported_at == dt.datetime(2026, 1, 5, 9, 15, 30, tzinfo=dt.UTC)
    assert isinstance(second, ParsedSubmission)
    assert (second.category, second.status, second.lat) == ("Renhållning", "closed", None)
    assert rejections(parsed) == [("a-3", "empty_text")]


def test_a_last_page_repeated_forever_ends_with_a_note() -> None:
    pages = [[item(1), item(2)], [item(3)]]
    source = make(columns=COLUMNS, paging="page", page_param="p")
    pulled = ask(source, lambda _, q: httpx.Response(200, json=pages[min(q["p"] - 1, 1)]))
    assert ids(pulled) == ["1", "2", "3"]
    assert pulled.notes == ["api (JSON): samma sida kom två gånger; hämtningen slutade där."]


def test_endless_pages_are_an_error_after_the_cap() -> None:
    source = make(columns=COLUMNS, paging="page", page_param="p", max_pages=3)
    pulled = ask(source, lambda _, q: httpx.Response(200, json=[item(q["p"])]))
    assert ids(pulled) == ["1", "2", "3"]
    assert "fler än 3 sidor" in pulled.error


def test_404_after_the_first_page_is_the_end() -> None:
    def answer(_: str, params: Mapping[str, Any]) -> httpx.Response:
        if params["p"] > 1:
            raise StatusError("nej", 404)
        return httpx.Response(200, json=[item(1)])

    source = make(columns=COLUMNS, paging="page", page_param="p")
    assert (ids(ask(source, answer)), ask(source, answer).error) == (["1"], "")
    missing = make(columns=COLUMNS, paging="page", page_param="p", page_start=2)
    assert ask(missing, answer).error == "nej"


def test_offset_items_path_and_total_pages() -> None:
    everything = [item(n) for n in range(5)]

    def answer(_: str, params: Mapping[str, Any]) -> httpx.Response:
        part = everything[params["skip"] : params["skip"] + 2]
        return httpx.Response(200, json={"data": {"rows": part}, "meta": {"pages": 3}})

    client = FakeClient(answer)
    source = make(
        columns=COLUMNS,
        paging="offset",
        page_param="skip",
        size_param="take",
        page_size=2,
        items="data.rows",
        total_pages="meta.pages",
        params={"q": "x"},
    )
    assert ids(ask(source, client)) == ["0", "1", "2", "3", "4"]
    asked = [{"q": "x", "skip": skip, "take": 2} for skip in (0, 2, 4)]
    assert [params for _, params in client.asked] == asked


def test_cursor() -> None:
    pages = {None: ([item(1)], "b"), "b": ([item(2)], None)}

    def answer(_: str, params: Mapping[str, Any]) -> httpx.Response:
        rows, following = pages[params.get("after")]
        return httpx.Response(200, json={"rows": rows, "next": following})

    source = make(columns=COLUMNS, paging="cursor", page_param="after", cursor="next", items="rows")
    assert ids(ask(source, answer)) == ["1", "2"]


def test_next_link_stays_with_its_host() -> None:
    def answer(url: str, _: Mapping[str, Any]) -> httpx.Response:
        link = {URL: "/2281/incident?p=2", URL + "?p=2": "https://elsewhere.example/x"}[url]
        return httpx.Response(200, json={"rows": [item(len(url))], "links": {"next": link}})

    source = make(columns=COLUMNS, paging="next_link", next_link="links.next", items="rows")
    pulled = ask(source, answer)
    assert len(pulled.records) == 2
    assert "en annan värd" in pulled.error
    broken = {"rows": [item(1)], "links": {"next": "https://x:abc/"}}
    assert "går inte att läsa" in ask(source, lambda *_: httpx.Response(200, json=broken)).error


def test_only_what_is_updated_is_asked_for_again() -> None:
    columns = {**COLUMNS, "updated_at": "changed"}
    source = make(columns=columns, since_param="since", overlap_hours=2)
    rows = [item(1, changed="2026-01-06T10:00:00Z"), item(2, changed="2026-01-05T10:00:00Z")]
    client = FakeClient(lambda *_: httpx.Response(200, json=rows))
    first = ask(source, client)
    assert client.asked[0][1] == {}
    ask(source, client, first.state)
    assert client.asked[1][1] == {"since": "2026-01-06T08:00:00Z"}


def test_the_watermark_waits_for_the_last_page() -> None:
    source = make(
        columns={**COLUMNS, "updated_at": "at"}, since_param="s", paging="page", page_param="p"
    )
    pages = [[item(1)], [item(2)], []]
    answer = FakeClient(lambda _, q: httpx.Response(200, json=pages[q["p"] - 1]))
    states = [page.state for page in source.fetch(context(client=answer))]
    assert states == [{}, {}, {"updated_until": "2026-01-05T10:00:00+00:00"}]


def test_a_list_that_is_not_there_is_an_error() -> None:
    source = make(columns=COLUMNS, items="data.rows")
    assert (
        "ingen lista på 'data.rows'" in ask(source, lambda *_: httpx.Response(200, json={})).error
    )
    assert "är inte JSON" in ask(source, lambda *_: httpx.Response(200, text="<html>")).error


def test_a_renamed_field_is_an_error_naming_it() -> None:
    source = make(columns={**COLUMNS, "text": "description"})
    pulled = ask(source, lambda *_: httpx.Response(200, json=[item(1)]))
    assert "kolumnen 'description' (columns.text) saknas" in pulled.error


def test_items_that_are_no_records_are_refused() -> None:
    source = make(columns=COLUMNS)
    rows = [item(1), "skräp", {"text": "Utan id", "at": "2026-01-01"}]
    assert ask(source, lambda *_: httpx.Response(200, json=rows)).reasons == [
        "unexpected_shape",
        "missing_id",
    ]


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(columns=COLUMNS, token_env="API_TOKEN")
    with pytest.raises(UsageError, match="API_TOKEN"):
        source.request_headers()
    monkeypatch.setenv("API_TOKEN", "abc")
    assert source.request_headers() == {"Authorization": "Bearer abc"}
    assert make(columns=COLUMNS).request_headers() == {}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"columns": COLUMNS, "paging": "page"}, "behöver också page_param"),
        ({"columns": COLUMNS, "paging": "next_link"}, "behöver också next_link"),
        ({"columns": {"text": "a", "reported_at": "b"}}, "columns.id saknas"),
        ({"columns": COLUMNS, "since_param": "s"}, "columns.updated_at"),
    ],
)
def test_configuration_mistakes_are_told(table: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make(**table)
