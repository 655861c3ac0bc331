"""What the pages say: Swedish stands in the pages, English in one catalogue."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Literal

import yaml


@functools.cache
def english() -> dict[str, str]:
    """Swedish -> English, for every text of the pages."""
    text = files("lagesbild.review").joinpath("texts.en.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def translate(text: str, language: Literal["sv", "en"]) -> str:
    """The text in the reader's language; one that the catalogue lacks stays Swedish."""
    return english().get(text, text) if language == "en" else text


def decimal(value: float | None, places: int, language: Literal["sv", "en"]) -> str:
    """A number as the language writes it; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{places}f}".replace("-", "\u2212")
    return text.replace(".", ",") if language == "sv" else text


def whole(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{round(value):,}".replace(",", "\u00a0")
