"""The weekly retraining: a new model from labelled texts and staff's decisions, if not worse."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from classifiers.renewal import Renewal, renew
from flows.failure import tell_failure
from lagesbild.night import Store
from lagesbild.settings import Settings, load
from lagesbild.store import snapshots


@task(task_run_name="träna och jämför", cache_policy=NO_CACHE, persist_result=False)
def renew_step(settings: Settings, store: Store) -> Renewal:
    """Train a candidate and put it in use if it is not worse on the frozen texts; a model of one's
    own stays."""
    if settings.classifier.model is not None:
        told = (
            "En egen modell är inställd (`model` under [classifier]) och byts aldrig av sig själv."
        )
        return Renewal(False, told, 0, 0)
    snapshot = snapshots.current(store.snapshots) if store.warehouse.exists() else None
    return renew(store.models, store.model_folder(settings), snapshot)


@flow(name="retrain", on_failure=[tell_failure], on_crashed=[tell_failure])
def retrain(config: str = "lagesbild.toml") -> None:
    """Renew the classifier; the next night classifies again what the new one has not seen."""
    settings = load(Path(config))
    renewal: Renewal = renew_step(settings, Store(settings))
    create_markdown_artifact(
        key="retraining",
        description="Den nya modellen mot den som används",
        markdown=renewal.as_markdown(),
    )
