"""What happens when a scheduled run fails: whoever the configuration names is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow

from lagesbild.notify import notify
from lagesbild.settings import load


def tell_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook for failed and crashed runs."""
    config = Path(str(flow_run.parameters.get("config", "lagesbild.toml")))
    notify(load(config).notify, f"{flow.name} {flow_run.name} misslyckades: {state.message}")
