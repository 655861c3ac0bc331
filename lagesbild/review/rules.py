"""The coding rules, and what has been said and agreed about them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import yaml

from lagesbild.resources import data_path
from lagesbild.store.decisions import Decisions


@dataclass(frozen=True, slots=True)
class Comment:
    """`is_change`: an agreed change, part of the changelog of rules; else a remark."""

    comment_id: str
    rule: str
    reviewer: str
    written_at: str
    text: str
    is_change: bool


@functools.cache
def coding_rules() -> dict[str, str]:
    """Rule id -> rule, as the code plan has them."""
    plan = yaml.safe_load(data_path("themes.yaml").read_text(encoding="utf-8"))
    return {str(entry["id"]): str(entry["rule"]) for entry in plan["coding_rules"]}


def comments(decisions: Decisions) -> list[Comment]:
    """Newest first."""
    with decisions.lent() as db:
        rows = db.execute(
            "select comment_id, rule, reviewer, written_at, text, is_change from rule_comment "
            "order by rowid desc"
        ).fetchall()
    return [Comment(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows]


_CHANGE = "-change"


def agree(decisions: Decisions, comment_id: str, reviewer: str, now: datetime) -> Comment | None:
    """Make a remark a change of its rule; the remark stays. None where there is no such remark."""
    remark = next((c for c in comments(decisions) if c.comment_id == comment_id), None)
    if remark is None or remark.is_change:
        return None
    change = replace(remark, comment_id=f"{comment_id}{_CHANGE}", reviewer=reviewer, is_change=True)
    add_comment(decisions, change, now)
    return change


def agreed(written: Sequence[Comment]) -> set[str]:
    """Ids of the remarks that have become changes."""
    return {c.comment_id.removesuffix(_CHANGE) for c in written if c.is_change}


def add_comment(decisions: Decisions, comment: Comment, now: datetime) -> None:
    """The same `comment_id` again adds nothing."""
    with decisions.transaction() as db:
        db.execute(
            "insert or ignore into rule_comment values (?, ?, ?, ?, ?, ?)",
            [
                comment.comment_id,
                comment.rule,
                comment.reviewer,
                now.isoformat(timespec="seconds"),
                comment.text,
                int(comment.is_change),
            ],
        )
