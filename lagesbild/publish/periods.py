"""The fixed periods that anything is published for: months, quarters, tertials, years, weeks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lagesbild.errors import UsageError
from lagesbild.publish.disclosure import Sum

_FORM = re.compile(r"(\d{4})(?:-(?:Q([1-4])|T([1-3])|(0[1-9]|1[0-2])))?")
_WEEK = re.compile(r"(\d{4})-V(\d{2})")
MONTHS: Mapping[str, Sequence[str]] = {
    "sv": (
        *("januari", "februari", "mars", "april", "maj", "juni"),
        *("juli", "augusti", "september", "oktober", "november", "december"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar period of whole months. `code`: 2025, 2025-Q2, 2025-T1 or 2025-03."""

    code: str

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(self.code):
            raise UsageError(
                f"Perioden {self.code!r} går inte att läsa; skriv till exempel 2025, 2025-Q2, "
                "2025-T1 eller 2025-03."
            )

    @property
    def _parts(self) -> tuple[int, int, int]:
        """Year, length in months, and number within the year."""
        year, quarter, tertial, month = _FORM.fullmatch(self.code).groups()  # type: ignore[union-attr]
        if quarter:
            return int(year), 3, int(quarter)
        if tertial:
            return int(year), 4, int(tertial)
        return (int(year), 1, int(month)) if month else (int(year), 12, 1)

    @property
    def months(self) -> tuple[str, ...]:
        year, length, number = self._parts
        first = length * (number - 1) + 1
        return tuple(f"{year}-{month:02}" for month in range(first, first + length))

    @property
    def before(self) -> Period:
        """The period of the same length just before."""
        year, length, number = self._parts
        if number > 1:
            return (
                Period(self.code[: -len(str(number))] + str(number - 1))
                if length > 1
                else (Period(f"{year}-{number - 1:02}"))
            )
        last = {12: "", 4: "-T3", 3: "-Q4", 1: "-12"}[length]
        return Period(f"{year - 1}{last}")

    @property
    def year_before(self) -> Period:
        """The same season a year earlier."""
        return Period(f"{int(self.code[:4]) - 1}{self.code[4:]}")

    def label(self, language: str = "sv") -> str:
        year, length, number = self._parts
        names = MONTHS[language]
        if length == 12:
            return str(year)
        if length == 1:
            return f"{names[number - 1]} {year}"
        first, last = names[length * (number - 1)], names[length * number - 1]
        return f"{first}–{last} {year}" if language == "sv" else f"{first} to {last} {year}"


@dataclass(frozen=True, slots=True)
class SetOfMonths:
    """Months that are published together for a few areas and themes. `name` holds a colon."""

    name: str
    months: tuple[str, ...]
    areas: tuple[str, ...]
    themes: tuple[str, ...]


def week_days(week: str) -> tuple[date, date]:
    """Monday and Sunday of an ISO week such as 2025-V20. Raises UsageError for no such week."""
    match = _WEEK.fullmatch(week)
    try:
        if match:
            year, number = int(match[1]), int(match[2])
            return date.fromisocalendar(year, number, 1), date.fromisocalendar(year, number, 7)
    except ValueError:
        pass
    raise UsageError(f"Veckan {week!r} finns inte; skriv till exempel 2025-V20.")


def coarser(months: Sequence[str], part: str) -> dict[str, tuple[str, ...]]:
    """Each month and every period it is part of; `part` of the year is Q (quarter) or T."""
    length = 3 if part == "Q" else 4
    return {
        month: (month, f"{month[:4]}-{part}{(int(month[5:]) - 1) // length + 1}", month[:4])
        for month in months
    }


def sums_of(codes: Sequence[str], root: str) -> tuple[Sum, ...]:
    """How these periods add up. A month without any report is 0, so a sum may leave it out."""
    here = sorted(codes)
    years = tuple(code for code in here if code.isdigit())
    sums = [Sum(root, years)] if years else []
    for total in here:
        if total.isdigit():
            for part in "QT":  # quarters make up a year, and so do tertials
                parts = tuple(c for c in here if c[:4] == total and c[5:6] == part)
                sums += [Sum(total, parts)] if parts else []
        elif total[5] in "QT":
            months = Period(total).months
            sums.append(Sum(total, tuple(code for code in here if code in months)))
    return tuple(sums)
