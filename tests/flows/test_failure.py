"""A failed run is told to whoever the run's own configuration names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import failure
from flows.night import night
from flows.retrain import retrain


def test_the_configured_receiver_hears_which_run_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "lagesbild.toml"
    config.write_text(
        'municipality_code = "0180"\n[sources]\n[notify]\nwebhook_env = "LARM"\n', encoding="utf-8"
    )
    told: list[tuple[str | None, str]] = []
    monkeypatch.setattr(
        failure, "notify", lambda where, message: told.append((where.webhook_env, message))
    )
    run: Any = SimpleNamespace(name="glad-uv", parameters={"config": str(config)})
    state: Any = SimpleNamespace(message="FEL stan: svarar inte.")
    failure.tell_failure(night, run, state)
    assert told == [("LARM", "night glad-uv misslyckades: FEL stan: svarar inte.")]


@pytest.mark.parametrize("flow", [night, retrain])
def test_both_flows_tell_failures_and_crashes(flow: Any) -> None:
    for hooks in (flow.on_failure_hooks, flow.on_crashed_hooks):
        assert failure.tell_failure in hooks
