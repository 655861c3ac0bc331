"""One night: pull, clean, classify, merge, count, check, publish. Without any server.

Each step is a plain function that `flows/night.py` wraps for the scheduler; `run_night` runs them
in order. Whatever happens in between, running the night again gives what an undisturbed night
would have given: pages land one by one in the inbox, and all the rest in one transaction.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from lagesbild import checks
from lagesbild.errors import LagesbildError, SourceError
from lagesbild.places import Places
from lagesbild.prepare import Prepared, TextClassifier, prepare, reclassify
from lagesbild.records import Alarm
from lagesbild.review.index import ensure_index
from lagesbild.settings import Settings, hash_key
from lagesbild.sources import PullContext, Source, client_for
from lagesbild.store import redactions, snapshots
from lagesbild.store.decisions import Decisions
from lagesbild.store.inbox import Inbox, PullLedger
from lagesbild.store.staging import clear
from lagesbild.store.warehouse import Warehouse, kept_open, redaction_ids
from lagesbild.themes import load_themes

Clock = Callable[[], datetime]
_NICE = 10  # a tenth of what a process at the usual priority gets, where both want all


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Where one municipality's files lie."""

    def __init__(self, settings: Settings) -> None:
        root = settings.store_dir
        self.root = root
        self.inbox = root / "inbox.sqlite"
        self.warehouse = Warehouse(root / "warehouse.duckdb")
        self.decisions = Decisions(root / "review.sqlite")
        self.snapshots = root / "snapshots"
        self.staging = root / "staging"
        self.exports = root / "exports"
        self.models = root / "models"  # renewed by retraining; `CURRENT` names the one in use

    def model_folder(self, settings: Settings) -> Path | None:
        """The configured model, else the newest accepted by retraining, else None: the bundled."""
        pointer = self.models / "CURRENT"
        if settings.classifier.model is not None:
            return settings.base_dir / settings.classifier.model
        if pointer.exists():
            return self.models / pointer.read_text(encoding="utf-8").strip()
        return None


@dataclass
class SourceNight:
    """What one source's night came to."""

    source: str
    ledger: PullLedger
    alarms: list[Alarm] = field(default_factory=list)
    prepared: Prepared | None = None

    @property
    def is_held(self) -> bool:
        """A failed check: nothing of this source is merged tonight, and nothing is lost."""
        return any(alarm.severity == "fail" for alarm in self.alarms)


@dataclass
class NightResult:
    """What the night did. `snapshot` is None when nothing changed since the last one."""

    sources: list[SourceNight]
    n_reclassified: int
    n_decisions: int
    n_purged: int
    snapshot: Path | None

    @property
    def has_failed_source(self) -> bool:
        return any(night.is_held for night in self.sources)


def give_way() -> None:
    """Let people at the review page come first: from now on nights get what processor is left."""
    ids = [0]  # the whole process, but on Linux this thread alone
    if sys.platform == "linux":
        ids = [thread.native_id for thread in threading.enumerate() if thread.native_id]
    for number in ids:  # threads to come are as those that start them
        if os.getpriority(os.PRIO_PROCESS, number) < _NICE:
            os.setpriority(os.PRIO_PROCESS, number, _NICE)


@contextmanager
def night_lock(store: Store, wait_s: float = 0.0) -> Iterator[None]:
    """Only one night at a time. Raises LagesbildError if another still runs after `wait_s`."""
    store.root.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    with (store.root / "night.lock").open("w") as handle:
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise LagesbildError(
                    f"En annan natt pågår redan mot {store.root}; vänta tills den är klar."
                )
            time.sleep(1.0)
        yield


def _try_lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def run_night(
    settings: Settings,
    classifier: TextClassifier,
    only: str | None = None,
    *,
    retry_rejected: bool = False,
    clock: Clock = utc_now,
) -> NightResult:
    """The whole night, all sources or `only` one. Raises LagesbildError if it cannot even begin."""
    names = [only] if only else list(settings.sources)
    for name in names:
        settings.source_config(name)
    store = Store(settings)
    with night_lock(store):
        clear(store.staging)
        places = Places(settings.areas, settings.base_dir)
        nights = [
            source_night(settings, store, name, classifier, places, clock, retry_rejected)
            for name in names
        ]
        return finish(settings, store, classifier, nights, clock)


def source_night(
    settings: Settings,
    store: Store,
    name: str,
    classifier: TextClassifier,
    places: Places,
    clock: Clock,
    retry_rejected: bool = False,
) -> SourceNight:
    """Pull one source and stage what it brought; checks decide whether it may be merged."""
    with Inbox(store.inbox) as inbox:
        pull_id = inbox.begin_pull(name, clock())
        ledger = PullLedger()
        prepared = None
        try:
            source = settings.make_source(name)
            pull(settings, store, inbox, source, ledger, clock)
            prepared = stage(settings, store, inbox, source, classifier, places, retry_rejected)
            ledger.profile = prepared.profile.as_dict() if prepared.n_rows else {}
        except LagesbildError as error:
            ledger.error = str(error)
        except Exception as error:  # noqa: BLE001 - one source's fault must not stop the others
            ledger.error = _where(error)
        alarms = checks.check(
            name,
            settings.source_config(name),
            settings.checks,
            ledger,
            inbox.history(name, clock() - timedelta(days=settings.checks.history_days)),
            inbox.last_new_at(name),
            clock(),
        )
        inbox.end_pull(pull_id, clock(), ledger, alarms)
    return SourceNight(name, ledger, alarms, prepared)


