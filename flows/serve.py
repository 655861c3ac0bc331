"""Quick start: `python -m flows.serve` keeps the schedules of prefect.yaml in one process.

For production use a worker (docs/production.md); a served process that dies runs nothing.
"""

from __future__ import annotations

from prefect import serve
from prefect.schedules import Cron

from flows.night import night
from flows.retrain import retrain

ZONE = "Europe/Stockholm"


def main() -> None:
    """Serve until stopped; stopping pauses the schedules, so that no late runs pile up."""
    serve(
        night.to_deployment("nightly", schedule=Cron("15 3 * * *", timezone=ZONE)),
        night.to_deployment(
            "police-hourly",
            parameters={"only": "polisen"},
            schedule=Cron("5 * * * *", timezone=ZONE),
        ),
        retrain.to_deployment("weekly", schedule=Cron("30 4 * * 0", timezone=ZONE)),
        limit=1,
    )


if __name__ == "__main__":
    main()
