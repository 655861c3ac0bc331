"""Classifying everything anew, started by hand after a change of model or themes."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from classifiers import load_classifier
from flows.failure import tell_failure
from lagesbild.night import Store
from lagesbild.prepare import TextClassifier
from lagesbild.reclassification import BATCH, publish, reclassify_batch
from lagesbild.settings import load


@task(
    task_run_name="en omgång",
    retries=2,
    retry_delay_seconds=60,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def batch_step(store: Store, classifier: TextClassifier, batch: int) -> int:
    """One batch; a night that runs meanwhile is waited for."""
    return reclassify_batch(store, classifier, batch)


@flow(name="reclassify", on_failure=[tell_failure], on_crashed=[tell_failure])
def reclassify(config: str = "lagesbild.toml", batch: int = BATCH) -> None:
    """Batch by batch until nothing is left; cut off, it goes on where it stopped."""
    settings = load(Path(config))
    store = Store(settings)
    classifier = load_classifier(settings.classifier.name, store.model_folder(settings))
    n_done = 0
    while n := batch_step(store, classifier, batch):
        n_done += n
    publish(settings, store)
    create_markdown_artifact(
        key="reclassification",
        description="Hur mycket som klassades om",
        markdown=f"{n_done} texter klassades om av {classifier.version}.\n",
    )
