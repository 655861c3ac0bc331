"""What is believed of a proxy's headers, and of whom."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Request

from lagesbild.review.security import guard
from lagesbild.settings import Review
from tests.review.conftest import TestClient


def seen(headers: dict[str, str], sender: str = "192.0.2.9") -> Any:
    app = FastAPI()
    guard(app, Review(trusted_proxies=["192.0.2.0/24"]))

    @app.get("/")
    def who(request: Request) -> dict[str, str]:
        address = request.client.host if request.client else ""
        return {"address": address, "scheme": request.url.scheme}

    client = TestClient(app, base_url="http://127.0.0.1", client=(sender, 1))
    return client.get("/", headers=headers).json()


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, 198.51.100.7", "198.51.100.7"),  # the left one anybody can write
        ("203.0.113.1, 198.51.100.7, 192.0.2.4", "198.51.100.7"),
        ("skrap", "192.0.2.9"),
        ("", "192.0.2.9"),
    ],
)
def test_the_first_address_that_is_no_proxy_is_the_browser(forwarded: str, address: str) -> None:
    headers = {"x-forwarded-for": forwarded}
    assert seen(headers)["address"] == address


def test_the_scheme_comes_from_the_proxy() -> None:
    assert seen({"x-forwarded-proto": "https"})["scheme"] == "https"
    assert seen({"x-forwarded-proto": "ftp"})["scheme"] == "http"


def test_nobody_else_is_believed() -> None:
    headers = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https"}
    assert seen(headers, sender="203.0.113.5") == {"address": "203.0.113.5", "scheme": "http"}
