"""What the worth of one report rests on that only all reports together tell.

Every figure is in coarse steps. A night's few new reports then change few of the figures, and only
the reports that those are about must be judged anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from lagesbild.records import UNKNOWN_AREA, digest
from lagesbild.review.reasons import Facts, judge
from lagesbild.review.search import folded_words
from lagesbild.settings import Review
from lagesbild.store.decisions import Decisions
from lagesbild.text import fold
from lagesbild.themes import CodePlan

DONE = -1.0  # what a decided report is worth: it must not stand in the way of those that are not
_COMMON = 1024  # a theme with so many reports is not rare; more of them make no difference
_MOST_DRAWN = 0.5  # of a rare theme's reports; the rest must be open to everybody
_READ_STEP, _READ_ENOUGH = 0.01, 0.05
_SURGE_STEPS = range(3, 7)  # sigmas; fewer are no surge, and more than the last say nothing more
_FEWEST_MONTHS = 3

Figures = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Overview:
    """`figures`: by kind and name, what is compared with the night before. The kinds:

    rarity: theme -> about how many reports it has. draw: theme, or why there is none -> probability
    of being drawn for the blind sample. read: area -> share that people have read. surge: "theme
    month" -> this month's reports against what earlier months give, in sigmas.
    """

    figures: Figures
    drawn_if_unknown: float
    categories: Mapping[str, str]  # the sources' own, folded -> theme
    decided_before: Mapping[str, set[str]]  # report -> digests of its texts that somebody decided
    new_words: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the index says of one report beyond what the snapshot does."""

    worth: float
    reasons: str  # JSON
    new_words: str  # JSON
    weight: float
    blind_rank: float | None
    was_decided: bool


def overview(
    source: duckdb.DuckDBPyConnection, decisions: Decisions, settings: Review, plan: CodePlan
) -> Overview:
    """All but the new words, which the index of words tells."""
    n_by_theme = dict(
        source.execute(
            "select theme, sum(n_reports)::bigint from theme_count where area_type = 'alla' "
            "and period_type = 'month' group by all order by all"
        ).fetchall()
    )
    n_by_abstain = dict(
        source.execute(
            "select 'abstain:' || coalesce(abstain, ''), count(*) from classified_text "
            "where is_current group by all"
        ).fetchall()
    )
    strata = n_by_theme | n_by_abstain
    figures = {
        "rarity": {t: float(min(_step(n), _COMMON)) for t, n in n_by_theme.items()},
        "draw": {stratum: _drawn(n, settings) for stratum, n in strata.items()},
        "read": _read_by_area(source),
        "surge": _surges(source),
    }
    return Overview(figures, _drawn(1, settings), categories(plan), _decided(decisions))


def _step(n: int) -> int:
    """The power of two at or below."""
    return int(2 ** (max(n, 1).bit_length() - 1))


def _drawn(n: int, settings: Review) -> float:
    """At least as many as are wanted, since the number is taken to be no larger than it is."""
    wanted = min(settings.blind_per_theme / _step(n), _MOST_DRAWN)
    return max(settings.blind_share, wanted)


def _read_by_area(db: duckdb.DuckDBPyConnection) -> dict[str, float]:
    rows = db.execute(
        "select area_type || '/' || area_code, count(distinct d.submission_id) / count(*) "
        "from located_submission l left join (select distinct submission_id from decided_theme) d "
        "using (submission_id) where area_type <> 'alla' and area_code <> ? group by all",
        [UNKNOWN_AREA],
    ).fetchall()
    return {area: min(int(share / _READ_STEP) * _READ_STEP, _READ_ENOUGH) for area, share in rows}


