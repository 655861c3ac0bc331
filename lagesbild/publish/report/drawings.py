"""The charts of a report, each with its alternative text and its table."""

from __future__ import annotations

from lagesbild.publish.area_map import draw_map, steps
from lagesbild.publish.charts import WIDTH, Chart, bars, heat, pairs, trends
from lagesbild.publish.disclosure import HIDDEN
from lagesbild.publish.geojson import boundaries
from lagesbild.publish.report.facts import Facts, ThemeFact
from lagesbild.publish.report.promised import PromiseFact
from lagesbild.publish.report.wording import DAYS, Writer
from lagesbild.publish.table import NOT_APPLICABLE
from lagesbild.settings import Settings

_MOST_IN_PICTURE = 7


def theme_chart(facts: Facts, writer: Writer) -> Chart:
    """How often each theme is reported, with intervals."""
    shown = [f for f in facts.themes if f.count != 0]
    drawn = [
        (
            writer.theme(f.theme),
            f.count,
            f.interval.low if f.interval else None,
            f.interval.high if f.interval else None,
        )
        for f in shown
    ]
    words = writer.words
    has_corrected = any(f.corrected for f in shown)
    names = ["theme", "count", "interval", *(["corrected"] if has_corrected else [])]
    header = [words[k] for k in (*names, "share", "last_year", "before")]
    rows = [
        [
            writer.theme(f.theme),
            writer.count(f.count),
            writer.interval(f.interval),
            *([_corrected(f, writer)] if has_corrected else []),
            writer.share(f.share),
            writer.change(f.since_last_year),
            writer.change(f.since_before),
        ]
        for f in shown
    ]
    top = ", ".join(f"{label} {writer.count(n)}" for label, n, _, _ in drawn[:5])
    text = f"Stapeldiagram: {top}." if writer.is_swedish else f"Bar chart: {top}."
    return Chart("teman", bars(drawn, words["reports"], width=WIDTH - 180), text, header, rows)


def _corrected(fact: ThemeFact, writer: Writer) -> str:
    """Hidden like the count itself; a point where it is shown but cannot be corrected."""
    if fact.count is not None and fact.corrected is None:
        return NOT_APPLICABLE
    return writer.estimate(fact.corrected)


def picture_charts(facts: Facts, writer: Writer) -> dict[str, Chart]:
    """One chart for each party: what it raises most. Themes not shown are named after it."""
    found = {}
    for picture, rows in facts.pictures.items():
        top = [row for row in rows if row[1]][:_MOST_IN_PICTURE]
        if not top:
            continue
        drawn = [(writer.theme(theme), n, None, None) for theme, n in top]
        told = ", ".join(f"{label} {writer.count(n)}" for label, n, _, _ in drawn)
        svg = bars(drawn, writer.words["count"], width=110)
        found[picture] = Chart(
            f"bild-{picture}",
            svg,
            f"{writer.words[picture]}: {told}.",
            [writer.words["theme"], writer.words["count"]],
            [[writer.theme(theme), writer.count(n)] for theme, n in rows],
        )
    return found


def trend_chart(facts: Facts, writer: Writer) -> tuple[Chart, list[tuple[str, str]]] | None:
    """The largest themes month by month, and what each numbered mark means."""
    if not facts.trends:
        return None
    notes: list[tuple[str, str]] = []
    signs: dict[str, str] = {}
    for number, month in enumerate(sorted(facts.marks), 1):
        told = "; ".join(writer.words[kind].format(name) for kind, name in facts.marks[month])
        signs[month] = str(number)
        notes.append((str(number), f"{month}: {told}"))
    series = {writer.theme(theme): counts for theme, counts in facts.trends.items()}
    svg = trends(facts.months, series, signs, facts.complete_months, writer.words)
    names = ", ".join(series)
    span = f"{facts.months[0]} – {facts.months[-1]}"
    text = (
        f"Linjediagram per månad, {span}, för {names}. Talen står i tabellen."
        if writer.is_swedish
        else f"Line chart by month, {span}, of {names}. The table has the numbers."
    )
    rows = [
        [month, *(writer.count(counts[i]) for counts in series.values())]
        for i, month in enumerate(facts.months)
    ]
    return Chart("utveckling", svg, text, [writer.words["month"], *series], rows), notes


def map_chart(
    facts: Facts, writer: Writer, settings: Settings
) -> tuple[Chart, list[tuple[str, str]]] | None:
    """The areas side by side, and the legend (colour, meaning)."""
    if facts.area_type is None:
        return None
    shapes = boundaries(settings, facts.area_type)
    counts = {area.code: area.count for area in facts.areas}
    names = {area.code: area.name for area in facts.areas}
    svg = draw_map(shapes, counts, names, facts.place.area_code)
    legend = [
        (
            colour,
            f"{writer.number(low)}–{writer.number(high)}" if low < high else writer.number(low),
        )
        for colour, low, high in steps(list(counts.values()))
    ]
    told = ", ".join(f"{area.name} {writer.count(area.count)}" for area in facts.areas[:12])
    has_rate = any(area.per_1000 for area in facts.areas)
    header = [writer.words["area"], writer.words["reports"]]
    header += [writer.words["per_1000"]] if has_rate else []
    rows = []
    for area in facts.areas:
        per = area.per_1000
        unknown = HIDDEN if area.count is None else NOT_APPLICABLE
        rate = writer.estimate(per, 1) if per else unknown
        rows.append([area.name, writer.count(area.count), *([rate] if has_rate else [])])
    text = f"Karta: {told}." if writer.is_swedish else f"Map: {told}."
    return Chart("karta", svg, text, header, rows), legend


def moment_charts(facts: Facts, writer: Writer) -> dict[str, Chart]:
    """Weekday by time of day, of events and of reports."""
    found = {}
    for kind, moments in facts.moments.items():
        bands = [writer.band(i, moments.hours) for i in range(24 // moments.hours)]
        days = DAYS[writer.language]
        header = [writer.words["day"], *bands]
        rows = [
            [day, *(writer.count(n) for n in row)]
            for day, row in zip(days, moments.cells, strict=True)
        ]
        svg = heat(moments.cells, days, bands, writer.words)
        name = "handelser" if kind == "notice" else "rapporter"
        found[kind] = Chart(f"veckotid-{name}", svg, writer.busiest(moments), header, rows)
    return found


def promise_chart(fact: PromiseFact, writer: Writer, number: int) -> Chart | None:
    """Before and after, here and in the comparison area; None where a side is not shown."""
    words = writer.words
    if writer.is_swedish:
        labels = ("Löftets område", "Jämförelseområdet")
    else:
        labels = ("The promise's area", "The comparison area")
    sides = [(labels[0], fact.here)] + ([(labels[1], fact.there)] if fact.there else [])
    rows = [[label, *(writer.count(n) for n in side)] for label, side in sides]
    drawn = [
        (label, before, after)
        for label, (before, after) in sides
        if before is not None and after is not None
    ]
    if not drawn:
        return None
    names = (words["side_before"], words["side_after"])
    text = "; ".join(f"{label}: {a} – {b}" for label, a, b in drawn)
    svg = pairs(drawn, names, words["reports"])
    return Chart(f"lofte-{number}", svg, text, [words["area"], *names], rows)
