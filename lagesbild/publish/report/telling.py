"""Sentences on what is new, where it gathers, how long it took and how late reports come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from math import isfinite

from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.seasonality import decompose, month_index
from lagesbild.publish.disclosure import SMALLEST_DENOMINATOR, SMALLEST_SHOWN, is_hidden, rounded
from lagesbild.publish.periods import MONTHS
from lagesbild.publish.report.places import HotFact
from lagesbild.publish.report.wording import Writer
from lagesbild.publish.report.words import NewWord

Lines = list[str]


def lateness_lines(writer: Writer) -> Lines:
    """Which of the latest weeks will still grow, and by how much."""
    late, sv = writer.facts.lateness, writer.is_swedish
    if late is None:
        return [
            "Hur sent rapporter brukar komma in är inte känt än, för det krävs åtta veckor med "
            "regelbundna hämtningar. De senaste veckornas tal växer ofta."
            if sv
            else "How late reports come is not known yet: that takes eight weeks of regular pulls. "
            "The latest weeks' numbers often grow."
        ]
    over = [w for w in late.incomplete if w.monday + timedelta(days=6) <= late.until]
    told = writer.listed([f"{_week(w.monday)} {writer.percent(w.share)}" for w in over])
    if not over:
        return [
            f"Rapporterna till och med {late.complete_until} har nästan alla kommit in."
            if sv
            else f"Nearly all reports until {late.complete_until} have come in."
        ]
    return [
        "De senaste veckornas tal kommer att växa, för en del rapporter kommer in sent. Så stor "
        f"andel brukar ha kommit in vid det här laget: {told}."
        if sv
        else "The latest weeks' numbers will grow, for some reports come in late. By now this "
        f"share has usually come in: {told}."
    ]


def _week(monday: date) -> str:
    return f"{monday:%G-V%V}"


def season_lines(writer: Writer) -> Lines:
    """Trend and season of the months, where enough of them are over and shown."""
    facts = writer.facts
    whole = zip(facts.months, facts.totals, facts.complete_months, strict=True)
    months = {month: n for month, n, is_whole in whole if is_whole}
    monthly = {month: n for month, n in months.items() if n is not None}
    if len(monthly) < len(months):
        return []
    return [*_trend(writer, monthly), *_season(writer, monthly)]


def _trend(writer: Writer, monthly: Mapping[str, int]) -> Lines:
    found = decompose(list(monthly.values()))
    if found is None:
        return []
    before, now = (writer.number(max(0, found.trend[place])) for place in (-13, -1))
    return [
        f"Med årstiden borträknad har rapporterna om trygghet gått från {before} till {now} i "
        "månaden på ett år."
        if writer.is_swedish
        else f"With the season taken away, reports about safety went from {before} to {now} a "
        "month in a year."
    ]


def _season(writer: Writer, monthly: Mapping[str, int]) -> Lines:
    index = month_index(monthly)
    if not index:
        return []
    most, least = max(index, key=lambda m: index[m]), min(index, key=lambda m: index[m])
    names = MONTHS[writer.language]
    high, low = (f"{names[m - 1]} ({writer.number(index[m])})" for m in (most, least))
    return [
        f"Flest rapporter brukar komma i {high} och minst i {low}; 100 är en vanlig månad."
        if writer.is_swedish
        else f"Most reports usually come in {high}, fewest in {low}; 100 is an ordinary month."
    ]


def growing_lines(writer: Writer) -> Lines:
    """Themes that have grown, each with how much."""
    facts, sv = writer.facts, writer.is_swedish
    if facts.compared_with is None:
        return [
            "Det finns ingen tidigare period att jämföra med."
            if sv
            else "There is no earlier period to compare with."
        ]
    when = facts.compared_with.label(writer.language)
    if not facts.growing:
        return [
            "Inget tema vars antal visas i båda perioderna har vuxit mer än slumpen kan ge, "
            f"jämfört med {when}."
            if sv
            else "No theme whose numbers are shown in both periods has grown more than chance may "
            f"give, compared with {when}."
        ]
    themes = [f"{writer.named(g.theme)} ({_growth(writer, g.change.ratio)})" for g in facts.growing]
    told = writer.listed(themes)
    return [
        f"Mer än slumpen brukar ge sedan {when}: {told}. Teman med dolda antal är inte prövade."
        if sv
        else f"More than chance usually gives since {when}: {told}. Themes with hidden numbers "
        "were not tested."
    ]


def _growth(writer: Writer, ratio: Estimate) -> str:
    if not isfinite(ratio.high):
        return "nytt" if writer.is_swedish else "new"
    to = "till" if writer.is_swedish else "to"
    return f"{writer.signed(ratio.low)} {to} {writer.signed(ratio.high)}"


def incident_lines(writer: Writer) -> Lines:
    """Themes whose reports tell of clearly fewer incidents, over the whole year and all areas."""
    facts, sv = writer.facts, writer.is_swedish
    if not facts.incidents:
        return []
    about = "rapporter om ungefär {} händelser" if sv else "reports of about {} incidents"
    told = [
        f"{writer.named(theme)} {writer.number(both.n_reports)} "
        + about.format(writer.number(both.n_incidents))
        for theme, both in facts.incidents.items()
    ]
    year = facts.period.code[:4]
    return [
        f"Flera rapporter kan gälla samma händelse. Under {year}, i alla områden tillsammans: "
        f"{writer.listed(told)}. Antalen händelser är avrundade till närmaste fem."
        if sv
        else f"Several reports may tell of the same incident. In {year}, in all areas together: "
        f"{writer.listed(told)}. The numbers of incidents are rounded to the nearest five."
    ]


def word_lines(writer: Writer) -> Lines:
    """Words that more residents use than before."""
    facts, sv = writer.facts, writer.is_swedish
    if facts.compared_with is None:
        return []
    if facts.new_words is None:
        return [
            f"Orden går inte att jämföra: det krävs minst {SMALLEST_DENOMINATOR} texter i båda "
            "perioderna."
            if sv
            else f"The words cannot be compared: that takes at least {SMALLEST_DENOMINATOR} texts "
            "in both periods."
        ]
    if not facts.new_words:
        return [
            "Inga vanliga ord i texterna har blivit klart vanligare. Namn räknas inte."
            if sv
            else "No ordinary words in the texts have become clearly more common. Names are not "
            "counted."
        ]
    told = writer.listed([_word(writer, word) for word in facts.new_words])
    return [
        f"Ord som fler använder i sina texter: {told}."
        if sv
        else f"Words that more people use in their texts: {told}.",
        f"Bara vanliga ord som minst {SMALLEST_SHOWN} olika personer eller texter har. Antalen är "
        "avrundade till närmaste fem."
        if sv
        else f"Only ordinary words that at least {SMALLEST_SHOWN} different people or texts have. "
        "The numbers are rounded to the nearest five.",
    ]


def _word(writer: Writer, word: NewWord) -> str:
    few = f"färre än {SMALLEST_SHOWN}" if writer.is_swedish else f"fewer than {SMALLEST_SHOWN}"
    before = few if not word.n_before else writer.number(word.n_before)
    if writer.is_swedish:
        return f"{word.word} (ungefär {writer.number(word.n_now)}, tidigare {before})"
    return f"{word.word} (about {writer.number(word.n_now)}, earlier {before})"


def hot_lines(writer: Writer) -> Lines:
    """Where a theme gathers, strongest first within each theme."""
    if writer.facts.hot:
        return [_hot(writer, fact) for fact in writer.facts.hot]
    return [
        "Inget område vars antal visas sticker ut för något tema mer än slumpen kan ge."
        if writer.is_swedish
        else "No area whose numbers are shown stands out for any theme more than chance may give."
    ]


def _hot(writer: Writer, fact: HotFact) -> str:
    where = writer.listed(list(fact.areas))
    n, expected = writer.number(fact.count), writer.number(fact.expected)
    chance = writer.percent(fact.p_value, 1)
    often = f"{fact.n_periods} {{}} {fact.of_periods}"
    if writer.is_swedish:
        told = f"{writer.theme(fact.theme)} i {where}: {n} rapporter, väntat {expected}. Slumpen "
        told += f"ger så stor skillnad i {chance} av fallen."
        often = f" Bland områdena med flest, av dem som visas, i {often.format('av')} perioder."
    else:
        told = f"{writer.theme(fact.theme)} in {where}: {n} reports, expected {expected}. Chance "
        told += f"gives such a difference in {chance} of cases."
        often = f" Among the areas with most, of those shown, in {often.format('of')} periods."
    return told + (often if fact.of_periods > 1 and fact.n_periods else "")


def rate_warnings(writer: Writer) -> Lines:
    """Areas where the number of residents says little about who reports."""
    english = {
        False: "Too few residents to count by; see the number instead",
        True: "Many who report here live elsewhere; the number by residents misleads",
    }
    found: dict[str, list[str]] = {}
    for area in writer.facts.areas:
        if area.warning_sv and area.count is not None:
            text = area.warning_sv.rstrip(".")
            text = text if writer.is_swedish else english[area.per_1000 is not None]
            found.setdefault(text, []).append(area.name)
    return [f"{text}: {writer.listed(names)}." for text, names in found.items()]


def lead_lines(writer: Writer) -> Lines:
    """How long it took until reports were closed, the open ones counted in."""
    lead, sv = writer.facts.lead, writer.is_swedish
    if lead is not None and lead.median_days is None:
        return [
            "Tiden till åtgärd kan inte visas: för många ärenden är öppna än."
            if sv
            else "The time to closing cannot be shown: too many cases are still open."
        ]
    if lead is None or lead.median_days is None:
        return [
            "Tiden till åtgärd kan inte visas: för få ärenden med känd status."
            if sv
            else "The time to closing cannot be shown: too few cases with a known status."
        ]
    half = _days(writer, lead.median_days)
    lines = [
        f"Hälften av ärendena stängdes inom {half}."
        if sv
        else f"Half of the cases were closed within {half}."
    ]
    if lead.p90_days is not None:
        most = _days(writer, lead.p90_days)
        lines.append(f"Nio av tio inom {most}." if sv else f"Nine in ten within {most}.")
    fewer = f"färre än {SMALLEST_SHOWN}" if sv else f"fewer than {SMALLEST_SHOWN}"
    closed, still_open = (
        fewer if is_hidden(n) else writer.number(rounded(n)) for n in (lead.n_closed, lead.n_open)
    )
    lines.append(
        f"Räknat på {closed} stängda och {still_open} öppna ärenden, avrundat till närmaste fem; "
        "de öppna räknas med så länge de har varat."
        if sv
        else f"Counted on {closed} closed and {still_open} open cases, rounded to the nearest "
        "five; open ones count for as long as they have lasted."
    )
    return lines


def _days(writer: Writer, days: Estimate) -> str:
    """With its interval, which has no end where too many are still open."""
    sv = writer.is_swedish
    n, low, high = max(1, round(days.value)), max(1, round(days.low)), days.high
    unit = "dygn" if sv else "day" if n == 1 else "days"
    if isfinite(high):
        reach = f"{low}–{max(low, round(high))}"
    else:
        reach = f"minst {low}" if sv else f"at least {low}"
    return f"{n} {unit}" if reach == f"{n}–{n}" else f"{n} {unit} ({reach})"


LINES: Mapping[str, Callable[[Writer], Lines]] = {
    "lateness": lateness_lines,
    "season": season_lines,
    "incident": incident_lines,
    "growing": growing_lines,
    "words": word_lines,
    "hot": hot_lines,
    "rate_warnings": rate_warnings,
    "lead": lead_lines,
}
