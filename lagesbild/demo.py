"""`make run`: one whole night on the sample city, with its own server on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lagesbild.errors import SourceCheckError
from lagesbild.night import Store, run_night
from lagesbild.publish.counts import Selection, export_counts
from lagesbild.publish.periods import Period
from lagesbild.publish.report.page import write_report
from lagesbild.sample_city import SampleCity
from lagesbild.settings import HASH_KEY_VARIABLE, Settings, load
from lagesbild.store import snapshots
from lagesbild.summary import night_text, table, theme_rows
from lagesbild.themes import load_themes

REPORT_PERIOD = Period("2026-Q2")
SERVER_VARIABLE = "LAGESBILD_SAMPLE_URL"
_REVIEW_HINT = (
    "Granskning: .venv/bin/lagesbild review add-user NAMN --role reviewer, "
    "sedan .venv/bin/lagesbild review serve"
)


def run_demo(config: Path | None, make_classifier: Callable[[Settings], Any]) -> tuple[str, int]:
    """Run the night and export counts. Returns what to tell the user, and the exit code."""
    settings = load(config)
    store = Store(settings)
    # the sample's respondents are invented, so their hashes need no secret
    os.environ.setdefault(HASH_KEY_VARIABLE, "exempelstaden")
    with SampleCity() as city:
        os.environ[SERVER_VARIABLE] = city.url
        result = run_night(settings, make_classifier(settings))
    plan = load_themes()
    snapshot = snapshots.current(store.snapshots)
    for style in ("csv", "xlsx"):
        export_counts(
            snapshot,
            Selection(("area", "theme", "month")),
            plan,
            store.exports,
            style=style,
            settings=settings,
        )
    report = write_report(
        snapshot, settings, plan, settings.municipality_code, REPORT_PERIOD, store.exports
    )
    told = [
        night_text(result),
        table(("Tema", "Rapporter", "varav problem"), theme_rows(snapshot, plan)),
        f"Lagret:    {store.root}\nExporter:  {store.exports}\nLägesbild: {report}\n{_REVIEW_HINT}",
    ]
    return "\n\n".join(told), SourceCheckError.exit_code if result.has_failed_source else 0
