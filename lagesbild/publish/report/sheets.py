"""Two pages for the working group: the week on one page (EST), and the year as a wheel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from math import cos, pi, sin
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from lagesbild.errors import UsageError
from lagesbild.indicators.change import change
from lagesbild.indicators.completeness import COMPLETE
from lagesbild.night import Store
from lagesbild.places import Places
from lagesbild.publish.charts import BLUE, Chart, bars
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.families import RESIDUAL, Published, published
from lagesbild.publish.periods import MONTHS, week_days
from lagesbild.publish.promises import promises_of
from lagesbild.publish.report.facts import refuse_months_beside_weeks, report_tables
from lagesbild.publish.report.lateness import Lateness, lateness
from lagesbild.publish.report.page import environment
from lagesbild.publish.report.source import data_until, month_range
from lagesbild.publish.report.wording import WORDS
from lagesbild.publish.weeks import week_counts
from lagesbild.settings import Settings
from lagesbild.themes import CodePlan

_WEEKS_BACK = 8  # the ordinary level a week is compared with


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One theme: this week, its usual week, and whether the two can be told apart."""

    label: str
    count: int | None
    usual: float | None
    verdict: str


def write_week(
    snapshot: Path,
    settings: Settings,
    plan: CodePlan,
    week: str,
    folder: Path,
    language: str = "sv",
) -> Path:
    """The EST week on one page: what was reported, where, and what stands out.

    Weeks are a family of their own. Where months are published, more of the weeks is hidden, so
    that the two together tell no small count of one theme and area (weeks.py). Several themes and
    areas at once are not held against it, so the page says that it must not leave.
    """
    monday, sunday = week_days(week)
    words = WORDS[language]
    by_month = report_tables(settings, promises_of(settings))
    counts = week_counts(snapshot, settings.publish, by_month)
    if week not in counts.codes["period"]:
        raise UsageError(f"Det finns inga rapporter från vecka {week}.")
    earlier = [w for w in counts.codes["period"] if w < week][-_WEEKS_BACK:]
    rows = [
        _week_row(
            plan.label(theme, "sv" if language == "sv" else "en"),
            [counts.shown(theme=theme, period=w) for w in earlier],
            counts.shown(theme=theme, period=week),
            words,
        )
        for theme in plan.decided
        if theme != RESIDUAL
    ]
    rows = sorted((row for row in rows if row.count != 0), key=lambda r: -(r.count or 0))
    drawn = [(row.label, row.count, None, None) for row in rows if row.count]
    chart = None
    if drawn:
        told = ", ".join(f"{label} {n}" for label, n, _, _ in drawn)
        chart = Chart("vecka", bars(drawn, words["reports"], width=220), told, (), ())
    whole = counts.shown(period=week)
    page = (
        environment()
        .get_template("week.html.j2")
        .render(
            sv=language == "sv",
            language=language,
            words=words,
            week=week,
            days=f"{monday} – {sunday}",
            total=HIDDEN if whole is None else whole,
            rows=[_told(row) for row in rows],
            areas=_week_areas(settings, counts, week),
            chart=chart,
            is_internal=settings.publish.periods != "weeks",
            is_complete=sunday <= data_until(snapshot),
            share=_arrived(lateness(Store(settings).inbox, snapshot), monday),
            n_weeks=len(earlier),
            other_years=_other_years(counts, week),
            publisher=settings.publish.publisher,
            inline=lambda chart: Markup(chart.inline),  # noqa: S704
        )
    )
    return _write(folder, f"vecka_{week}{'' if language == 'sv' else '_en'}.html", page)


def _other_years(counts: Published, week: str) -> list[str]:
    """The reports of the same week in earlier years: year and number, or the sign for hidden."""
    year, number = week.split("-V")
    same = sorted(w for w in counts.codes["period"] if w.endswith(f"-V{number}") and w[:4] < year)
    return [f"{w[:4]}: {_sign(counts.shown(period=w))}" for w in same]


def _arrived(late: Lateness | None, monday: date) -> int | None:
    """Percent of the week's reports that have usually come by now; None where that is nearly all,
    or not known."""
    share = late.share(monday) if late else None
    return None if share is None or share >= COMPLETE else round(100 * share)


