"""Which reports a person sees, and in what order: filters, the queue, the blind sample."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import urlencode

from lagesbild.records import digest
from lagesbild.review.reports import Report, Reports
from lagesbild.review.search import is_found_in, match_expression

PAGE = 25
COUNTED_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; empty fields ask for nothing. `area` is type/code; dates are inclusive."""

    q: str = ""
    area: str = ""
    theme: str = ""
    source: str = ""
    stance: str = ""
    first: str = ""
    last: str = ""
    abstain: str = ""
    reviewed: Literal["", "no", "yes"] = "no"
    flagged: Literal["", "cannot_decide", "personal_data"] = ""
    order: Literal["worth", "newest"] = "worth"

    def query_string(self) -> str:
        """The filter as part of an address."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        default = Filter()
        return urlencode({k: v for k, v in given.items() if v != getattr(default, k)})

    @property
    def tells_of_the_machine(self) -> bool:
        """Whether being among the hits, or their order, says what the machine answered."""
        asks = self.theme or self.stance or self.abstain
        return bool(asks) or (self.order == "worth" and match_expression(self.q) is None)

    @property
    def is_empty(self) -> bool:
        return replace(self, order="worth") == Filter()


def read_filter(given: Mapping[str, str]) -> Filter:
    """A filter from an address; what it does not know, or cannot be, is left out."""
    values: dict[str, Any] = {}
    for field in fields(Filter):
        value = given.get(field.name, "").strip()[:200]
        allowed = _ALLOWED.get(field.name)
        if field.name in given and (allowed is None or value in allowed):
            values[field.name] = value
    return Filter(**values)


_ALLOWED = {
    "reviewed": ("", "no", "yes"),
    "flagged": ("", "cannot_decide", "personal_data"),
    "order": ("worth", "newest"),
}


_Query = tuple[str, list[str], list[Any]]  # tables, conditions, values
_WORDS = "{words} w cross join item i on i.item_id = w.rowid"  # for each part of the word index


def _conditions(chosen: Filter, *, for_bulk: bool = False) -> _Query:
    """(tables, conditions, values) of a filter."""
    tables, conditions, values = "item i", list[str](), list[Any]()
    if (match := match_expression(chosen.q)) is not None:
        tables = _WORDS
        conditions.append("w.{words} match ?")
        values.append(match)
    elif chosen.theme:
        tables = "item_theme x cross join item i using (item_id)"
        conditions.append("x.theme = ?")
        values.append(chosen.theme)
    elif chosen.area:
        tables = "item_area x cross join item i using (item_id)"
        conditions.append("x.area = ?")
        values.append(chosen.area)
    _add_narrowing(chosen, tables, conditions, values)
    if chosen.reviewed == "no" and not chosen.flagged:
        conditions.append("st.reading_id is null")
    elif chosen.reviewed == "yes":
        conditions.append("st.reading_id is not null")
    if chosen.flagged == "cannot_decide":
        conditions.append("st.outcome = 'cannot_decide'")
    elif chosen.flagged == "personal_data":
        conditions.append(
            "exists (select 1 from said.redaction r where r.submission_id = i.submission_id "
            "and r.redaction_id not in (select redaction_id from said.redaction_undo))"
        )
    if for_bulk or chosen.tells_of_the_machine:  # what is drawn for the blind sample stays unseen
        conditions.append("(i.blind_rank is null or coalesce(st.is_blind, 0))")
    return tables, conditions, values


def _add_narrowing(chosen: Filter, tables: str, conditions: list[str], values: list[Any]) -> None:
    leads = "x.theme" if "item_theme x" in tables else "x.area" if "item_area x" in tables else ""
    lead = "x" if leads else "i"
    if chosen.theme and leads != "x.theme":
        conditions.append(
            f"exists (select 1 from item_theme t where t.theme = ? and t.worth = {lead}.worth "
            f"and t.item_id = {lead}.item_id)"
        )
        values.append(chosen.theme)
    if chosen.area and leads != "x.area":
        conditions.append(
            f"exists (select 1 from item_area a where a.area = ? and a.worth = {lead}.worth "
            f"and a.item_id = {lead}.item_id)"
        )
        values.append(chosen.area)
    if chosen.stance:
        is_lead = leads == "x.theme"
        conditions.append(
            "x.stance = ?"
            if is_lead
            else "exists (select 1 from json_each(i.themes) e where e.value ->> 'stance' = ?)"
        )
        values.append(chosen.stance)
    for value, condition in (
        (chosen.source, "i.source = ?"),
        (chosen.abstain, "i.abstain = ?"),
        (chosen.first, "i.reported_date >= ?"),
        (chosen.last, "i.reported_date <= ?"),
    ):
        if value:
            conditions.append(condition)
            values.append(value)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of hits. `has_more`: another page follows. `n_found`: all hits; counting stops above
    a thousand."""

    reports: Sequence[Report]
    number: int
    has_more: bool
    n_found: int


