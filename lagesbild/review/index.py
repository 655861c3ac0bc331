"""One SQLite file beside each snapshot, made for reading one report, and for finding the next one.

It holds redacted texts only, so it is no more secret than the snapshot it was made from. Nights
make it right after publishing; a page that finds none makes it itself.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from lagesbild.records import UNKNOWN_AREA, digest
from lagesbild.review.reasons import Facts, judge
from lagesbild.settings import Review
from lagesbild.store.decisions import Decisions
from lagesbild.store.warehouse import connect
from lagesbild.text import fold
from lagesbild.themes import CodePlan

_BATCH = 5000
PART = 50_000  # reports in each part of the word index: the newest parts often have enough hits
_KEPT = 2  # pages read the one before until the newest is made
_RECENT_DAYS = 30
_FEWEST_NEW = 2  # so often must a word stand in the newest texts to be a new word, not a slip
_MOST_DRAWN = 0.5  # of a rare theme's reports; the rest must be open to everybody
_WORDS_OF_PART = """
create virtual table word_{part} using fts5(
    text, content = '', detail = none, tokenize = "unicode61 remove_diacritics 2"
);
create virtual table word_count_{part} using fts5vocab(word_{part}, row);
"""
_WORD = re.compile(r"[a-z]{4,}")

_ITEMS = """
with areas as (
    select submission_id, version, list({'type': area_type, 'code': area_code,
        'name': coalesce(area_name, area_code)} order by area_type) as areas
    from submission_area left join (
        select area_type, area_code, max(area_name) as area_name from area group by all
    ) using (area_type, area_code)
    group by all
), mentions as (
    select submission_id, text_sha256, classifier_version, list({'theme': theme,
        'subtheme': subtheme, 'probability': probability, 'stance': stance, 'evidence': evidence}
        order by probability desc, theme) as themes
    from classification group by all
)
select s.submission_id, s.text_sha256, s.source, s.kind, s.question, s.category, s.status,
    s.reported_at::varchar, s.reported_date::varchar, s.lat, s.lon, s.text, s.language, t.abstain,
    t.needs_review, t.classifier_version, coalesce(to_json(m.themes)::varchar, '[]') as themes,
    to_json(map_from_entries(list_transform(map_entries(t.probabilities),
        lambda e: {'k': e.key, 'v': round(e.value::double, 3)})))::varchar as probabilities,
    coalesce(to_json(a.areas)::varchar, '[]') as areas
from counted_submission s
join classified_text t on t.submission_id = s.submission_id and t.text_sha256 = s.text_sha256
    and t.is_current
left join mentions m on m.submission_id = t.submission_id and m.text_sha256 = t.text_sha256
    and m.classifier_version = t.classifier_version
