"""Quick start: `python -m flows.serve` keeps the schedules of prefect.yaml in one process.

For production use a worker (docs/production.md); a served process that dies runs nothing.
"""

from __future__ import annotations

from typing import Any, cast

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron

from flows.night import night
from flows.reclassify import reclassify
from flows.retrain import retrain

ZONE = "Europe/Stockholm"


def main() -> None:
    """Serve until stopped; stopping pauses the schedules, so that no late runs pile up."""
    serve(
        _deployment(night, "nightly", "15 3 * * *"),
        _deployment(night, "police-hourly", "5 * * * *", only="polisen"),
        _deployment(retrain, "weekly", "30 4 * * 0"),
        _deployment(reclassify, "by-hand"),
        limit=1,
    )


def _deployment(
    flow: Flow[..., Any], name: str, cron: str | None = None, **parameters: Any
) -> RunnerDeployment:
    schedule = Cron(cron, timezone=ZONE) if cron else None
    deployment = flow.to_deployment(name, schedule=schedule, parameters=parameters)
    return cast(RunnerDeployment, deployment)  # a coroutine only inside a running event loop


if __name__ == "__main__":
    main()
