"""The kinds of source, by hand: add a module, a line here, a recording and its expected counts."""

from __future__ import annotations

from lagesbild.records import Page
from lagesbild.sources.base import PullContext, Source, SourceConfig, client_for
from lagesbild.sources.http_json import HttpJsonSource
from lagesbild.sources.open311 import Open311
from lagesbild.sources.polisen import Polisen
from lagesbild.sources.survey import SurveySource
from lagesbild.sources.tabular import TabularSource

SOURCES: dict[str, type[Source]] = {
    "open311": Open311,
    "polisen": Polisen,
    "http_json": HttpJsonSource,
    "survey": SurveySource,
    "tabular": TabularSource,
}

__all__ = ["SOURCES", "Page", "PullContext", "Source", "SourceConfig", "client_for"]
