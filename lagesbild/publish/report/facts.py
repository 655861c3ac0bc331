"""Everything a report says, counted and protected before a word of it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lagesbild.errors import UsageError
from lagesbild.indicators.change import Change, change, compared_change, discoveries
from lagesbild.indicators.dispersion import POISSON, Dispersion, dispersion
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.leadtime import LeadTime, lead_time
from lagesbild.indicators.rates import count_interval, rate
from lagesbild.indicators.seasonality import weekday_hour
from lagesbild.indicators.shares import share
from lagesbild.places import Places
from lagesbild.publish.denominators import safe_denominator
from lagesbild.publish.disclosure import is_hidden
from lagesbild.publish.families import RESIDUAL, Published, Tables, published
from lagesbild.publish.metadata import provenance
from lagesbild.publish.periods import Period
from lagesbild.publish.promises import Promise, promises_of, windows_of
from lagesbild.publish.report.breakdown import Shown, breakdown, spread
from lagesbild.publish.report.source import (
    Place,
    Reader,
    data_until,
    find_place,
    group_pictures,
    month_range,
    series_marks,
)
from lagesbild.settings import Settings
from lagesbild.themes import CodePlan

PICTURES = ("residents", "police", "municipality")
TOP = 5  # themes that count as "raised" by one party
FEWEST_LEAD_TIMES = 30
_BANDS = ((5000, 1), (1000, 3), (0, 6))  # at least so many moments -> hours in one cell


@dataclass(frozen=True, slots=True)
class ThemeFact:
    """One theme in the period. None is "not shown"; changes are None where a side is not shown."""

    theme: str
    count: int | None
    interval: Estimate | None
    share: Estimate | None
    since_before: Change | None
    since_last_year: Change | None


@dataclass(frozen=True, slots=True)
class AreaFact:
    code: str
    name: str
    count: int | None
    per_1000: Estimate | None


@dataclass(frozen=True, slots=True)
class Moments:
    """Weekday (Monday first) by band of hours; None is not shown."""

    hours: int
    cells: Sequence[Sequence[int | None]]


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


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole report in numbers."""

    place: Place
    period: Period
    until: date
    total: int | None
    total_before: int | None
    total_last_year: int | None
    total_change: Change | None
    total_last_year_change: Change | None
    themes: Sequence[ThemeFact]
    pictures: Mapping[str, Sequence[tuple[str, int | None]]]
    unlabelled: Sequence[str]
    months: Sequence[str]
    trends: Mapping[str, Sequence[int | None]]
    marks: Mapping[str, Sequence[tuple[str, str]]]
    area_type: str | None
    areas: Sequence[AreaFact]
    moments: Mapping[str, Moments]
    stances: Shown
    lead: LeadTime | None
    promises: Sequence[PromiseFact]
    provenance: Mapping[str, Any]

    @property
    def is_period_complete(self) -> bool:
        return _last_day(self.period.months[-1]) <= self.until

    @property
    def complete_months(self) -> Sequence[bool]:
        return [_last_day(month) <= self.until for month in self.months]

    def raised(self, picture: str) -> list[str]:
        """The themes one party raises most: the first few that can be shown."""
        return [theme for theme, count in self.pictures.get(picture, ()) if count][:TOP]

    def agreed(self) -> tuple[list[str], list[str]]:
        """Themes raised by all three parties, and by two of them."""
        raised = [set(self.raised(picture)) for picture in PICTURES]
        order = [fact.theme for fact in self.themes]
        n_parties = {theme: sum(theme in themes for themes in raised) for theme in order}
        return [t for t in order if n_parties[t] == 3], [t for t in order if n_parties[t] == 2]


def gather(snapshot: Path, settings: Settings, plan: CodePlan, code: str, period: Period) -> Facts:
    """Count and protect everything for one area and period. Raises UsageError for neither."""
    return _Gatherer(snapshot, settings, plan, find_place(snapshot, code), period).facts()


