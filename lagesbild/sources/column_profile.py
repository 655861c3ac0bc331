"""What a column of an unknown file looks like: dates, numbers, choices, running text, contacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from zoneinfo import ZoneInfo

from lagesbild.sources.tablefile import Row, Table
from lagesbild.sources.values import has_words, read_time

_ZONE = ZoneInfo("Europe/Stockholm")
_MAX_VALUES = 2000
_SAMPLE = 300
# Words of a column's name that say that it tells who somebody is.
_CONTACT = re.compile(
    r"(?i)\b(?:(?:för|efter|användar)?namn|e-?post(?:adress)?|e-?mail(?: address)?|mail(?:adress)?|"
    r"telefon(?:nummer|nr)?|tel|mobil(?:nummer|telefon)?|phone(?:number| number)?|personnummer|"
    r"pnr|personid|person id|adress|address|ip(?:[ -]?address|[ -]?adress|addr)|user ?name|"
    r"(?:first|last|full|reporter|contact)[ _]?name|anmälare|inskickare|kontakt\w*|uppgiftslämnare|"
    r"naam|emailadres|telefoonnummer)\b"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """`values`: the first two thousand that are there. Shares are of the first three hundred."""

    name: str
    values: tuple[str, ...]
    n_rows: int

    @property
    def n_distinct(self) -> int:
        return len(set(self.values))

    @property
    def mean_length(self) -> float:
        return fmean(map(len, self.values)) if self.values else 0.0

    @property
    def is_contact(self) -> bool:
        return len(self.name) < 40 and _CONTACT.search(self.name.replace("_", " ")) is not None

    @property
    def is_time(self) -> bool:
        """Most values are dates; read both ways, since the order is what we may not know yet."""
        return self._share(_is_written_time) > 0.8

    @property
    def is_number(self) -> bool:
        return self._share(lambda v: re.fullmatch(r"-?\d+(?:[.,]\d+)?", v) is not None) > 0.8

    @property
    def is_unique(self) -> bool:
        return self.n_distinct == len(self.values) == min(self.n_rows, _MAX_VALUES) > 0

    @property
    def is_running_text(self) -> bool:
        """Words of people's own: long, seldom twice the same."""
        varied = self.n_distinct > 0.5 * len(self.values)
        wordy = self._share(lambda v: len(v.split()) > 2) > 0.3
        plain = not (self.is_time or self.is_number)
        return (
            plain and varied and wordy and self.mean_length >= 15 and self._share(has_words) > 0.5
        )

    @property
    def is_choice(self) -> bool:
        repeated = self.n_distinct <= max(1, 0.5 * len(self.values)) or self.n_rows < 10
        return bool(self.values) and self.n_distinct <= 15 and repeated and not self.is_time

    @property
    def day_first(self) -> bool | None:
        """How 03/04/2026 is meant, told by the values that can be read in one way only."""
        pairs = [
            (int(m[1]), int(m[2]))
            for v in self.values
            if (m := re.match(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}", v))
        ]
        if any(first > 12 for first, _ in pairs):
            return True
        return False if any(second > 12 for _, second in pairs) else None

    @property
    def needs_day_first(self) -> bool:
        return any(read_time(value, _ZONE) is None for value in self.values[:200])

    @property
    def year(self) -> str | None:
        """The year most values fall in."""
        times = [t for v in self.values if (t := read_time(v, _ZONE, day_first=True))]
        years = [t.year for t in times]
        return str(max(set(years), key=years.count)) if years else None

    def _share(self, test: Callable[[str], bool]) -> float:
        sample = self.values[:_SAMPLE]
        return fmean(test(value) for value in sample) if sample else 0.0


def profiles(table: Table) -> list[Profile]:
    """One profile for each column, in the file's order."""
    rows = [row for row in table.rows if not row.fault]
    return [Profile(name, _values(name, rows), len(rows)) for name in table.header]


def _values(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    values: list[str] = []
    for row in rows:
        value = row.cells.get(name, "").strip()
        if value:
            values.append(value)
        if len(values) == _MAX_VALUES:
            break
    return tuple(values)


def _is_written_time(value: str) -> bool:
    if re.fullmatch(r"\d+(?:[.,]\d+)?", value):
        return False  # a serial number looks the same
    return any(read_time(value, _ZONE, day_first=order) is not None for order in (True, False))
