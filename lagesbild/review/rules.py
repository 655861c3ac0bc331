"""The coding rules, and what has been said and agreed about them."""

from __future__ import annotations

import functools
from contextlib import closing
from dataclasses import dataclass
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
    with closing(decisions.open()) as db:
        rows = db.execute(
            "select comment_id, rule, reviewer, written_at, text, is_change from rule_comment "
            "order by rowid desc"
        ).fetchall()
    return [Comment(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows]


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
