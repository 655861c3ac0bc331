"""What a theme may be a share of: reports with any theme of safety, where that tells nothing more.

The number of reports is no sum of the themes (a report may have two), but it is at most their sum
and at least the largest. Where that could narrow a hidden count, there is no denominator.
"""

from __future__ import annotations

from collections.abc import Mapping

from lagesbild.publish.disclosure import SMALLEST_DENOMINATOR
from lagesbild.publish.families import RESIDUAL, Published

_ROOM = 8  # a hidden count must be free to be this much larger than it is


def safe_denominator(reports: Published, themes: Published, codes: Mapping[str, str]) -> int | None:
    """Reports about safety in the area and period of `codes`, or None where it may not be used."""
    place = {axis: code for axis, code in codes.items() if axis in ("area", "period")}
    whole = reports.shown(**place)
    if whole is None or whole < SMALLEST_DENOMINATOR:
        return None
    least, largest_hidden = 0, 0
    for theme in themes.codes["theme"]:
        if theme == RESIDUAL or "." in theme:
            continue
        cell = themes.cell(**place, theme=theme)
        count = themes.protected.family.counts.get(cell, 0)
        if themes.protected.is_hidden(cell):
            least, largest_hidden = least + 1, max(largest_hidden, count)
        else:
            least += count
    return whole if least >= whole and whole >= largest_hidden + _ROOM else None
