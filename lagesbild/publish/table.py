"""One table on its way out: columns with kinds, rows, and what stands for "not shown"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lagesbild.publish.correction import KnownErrors
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.families import Published

NOT_APPLICABLE = "."  # Statistics Sweden's sign for "cannot occur here"

Value = str | int | float
Row = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Its name never changes; people's names for it are in TITLES."""

    name: str
    kind: Literal["text", "integer", "decimal"] = "text"

    @property
    def decimals(self) -> int:
        return 2 if self.name.startswith("per_1000") else 1


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of protected counts; `family` is what they were protected together with.

    `errors`: what the corrected counts rest on, by theme.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    family: Published
    errors: Mapping[str, KnownErrors] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def at(self, name: str) -> int:
        return self.names.index(name)

    @property
    def n_hidden(self) -> int:
        place = self.at("n_reports")
        return sum(row[place] == HIDDEN for row in self.rows)


# column -> (title, explanation), Swedish and English
TITLES: Mapping[str, tuple[str, str, str]] = {
    "area_type": ("Områdestyp", "Slag av område, till exempel stadsdel", "Kind of area"),
    "area_code": ("Områdeskod", "Områdets kod som text", "Code of the area"),
    "area_name": ("Område", "Områdets namn", "Name of the area"),
    "theme": ("Temakod", "Temats kod", "Code of the theme"),
    "theme_sv": ("Tema", "Temats namn", "Name of the theme in Swedish"),
    "subtheme": ("Deltemakod", "Deltemats kod; tom där inget är satt", "Code of the subtheme"),
    "subtheme_sv": ("Deltema", "Deltemats namn", "Name of the subtheme in Swedish"),
    "month": ("Månad", "År och månad i svensk tid", "Year and month, Swedish time"),
    "quarter": ("Kvartal", "År och kvartal", "Year and quarter"),
    "tertial": ("Tertial", "År och tertial (fyra månader)", "Year and four-month period"),
    "year": ("År", "Kalenderår", "Calendar year"),
    "week": ("Vecka", "År och vecka enligt ISO 8601", "Year and ISO 8601 week"),
    "iso_year": ("ISO-år", "Det år som veckan räknas till", "The year the week belongs to"),
    "source": ("Källa", "Varifrån rapporterna kommer", "Where the reports come from"),
    "stance": ("Hållning", "Vad som sägs om temat", "What is said about the theme"),
    "n_reports": ("Antal", "Antal rapporter", "Number of reports"),
    "is_hidden": ("Dold", "1 om antalet är dolt, annars 0", "1 if the count is hidden, else 0"),
    "n_low": ("Antal, från", "95 % intervall, nedre gräns", "95 % interval, lower bound"),
    "n_high": ("Antal, till", "95 % intervall, övre gräns", "95 % interval, upper bound"),
    "n_corrected": (
        "Korrigerat antal",
        "Antal när klassningens kända fel räknas bort; . där det inte kan räknas",
        "Count corrected for the classifier's known errors",
    ),
    "n_corrected_low": (
        "Korrigerat antal, från",
        "95 % intervall, nedre gräns",
        "95 % interval, lower bound",
    ),
    "n_corrected_high": (
        "Korrigerat antal, till",
        "95 % intervall, övre gräns",
        "95 % interval, upper bound",
    ),
    "share_percent": (
        "Andel %",
        "Andel av rapporterna om trygghet",
        "Percent of reports about safety",
    ),
    "share_low": ("Andel %, från", "95 % intervall, nedre gräns", "95 % interval, lower bound"),
    "share_high": ("Andel %, till", "95 % intervall, övre gräns", "95 % interval, upper bound"),
    "per_1000": ("Per 1 000 invånare", "Rapporter per 1 000 invånare", "Per 1,000 residents"),
    "per_1000_low": (
        "Per 1 000, från",
        "95 % intervall, nedre gräns",
        "95 % interval, lower bound",
    ),
    "per_1000_high": (
        "Per 1 000, till",
        "95 % intervall, övre gräns",
        "95 % interval, upper bound",
    ),
}