def _week_row(
    label: str, earlier: Sequence[int | None], count: int | None, words: Mapping[str, str]
) -> WeekRow:
    """The usual week is the mean of the weeks before; not shown where any of them is hidden."""
    known = [n for n in earlier if n is not None]
    if not known or len(known) < len(earlier):
        return WeekRow(label, count, None, HIDDEN)
    usual = sum(known) / len(known)
    if count is None:
        return WeekRow(label, None, usual, HIDDEN)
    found = change(count, sum(known), exposure=(1, len(known)))
    return WeekRow(label, count, usual, words[found.verdict])


def _told(row: WeekRow) -> list[str]:
    count = HIDDEN if row.count is None else str(row.count)
    usual = HIDDEN if row.usual is None else f"{row.usual:.1f}".replace(".", ",")
    return [row.label, count, usual, row.verdict]


def _week_areas(settings: Settings, counts: Published, week: str) -> list[list[str]]:
    """Areas of the finest type with boundaries, by reports this week."""
    types = [c.area_type for c in settings.areas if c.area_type not in ("kommun", "lan")]
    if not types:
        return []
    places = Places(settings.areas, settings.base_dir).areas(types[0])
    rows = [
        (a.area_name, counts.shown(area=f"{types[0]}:{a.area_code}", period=week)) for a in places
    ]
    rows.sort(key=lambda row: (-(row[1] or 0), row[0]))
    return [[name, HIDDEN if n is None else str(n)] for name, n in rows]


