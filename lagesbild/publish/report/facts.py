"""Everything a report says, counted and protected before a word of it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lagesbild.errors import UsageError
from lagesbild.indicators.change import Change, discoveries
from lagesbild.indicators.dispersion import ASSUMED, Dispersion, dispersion
from lagesbild.indicators.emerging import EmergingTheme, emerging_themes
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.leadtime import LeadTime, lead_time
from lagesbild.indicators.rates import count_interval
from lagesbild.indicators.shares import share
from lagesbild.night import Store
from lagesbild.publish.correction import Corrector, KnownErrors
from lagesbild.publish.denominators import denominator
from lagesbild.publish.families import (
    RESIDUAL,
    Published,
    Tables,
    published,
    published_together,
)
from lagesbild.publish.incidents import Incidents, incidents_of
from lagesbild.publish.metadata import provenance
from lagesbild.publish.periods import Period
from lagesbild.publish.promises import Promise, promises_of, windows_of
from lagesbild.publish.report.breakdown import Shown, breakdown, coarse
from lagesbild.publish.report.lateness import Lateness, lateness
from lagesbild.publish.report.moments import Moments, moments_of
from lagesbild.publish.report.places import (
    AreaFact,
    HotFact,
    area_facts,
    drawn_type,
    hot_facts,
    recent_periods,
)
from lagesbild.publish.report.promised import PromiseFact, promise_fact, shown_change
from lagesbild.publish.report.quotes import Quotes, quotes_of
from lagesbild.publish.report.source import (
    Place,
    Reader,
    data_until,
    find_place,
    group_pictures,
    month_range,
    series_marks,
)
from lagesbild.publish.report.words import NewWord, new_words
from lagesbild.settings import Settings
from lagesbild.themes import CodePlan

PICTURES = ("residents", "police", "municipality")
TOP = 5  # themes that count as "raised" by one party
FEWEST_LEAD_TIMES = 30


@dataclass(frozen=True, slots=True)
class ThemeFact:
    """One theme in the period. None is "not shown"; changes are None where a side is not shown.

    `corrected`: the count less the classifier's known errors, None where it cannot be made.
    """

    theme: str
    count: int | None
    interval: Estimate | None
    share: Estimate | None
    since_before: Change | None
    since_last_year: Change | None
    corrected: Estimate | None = None


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
    totals: Sequence[int | None]
    trends: Mapping[str, Sequence[int | None]]
    marks: Mapping[str, Sequence[tuple[str, str]]]
    area_type: str | None
    areas: Sequence[AreaFact]
    moments: Mapping[str, Moments]
    stances: Shown
    lead: LeadTime | None
    promises: Sequence[PromiseFact]
    provenance: Mapping[str, Any]
    errors: Mapping[str, KnownErrors]
    lateness: Lateness | None
    compared_with: Period | None
    growing: Sequence[EmergingTheme]
    new_words: Sequence[NewWord] | None
    hot: Sequence[HotFact]
    incidents: Mapping[str, Incidents]
    quotes: Quotes

    @property
    def is_period_over(self) -> bool:
        return _last_day(self.period.months[-1]) <= self.until

    @property
    def is_period_complete(self) -> bool:
        """Over, and all but a few of its reports have come."""
        return self.is_period_over and (
            self.lateness is None
            or _last_day(self.period.months[-1]) <= self.lateness.complete_until
        )

    @property
    def complete_months(self) -> Sequence[bool]:
        """Whether each month is over and its reports have come, as far as delays are known."""
        until = min(self.until, self.lateness.complete_until) if self.lateness else self.until
        return [_last_day(month) <= until for month in self.months]

    def raised(self, picture: str) -> list[str]:
        """The themes one party raises most: the first few that can be shown, and those level
        with the last of them."""
        shown = [(theme, count) for theme, count in self.pictures.get(picture, ()) if count]
        least = shown[:TOP][-1][1] if shown else 0
        return [theme for theme, count in shown if count >= least]

    def agreed(self) -> tuple[list[str], list[str]]:
        """Themes raised by all three parties, and by two of them."""
        raised = [set(self.raised(picture)) for picture in PICTURES]
        order = [fact.theme for fact in self.themes]
        n_parties = {theme: sum(theme in themes for themes in raised) for theme in order}
        return [t for t in order if n_parties[t] == 3], [t for t in order if n_parties[t] == 2]


def gather(snapshot: Path, settings: Settings, plan: CodePlan, code: str, period: Period) -> Facts:
    """Count and protect everything for one area and period. Raises UsageError for neither, and
    where weeks are published."""
    refuse_months_beside_weeks(settings)
    return _Gatherer(snapshot, settings, plan, find_place(snapshot, code), period).facts()


def refuse_months_beside_weeks(settings: Settings) -> None:
    """Months beside published weeks would tell small numbers. Raises UsageError."""
    if settings.publish.periods == "weeks":
        raise UsageError(
            "Lägesbilden och årshjulet räknar månader, men veckor publiceras (periods under "
            "[publish] i lagesbild.toml). Månader och veckor bredvid varandra kan avslöja små "
            "antal. Använd veckobladet (--week), eller publicera månader."
        )


def report_tables(settings: Settings, promises: Sequence[Promise]) -> Tables:
    """The family that exports have, as far as months go."""
    windows = windows_of(promises)
    together = published_together(settings.publish, windows)
    crossed = together.crossed
    if not any({"area", "theme", "period"} <= set(table) for table in crossed):
        crossed = (*crossed, ("area", "theme", "period"))
    return replace(together, crossed=crossed, periods="quarters", windows=windows)


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
        self.counts = published(snapshot, report_tables(settings, self.promises))
        self.months = month_range(min(_months(self.counts)), max(_months(self.counts)))
        if not set(period.months) & set(self.months):
            raise UsageError(
                f"Det finns inga rapporter från {period.code}; lagret har "
                f"{self.months[0]} till {self.months[-1]}."
            )
        self.reader = Reader(snapshot, place, period.months)
        self.corrector = Corrector(snapshot, settings, plan)

    def facts(self) -> Facts:
        total, before, last_year = (self._total(p) for p in self._three_periods())
        spread_of = self._dispersion()
        by_source = self.reader.by_theme("source")
        pictures = {str(name): list(s) for name, s in self.settings.publish.pictures.items()}
        listed = {source for sources in pictures.values() for source in sources}
        themes = self._themes()
        top = [fact.theme for fact in themes if fact.count][:4]
        area_type = drawn_type(self.settings, self.place)
        compared_with = last_year_or_before(self._three_periods())
        return Facts(
            place=self.place,
            period=self.period,
            until=self.until,
            total=total,
            total_before=before,
            total_last_year=last_year,
            total_change=shown_change(total, before, spread_of),
            total_last_year_change=shown_change(total, last_year, spread_of),
            themes=themes,
            pictures=self._pictures(group_pictures(by_source, pictures)),
            unlabelled=sorted({source for _, source in by_source} - listed),
            months=self.months,
            totals=[self._total(Period(month)) for month in self.months],
            trends={theme: [self._count(theme, m) for m in self.months] for theme in top},
            marks=series_marks(self.snapshot),
            area_type=area_type,
            areas=area_facts(self.settings, area_type, self.counts, self.period)
            if area_type
            else [],
            moments=moments_of(self.reader),
            stances=coarse(
                breakdown(self.reader.by_theme("stance"), self._whole(self.period.code))
            ),
            lead=self._lead(),
            promises=[
                fact
                for p in self.promises
                if (fact := promise_fact(p, self.place, self.counts, spread_of))
            ],
            provenance=provenance(self.snapshot),
            errors=self.corrector.errors,
            lateness=lateness(Store(self.settings).inbox, self.snapshot),
            compared_with=compared_with,
            growing=self._growing(compared_with),
            new_words=new_words(self.reader, self.period.months, compared_with.months)
            if compared_with
            else None,
            hot=self._hot(area_type),
            incidents=incidents_of(self.snapshot, self.counts).get(self.period.code[:4], {}),
            quotes=self._quotes([fact.theme for fact in themes if fact.count]),
        )

    def _three_periods(self) -> tuple[Period | None, ...]:
        """This one, the one before, and last year's; None where it began before the data."""
        wanted = (self.period, self.period.before, self.period.year_before)
        return tuple(p if p.months[0] >= self.months[0] else None for p in wanted)

    def _total(self, period: Period | None) -> int | None:
        if period is None:
            return None
        return self.counts.shown(area=self.place.key, period=period.code)

    def _count(self, theme: str, period: str) -> int | None:
        return self.counts.shown(area=self.place.key, theme=theme, period=period)

    def _whole(self, period: str) -> dict[str, int | None]:
        return {theme: self._count(theme, period) for theme in self.plan.decided}

    def _dispersion(self) -> Dispersion:
        """How much these counts vary by themselves: themes by earlier periods of this length, of
        what is shown, since intervals would tell what is hidden if they were made from it."""
        earlier, found = self.period.before, []
        while earlier.months[0] >= self.months[0]:
            found.append(earlier.code)
            earlier = earlier.before
        history = [[self._count(theme, code) for code in found] for theme in self.plan.main]
        try:
            return dispersion(history)
        except ValueError:
            return ASSUMED

    def _growing(self, earlier: Period | None) -> Sequence[EmergingTheme]:
        """Themes that grew, among those whose counts are shown in both periods."""
        if earlier is None:
            return []
        now, before = self._whole(self.period.code), self._whole(earlier.code)
        both = [t for t in self.plan.main if now[t] is not None and before[t] is not None]
        spread_of = self._dispersion()
        return emerging_themes(
            {t: now[t] or 0 for t in both},
            {t: before[t] or 0 for t in both},
            dict.fromkeys(both, spread_of),
        )

    def _hot(self, area_type: str | None) -> Sequence[HotFact]:
        if area_type is None:
            return []
        periods = recent_periods(self.period, self.months[0])
        themes = [t for t in self.plan.main if t in self.counts.codes["theme"]]
        return hot_facts(self.settings, area_type, self.counts, periods, themes)

    def _quotes(self, themes: Sequence[str]) -> Quotes:
        """Of the themes whose counts are shown, upkeep aside."""
        told = [theme for theme in themes if theme != RESIDUAL]
        decisions = Store(self.settings).decisions
        return quotes_of(self.snapshot, decisions, self.place, self.period.months, told)

    # --- themes and pictures ----------------------------------------------------------------------

    def _themes(self) -> list[ThemeFact]:
        _, before, last_year = self._three_periods()
        spread_of = self._dispersion()
        keys = [*self.plan.main, RESIDUAL]
        facts = [self._theme(key, before, last_year, spread_of) for key in keys]
        believed = iter(_believed([f.since_last_year for f in facts]))
        also = iter(_believed([f.since_before for f in facts]))
        checked = [
            replace(f, since_before=next(also), since_last_year=next(believed)) for f in facts
        ]
        return sorted(checked, key=lambda f: (f.theme == RESIDUAL, -(f.count or 0), f.theme))

    def _theme(
        self, key: str, before: Period | None, last_year: Period | None, spread_of: Dispersion
    ) -> ThemeFact:
        count = self._count(key, self.period.code)
        place = {"area": self.place.key, "period": self.period.code, "theme": key}
        whole = denominator(self.counts, place)
        has_share = count is not None and whole is not None and key != RESIDUAL
        return ThemeFact(
            key,
            count,
            None if count is None else count_interval(count, spread_of),
            share(count, whole) if has_share and count is not None and whole else None,
            shown_change(count, self._count(key, before.code) if before else None, spread_of),
            shown_change(count, self._count(key, last_year.code) if last_year else None, spread_of),
            self.corrector.corrected(key, count, place, has_share=whole is not None),
        )

    def _pictures(
        self, counts: Mapping[tuple[str, str], int]
    ) -> dict[str, Sequence[tuple[str, int | None]]]:
        shown = coarse(breakdown(counts, self._whole(self.period.code)))
        found: dict[str, Sequence[tuple[str, int | None]]] = {}
        for picture in (*PICTURES, "other"):
            rows = [(t, n) for (t, p), n in shown.items() if p == picture and t != RESIDUAL]
            if rows:
                found[picture] = sorted(rows, key=lambda row: (-(row[1] or 0), row[0]))
        return found

    def _lead(self) -> LeadTime | None:
        days, is_closed = self.reader.lead_days()
        return lead_time(days, is_closed) if len(days) >= FEWEST_LEAD_TIMES else None


def _months(counts: Published) -> list[str]:
    return [code for code in counts.codes["period"] if len(code) == 7 and code[5] not in "QT"]


def last_year_or_before(periods: Sequence[Period | None]) -> Period | None:
    """What something new is new against: of (this, before, last year's), the same season's."""
    _, before, last_year = periods
    return last_year or before


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
