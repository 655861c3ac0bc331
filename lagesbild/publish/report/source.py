"""What a report reads from a snapshot beside the published families: never a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lagesbild.errors import UsageError
from lagesbild.store.warehouse import connect

LOCAL_ZONE = ZoneInfo("Europe/Stockholm")
HERE = (
    "located_submission l join counted_submission s using (submission_id) "
    "where l.area_type = ? and l.area_code = ? and strftime(s.reported_date, '%Y-%m') in "
    "(select unnest(?::varchar[]))"
)


@dataclass(frozen=True, slots=True)
class Place:
    """The area of a report. `key` is its code in the families."""

    area_type: str
    area_code: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.area_type}:{self.area_code}"


def find_place(snapshot: Path, code: str) -> Place:
    """The area with this code, written as CODE or TYPE:CODE. Raises UsageError with a way out."""
    area_type, _, bare = code.rpartition(":")
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select area_type, area_code, max(area_name) from area group by all order by all"
        ).fetchall()
    found = [row for row in rows if row[1] == bare and area_type in ("", row[0])]
    if len(found) == 1:
        return Place(*found[0])
    if found:
        types = ", ".join(f"{row[0]}:{row[1]}" for row in found)
        raise UsageError(f"Koden {code} finns för flera slags områden; skriv en av {types}.")
    known = ", ".join(f"{row[1]} ({row[2]})" for row in rows[:20])
    raise UsageError(f"Området {code} finns inte i lagret. Koder som finns: {known or 'inga'}.")


class Reader:
    """Questions about one area and one set of months."""

    def __init__(self, snapshot: Path, place: Place, months: Sequence[str]) -> None:
        self.snapshot = snapshot
        self.place = place
        self.months = list(months)

    def _rows(self, query: str) -> list[Any]:
        values = [self.place.area_type, self.place.area_code, self.months]
        with connect(self.snapshot, read_only=True) as db:
            return db.execute(query, values).fetchall()

    def by_theme(self, column: str) -> dict[tuple[str, str], int]:
        """Reports by (theme, source) or (theme, stance)."""
        rows = self._rows(
            f"select a.theme, {'a' if column == 'stance' else 's'}.{column}, count(*) from "
            + HERE.replace("where", "join assigned_theme a using (submission_id) where")
            + " group by all order by all"
        )
        return {(theme, part): n for theme, part, n in rows}

    def words(self, months: Sequence[str]) -> tuple[int, dict[str, int], dict[str, int]]:
        """How many residents' texts there are, how many use each word, and in small letters.

        The same person, or the same text sent again, counts once. A word has four letters or more.
        """
        who = "coalesce(s.reporter_hash, s.text_sha256)"
        here = HERE + " and s.kind in ('report', 'answer')"
        values = [self.place.area_type, self.place.area_code, list(months)]
        with connect(self.snapshot, read_only=True) as db:
            row = db.execute(f"select count(distinct {who}) from {here}", values).fetchone()
            rows = db.execute(
                "select lower(written) as word, count(distinct who), "
                "count(distinct who) filter (written = lower(written)) from "
                f"(select distinct {who} as who, unnest(regexp_extract_all("
                r"regexp_replace(s.text, '\[[^\]]*\]', ' ', 'g'), '\p{L}{4,}')) as written "
                f"from {here}) group by 1 order by 1",
                values,
            ).fetchall()
        used = {word: n for word, n, _ in rows}
        return int(row[0]) if row else 0, used, {word: n for word, _, n in rows}

    def moments(self, is_notice: bool) -> list[datetime]:
        """Swedish time of each event (notices) or of each report that has a theme of safety."""
        time = "s.occurred_at" if is_notice else "s.reported_at"
        kind = "notice" if is_notice else "report"
        rows = self._rows(
            f"select distinct submission_id, {time} from "
            + HERE.replace("where", "join assigned_theme a using (submission_id) where")
            + f" and s.kind = '{kind}' and a.theme <> 'drift_underhall' and {time} is not null"
        )
        return [row[1].replace(tzinfo=UTC).astimezone(LOCAL_ZONE) for row in rows]

    def lead_days(self) -> tuple[list[float], list[bool]]:
        """Days from report to closed, or until the newest report where still open."""
        rows = self._rows(
            "select s.reported_at, s.closed_at, (select max(reported_at) from submission) from "
            + HERE
            + " and s.status is not null and s.kind = 'report' "
            "and (s.status = 'open' or s.closed_at >= s.reported_at)"
        )
        days = [((closed or newest) - at).total_seconds() / 86400 for at, closed, newest in rows]
        return days, [closed is not None for _, closed, _ in rows]


def data_until(snapshot: Path) -> date:
    """The last day anything was reported. Raises UsageError for a store without reports."""
    with connect(snapshot, read_only=True) as db:
        row = db.execute("select max(reported_date) from counted_submission").fetchone()
    if row is None or row[0] is None:
        raise UsageError("Lagret har inga rapporter ännu.")
    found: date = row[0]
    return found


def series_marks(snapshot: Path) -> dict[str, list[tuple[str, str]]]:
    """Months where a series is not what it was: (what happened, of whom), by month.

    "start": a source began; "gap": a source that reports nearly every month was silent; "model":
    the classifier of most texts is another than the month before.
    """
    with connect(snapshot, read_only=True) as db:
        active = db.execute(
            "select source, period from report_count where area_type = 'alla' "
            "and period_type = 'month' order by 1, 2"
        ).fetchall()
        versions = db.execute(
            "select month, version, n from (select strftime(s.reported_date, '%Y-%m') as month, "
            "t.classifier_version as version, count(*) as n from classified_text t "
            "join submission s using (submission_id, text_sha256) "
            "where t.is_current and s.is_current group by all) "
            "qualify row_number() over (partition by month order by n desc, version) = 1 order by 1"
        ).fetchall()
    marks: dict[str, list[tuple[str, str]]] = {}
    for source, months in _by_source(active).items():
        for month, kind in _source_marks(months, min(month for _, month in active)):
            marks.setdefault(month, []).append((kind, source))
    for (_, before, _), (month, version, _) in pairwise(versions):
        if version != before:
            marks.setdefault(month, []).append(("model", version))
    return marks


def _by_source(rows: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, month in rows:
        found.setdefault(source, []).append(month)
    return found


def _source_marks(months: Sequence[str], very_first: str) -> list[tuple[str, str]]:
    marks = [(months[0], "start")] if months[0] > very_first else []
    every = month_range(months[0], months[-1])
    if len(months) >= 2 / 3 * len(every):
        marks += [(month, "gap") for month in every if month not in months]
    return marks


def month_range(first: str, last: str) -> list[str]:
    """Every month from the first to the last."""
    found = [first]
    while found[-1] < last:
        year, month = int(found[-1][:4]), int(found[-1][5:])
        found.append(f"{year + month // 12}-{month % 12 + 1:02}")
    return found


def group_pictures(
    by_source: Mapping[tuple[str, str], int], pictures: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], int]:
    """Reports by (theme, picture); sources that belong to no picture are the picture "other"."""
    of_source = {source: picture for picture, sources in pictures.items() for source in sources}
    found: Counter[tuple[str, str]] = Counter()
    for (theme, source), n in by_source.items():
        found[theme, of_source.get(source, "other")] += n
    return dict(found)
