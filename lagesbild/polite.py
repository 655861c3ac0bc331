"""Polite HTTP for sources: identified, slow, patient, and never trusting the size of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx


class PoliteClient:
    """Placeholder of the seam; the behaviour is written next."""

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
    ) -> None: ...

    def get(self, url: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        """GET with interval, back-off and size cap. Raises SourceError when it gives up."""
        raise SystemExit(1)

    def post_json(self, url: str, body: Any) -> httpx.Response:
        """POST a JSON body under the same rules."""
        raise SystemExit(1)