class _Gatherer:
    def __init__(
        self, snapshot: Path, settings: Settings, plan: CodePlan, place: Place, period: Period
    ) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.plan = plan
        self.place = place
        self.period = period
        self.until = data_until(snapshot)
        self.promises = promises_of(settings)
        self.counts = published(snapshot, self._tables())
        is_tertial = "-T" in period.code
        self.reports = published(
            snapshot,
            Tables((("area", "period"),), "reports", "tertials" if is_tertial else "quarters"),
        )
        self.months = month_range(min(_months(self.reports)), max(_months(self.reports)))
        if not set(period.months) & set(self.months):
            raise UsageError(
                f"Det finns inga rapporter från {period.code}; lagret har "
                f"{self.months[0]} till {self.months[-1]}."
            )
        self.reader = Reader(snapshot, place, period.months)

    def _tables(self) -> Tables:
        crossed: list[tuple[str, ...]] = [
            tuple(sorted(map(str, table))) for table in self.settings.publish.family
        ]
        if not any({"area", "theme", "period"} <= set(table) for table in crossed):
            crossed.append(("area", "period", "theme"))
        return Tables(
            tuple(crossed),
            periods="tertials" if "-T" in self.period.code else "quarters",
            windows=windows_of(self.promises),
        )

    def facts(self) -> Facts:
        total, before, last_year = (self._total(p) for p in self._three_periods())
        spread_of = self._dispersion()
        by_source = self.reader.by_theme("source")
        pictures = {str(name): list(s) for name, s in self.settings.publish.pictures.items()}
        listed = {source for sources in pictures.values() for source in sources}
        themes = self._themes()
        top = [fact.theme for fact in themes if fact.count][:4]
        area_type, areas = self._areas()
        return Facts(
            place=self.place,
            period=self.period,
            until=self.until,
            total=total,
            total_before=before,
            total_last_year=last_year,
            total_change=_change(total, before, spread_of),
            total_last_year_change=_change(total, last_year, spread_of),
            themes=themes,
            pictures=self._pictures(group_pictures(by_source, pictures)),
            unlabelled=sorted({source for _, source in by_source} - listed),
            months=self.months,
            trends={theme: [self._count(theme, m) for m in self.months] for theme in top},
            marks=series_marks(self.snapshot),
            area_type=area_type,
            areas=areas,
            moments=self._moments(),
            stances=breakdown(self.reader.by_theme("stance"), self._whole(self.period.code)),
            lead=self._lead(),
            promises=[fact for p in self.promises if (fact := self._promise(p))],
            provenance=provenance(self.snapshot),
        )

    def _three_periods(self) -> tuple[Period | None, ...]:
        """This one, the one before, and last year's; None where it began before the data."""
        wanted = (self.period, self.period.before, self.period.year_before)
        return tuple(p if p.months[0] >= self.months[0] else None for p in wanted)

    def _total(self, period: Period | None) -> int | None:
        if period is None:
            return None
        return self.reports.shown(area=self.place.key, period=period.code)

    def _count(self, theme: str, period: str) -> int | None:
        return self.counts.shown(area=self.place.key, theme=theme, period=period)

    def _whole(self, period: str) -> dict[str, int | None]:
        return {theme: self._count(theme, period) for theme in self.plan.decided}

    def _dispersion(self) -> Dispersion:
        """How much these counts vary by themselves: themes by earlier periods of this length."""
        earlier, found = self.period.before, []
        while earlier.months[0] >= self.months[0]:
            found.append(earlier.code)
            earlier = earlier.before
        counts = self.counts.protected.family.counts
        history = [
            [counts.get(self.counts.cell(area=self.place.key, theme=t, period=p), 0) for p in found]
            for t in self.plan.main
        ]
        try:
            return dispersion(history)
        except ValueError:
            return POISSON

    # --- themes and pictures ----------------------------------------------------------------------

    def _themes(self) -> list[ThemeFact]:
        _, before, last_year = self._three_periods()
        spread_of = self._dispersion()
        keys = [*self.plan.main, RESIDUAL]
        facts = [self._theme(key, before, last_year, spread_of) for key in keys]
        believed = iter(_believed([f.since_last_year for f in facts]))
        also = iter(_believed([f.since_before for f in facts]))
        checked = [
            ThemeFact(f.theme, f.count, f.interval, f.share, next(also), next(believed))
            for f in facts
        ]
        return sorted(checked, key=lambda f: (f.theme == RESIDUAL, -(f.count or 0), f.theme))

    def _theme(
        self, key: str, before: Period | None, last_year: Period | None, spread_of: Dispersion
    ) -> ThemeFact:
        count = self._count(key, self.period.code)
        place = {"area": self.place.key, "period": self.period.code, "theme": key}
        whole = safe_denominator(self.reports, self.counts, place)
        has_share = count is not None and whole is not None and key != RESIDUAL
        return ThemeFact(
            key,
            count,
            None if count is None else count_interval(count, spread_of),
            share(count, whole) if has_share and count is not None and whole else None,
            _change(count, self._count(key, before.code) if before else None, spread_of),
            _change(count, self._count(key, last_year.code) if last_year else None, spread_of),
        )

    def _pictures(
        self, counts: Mapping[tuple[str, str], int]
    ) -> dict[str, Sequence[tuple[str, int | None]]]:
        shown = breakdown(counts, self._whole(self.period.code))
        found: dict[str, Sequence[tuple[str, int | None]]] = {}
        for picture in (*PICTURES, "other"):
            rows = [(t, n) for (t, p), n in shown.items() if p == picture and t != RESIDUAL]
            if rows:
                found[picture] = sorted(rows, key=lambda row: (-(row[1] or 0), row[0]))
        return found

    # --- where, when, how long --------------------------------------------------------------------

    def _areas(self) -> tuple[str | None, list[AreaFact]]:
        """Areas side by side on the map: those of the report's own type, or of the first drawn."""
        drawn = [config.area_type for config in self.settings.areas]
        finer = [t for t in drawn if t not in ("kommun", "lan")]
        own = self.place.area_type
        area_type = own if own in finer else next(iter(finer), None)
        if area_type is None:
            return None, []
        places = Places(self.settings.areas, self.settings.base_dir)
        facts = []
        for area in places.areas(area_type):
            key = f"{area_type}:{area.area_code}"
            count = self.reports.shown(area=key, period=self.period.code)
            per = rate(count or 0, places.population(area_type, area.area_code)).per_1000
            facts.append(
                AreaFact(area.area_code, area.area_name, count, None if count is None else per)
            )
        return area_type, facts

    def _moments(self) -> dict[str, Moments]:
        found = {}
        for kind in ("notice", "report"):
            moments = self.reader.moments(kind == "notice")
            if not moments or is_hidden(len(moments)):
                continue
            hours = next(step for least, step in _BANDS if len(moments) >= least)
            matrix = weekday_hour(moments)
            counts = {
                f"{day}:{start}": sum(matrix[day][start : start + hours])
                for day in range(7)
                for start in range(0, 24, hours)
            }
            shown = spread({slot: n for slot, n in counts.items() if n})
            cells = [
                [shown.get(f"{day}:{start}", 0) for start in range(0, 24, hours)]
                for day in range(7)
            ]
            if any(count for row in cells for count in row):  # else it says nothing but "few"
                found[kind] = Moments(hours, cells)
        return found

    def _lead(self) -> LeadTime | None:
        days, is_closed = self.reader.lead_days()
        return lead_time(days, is_closed) if len(days) >= FEWEST_LEAD_TIMES else None

    # --- promises ---------------------------------------------------------------------------------

    def _promise(self, promise: Promise) -> PromiseFact | None:
        """None for a promise about other areas, or without comparable months."""
        windows = promise.windows()
        keys = [f"{promise.area_type}:{code}" for code in promise.areas]
        is_here = self.place.area_type in ("kommun", "lan") or self.place.key in keys
        if windows is None or not is_here:
            return None
        here = self._both_windows(promise, keys)
        there = None
        if promise.comparison_areas:
            others = [f"{promise.area_type}:{code}" for code in promise.comparison_areas]
            there = self._both_windows(promise, others)
        compared = None
        if there and None not in (*here, *there):
            compared = compared_change(
                (here[1] or 0, here[0] or 0), (there[1] or 0, there[0] or 0), self._dispersion()
            )
        return PromiseFact(
            promise,
            promise.main_themes,
            windows,
            here,
            there,
            _change(here[1], here[0], self._dispersion()),
            compared,
        )

    def _both_windows(self, promise: Promise, keys: Sequence[str]) -> tuple[int | None, int | None]:
        before, after = (
            self._window(f"{side}:{promise.id}", promise, keys) for side in ("before", "after")
        )
        return before, after

    def _window(self, window: str, promise: Promise, keys: Sequence[str]) -> int | None:
        """Reports of the promise's themes in its areas, or None where any of them is hidden."""
        counts = [
            self.counts.shown(area=key, theme=theme, period=window)
            for key in keys
            for theme in promise.main_themes
        ]
        return None if None in counts else sum(n for n in counts if n is not None)


def _months(reports: Published) -> list[str]:
    return [code for code in reports.codes["period"] if len(code) == 7 and code[5] not in "QT"]


def _change(now: int | None, before: int | None, spread_of: Dispersion) -> Change | None:
    return None if now is None or before is None else change(now, before, spread_of)


def _believed(changes: Sequence[Change | None]) -> list[Change | None]:
    """Of many changes, those that chance among so many could give as well "cannot be told"."""
    keep = iter(discoveries([c for c in changes if c is not None]))
    return [
        c if c is None or next(keep) else Change(c.ratio, c.p_value, "cannot_be_told")
        for c in changes
    ]


def _last_day(month: str) -> date:
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)
