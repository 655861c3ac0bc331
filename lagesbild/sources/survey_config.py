"""What a survey source may be told, and which columns of a file that means."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lagesbild.errors import SourceError
from lagesbild.sources.base import SourceConfig
from lagesbild.sources.columns import find_columns, known_zone, normal
from lagesbild.sources.limesurvey import ResponseType
from lagesbild.sources.presets import SURVEY_PRESETS, SurveyPreset
from lagesbild.sources.tablefile import Layout
from lagesbild.sources.tabular import check_encoding

# "Q5. Question", "Q1[SQ001]. Question [choice]", "q5._.Question": how LimeSurvey heads its columns.
CODED = re.compile(r"([A-Za-z]\w*(?:\[[^\]]*\])*)(?:\._\.|\. )")


class WaveColumn(BaseModel):
    """The wave stands in a column of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    column: str


class Completed(BaseModel):
    """An answer is finished when `column` holds one of `values`; no values: anything at all."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    column: str
    values: tuple[str, ...] = ()


class SurveyConfig(SourceConfig):
    """Columns are named as in the file, or by the code a LimeSurvey header begins with.

    `date`: the day to use where no time is kept, one for all or one for each wave. `background`:
    columns (age, gender …) stored as closed items. `header_rows`: 2 where choices stand in a row
    of their own; for SurveyMonkey found out by itself.
    """

    kind: Literal["survey"] = "survey"
    preset: SurveyPreset | None = None
    path: str | None = None
    url: str | None = None
    survey_id: int | None = None
    user_env: str | None = None
    password_env: str | None = None
    language: str | None = None
    response_type: ResponseType = "short"
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0)
    header_rows: Literal[1, 2] | None = None
    timezone: str = "Europe/Stockholm"
    day_first: bool | None = None
    open_questions: Mapping[str, str] = {}
    closed_items: Mapping[str, str] = {}
    background: Mapping[str, str] = {}
    areas: Mapping[str, str] = {}
    respondent: str | None = None
    submitted_at: str | None = None
    completed: Completed | None = None
    wave: str | WaveColumn | None = None
    date: dt.date | Mapping[str, dt.date] | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.path) == bool(self.url):
            raise ValueError("ange antingen path (fil eller mönster) eller url (LimeSurvey)")
        if self.url and not (self.survey_id and self.user_env and self.password_env):
            raise ValueError("url behöver också survey_id, user_env och password_env")
        return self

    @model_validator(mode="after")
    def _something_asked(self) -> Self:
        if not (self.open_questions or self.closed_items):
            raise ValueError("ange open_questions eller closed_items; annars finns inget att hämta")
        if self.wave is None and (self.closed_items or self.background):
            raise ValueError("wave saknas: slutna frågor jämförs mellan mätningar")
        if self.respondent in self.content_keys:
            raise ValueError("kolumnen för respondent får inte också sparas som något annat")
        return self

    @property
    def layout(self) -> Layout:
        n_header = self.header_rows
        if n_header is None and self.preset != "surveymonkey":
            n_header = 1
        return Layout(
            encoding=check_encoding(self.encoding),
            delimiter=self.delimiter,
            sheet=self.sheet,
            header_rows=n_header,
            skip_rows=self.skip_rows,
        )

    @property
    def content_keys(self) -> tuple[str, ...]:
        """Columns whose values are stored, as the configuration names them."""
        wave = (self.wave.column,) if isinstance(self.wave, WaveColumn) else ()
        asked = (*self.open_questions, *self.closed_items, *self.background)
        return tuple(dict.fromkeys((*asked, *self.areas.values(), *wave)))

    @property
    def time_keys(self) -> tuple[str, ...]:
        return (self.submitted_at,) if self.submitted_at else self.preset_columns("submitted_at")

    def preset_columns(self, role: str) -> tuple[str, ...]:
        """Names a preset knows for a role, the likeliest first."""
        return tuple(SURVEY_PRESETS[self.preset].get(role, ())) if self.preset else ()

    def date_of(self, wave: str | None) -> dt.date | None:
        if isinstance(self.date, Mapping):
            return self.date.get(wave or "")
        return self.date


@dataclass(frozen=True, slots=True)
class SurveyColumns:
    """The columns of one file. `kept`: key in the configuration -> header in the file."""

    kept: Mapping[str, str]
    respondent: str | None
    completed: str | None
    complete_when: frozenset[str]

    def is_complete(self, cells: Mapping[str, str]) -> bool:
        if self.completed is None:
            return True
        value = cells.get(self.completed, "").strip().casefold()
        return value in self.complete_when if self.complete_when else bool(value)

    def dropped(self, header: Sequence[str]) -> list[str]:
        used = {*self.kept.values(), self.respondent, self.completed}
        return [name for name in header if name not in used]


def resolve(config: SurveyConfig, where: str, header: Sequence[str]) -> SurveyColumns:
    """Which column is which. Raises SourceError naming a configured column that is missing."""
    own_times = (config.submitted_at,) if config.submitted_at else ()
    kept = _needed(where, (*config.content_keys, *own_times), header)
    if not own_times:
        kept.update(_first_of(config.preset_columns("submitted_at"), header))
    values: Sequence[str] = ()
    if config.completed is not None:
        completed = _needed(where, (config.completed.column,), header)
        values = config.completed.values
    else:
        completed = _first_of(config.preset_columns("completed"), header)
        values = config.preset_columns("complete_when")
    if config.respondent is not None:
        respondent = _needed(where, (config.respondent,), header)
    else:
        respondent = _first_of(config.preset_columns("respondent"), header)
    return SurveyColumns(
        kept,
        next(iter(respondent.values()), None),
        next(iter(completed.values()), None),
        frozenset(value.casefold() for value in values),
    )


def find_questions(wanted: Iterable[str], header: Sequence[str]) -> dict[str, str]:
    """As `find_columns`, and by the code a header begins with where that code is one column's."""
    wanted = list(wanted)
    codes = {name: match[1] for name in header if (match := CODED.match(name))}
    n_columns = Counter(map(normal, codes.values()))
    by_code = {normal(c): name for name, c in codes.items() if n_columns[normal(c)] == 1}
    found = {name: by_code[normal(name)] for name in wanted if normal(name) in by_code}
    return {**found, **find_columns(wanted, header)}


def _needed(where: str, wanted: Sequence[str], header: Sequence[str]) -> dict[str, str]:
    found = find_questions(wanted, header)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise SourceError(
            f"{where}: kolumnen {missing[0]!r} saknas; se filens kolumner med lagesbild source map."
        )
    return found


def _first_of(names: Sequence[str], header: Sequence[str]) -> dict[str, Any]:
    found = find_questions(names, header)
    return dict(list({n: found[n] for n in names if n in found}.items())[:1])
