"""The kinds of source, by hand: add a module, a line here, a recording and its expected counts."""

from __future__ import annotations

from lagesbild.sources.base import Page, PullContext, Source, SourceConfig

SOURCES: dict[str, type[Source]] = {}

__all__ = ["SOURCES", "Page", "PullContext", "Source", "SourceConfig"]
