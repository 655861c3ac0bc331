"""What the pages say: Swedish stands in the pages, English in one catalogue."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

import yaml


@functools.cache
def english() -> dict[str, str]:
    """Swedish -> English, for every text of the pages."""
    text = files("lagesbild.review").joinpath("texts.en.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def translate(text: str, language: Literal["sv", "en"]) -> str:
    """The text in the reader's language; one that the catalogue lacks stays Swedish."""
    return english().get(text, text) if language == "en" else text


_ZONE = ZoneInfo("Europe/Stockholm")


def local_time(stored: str) -> datetime:
    """A stored moment (UTC, with or without saying so) as clocks in Sweden showed it."""
    moment = datetime.fromisoformat(stored)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(_ZONE)


def local(stored: str, how: Literal["day", "minute", "second"] = "minute") -> str:
    """A stored moment for people: 2026-03-02, 2026-03-02 13:00 or with seconds."""
    form = {"day": "%Y-%m-%d", "minute": "%Y-%m-%d %H:%M", "second": "%Y-%m-%d %H:%M:%S"}[how]
    return local_time(stored).strftime(form)


def decimal(value: float | None, places: int, language: Literal["sv", "en"]) -> str:
    """A number as the language writes it; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{places}f}".replace("-", "\u2212")
    return text.replace(".", ",") if language == "sv" else text


def whole(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{round(value):,}".replace(",", "\u00a0")
