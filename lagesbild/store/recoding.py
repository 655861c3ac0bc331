"""Codes of earlier versions of the code plan, found in the store and told in the newest."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from lagesbild.themes import CodePlan

# theme, subtheme, said, to_theme, to_subtheme, is_rejected: a row of theme_move
Move = tuple[str, str, str, str, str | None, bool]


def recode(db: duckdb.DuckDBPyConnection, plan: CodePlan) -> None:
    """Fill `theme_move` with what the views must tell otherwise, and note the plan's version.

    What the machine and people said stays as it was said; only the views recode it.
    """
    said = db.execute(
        "select theme, coalesce(subtheme, '') as s from classification "
        "union select theme, coalesce(subtheme, '') from review order by all"
    ).fetchall()
    db.execute("delete from theme_move")
    for theme, subtheme in said:
        for move in _moves(plan, theme, subtheme):
            db.execute("insert into theme_move values (?, ?, ?, ?, ?, ?)", list(move))
    db.execute("delete from counted_by")
    db.execute("insert into counted_by values (?)", [plan.version])


def _moves(plan: CodePlan, theme: str, subtheme: str) -> Iterator[Move]:
    """What was accepted is accepted in one part of a split theme and rejected in the others; what
    was rejected is rejected in all."""
    target, inside = plan.recoded(theme, subtheme or None)
    if (target, inside or "") != (theme, subtheme):
        yield theme, subtheme, "machine", target, inside, False
        yield theme, subtheme, "accepted", target, inside, False
    successors = plan.successors(theme)
    if successors != (theme,):
        for successor in successors:
            yield theme, subtheme, "rejected", successor, None, False
            if successor != target:
                yield theme, subtheme, "accepted", successor, None, True
