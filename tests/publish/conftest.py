"""One town for all tests of what is published: a night over it takes a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lagesbild.settings import Settings
from lagesbild.sources import SOURCES
from tests.city import TownSource
from tests.publish import town as town_module


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Settings]]:
    """(snapshot, settings) of the town in town.py."""
    patch = pytest.MonkeyPatch()
    patch.setitem(SOURCES, "town", TownSource)
    patch.setattr(TownSource, "answers", {})
    try:
        yield town_module.town(tmp_path_factory.mktemp("town"))
    finally:
        patch.undo()