def _write(folder: Path, name: str, page: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    target.write_text(page, encoding="utf-8")
    return target


# --- the year -------------------------------------------------------------------------------------

# What returns every year, by month: what happens, and what the working group does.
CALENDAR: Mapping[str, Mapping[int, tuple[str, str]]] = {
    "sv": {
        1: ("Efter nyår: fyrverkerier, skadegörelse", "Årsanalys, ny lägesbild"),
        2: ("Sportlov", "Åtgärdsplan beslutas"),
        3: ("Ljusare kvällar", "Trygghetsvandringar planeras"),
        4: ("Valborg", "Kvartalets prioritering"),
        5: ("Mopeder och buskörning börjar", "Trygghetsmätning och enkät"),
        6: ("Skolavslutning, studenten, midsommar", "Halvårsuppföljning av löften"),
        7: ("Sommarlov, bad och parker", "Kvartalets prioritering"),
        8: ("Skolstart", "Möte med skolor och fritid"),
        9: ("Mörkare kvällar", "Trygghetsvandringar"),
        10: ("Höstlov, halloween", "Kvartalets prioritering"),
        11: ("Mörker, belysning", "Dialog med invånare"),
        12: ("Lucia, nyårsafton", "Löften följs upp och förnyas"),
    },
    "en": {
        1: ("After New Year: fireworks, damage", "Yearly analysis, new picture"),
        2: ("Winter holiday", "Action plan decided"),
        3: ("Lighter evenings", "Safety walks planned"),
        4: ("Walpurgis Night", "Priorities of the quarter"),
        5: ("Mopeds and reckless riding begin", "Safety survey"),
        6: ("End of term, graduation, midsummer", "Half-year follow-up of promises"),
        7: ("Summer holiday, beaches, parks", "Priorities of the quarter"),
        8: ("School begins", "Meeting with schools"),
        9: ("Darker evenings", "Safety walks"),
        10: ("Autumn holiday, Halloween", "Priorities of the quarter"),
        11: ("Darkness, lighting", "Dialogue with residents"),
        12: ("Lucia, New Year's Eve", "Promises followed up and renewed"),
    },
}
_NOT_YET = "–"  # of a month to come: 0 would say that nobody reported
_SHADES = ("#f4f6f7", "#cfdeea", "#9bbcd6", "#6f9cc0")


def write_wheel(
    snapshot: Path,
    settings: Settings,
    plan: CodePlan,
    year: str,
    folder: Path,
    language: str = "sv",
) -> Path:
    """The year as a wheel and a table: when what is reported, what recurs, what is to be done."""
    if not re.fullmatch(r"\d{4}", year):
        raise UsageError(f"Året {year!r} går inte att läsa; skriv till exempel 2025.")
    months = month_range(f"{year}-01", f"{year}-12")
    refuse_months_beside_weeks(settings)
    counts = published(snapshot, report_tables(settings, promises_of(settings)))
    until = data_until(snapshot)
    over = [month for month in months if month <= f"{until:%Y-%m}"]
    totals = [counts.shown(period=month) for month in over]
    if not any(month in counts.codes["period"] for month in months):
        raise UsageError(f"Det finns inga rapporter från {year}.")
    rows = []
    for number, month in enumerate(months, 1):
        happens, done = CALENDAR[language][number]
        due = [p.title for p in promises_of(settings) if p.due and f"{p.due:%Y-%m}" == month]
        follow_up = "följ upp löftet {}" if language == "sv" else "follow up the promise {}"
        tasks = "; ".join([done, *(follow_up.format(title) for title in due)])
        total, top = _NOT_YET, ""
        if month in over:
            total = _sign(totals[number - 1])
            top = _top_themes(counts, plan, month, language)
        rows.append([MONTHS[language][number - 1], total, top, happens, tasks])
    names = ", ".join(f"{row[0]} {row[1]}" for row in rows)
    wheel = Chart("arshjul", draw_wheel(totals, [row[0] for row in rows], year), names, (), ())
    page = (
        environment()
        .get_template("wheel.html.j2")
        .render(
            sv=language == "sv",
            language=language,
            words=WORDS[language],
            year=year,
            rows=rows,
            chart=wheel,
            until=until,
            publisher=settings.publish.publisher,
            inline=lambda chart: Markup(chart.inline),  # noqa: S704
        )
    )
    target = _write(folder, f"arshjul_{year}{'' if language == 'sv' else '_en'}.html", page)
    wheel.write(folder / f"arshjul_{year}_diagram")
    return target


def _top_themes(counts: Published, plan: CodePlan, month: str, language: str) -> str:
    found = [(counts.shown(theme=t, period=month), t) for t in plan.main]
    top = sorted(((n, t) for n, t in found if n), key=lambda e: (-e[0], e[1]))[:3]
    none_told = HIDDEN if any(n is None for n, _ in found) else ""
    name: Literal["sv", "en"] = "sv" if language == "sv" else "en"
    return ", ".join(f"{plan.label(t, name)} {n}" for n, t in top) or none_told


def draw_wheel(counts: Sequence[int | None], names: Sequence[str], title: str) -> str:
    """Twelve sectors, January on top, clockwise; darker with more reports, the number inside.

    `counts`: of the months until now.
    """
    order = sorted(n for n in counts if n is not None)
    parts = []
    for number, name in enumerate(names):
        count = counts[number] if number < len(counts) else None
        start, end = pi * (number - 0.5) / 6, pi * (number + 0.5) / 6
        shade = "white" if count is None else _SHADES[order.index(count) * 4 // len(order)]
        parts.append(f'<path d="{_sector(start, end)}" fill="{shade}" stroke="{BLUE}"/>')
        middle = pi * number / 6
        text = _sign(count) if number < len(counts) else _NOT_YET
        east = sin(middle)
        anchor = "start" if east > 0.1 else "end" if east < -0.1 else "middle"
        for radius, told, look in (
            (118, text, 'text-anchor="middle" font-weight="bold"'),
            (166 if abs(east) > 0.1 else 172, name, f'text-anchor="{anchor}"'),
        ):
            x, y = 220 + radius * east, 220 - radius * cos(middle)
            parts.append(
                f'<text x="{x:.1f}" y="{y + 5:.1f}" {look} font-size="14" '
                f'fill="#1c1c1c">{escape(told)}</text>'
            )
    parts.append(
        f'<text x="220" y="228" text-anchor="middle" font-size="24" font-weight="bold" '
        f'fill="#1c1c1c">{escape(title)}</text>'
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 440" width="440" height="440" '
        f'font-family="Arial, Helvetica, sans-serif">{"".join(parts)}</svg>'
    )


def _sign(count: int | None) -> str:
    return HIDDEN if count is None else str(count)


def _sector(start: float, end: float) -> str:
    def point(radius: float, angle: float) -> str:
        return f"{220 + radius * sin(angle):.1f},{220 - radius * cos(angle):.1f}"

    return (
        f"M{point(70, start)}L{point(155, start)}A155,155 0 0 1 {point(155, end)}"
        f"L{point(70, end)}A70,70 0 0 0 {point(70, start)}Z"
    )
