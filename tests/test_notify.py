"""A failed night is told by webhook or e-mail, with secrets from the environment only."""

from __future__ import annotations

import json
import smtplib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from lagesbild.errors import LagesbildError, UsageError
from lagesbild.notify import notify
from lagesbild.settings import Notify


class Receiver:
    """A loopback webhook that keeps what it gets and answers with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.got: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(json.loads(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.handle_request)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(timeout=5)
        self._server.server_close()


def test_the_webhook_gets_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("LARM", receiver.url)
        notify(Notify(webhook_env="LARM"), "Natten misslyckades.")
    assert receiver.got == [{"text": "Natten misslyckades."}]


def test_a_refusing_webhook_is_told_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver(status=403) as receiver:
        monkeypatch.setenv("LARM", receiver.url + "hemlig")
        with pytest.raises(LagesbildError, match="403") as caught:
            notify(Notify(webhook_env="LARM"), "x")
    assert "hemlig" not in str(caught.value)


def test_nothing_configured_sends_nothing() -> None:
    notify(Notify(), "x")


def test_an_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LARM", raising=False)
    with pytest.raises(UsageError, match="LARM"):
        notify(Notify(webhook_env="LARM"), "x")
    with pytest.raises(UsageError, match="smtp_env"):
        notify(Notify(email_to="vakt@example.se"), "x")


def test_mail_goes_through_the_configured_server(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class Server:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            sent.append((host, port))

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None: ...

        def starttls(self) -> None:
            sent.append("tls")

        def login(self, user: str, password: str) -> None:
            sent.append((user, password))

        def send_message(self, mail: Any) -> None:
            sent.append(mail["To"])

    monkeypatch.setattr(smtplib, "SMTP", Server)
    monkeypatch.setenv("POST", "smtp://vakt:l%40sen@mail.example.se:587")
    notify(Notify(email_to="vakt@example.se", smtp_env="POST"), "x")
    assert sent == [("mail.example.se", 587), "tls", ("vakt", "l@sen"), "vakt@example.se"]


def test_a_dead_mail_server_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    monkeypatch.setenv("POST", "smtp://mail.example.se:25")
    with pytest.raises(LagesbildError, match="E-postservern"):
        notify(Notify(email_to="vakt@example.se", smtp_env="POST"), "x")
