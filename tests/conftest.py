"""Fixtures every test may use. The store a test writes to is always its own temporary folder."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

# How long an example takes says how busy the machine is, not whether the law holds.
hypothesis.settings.register_profile("lagesbild", deadline=None)
hypothesis.settings.load_profile("lagesbild")

REPO = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first: where two run at a time, no long one is left alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings kept beside the project; tests that need them skip where they are missing."""
    path = REPO.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("recorded data beside the project is missing: ../shared/data")
    return path


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Invented payloads in the shapes real sources send."""
    return REPO / "tests" / "recordings"
