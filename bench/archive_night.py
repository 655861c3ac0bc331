"""A night over an archive of police notices, timed by stage; then a night with nothing new.

    python -m bench.archive_night ../shared/data/police/polisen_events_2023.jsonl.gz …

Prints seconds by stage, peak memory and the second night's seconds, and whether that one wrote
anything to the warehouse. Loading the classifier is start-up and told apart.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classifiers import load_classifier
from lagesbild import night
from lagesbild.night import Store
from lagesbild.prepare import TextClassifier
from lagesbild.settings import Settings, load
from lagesbild.verify import verify

CONFIG = """
municipality_code = "0180"
[sources.polisen]
kind = "polisen"
file = "*.jsonl.gz"
"""
STAGES = {"pull": "pull", "stage": "clean and classify", "finish": "merge, count, publish"}


@contextmanager
def timed(told: str, into: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    into[told] = into.get(told, 0.0) + time.perf_counter() - began


def timed_night(settings: Settings, classifier: TextClassifier) -> dict[str, float]:
    """Seconds of each stage of one night, and of the whole."""
    seconds: dict[str, float] = {}
    originals = {name: getattr(night, name) for name in STAGES}

    def wrapped(name: str) -> object:
        def call(*arguments: object, **options: object) -> object:
            with timed(STAGES[name], seconds):
                return originals[name](*arguments, **options)

        return call

    try:
        for name in STAGES:
            setattr(night, name, wrapped(name))
        with timed("whole night", seconds):
            result = night.run_night(settings, classifier)
    finally:
        for name, original in originals.items():
            setattr(night, name, original)
    ledger = result.sources[0].ledger
    print(f"received {ledger.received}, new {ledger.new}, unchanged {ledger.unchanged}")
    return seconds


def told(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for path in options.files:
            Path(folder, path.name).symlink_to(path.resolve())
        config = Path(folder, "lagesbild.toml")
        config.write_text(CONFIG, encoding="utf-8")
        settings = load(config)
        store = Store(settings)
        start_up: dict[str, float] = {}
        with timed("loading the classifier", start_up):
            classifier = load_classifier(settings.classifier.name, settings.classifier.model)
        print(told(start_up))
        print("first night:", told(timed_night(settings, classifier)))
        before = store.warehouse.path.stat()
        print("second night:", told(timed_night(settings, classifier)))
        after = store.warehouse.path.stat()
        written = (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size)
        print(f"second night wrote to the warehouse: {'yes' if written else 'no'}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory {peak:.0f} MiB; verify: {verify(store) or 'clean'}")
        print(f"warehouse {store.warehouse.path.stat().st_size / 2**20:.0f} MiB")
    return 1 if written else 0


if __name__ == "__main__":
    sys.exit(main())