left join areas a on a.submission_id = s.submission_id and a.version = s.version
order by s.reported_at, s.submission_id
"""


def path_of(snapshot: Path) -> Path:
    """Where the index of a snapshot lies."""
    return snapshot.with_suffix(".review.sqlite")


def ensure_index(snapshot: Path, decisions: Decisions, settings: Review, plan: CodePlan) -> Path:
    """Make the snapshot's index unless it is there; several processes may ask at once."""
    target = path_of(snapshot)
    if target.exists():
        return target
    with (snapshot.parent / "index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            unfinished = target.with_suffix(".making")
            unfinished.unlink(missing_ok=True)
            _build(snapshot, unfinished, decisions, settings, plan)
            unfinished.replace(target)
        newest = sorted(path.stem for path in snapshot.parent.glob("*.duckdb"))[-_KEPT:]
        for old in snapshot.parent.glob("*.review.sqlite"):
            if old.name.partition(".")[0] not in newest:
                old.unlink()
    return target


def _build(
    snapshot: Path, target: Path, decisions: Decisions, settings: Review, plan: CodePlan
) -> None:
    with connect(snapshot, read_only=True) as source, closing(sqlite3.connect(target)) as db:
        db.executescript("pragma journal_mode = off; pragma synchronous = off;")
        db.executescript(_sql("index.sql"))
        survey = _survey(source, decisions, plan)
        n_items = 0
        for rows in _batches(source, _ITEMS):
            _add(db, rows, n_items, survey, settings)
            n_items += len(rows)
        db.executemany(
            "insert or replace into area values (?, ?, ?)",
            source.execute(
                "select area_type || '/' || area_code, area_type, max(area_name) from area "
                "group by all order by all"
            ).fetchall(),
        )
        facts = {
            "snapshot": snapshot.name,
            "n_items": str(n_items),
            "theme_version": plan.version,
            "n_parts": str(n_items // PART + 1),
            "n_by_machine": json.dumps(
                dict(db.execute("select theme, count(*) from item_theme group by theme").fetchall())
            ),
        }
        db.executemany("insert into fact values (?, ?)", facts.items())
        db.executescript(_sql("index_after.sql"))
        db.commit()
    with target.open("rb") as written:
        os.fsync(written.fileno())


def _sql(name: str) -> str:
    return files("lagesbild.review").joinpath(name).read_text(encoding="utf-8")


def _batches(db: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[tuple[Any, ...]]]:
    result = db.execute(query)
    while rows := result.fetchmany(_BATCH):
        yield rows


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the reasons and the sample must know of all reports together."""

    n_items: int
    n_by_theme: Mapping[str, int]
    n_by_stratum: Mapping[str, int]
    reviewed_by_area: Mapping[str, float]
    surges: Mapping[tuple[str, str], float]  # (theme, month)
    new_words: frozenset[str]
    categories: Mapping[str, str]
    decided_before: Mapping[str, set[str]]  # report -> digests of its texts that somebody decided


def _survey(source: duckdb.DuckDBPyConnection, decisions: Decisions, plan: CodePlan) -> _Survey:
    decided: dict[str, set[str]] = {}
    with closing(decisions.open()) as db:
        for submission_id, text_sha256 in db.execute(
            "select submission_id, text_sha256 from report_state"
        ):
            decided.setdefault(submission_id, set()).add(text_sha256)
    n_by_theme = dict(
        source.execute(
            "select theme, sum(n_reports)::bigint from theme_count where area_type = 'alla' "
            "and period_type = 'month' group by all order by all"
        ).fetchall()
    )
    n_by_abstain = dict(
        source.execute(
            "select coalesce(abstain, ''), count(*) from classified_text where is_current "
            "group by all"
        ).fetchall()
    )
    return _Survey(
        n_items=_one(source, "select count(*) from counted_submission"),
        n_by_theme=n_by_theme,
        n_by_stratum={**n_by_theme, **{f"abstain:{k}": n for k, n in n_by_abstain.items()}},
        reviewed_by_area=_reviewed_by_area(source),
        surges=_surges(source),
        new_words=_new_words(source),
        categories=_categories(plan),
        decided_before=decided,
    )


def _one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row else None


def _reviewed_by_area(db: duckdb.DuckDBPyConnection) -> dict[str, float]:
    rows = db.execute(
        "select area_type || '/' || area_code, count(distinct d.submission_id) / count(*) "
        "from located_submission l left join (select distinct submission_id from decided_theme) d "
        "using (submission_id) where area_type <> 'alla' and area_code <> ? group by all",
        [UNKNOWN_AREA],
    ).fetchall()
    return dict(rows)


def _surges(db: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """For the newest month of each theme: how many sigmas above the mean of the year before."""
    rows = db.execute(
        "with n as (select theme, period, sum(n_reports) as n from theme_count "
        "where area_type = 'alla' and period_type = 'month' group by all) "
        "select theme, period, n, avg(n) over w, count(*) over w from n window w as "
        "(partition by theme order by period rows between 12 preceding and 1 preceding) "
        "qualify row_number() over (partition by theme order by period desc) = 1"
    ).fetchall()
    return {
        (theme, period): float(n - mean) / max(float(mean), 1.0) ** 0.5
        for theme, period, n, mean, n_months in rows
        if n_months >= 3
    }


def _new_words(db: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Words of the newest month's texts that no earlier text has, written at least twice."""
    newest: date | None = _one(db, "select max(reported_date) from counted_submission")
    if newest is None:
        return frozenset()
    since = newest - timedelta(days=_RECENT_DAYS)
    recent = Counter[str]()
    query = "select text from counted_submission where reported_date > ?"
    for (text,) in db.execute(query, [since]).fetchall():
        recent.update(set(_WORD.findall(fold(text))))
    candidates = {word for word, n in recent.items() if n >= _FEWEST_NEW}
    result = db.execute("select text from counted_submission where reported_date <= ?", [since])
    n_earlier = 0
    while candidates and (rows := result.fetchmany(_BATCH)):
        n_earlier += len(rows)
        candidates -= set(_WORD.findall(fold("\n".join(row[0] for row in rows))))
    return frozenset(candidates) if n_earlier else frozenset()


def _categories(plan: CodePlan) -> dict[str, str]:
    """The sources' own categories that mean one theme, by name."""
    found: dict[str, str] = {}
    for crosswalk in plan.crosswalks.values():
        for category, target in crosswalk.items():
            if target is not None:
                found[fold(category)] = target.partition(".")[0]
    return found


def _add(
    db: sqlite3.Connection,
    rows: Sequence[tuple[Any, ...]],
    n_before: int,
    survey: _Survey,
    settings: Review,
) -> None:
    items, themes, areas, words = [], [], [], []
    for item_id, row in enumerate(rows, n_before + 1):
        mentions = json.loads(row[16])
        places = json.loads(row[18])
        folded = fold(row[11])
        facts = _facts(row, folded, mentions, places, survey)
        worth, reasons = judge(facts)
        weight, rank = _draw(row[0], facts, survey, settings)
        kept = (*row[:14], int(row[14]), *row[15:])
        told = (worth, json.dumps(reasons), json.dumps(list(facts.new_words)), weight, rank)
        items.append((item_id, *kept, *told))
        themes += [(m["theme"], worth, item_id, m["stance"]) for m in mentions]
        areas += [(f"{p['type']}/{p['code']}", worth, item_id) for p in places]
        words.append((item_id, folded))
    marks = ", ".join("?" * len(items[0]))
    db.executemany(f"insert into item values ({marks})", items)
    db.executemany("insert into item_theme values (?, ?, ?, ?)", themes)
    db.executemany("insert into item_area values (?, ?, ?)", areas)
    _add_words(db, words)


def _add_words(db: sqlite3.Connection, words: Sequence[tuple[int, str]]) -> None:
    for part, found in itertools.groupby(words, key=lambda word: word[0] // PART):
        if not db.execute(
            "select 1 from sqlite_master where name = ?", [f"word_{part}"]
        ).fetchone():
            db.executescript(_WORDS_OF_PART.format(part=part))
        db.executemany(f"insert into word_{part} (rowid, text) values (?, ?)", found)


def _facts(
    row: tuple[Any, ...],
    folded: str,
    mentions: Sequence[Mapping[str, Any]],
    places: Sequence[Mapping[str, str]],
    survey: _Survey,
) -> Facts:
    submission_id, text_sha256 = row[0], row[1]
    themes = [mention["theme"] for mention in mentions]
    found = set(_WORD.findall(folded)) & survey.new_words if survey.new_words else set()
    shares = [survey.reviewed_by_area.get(f"{place['type']}/{place['code']}") for place in places]
    decided = survey.decided_before.get(submission_id, set())
    return Facts(
        folded_text=folded,
        probabilities=json.loads(row[17]),
        themes=themes,
        abstain=row[13],
        needs_review=row[14],
        category_theme=survey.categories.get(fold(row[5])) if row[5] else None,
        n_with_rarest=min((survey.n_by_theme.get(theme, 1) for theme in themes), default=None),
        reviewed_share_of_area=min((s for s in shares if s is not None), default=None),
        new_words=sorted(found),
        surge=max((survey.surges.get((t, row[8][:7]), 0.0) for t in themes), default=0.0),
        was_decided=bool(decided) and text_sha256 not in decided,
    )


def _draw(
    submission_id: str, facts: Facts, survey: _Survey, settings: Review
) -> tuple[float, float | None]:
    """(weight, rank) in the blind sample, by lot; the lot follows the report's id alone.

    Sequential Poisson sampling: each report's number between 0 and 1 is divided by its probability
    of being drawn, and those below 1 are read in that order, so that whoever stops early has still
    read a random sample. Rare themes are drawn more often, and weigh less for it.
    """
    strata = list(facts.themes) or [f"abstain:{facts.abstain or ''}"]
    fewest = max(min(survey.n_by_stratum.get(stratum, 1) for stratum in strata), 1)
    wanted = min(settings.blind_per_theme / fewest, _MOST_DRAWN)
    probability = max(settings.blind_share, wanted)
    if probability == 0:
        return 1.0, None
    lot = int(digest("blind sample", submission_id)[:13], 16) / 16**13
    rank = lot / probability
    return 1 / probability, rank if rank < 1 else None
