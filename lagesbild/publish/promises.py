"""Medborgarlöften as a report needs them: which theme, where, and two windows of equal season."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lagesbild.errors import UsageError
from lagesbild.publish.periods import SetOfMonths
from lagesbild.settings import Settings


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Window(_Part):
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    due: date | None = None

    def months(self) -> tuple[str, ...]:
        """Whole months only: a month cut in two would be a period of its own."""
        found = []
        year, month = self.first.year, self.first.month
        while (year, month) <= (self.last.year, self.last.month):
            found.append(f"{year}-{month:02}")
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        return tuple(found)


class Goal(_Part):
    """`noticeable_share`: how much fewer, decided in advance, was to count as noticeable."""

    noticeable_share: float | None = None


class Activity(_Part):
    text: str
    owner: str = ""


class Promise(_Part):
    """One promise. Themes may be "theme" or "theme.subtheme"; counts are of the theme."""

    id: str
    title: str
    text: str = ""
    area_type: str
    areas: Sequence[str]
    themes: Sequence[str]
    valid_from: date
    valid_to: date | None = None
    goal: Goal = Goal()
    baseline: Window | None = None
    followup: Window | None = None
    comparison_areas: Sequence[str] = ()
    activities: Sequence[Activity] = ()

    @property
    def main_themes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(theme.partition(".")[0] for theme in self.themes))

    @property
    def due(self) -> date | None:
        """When the promise is to be followed up."""
        return self.followup.due if self.followup else None

    def windows(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Months before and after, of the same seasons; None where there are none in common."""
        if self.baseline is None or self.followup is None:
            return None
        after = [m for m in self.followup.months() if _year_before(m) in self.baseline.months()]
        return (tuple(_year_before(m) for m in after), tuple(after)) if after else None


def _year_before(month: str) -> str:
    return f"{int(month[:4]) - 1}{month[4:]}"


def load_promises(path: Path) -> tuple[Promise, ...]:
    """Raises UsageError where the file does not hold promises."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return tuple(Promise.model_validate(entry) for entry in content["promises"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"Filen med löften {path} går inte att läsa: rätta den.") from error
    except (KeyError, TypeError):
        raise UsageError(f"Filen med löften {path} saknar listan promises.") from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UsageError(f"Filen med löften {path}: fältet {where} saknas eller är fel.") from None


def promises_of(settings: Settings | None) -> tuple[Promise, ...]:
    """The promises configured, none where no file is."""
    if settings is None or settings.publish.promises is None:
        return ()
    return load_promises(settings.base_dir / settings.publish.promises)


def windows_of(promises: Sequence[Promise]) -> tuple[SetOfMonths, ...]:
    """The windows that are published, so that they are protected with everything else.

    Only for the promise's own themes and areas and the areas it is compared with: published for
    every area they would be a finer look at all of them, and hidden nearly everywhere.
    """
    found = []
    for promise in promises:
        codes = dict.fromkeys([*promise.areas, *promise.comparison_areas])
        areas = tuple(f"{promise.area_type}:{code}" for code in codes)
        for side, months in zip(("before", "after"), promise.windows() or (), strict=False):
            found.append(SetOfMonths(f"{side}:{promise.id}", months, areas, promise.main_themes))
    return tuple(found)