def _surges(db: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """For the newest month of each theme: how many sigmas above the mean of the year before."""
    rows = db.execute(
        "with n as (select theme, period, sum(n_reports) as n from theme_count "
        "where area_type = 'alla' and period_type = 'month' group by all) "
        "select theme, period, n, avg(n) over w, count(*) over w from n window w as "
        "(partition by theme order by period rows between 12 preceding and 1 preceding) "
        "qualify row_number() over (partition by theme order by period desc) = 1"
    ).fetchall()
    found = {}
    for theme, period, n, mean, n_months in rows:
        if n_months >= _FEWEST_MONTHS:
            sigmas = int(float(n - mean) / max(float(mean), 1.0) ** 0.5)
            if sigmas >= _SURGE_STEPS.start:
                found[f"{theme} {period}"] = float(min(sigmas, _SURGE_STEPS.stop - 1))
    return found


def categories(plan: CodePlan) -> dict[str, str]:
    """The sources' own categories that mean one theme, by name."""
    found: dict[str, str] = {}
    for crosswalk in plan.crosswalks.values():
        for category, target in crosswalk.items():
            if target is not None:
                found[fold(category)] = target.partition(".")[0]
    return found


def _decided(decisions: Decisions) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with decisions.lent() as db:
        for submission_id, text_sha256 in db.execute(
            "select submission_id, text_sha256 from report_state"
        ):
            found.setdefault(submission_id, set()).add(text_sha256)
    return found


# --- one report -----------------------------------------------------------------------------------


def verdict(row: Sequence[Any], known: Overview) -> Verdict:
    """`row`: the report as the query of the index gives it."""
    facts = _facts(row, known)
    worth, reasons = judge(facts)
    if row[1] in known.decided_before.get(row[0], ()):
        worth = DONE
    weight, rank = _draw(row[0], facts, known)
    words = json.dumps(list(facts.new_words))
    return Verdict(worth, json.dumps(reasons), words, weight, rank, facts.was_decided)


def _facts(row: Sequence[Any], known: Overview) -> Facts:
    submission_id, text_sha256, category, month = row[0], row[1], row[5], row[8][:7]
    themes = [mention["theme"] for mention in json.loads(row[16])]
    areas = [f"{place['type']}/{place['code']}" for place in json.loads(row[18])]
    rarity, read, surge = (known.figures[kind] for kind in ("rarity", "read", "surge"))
    decided = known.decided_before.get(submission_id)
    folded = fold(row[11])
    new = known.new_words.intersection(folded_words(folded)) if known.new_words else ()
    return Facts(
        folded_text=folded,
        probabilities=json.loads(row[17]),
        themes=themes,
        abstain=row[13],
        needs_review=bool(row[14]),
        category_theme=known.categories.get(fold(category)) if category else None,
        n_with_rarest=min((int(rarity.get(theme, 1)) for theme in themes), default=None),
        reviewed_share_of_area=min((read[area] for area in areas if area in read), default=None),
        new_words=sorted(new),
        surge=max((surge.get(f"{theme} {month}", 0.0) for theme in themes), default=0.0),
        was_decided=decided is not None and text_sha256 not in decided,
    )


def _draw(submission_id: str, facts: Facts, known: Overview) -> tuple[float, float | None]:
    """(weight, rank) in the blind sample, by lot; the lot follows the report's id alone.

    Sequential Poisson sampling: each report's number between 0 and 1 is divided by its probability
    of being drawn, and those below 1 are read in that order, so that whoever stops early has still
    read a random sample. Rare themes are drawn more often, and weigh less for it.
    """
    strata = list(facts.themes) or [f"abstain:{facts.abstain or ''}"]
    draw = known.figures["draw"]
    probability = max(draw.get(stratum, known.drawn_if_unknown) for stratum in strata)
    if probability == 0:
        return 1.0, None
    lot = int(digest("blind sample", submission_id)[:13], 16) / 16**13
    rank = lot / probability
    return 1 / probability, rank if rank < 1 else None


# --- what a changed figure is about ---------------------------------------------------------------

_OF_THEME = "select item_id from item_theme where theme = ?"
_ABOUT = {
    "rarity": _OF_THEME,
    "read": "select item_id from item_area where area = ?",
    "surge": "select item_id from item i where reported_date between ?2 || '-01' and ?2 || '-31' "
    "and exists (select 1 from item_theme t where t.theme = ?1 and t.worth = i.worth "
    "and t.item_id = i.item_id)",
}
_OF_ABSTAIN = "select item_id from item where abstain = ?"
_WITHOUT_EITHER = "select item_id from item where abstain is null and themes = '[]'"


def touched(db: sqlite3.Connection, before: Figures, known: Overview) -> Iterator[int]:
    """Items of an index whose verdict may be another, now that the figures are."""
    for kind, figures in known.figures.items():
        old = before[kind]
        for name in sorted(old.keys() | figures.keys()):
            if old.get(name) != figures.get(name):
                query, values = _about(kind, name)
                yield from (row[0] for row in db.execute(query, values))
    db.execute("create temp table decided (submission_id text, text_sha256 text)")
    pairs = ((i, digest) for i, digests in known.decided_before.items() for digest in digests)
    db.executemany("insert into decided values (?, ?)", pairs)
    yield from (row[0] for row in db.execute("select item_id from changed_text"))
    for condition in (
        "submission_id in (select submission_id from decided) "
        "and (submission_id, text_sha256) not in (select * from decided)",
        "(submission_id, text_sha256) in (select * from decided) and worth >= 0",
        "(submission_id, text_sha256) not in (select * from decided) and worth < 0",
    ):
        yield from (row[0] for row in db.execute(f"select item_id from item where {condition}"))


def _about(kind: str, name: str) -> tuple[str, Sequence[str]]:
    if kind == "surge":
        return _ABOUT[kind], name.split(" ")
    if kind != "draw":
        return _ABOUT[kind], (name,)
    if name == "abstain:":
        return _WITHOUT_EITHER, ()
    if name.startswith("abstain:"):
        return _OF_ABSTAIN, (name.removeprefix("abstain:"),)
    return _OF_THEME, (name,)
