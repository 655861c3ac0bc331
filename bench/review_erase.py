"""How long it takes until what people marked as personal data has left a large store.

    python -m bench.review_erase [--n 1000000] [--marks 1 100] [--store FOLDER]

The reports are those of bench/review_index.py. Two things are timed apart: taking the words out of
the tables, in the night's one transaction, and writing the file anew without them. The copy that
every night publishes anyway stands beside, for comparison.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from functools import partial
from pathlib import Path

from bench.review_index import made, make_snapshot
from lagesbild.night import Store
from lagesbild.settings import Settings
from lagesbild.store.erasure import take_out
from lagesbild.store.hiding import Mark, sha256, shape
from lagesbild.store.snapshots import copy_gently
from lagesbild.store.warehouse import connect


def marks(store: Store, first: int, n: int) -> list[Mark]:
    """The first word of `n` reports, as people mark it."""
    with connect(store.warehouse.path, read_only=True) as db:
        rows = db.execute(
            "select submission_id, text from submission where raw_id between ? and ?",
            [first, first + n - 1],
        ).fetchall()
    return [_mark(submission_id, text) for submission_id, text in rows]


def _mark(submission_id: str, text: str) -> Mark:
    word = text.split()[0]
    return Mark(
        f"bench-{submission_id}",
        submission_id,
        sha256(text),
        ((0, len(word)),),
        (shape(word),),
        "namn",
        "anna",
        "",
    )


def measure(settings: Settings, n: int, n_marks: list[int]) -> None:
    store, first = Store(settings), 0
    if not store.warehouse.exists():
        make_snapshot(settings, n)
    for number in n_marks:
        chosen = marks(store, first, number)
        first += number
        made(f"{n} reports, {number} marked: taken out of the tables", partial(take, store, chosen))
        made("  and the file written anew", store.warehouse.erase)
        target = store.root / "copy"
        made("  a mere copy of the file", partial(copy_gently, store.warehouse.path, target))
        target.unlink()


def take(store: Store, chosen: list[Mark]) -> None:
    with connect(store.warehouse.path, read_only=False) as db:
        db.execute("begin")
        take_out(db, chosen)
        db.execute("commit")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--marks", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    folder = options.store or Path(tempfile.mkdtemp(prefix="lagesbild-"))
    settings = Settings(base_dir=folder, municipality_code="9901", sources={})
    try:
        measure(settings, options.n, options.marks)
    finally:
        if options.store is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
