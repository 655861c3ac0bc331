import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lagesbild.errors import UsageError
from lagesbild.polite import PoliteClient
from lagesbild.records import ParsedSubmission
from lagesbild.sources.survey import SurveySource
from lagesbild.sources.survey_config import SurveyConfig
from tests.sources.pulling import FakeClient, Pulled, context, pull

URL = "https://example.org/index.php/admin/remotecontrol"


class Server:
    """RemoteControl 2 as LimeSurvey answers it; `results` replaces the answer of a method."""

    def __init__(self, export: bytes = b"", **results: Any) -> None:
        encoded = base64.b64encode(export).decode()
        released = {"get_session_key": "s3", "release_session_key": "OK"}
        self.results = {**released, "export_responses": encoded, **results}
        self.calls: list[str] = []
        self.params: dict[str, Any] = {}

    def __call__(self, url: str, body: Any) -> httpx.Response:
        assert url == URL
        self.calls.append(body["method"])
        self.params[body["method"]] = body["params"]
        result = self.results[body["method"]]
        if isinstance(result, httpx.Response):
            return result
        return httpx.Response(200, json={"id": body["id"], "result": result, "error": None})


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> SurveySource:
    monkeypatch.setenv("LS_USER", "lagesbild")
    monkeypatch.setenv("LS_PASSWORD", "hemligt")
    table = {
        "kind": "survey",
        "preset": "limesurvey",
        "url": URL,
        "survey_id": 332449,
        "user_env": "LS_USER",
        "password_env": "LS_PASSWORD",
        "open_questions": {"Q5": "Vad gör dig otrygg?"},
    }
    return SurveySource("enkat", SurveyConfig.model_validate(table))


def ask(source: SurveySource, server: Server) -> Pulled:
    return pull(source, context(client=FakeClient(server)))


def test_completed_answers_come_and_the_session_is_closed(
    source: SurveySource, recordings: Path
) -> None:
    server = Server((recordings / "surveys" / "limesurvey.json").read_bytes())
    pulled = ask(source, server)
    (first, second) = pulled.parsed(source)
    assert isinstance(first, ParsedSubmission)
    assert first.text == "Mörkt vid gångtunneln"
    assert second.source_record_id != first.source_record_id
    assert server.calls == ["get_session_key", "export_responses", "release_session_key"]
    assert server.params["get_session_key"][:2] == ["lagesbild", "hemligt"]
    assert "complete" in server.params["export_responses"]
    assert "all" not in server.params["export_responses"]


def test_an_edit_is_noticed_by_its_digest(source: SurveySource, recordings: Path) -> None:
    export = (recordings / "surveys" / "limesurvey.json").read_text()
    before = ask(source, Server(export.encode()))
    after = ask(source, Server(export.replace("gångtunneln", "torget").encode()))
    old, new = before.records[0], after.records[0]
    assert old.source_record_id == new.source_record_id
    assert old.payload_sha256 != new.payload_sha256
    assert before.records[1] == after.records[1]


def test_a_survey_without_answers_yet_is_no_error(source: SurveySource) -> None:
    server = Server(export_responses={"status": "No Data, could not get max id."})
    pulled = ask(source, server)
    assert (pulled.n_pages, pulled.error) == (0, "")
    assert server.calls[-1] == "release_session_key"


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({"get_session_key": {"status": "Invalid user name or password"}}, "fel användarnamn"),
        ({"get_session_key": httpx.Response(200, text="")}, "slå på JSON-RPC"),
        ({"get_session_key": httpx.Response(200, text="<html>")}, "slå på JSON-RPC"),
        ({"export_responses": {"status": "Invalid session key"}}, "godtogs inte längre"),
        ({"export_responses": {"status": "No permission"}}, "får inte exportera"),
        ({"export_responses": {"status": "No Data, survey table does not exist."}}, "inte aktiv"),
        ({"export_responses": {"status": "Något nytt"}}, "servern sade nej"),
        ({"export_responses": None}, "okänd form"),
        ({"export_responses": httpx.Response(200, json={"fel": 1})}, "okänd form"),
        ({"export_responses": "inte base64 å"}, "okänd form"),
    ],
)
def test_errors_are_told(source: SurveySource, results: dict[str, Any], message: str) -> None:
    error = ask(source, Server(**results)).error
    assert message in error
    assert "hemligt" not in error


def test_a_session_that_cannot_be_closed_does_not_lose_the_answers(
    source: SurveySource, recordings: Path
) -> None:
    export = (recordings / "surveys" / "limesurvey.json").read_bytes()
    pulled = ask(source, Server(export, release_session_key={"status": "Invalid session key"}))
    assert (len(pulled.records), pulled.error) == (2, "")


def test_an_unset_password_is_told(source: SurveySource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LS_PASSWORD")
    with pytest.raises(UsageError, match="LS_PASSWORD"):
        ask(source, Server(json.dumps({"responses": []}).encode()))


def test_through_the_real_polite_client(source: SurveySource, recordings: Path) -> None:
    server = Server((recordings / "surveys" / "limesurvey.json").read_bytes())
    agents: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        agents.append(request.headers["User-Agent"])
        return server(str(request.url), json.loads(request.content))

    transport = httpx.MockTransport(answer)
    with PoliteClient(user_agent="lagesbild", min_interval_s=0, transport=transport) as client:
        pulled = pull(source, replace(context(), client=client))
    assert (len(pulled.records), pulled.error) == (2, "")
    assert agents == ["lagesbild"] * 3
