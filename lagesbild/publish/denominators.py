"""What a theme may be a share of: reports with any theme of safety, in the same area and period.

They are protected in one family with the themes, whose union they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from lagesbild.publish.disclosure import SMALLEST_DENOMINATOR
from lagesbild.publish.families import Published


def denominator(family: Published, codes: Mapping[str, str]) -> int | None:
    """Reports about safety in the area and period of `codes`; None where hidden, or too few."""
    place = {axis: code for axis, code in codes.items() if axis in ("area", "period")}
    whole = family.shown(**place)
    return None if whole is None or whole < SMALLEST_DENOMINATOR else whole
