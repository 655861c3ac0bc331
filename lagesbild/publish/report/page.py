"""The report as one HTML file that needs nothing else, and its charts as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lagesbild.publish.charts import Chart
from lagesbild.publish.correction import told
from lagesbild.publish.metadata import BIAS_NOTE, BIAS_NOTE_EN
from lagesbild.publish.periods import Period
from lagesbild.publish.report import drawings
from lagesbild.publish.report.facts import PICTURES, Facts, gather
from lagesbild.publish.report.promise_wording import caution, promise_lines
from lagesbild.publish.report.telling import LINES
from lagesbild.publish.report.wording import POSITIVE, Writer
from lagesbild.settings import Settings
from lagesbild.themes import CodePlan


def environment() -> jinja2.Environment:
    """Templates of this package; everything is escaped but what is marked as our own drawing."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("lagesbild.publish.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_report(
    snapshot: Path,
    settings: Settings,
    plan: CodePlan,
    code: str,
    period: Period,
    folder: Path,
    language: str = "sv",
) -> Path:
    """Write the page and, in `diagram/`, each chart as SVG and PNG. Returns the page.

    The same snapshot and settings give the same page to the byte.
    """
    facts = gather(snapshot, settings, plan, code, period)
    writer = Writer(facts, plan, language)
    view = _View(facts, writer, settings)
    folder.mkdir(parents=True, exist_ok=True)
    ending = "" if language == "sv" else f"_{language}"
    name = f"lagesbild_{facts.place.area_code}_{period.code}{ending}"
    page = folder / f"{name}.html"
    page.write_text(view.html(), encoding="utf-8")
    for chart in view.charts:
        chart.write(folder / f"{name}_diagram")
    return page


class _View:
    """What the template asks for."""

    def __init__(self, facts: Facts, writer: Writer, settings: Settings) -> None:
        self.facts = facts
        self.writer = writer
        self.settings = settings
        self.charts: list[Chart] = []

    def html(self) -> str:
        facts, writer = self.facts, self.writer
        trend = drawings.trend_chart(facts, writer)
        area_map = drawings.map_chart(facts, writer, self.settings)
        return (
            environment()
            .get_template("report.html.j2")
            .render(
                f=facts,
                w=writer,
                words=writer.words,
                sv=writer.is_swedish,
                language=writer.language,
                publisher=self.settings.publish.publisher,
                contact=self.settings.publish.contact_email,
                theme_chart=self._kept(drawings.theme_chart(facts, writer)),
                pictures=self._pictures(),
                trend=self._kept(trend[0]) if trend else None,
                marks=trend[1] if trend else [],
                map=self._kept(area_map[0]) if area_map else None,
                legend=area_map[1] if area_map else [],
                moments={
                    k: self._kept(c) for k, c in drawings.moment_charts(facts, writer).items()
                },
                stances=self._stances(),
                promises=self._promises(),
                quotes=[(writer.theme(t), told) for t, told in facts.quotes.items()],
                caution=caution(writer),
                coarse="Antalen är avrundade till närmaste fem."
                if writer.is_swedish
                else "The numbers are rounded to the nearest five.",
                corrected=told(facts.errors, writer.language),
                **{f"{name}_lines": lines(writer) for name, lines in LINES.items()},
                source_rows=[list(entry.values()) for entry in facts.provenance["sources"]],
                theme_version=writer.plan.version,
                bias=BIAS_NOTE if writer.is_swedish else BIAS_NOTE_EN,
                inline=lambda chart: Markup(chart.inline),  # noqa: S704 - our own drawing, escaped
            )
        )

    def _kept(self, chart: Chart) -> Chart:
        self.charts.append(chart)
        return chart

    def _pictures(self) -> list[dict[str, Any]]:
        charts = drawings.picture_charts(self.facts, self.writer)
        found = []
        for picture in (*PICTURES, "other"):
            rows = self.facts.pictures.get(picture)
            if rows is None and picture == "other":
                continue
            chart = charts.get(picture)
            found.append(
                {
                    "name": self.writer.words[picture],
                    "is_missing": rows is None,
                    "chart": self._kept(chart) if chart else None,
                    "n_hidden": sum(n is None for _, n in rows or ()),
                }
            )
        return found

    def _stances(self) -> list[list[str]]:
        """A row for each theme that anything good or wished for is said about."""
        rows = []
        for fact in self.facts.themes:
            counts = [self.facts.stances.get((fact.theme, stance), 0) for stance in POSITIVE]
            if any(count != 0 for count in counts):
                told = (self.writer.count(count) for count in counts)
                rows.append([self.writer.theme(fact.theme), *told])
        return rows

    def _promises(self) -> list[dict[str, Any]]:
        found = []
        for number, fact in enumerate(self.facts.promises, 1):
            chart = drawings.promise_chart(fact, self.writer, number)
            found.append(
                {
                    "fact": fact,
                    "themes": ", ".join(self.writer.theme(theme) for theme in fact.themes),
                    "lines": promise_lines(self.writer, fact),
                    "chart": self._kept(chart) if chart else None,
                }
            )
        return found
