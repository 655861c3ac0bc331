"""Before and after a promise, here and in its comparison areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lagesbild.indicators.change import Change, change, compared_change
from lagesbild.indicators.dispersion import Dispersion
from lagesbild.publish.families import Published
from lagesbild.publish.promises import Promise
from lagesbild.publish.report.source import Place


@dataclass(frozen=True, slots=True)
class PromiseFact:
    """Problems reported before and after, in months of the same seasons; None is not shown."""

    promise: Promise
    themes: Sequence[str]
    months: tuple[tuple[str, ...], tuple[str, ...]]
    here: tuple[int | None, int | None]
    there: tuple[int | None, int | None] | None
    change: Change | None
    compared: Change | None


def promise_fact(
    promise: Promise, place: Place, counts: Published, spread_of: Dispersion
) -> PromiseFact | None:
    """None for a promise about other areas, or without comparable months."""
    windows = promise.windows()
    keys = [f"{promise.area_type}:{code}" for code in promise.areas]
    is_here = place.area_type in ("kommun", "lan") or place.key in keys
    if windows is None or not is_here:
        return None
    here = _both_windows(counts, promise, keys)
    there = None
    if promise.comparison_areas:
        others = [f"{promise.area_type}:{code}" for code in promise.comparison_areas]
        there = _both_windows(counts, promise, others)
    compared = None
    if there and None not in (*here, *there):
        compared = compared_change(
            (here[1] or 0, here[0] or 0), (there[1] or 0, there[0] or 0), spread_of
        )
    return PromiseFact(
        promise,
        promise.main_themes,
        windows,
        here,
        there,
        shown_change(here[1], here[0], spread_of),
        compared,
    )


def _both_windows(
    counts: Published, promise: Promise, keys: Sequence[str]
) -> tuple[int | None, int | None]:
    before, after = (
        _window(counts, f"{side}:{promise.id}", promise, keys) for side in ("before", "after")
    )
    return before, after


def _window(counts: Published, window: str, promise: Promise, keys: Sequence[str]) -> int | None:
    """Reports of the promise's themes in its areas, or None where any of them is hidden."""
    shown = [
        counts.shown(area=key, theme=theme, period=window)
        for key in keys
        for theme in promise.main_themes
    ]
    return None if None in shown else sum(n for n in shown if n is not None)


def shown_change(now: int | None, before: int | None, spread_of: Dispersion) -> Change | None:
    """None where a side is not shown."""
    return None if now is None or before is None else change(now, before, spread_of)
