"""Classifying the whole store anew after a change of model or themes, batch by batch.

Every batch is merged by itself, and what has been classified by this version is never done again:
a run that was cut off goes on where it stopped and ends as if it had not been. Readers keep the
last snapshot until all is done, so that no picture mixes two models for longer than it must; a
night in between may publish one, and its exports say in which months the model changes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lagesbild.night import Store, night_lock
from lagesbild.prepare import TextClassifier, reclassify
from lagesbild.review.index import ensure_index
from lagesbild.settings import Settings
from lagesbild.store import snapshots
from lagesbild.store.staging import clear
from lagesbild.themes import load_themes

BATCH = 20_000
LOCK_WAIT_S = 1800.0  # a night may run between two batches


def reclassify_all(
    settings: Settings,
    store: Store,
    classifier: TextClassifier,
    batch: int = BATCH,
    tell: Callable[[int], object] = lambda _: None,
) -> int:
    """Classify every current text that this version has not seen. Returns how many; `tell` is
    called with how many so far after each batch."""
    n_done = 0
    while n := reclassify_batch(store, classifier, batch):
        n_done += n
        tell(n_done)
    publish(settings, store)
    return n_done


def reclassify_batch(store: Store, classifier: TextClassifier, batch: int = BATCH) -> int:
    """Classify and merge up to `batch` texts; 0 when there are none left."""
    with night_lock(store, wait_s=LOCK_WAIT_S):
        folder = store.staging / "_reclassified"
        clear(folder)
        n = reclassify(store.warehouse, classifier, folder, batch)
        if n:
            store.warehouse.merge([folder], {})
        clear(folder)
    return n


def publish(settings: Settings, store: Store) -> Path | None:
    """A snapshot of what changed, with the review page's index; None where nothing did."""
    with night_lock(store, wait_s=LOCK_WAIT_S):
        if not snapshots.is_stale(store.warehouse.path, store.snapshots):
            return None
        path = snapshots.publish(store.warehouse.path, store.snapshots, settings.keep_snapshots)
        ensure_index(path, store.decisions, settings.review, load_themes())
    return path
