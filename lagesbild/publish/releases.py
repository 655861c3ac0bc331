"""What has been released as open data stays as it was: later releases only add to it.

Two releases of the same month, the second with reports that arrived late, are a subtraction: it
tells how many came late, and what they were about. So a month is released once, after `wait`
newer ones have begun, and then never counted again. Each release holds all that was released
before, the same counts and the same hidden ones, and new periods are protected together with
it. Everything ever released is thus one family: its newest release.

Only whole periods are released: a quarter after its last month. There is no total of all periods,
which would grow by single reports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lagesbild.errors import UsageError
from lagesbild.publish.disclosure import Cell, Protected, is_hidden, protect
from lagesbild.publish.families import (
    ROOT,
    Published,
    Tables,
    coarser_periods,
    count_tables,
    family_of,
    periods_of,
    rare_cells,
)
from lagesbild.publish.periods import Period
from lagesbild.settings import HASH_KEY_VARIABLE, Publish, hash_key
from lagesbild.store.warehouse import connect


@dataclass(frozen=True, slots=True)
class Release:
    """What has been released so far.

    `until`: the newest month or week of it. `keys`: the sums of the reports' keys in each cell,
    where counts are rounded by them.
    """

    until: str
    protected: Protected
    keys: Mapping[Cell, int]


def released(snapshot: Path, tables: Tables, publish: Publish) -> Published:
    """What may be released of the tables now, all earlier releases included.

    Raises UsageError where nothing is ready, or what is published together has changed.
    """
    file = snapshot.parent / "released" / "counts.json"
    secret = _secret(publish)
    keys: Mapping[Cell, int] = {}
    with connect(snapshot, read_only=True) as db:
        known = periods_of(db, tables)
        ready = known[: max(len(known) - publish.wait, 0)]
        counts = count_tables(db, tables, {period: (period,) for period in ready})
        if secret is not None:
            keys = count_tables(db, tables, {period: (period,) for period in ready}, secret)
    made_of = _made_of(tables, counts, publish)
    earlier = _load(file, tables, made_of)
    until = max([*ready, earlier.until if earlier else ""], default="")
    if not until:
        raise UsageError(
            f"Ingen period är färdig att publicera som öppna data: de {publish.wait} senaste "
            "väntar på rapporter som kommer sent (wait under [publish])."
        )
    old = earlier.protected.family.counts if earlier else {}
    counts = _joined(counts, old, earlier.until if earlier else "", tables, until)
    keys = _joined(
        keys, earlier.keys if earlier else {}, earlier.until if earlier else "", tables, until
    )
    family, codes = family_of(counts, tables, has_total=False)
    protected = earlier.protected if earlier else None
    if protected is None or counts != old:
        protected = protect(family, protected)
        _save(file, Release(until, protected, keys), made_of)
    return Published(protected, tables.axes, codes, publish.rounding, keys)


def _secret(publish: Publish) -> bytes | None:
    """The key of the reports' keys, if they are needed."""
    if publish.rounding != "cell_key":
        return None
    if not hash_key():
        raise UsageError(
            f'rounding = "cell_key" behöver en hemlig nyckel i miljövariabeln {HASH_KEY_VARIABLE}.'
        )
    return hash_key()


def _joined(
    counts: Mapping[Cell, int], old: Mapping[Cell, int], since: str, tables: Tables, until: str
) -> dict[Cell, int]:
    """What was released up to `since`, months or weeks after that, and every coarser period that
    is over."""
    place = tables.axes.index("period")
    found = {cell: n for cell, n in counts.items() if cell[place] > since}
    found |= {cell: n for cell, n in old.items() if _is_base(cell[place])}
    named = coarser_periods(sorted({cell[place] for cell in found}), tables)
    is_over = {
        code: code not in named and _last(code, tables) <= until
        for codes in named.values()
        for code in codes
    }
    rare = rare_cells(tables)
    for cell, n in list(found.items()):
        for code in named[cell[place]]:
            total = (*cell[:place], code, *cell[place + 1 :])
            if is_over[code] and total in rare.get(code, (total,)):
                found[total] = found.get(total, 0) + n
    return found


def _is_base(period: str) -> bool:
    """Whether it is a month or a week, of which the other periods are made up."""
    return len(period) in (7, 8) and ":" not in period and period[5] not in "QT"


def _last(code: str, tables: Tables) -> str:
    """The last month of a period."""
    for window in tables.windows:
        if window.name == code:
            return window.months[-1]
    return Period(code).months[-1]


# --- what is remembered of releases ---------------------------------------------------------------


def _made_of(tables: Tables, counts: Mapping[Cell, int], publish: Publish) -> list[Any]:
    """What may not change from one release to the next."""
    types: set[str] = set()
    if "area" in tables.axes:
        place = tables.axes.index("area")
        types = {cell[place].partition(":")[0] for cell in counts if cell[place] != ROOT}
    crossed = sorted(list(table) for table in tables.crossed)
    return [crossed, tables.periods == "weeks", tables.subthemes, sorted(types), publish.rounding]


def _load(file: Path, tables: Tables, made_of: Sequence[Any]) -> Release | None:
    # of releases in which themes and reports were protected apart
    former = [file.with_name(name) for name in ("themes.json", "reports.json")]
    is_former = any(earlier.exists() for earlier in former)
    if not file.exists() and not is_former:
        return None
    content = {} if is_former else json.loads(file.read_text(encoding="utf-8"))
    if content.get("made_of") != made_of:
        raise UsageError(
            "Det som publiceras tillsammans (family, periods och rounding under [publish], eller "
            "områdestyperna) har ändrats sedan öppna data publicerades senast. Nya indelningar av "
            "samma månader kan dras ifrån de gamla så att enskilda rapporter syns. Ändra tillbaka, "
            "eller dra först in det som är publicerat och flytta undan filerna i "
            f"{file.parent}."
        )
    counts = {tuple(codes): n for codes, n, _, _ in content["cells"]}
    hidden = {tuple(codes) for codes, _, shown, _ in content["cells"] if not shown}
    keys = {tuple(codes): key for codes, _, _, key in content["cells"]}
    small = {cell for cell in hidden if is_hidden(counts[cell])}
    family, _ = family_of(counts, tables, has_total=False)
    numbers = (content["n_before"], content["n_given_up"])
    protected = Protected(family, frozenset(small), frozenset(hidden - small), *numbers)
    return Release(content["until"], protected, keys)


def _save(file: Path, release: Release, made_of: Sequence[Any]) -> None:
    """Written whole before it takes the old one's place: a release must never be forgotten."""
    protected = release.protected
    cells = sorted(protected.family.counts.items())
    content = {
        "made_of": made_of,
        "until": release.until,
        "n_before": protected.n_before,
        "n_given_up": protected.n_given_up,
        "cells": [
            [cell, n, not protected.is_hidden(cell), release.keys.get(cell, 0)] for cell, n in cells
        ],
    }
    file.parent.mkdir(exist_ok=True)
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(file)
