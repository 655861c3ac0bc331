"""The kinds of source, by hand: add a module, a line here, a recording and its expected counts."""

from __future__ import annotations

from lagesbild.records import Page
from lagesbild.sources.base import PullContext, Source, SourceConfig
from lagesbild.sources.polisen import Polisen
from lagesbild.sources.tabular import TabularSource

SOURCES: dict[str, type[Source]] = {
    "polisen": Polisen,
    "tabular": TabularSource,
}

__all__ = ["SOURCES", "Page", "PullContext", "Source", "SourceConfig"]