def _where(error: Exception) -> str:
    """Kind and place of an unforeseen error; its message is left out, it may quote a resident."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"oväntat fel {type(error).__name__} i {Path(frame.filename).name} rad {frame.lineno}"


def pull(
    settings: Settings,
    store: Store,
    inbox: Inbox,
    source: Source,
    ledger: PullLedger,
    clock: Clock,
) -> None:
    """Fetch all the source has to give now, page by page, into the inbox.

    A source that fails is noted in the ledger; the pages it gave before are kept.
    """
    config = settings.source_config(source.name)
    with client_for(source, config, settings.user_agent) as client:
        context = PullContext(
            client=client,
            state=inbox.state(source.name),
            now=clock(),
            base_dir=settings.base_dir,
            hash_key=hash_key(),
            open_record_ids=lambda: store.warehouse.open_record_ids(source.name),
        )
        try:
            for page in source.fetch(context):
                inbox.store_page(source.name, page, ledger, context.now)
        except SourceError as error:
            ledger.error = str(error)


def stage(
    settings: Settings,
    store: Store,
    inbox: Inbox,
    source: Source,
    classifier: TextClassifier,
    places: Places,
    retry_rejected: bool,
) -> Prepared:
    """Stage whatever of a source's inbox the warehouse does not hold yet."""
    refused = store.warehouse.rejected_raw_ids(source.name) if retry_rejected else []
    retried = list(inbox.rows(refused))  # only those whose payload has not been purged
    with kept_open(store.warehouse.path):
        merged = store.warehouse.merged().get(source.name, 0)
        prepared = prepare(
            source,
            settings.source_config(source.name),
            itertools.chain(retried, inbox.rows_after(source.name, merged)),
            store.warehouse,
            classifier,
            places,
            store.staging / source.name,
            [row.raw_id for row in retried],
        )
    prepared.cursor = max(prepared.cursor, merged)
    return prepared


def finish(
    settings: Settings,
    store: Store,
    classifier: TextClassifier,
    nights: Sequence[SourceNight],
    clock: Clock,
) -> NightResult:
    """Merge what passed its checks, publish a snapshot if anything changed, purge old payloads."""
    good = [night.prepared for night in nights if night.prepared and not night.is_held]
    good = [prepared for prepared in good if prepared.n_rows]
    reclassified = store.staging / "_reclassified"
    with kept_open(store.warehouse.path):
        n_reclassified = reclassify(
            store.warehouse, classifier, reclassified, settings.reclassify_per_night
        )
        decisions = store.decisions.unmerged(store.warehouse)
        marks = redactions.waiting(store.decisions, store.warehouse)
    if good or n_reclassified or decisions or marks or not store.warehouse.exists():
        folders = [prepared.folder for prepared in good] + [reclassified]
        cursors = {prepared.source: prepared.cursor for prepared in good}
        store.warehouse.merge(folders, cursors, decisions, marks)
    store.warehouse.erase()
    clear(store.staging)
    snapshot = None
    if snapshots.is_stale(store.warehouse.path, store.snapshots):
        snapshot = snapshots.publish(
            store.warehouse.path,
            store.snapshots,
            settings.keep_snapshots,
            lambda copy: ensure_index(copy, store.decisions, settings.review, load_themes()),
        )
    n_purged = purge(settings, store, clock())
    forget_redacted(store)
    from lagesbild.review.planner import count_if_few  # what it publishes by imports this module

    current = snapshots.current(store.snapshots)
    with kept_open(current):
        count_if_few(current, settings, load_themes())
    return NightResult(list(nights), n_reclassified, len(decisions), n_purged, snapshot)


def forget_redacted(store: Store) -> None:
    """Remove older snapshots that still have what people marked as personal data."""
    taken_out = store.warehouse.redaction_ids()
    if taken_out:
        snapshots.forget(store.snapshots, lambda path: redaction_ids(path) != taken_out)


def purge(settings: Settings, store: Store, now: datetime) -> int:
    """Purge merged payloads older than the configured days, if there is a decision to do so."""
    decision = settings.retention.decision_id
    if decision is None:
        return 0
    older_than = now - timedelta(days=settings.retention.raw_days)
    with Inbox(store.inbox) as inbox:
        return sum(
            inbox.purge(source, older_than, raw_id, decision, now)
            for source, raw_id in store.warehouse.merged().items()
        )