def find(reports: Reports, chosen: Filter, number: int = 1) -> Page:
    """One page of the queue, or of a search."""
    first, last = (number - 1) * PAGE, number * PAGE
    ids = _ids(reports, chosen, _conditions(chosen), max(last, COUNTED_AT_MOST) + 1)
    # a search may have found what is hidden since; the hit itself would give it away
    shown = [
        r
        for r in reports.by_ids(ids[first:last])
        if not (r.is_hidden_in and chosen.q) or is_found_in(chosen.q, r.text)
    ]
    return Page(shown, number, len(ids) > last, min(len(ids), COUNTED_AT_MOST + 1))


def _ids(reports: Reports, chosen: Filter, query: _Query, limit: int) -> list[int]:
    """Item ids of the first hits."""
    tables, conditions, values = query
    where = " and ".join(conditions) or "true"
    if tables != _WORDS:
        order = _order(chosen, tables)
        return reports.ids(where, values, source=tables, order=order, limit=limit)
    # a word's newest hits are often all in the newest parts, and the others need not be asked
    ids: list[int] = []
    for part in reversed(range(int(reports.fact("n_parts")))):
        ids += reports.ids(
            where.format(words=f"word_{part}"),
            values,
            source=tables.format(words=f"word_{part}"),
            order="order by w.rowid desc",
            limit=limit - len(ids),
        )
        if len(ids) >= limit:
            break
    return ids


def _order(chosen: Filter, tables: str) -> str:
    if chosen.order == "newest":
        return "order by i.item_id desc"
    lead = "x" if " x " in tables else "i"
    return f"order by {lead}.worth desc, {lead}.item_id desc"


def for_bulk(reports: Reports, chosen: Filter, limit: int) -> list[Report]:
    """The reports that a bulk decision would be about; one more than `limit` tells of too many."""
    query = _conditions(chosen, for_bulk=True)
    return reports.by_ids(_ids(reports, chosen, query, limit + 1))


_NOT_LEFT_OUT = (
    "i.submission_id not in (select value from json_each(?)) and not exists "
    "(select 1 from said.skip k where k.reviewer = ? and k.submission_id = i.submission_id "
    "and k.text_sha256 = i.text_sha256)"
)


def next_open(
    reports: Reports, chosen: Filter, reviewer: str, taken: Sequence[str] = ()
) -> Report | None:
    """The report most worth a decision that this person has not skipped, and is not `taken`."""
    tables, conditions, values = _conditions(chosen, for_bulk=True)
    query = tables, [*conditions, _NOT_LEFT_OUT], [*values, json.dumps(taken), reviewer]
    found = reports.by_ids(_ids(reports, chosen, query, 1))
    return found[0] if found else None


def next_blind(reports: Reports, reviewer: str, taken: Sequence[str] = ()) -> Report | None:
    """The next of the blind sample that nobody has read, this person has not skipped, and is not
    `taken`."""
    found = reports.select(
        "i.blind_rank is not null and coalesce(st.is_blind, 0) = 0 and not exists "
        "(select 1 from said.reading r where r.submission_id = i.submission_id "
        f"and r.text_sha256 = i.text_sha256 and r.reviewer = ?) and {_NOT_LEFT_OUT}",
        [reviewer, json.dumps(taken), reviewer],
        order="order by i.blind_rank",
        limit=1,
    )
    return found[0] if found else None


def is_double(submission_id: str, share: float) -> bool:
    """Whether a second person reads this report of the blind sample too; by lot, for all alike."""
    return int(digest("second reading", submission_id)[:13], 16) / 16**13 < share


def next_second(reports: Reports, reviewer: str, share: float) -> Report | None:
    """The next report that somebody else has read blind and that this person is to read as well."""
    rows = reports.db().execute(
        "select r.submission_id from said.reading r join item i "
        "on i.submission_id = r.submission_id and i.text_sha256 = r.text_sha256 "
        "where r.mode = 'blind' and r.outcome = 'decided' and r.reviewer <> :me "
        "and not exists (select 1 from said.reading u where u.undoes = r.reading_id) "
        "and not exists (select 1 from said.reading s where s.submission_id = r.submission_id "
        "and s.text_sha256 = r.text_sha256 and (s.mode = 'second' or s.reviewer = :me)) "
        "and not exists (select 1 from said.skip k where k.reviewer = :me "
        "and k.submission_id = r.submission_id and k.text_sha256 = r.text_sha256) "
        "order by r.rowid",
        {"me": reviewer},
    )
    chosen = next((row[0] for row in rows if is_double(row[0], share)), None)
    return reports.get(chosen) if chosen else None


def is_blind_turn(blind_every: int) -> bool:
    """Whether the next report comes from the blind sample; by chance, so that nobody can tell."""
    return random.randrange(blind_every) == 0  # noqa: S311 - no secret hangs on it
