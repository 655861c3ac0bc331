"""The weekly retraining leaves a configured model of one's own alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import retrain
from lagesbild.night import Store
from lagesbild.settings import load
from lagesbild.sources import SOURCES
from tests.city import TownSource, write_config


def test_a_model_of_ones_own_is_neither_trained_nor_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "town", TownSource)
    monkeypatch.setattr(retrain, "renew", lambda *_: pytest.fail("trained"))
    settings = load(write_config(tmp_path, '[classifier]\nmodel = "egen"\n'))
    renewal = retrain.renew_step.fn(settings, Store(settings))
    assert not renewal.is_used
    assert "En egen modell är inställd" in renewal.as_markdown()
