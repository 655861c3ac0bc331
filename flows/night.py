"""The scheduled night: the steps of `lagesbild.night` as tasks, its outcome as artifacts."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run

from classifiers import load_classifier
from flows.failure import tell_failure
from lagesbild.errors import SourceCheckError, SourceError
from lagesbild.night import (
    NightResult,
    SourceNight,
    Store,
    finish,
    give_way,
    night_lock,
    source_night,
    utc_now,
)
from lagesbild.places import Places
from lagesbild.prepare import TextClassifier
from lagesbild.settings import Settings, load
from lagesbild.store import snapshots
from lagesbild.store.staging import clear
from lagesbild.summary import alarm_lines, ledger_table, refusal_lines, theme_rows
from lagesbild.themes import load_themes

PULL_RETRIES = 2
LOCK_WAIT_S = 1800.0  # the hourly police run and the night take turns


@task(
    task_run_name="källa {name}",
    retries=PULL_RETRIES,
    retry_delay_seconds=[60, 300],
    cache_policy=NO_CACHE,
    persist_result=False,
)
def source_step(
    settings: Settings,
    store: Store,
    name: str,
    classifier: TextClassifier,
    places: Places,
    retry_rejected: bool,
) -> SourceNight:
    """One source; tried again while it cannot be reached, then left for the next night."""
    result = source_night(settings, store, name, classifier, places, utc_now, retry_rejected)
    if result.ledger.error and int(task_run.run_count or 1) <= PULL_RETRIES:
        raise SourceError(result.ledger.error)
    return result


@task(task_run_name="slå ihop, räkna, publicera", cache_policy=NO_CACHE, persist_result=False)
def merge_step(
    settings: Settings, store: Store, classifier: TextClassifier, nights: list[SourceNight]
) -> NightResult:
    """Merge, recount, publish a snapshot and purge."""
    return finish(settings, store, classifier, nights, utc_now)


@flow(name="night", on_failure=[tell_failure], on_crashed=[tell_failure])
def night(
    config: str = "lagesbild.toml", only: str | None = None, retry_rejected: bool = False
) -> None:
    """One night over all sources, or only one. Fails, after merging the rest, if a source did."""
    give_way()
    settings = load(Path(config))
    store = Store(settings)
    classifier = load_classifier(settings.classifier.name, store.model_folder(settings))
    with night_lock(store, wait_s=LOCK_WAIT_S):
        clear(store.staging)
        places = Places(settings.areas, settings.base_dir)
        nights = [
            source_step(settings, store, name, classifier, places, retry_rejected)
            for name in ([only] if only else settings.sources)
        ]
        result = merge_step(settings, store, classifier, nights)
    publish_artifacts(store, result)
    if result.has_failed_source:
        raise SourceCheckError(" ".join(alarm_lines(result.sources)))


def publish_artifacts(store: Store, result: NightResult) -> None:
    """What the analyst sees in the scheduler's pages: the ledger, and counts by theme."""
    lines = [*refusal_lines(result.sources), *alarm_lines(result.sources)]
    create_markdown_artifact(
        key="night-ledger",
        description="Vad natten hämtade, avvisade och larmade om",
        markdown=ledger_table(result.sources) + "\n" + "\n".join(f"- {line}" for line in lines),
    )
    rows = theme_rows(snapshots.current(store.snapshots), load_themes())
    create_table_artifact(
        key="theme-counts",
        description="Rapporter per tema, små antal dolda",
        table=[dict(zip(("tema", "rapporter", "varav problem"), row, strict=True)) for row in rows],
    )
