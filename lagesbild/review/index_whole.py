"""The index of a snapshot made whole, and what is the same where it is made from another."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from lagesbild.records import digest
from lagesbild.review.index_rows import GAP, add, add_words, count_words, index_anew, judge_again
from lagesbild.review.new_words import find_new_words, with_words
from lagesbild.review.overview import Overview, categories, overview
from lagesbild.settings import Review
from lagesbild.store.decisions import Decisions
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

_BATCH = 5000
# An index made by other rules is never renewed: whoever changes one of these need not think of it.
_RULES = (
    "index_whole",
    "index_changes",
    "index_rows",
    "new_words",
    "overview",
    "reasons",
    "search",
)

_ITEMS = """
with chosen as (
    select * from counted_submission {only}
), areas as (
    select submission_id, version, list({{'type': area_type, 'code': area_code,
        'name': coalesce(area_name, area_code)}} order by area_type, area_code) as areas
    from submission_area semi join chosen using (submission_id, version) left join (
        select area_type, area_code, max(area_name) as area_name from area group by all
    ) using (area_type, area_code)
    group by all
), mentions as (
    select submission_id, text_sha256, classifier_version, list({{'theme': theme,
        'subtheme': subtheme, 'probability': probability, 'stance': stance, 'evidence': evidence}}
        order by probability desc, theme) as themes
    from classification semi join chosen using (submission_id, text_sha256) group by all
)
select s.submission_id, s.text_sha256, s.source, s.kind, s.question, s.category, s.status,
    s.reported_at::varchar, s.reported_date::varchar, s.lat, s.lon, s.text, s.language, t.abstain,
    t.needs_review, t.classifier_version, coalesce(to_json(m.themes)::varchar, '[]') as themes,
    to_json(map_from_entries(list_transform(map_entries(t.probabilities),
        lambda e: {{'k': e.key, 'v': round(e.value::double, 3)}})))::varchar as probabilities,
    coalesce(to_json(a.areas)::varchar, '[]') as areas
from chosen s
join classified_text t on t.submission_id = s.submission_id and t.text_sha256 = s.text_sha256
    and t.is_current
left join mentions m on m.submission_id = t.submission_id and m.text_sha256 = t.text_sha256
    and m.classifier_version = t.classifier_version
left join areas a on a.submission_id = s.submission_id and a.version = s.version
order by s.reported_at, s.submission_id
"""


def path_of(snapshot: Path) -> Path:
    """Where the index of a snapshot lies; one that another version made differently is not it."""
    return snapshot.with_suffix(f".{_layout()}.review.sqlite")


@functools.cache
def _layout() -> str:
    return digest(_sql("index.sql"), _sql("index_after.sql"))[:8]


def build(
    snapshot: Path, target: Path, decisions: Decisions, settings: Review, plan: CodePlan
) -> None:
    """Make the whole index."""
    target.unlink(missing_ok=True)
    with connect(snapshot, read_only=True) as source, closing(open_for_writing(target)) as db:
        db.executescript(_sql("index.sql"))
        db.execute("begin")
        known = overview(source, decisions, settings, plan)
        n_items, parts = 0, set[int]()
        for rows in batches(source, _ITEMS.format(only="")):
            ids = range(GAP * (n_items + 1), GAP * (n_items + len(rows) + 1), GAP)
            add(db, rows, ids, known)
            parts |= add_words(db, ((i, row[11]) for i, row in zip(ids, rows, strict=True)))
            n_items += len(rows)
        if not parts:  # nobody who searches needs to know that there is nothing yet
            index_anew(db, 0)
        db.executescript(_sql("index_after.sql"))  # which ends the transaction
        db.execute("begin")
        finish(db, source, snapshot, known, parts or {0}, stamp(settings, plan), plan)


def open_for_writing(target: Path) -> sqlite3.Connection:
    """Without a journal: a file that is not finished is thrown away."""
    db = sqlite3.connect(target, isolation_level=None)
    db.executescript("pragma journal_mode = off; pragma synchronous = off;")
    return db


def finish(
    db: sqlite3.Connection,
    source: duckdb.DuckDBPyConnection,
    snapshot: Path,
    known: Overview,
    parts: Iterable[int],
    made_by: str,
    plan: CodePlan,
) -> None:
    """What comes once all reports and words are there. `parts`: those whose words are others."""
    count_words(db, parts)
    had_new_words = {
        row[0] for row in db.execute("select item_id from item where new_words <> '[]'")
    }
    words = find_new_words(db)
    judge_again(db, had_new_words | with_words(db, words), _with_words(known, words))
    db.executemany("insert or replace into area values (?, ?, ?)", areas(source))
    by_theme = db.execute("select theme, count(*) from item_theme group by theme").fetchall()
    facts = {
        "snapshot": snapshot.name,
        "made_by": made_by,
        "figures": json.dumps(known.figures, sort_keys=True),
        "n_items": str(_one(db, "select count(*) from item")),
        "theme_version": plan.version,
        "n_parts": str(_one(db, "select coalesce(max(part) + 1, 1) from part")),
        "n_by_machine": json.dumps(dict(by_theme)),
    }
    db.executemany("insert or replace into fact values (?, ?)", facts.items())
    db.execute("commit")


def _with_words(known: Overview, words: frozenset[str]) -> Overview:
    return Overview(
        known.figures, known.drawn_if_unknown, known.categories, known.decided_before, words
    )


def _one(db: sqlite3.Connection, query: str) -> Any:
    return db.execute(query).fetchone()[0]


def _sql(name: str) -> str:
    return files("lagesbild.review").joinpath(name).read_text(encoding="utf-8")


def batches(db: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    result = db.execute(query)
    while rows := result.fetchmany(_BATCH):
        yield rows


def items_query(wanted: str) -> str:
    """The rows of the reports that the table `wanted` names."""
    return _ITEMS.format(only=f"semi join {wanted} using (submission_id)")


def areas(source: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """(type/code, type, name) of every area of a snapshot."""
    return source.execute(
        "select area_type || '/' || area_code, area_type, max(area_name) from area "
        "group by all order by all"
    ).fetchall()


def stamp(settings: Review, plan: CodePlan) -> str:
    """A digest of all that decides what an index says, beside the snapshot and the decisions."""
    package = files("lagesbild.review")
    names = [f"{name}.py" for name in _RULES] + ["index.sql", "index_after.sql"]
    rules = [package.joinpath(name).read_text(encoding="utf-8") for name in names]
    rules.append(files("lagesbild").joinpath("text.py").read_text(encoding="utf-8"))
    drawn = (settings.blind_share, settings.blind_per_theme)
    return digest(*rules, plan.version, json.dumps(categories(plan)), repr(drawn))
