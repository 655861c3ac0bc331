"""Charts as SVG and PNG, drawn offline by Vega-Lite. What is hidden is a gap and a sign, never 0.

Nothing is told by colour alone: bars have numbers, lines have a panel each, cells hold their count.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from lagesbild.publish.disclosure import HIDDEN

WIDTH = 430  # of the plot; narrow enough to be read on a phone
_LONGEST = 30  # letters of a label on one line
_NARROW = 150  # where more than a few numbers below the axis would touch
BLUE, ORANGE, GREY, LIGHT, PALE = "#1b4f72", "#b9540b", "#595959", "#d5d8dc", "#8fb3cf"
_FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
_CONFIG = {
    "aria": False,  # the page names the picture and gives a table instead
    "background": "white",
    "font": _FONT,
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 300, "titleFontWeight": 400},
    "header": {"labelFontSize": 13, "labelFontWeight": "bold", "titleFontSize": 13},
    "view": {"stroke": None},
    "text": {"fontSize": 12},
}

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with what a reader who can't see it needs: `alt` and the numbers in a table."""

    name: str
    svg: str
    alt: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def inline(self) -> str:
        """The SVG for a page: with a name for screen readers, and ids no other drawing uses."""
        svg = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", self.svg)  # one name for the whole
        svg = re.sub(r'\bid="([^"]+)"', rf'id="{self.name}-\1"', svg)
        svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{self.name}-\1)", svg)
        svg = re.sub(r'href="#([^"]+)"', rf'href="#{self.name}-\1"', svg)
        label = f'role="img" aria-label="{escape(self.alt, quote=True)}"'
        return re.sub(r"<svg ", f"<svg {label} ", svg, count=1)

    def write(self, folder: Path) -> None:
        """`<name>.svg` and `<name>.png`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.svg").write_text(self.svg, encoding="utf-8")
        (folder / f"{self.name}.png").write_bytes(vl_convert.svg_to_png(self.svg, scale=2))


def draw(chart: Any) -> str:
    """The SVG of an Altair chart. Nothing is fetched: the data are in the drawing."""
    spec = chart.to_dict()
    spec["config"] = _CONFIG
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def _data(rows: Sequence[Mapping[str, Any]]) -> alt.Data:
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def bars(
    rows: Sequence[tuple[str, int | None, float | None, float | None]], title: str, *, width: int
) -> str:
    """Horizontal bars, (label, count, low, high), with whiskers where an interval is given."""
    values = [
        {
            "label": "\n".join(textwrap.wrap(label, _LONGEST)),
            "count": count,
            "text": HIDDEN if count is None else str(count),
            "low": low,
            "high": high,
            "end": max(count or 0, high or 0),
        }
        for label, count, low, high in rows
    ]
    lines = alt.Axis(
        domain=False, ticks=False, labelPadding=6, labelExpr="split(datum.label, '\\n')"
    )
    y = alt.Y("label:N", sort=[str(row["label"]) for row in values], title=None, axis=lines)
    base = alt.Chart(_data(values))
    ticks = 5 if width > _NARROW else 2
    axis = alt.Axis(grid=False, tickMinStep=1, tickCount=ticks)
    layers = [
        base.transform_filter("datum.count !== null")
        .mark_bar(color=PALE, stroke=BLUE, height={"band": 0.62})
        .encode(x=alt.X("count:Q", title=title, axis=axis), y=y)
    ]
    if any(low is not None for _, _, low, _ in rows):
        known = base.transform_filter("datum.low !== null")
        layers.append(
            known.mark_rule(color="black", strokeWidth=1.5).encode(x="low:Q", x2="high:Q", y=y)
        )
    layers.append(base.mark_text(align="left", dx=6).encode(x="end:Q", y=y, text="text:N"))
    return draw(alt.layer(*layers).properties(width=width, height=alt.Step(32)))


def trends(
    months: Sequence[str],
    series: Mapping[str, Sequence[int | None]],
    marks: Mapping[str, str],
    is_complete: Sequence[bool],
    words: Mapping[str, str],
) -> str:
    """A panel for each theme. Hidden months are a cross at the foot, marks a dashed line.

    `is_complete`: months that are not over, or whose reports have not all come, lie on grey.
    """
    panels = []
    late = [month for month, whole in zip(months, is_complete, strict=True) if not whole]
    for label, counts in series.items():
        rows = [
            {
                "month": f"{month}-01",
                "count": count,
                "foot": 0,
                "state": "hidden" if count is None else "open" if not whole else "shown",
            }
            for month, count, whole in zip(months, counts, is_complete, strict=True)
        ]
        panels.append(_panel(label, rows, marks, late, words))
    return draw(alt.vconcat(*panels, spacing=14).resolve_scale(x="shared"))


def _panel(
    label: str,
    rows: Sequence[Mapping[str, Any]],
    marks: Mapping[str, str],
    late: Sequence[str],
    words: Mapping[str, str],
) -> Any:
    axis = alt.Axis(format="%Y-%m", labelAngle=0, tickCount=6, grid=False, labelOverlap=True)
    x = alt.X("month:T", title=None, axis=axis)
    top = max([1, *(row["count"] for row in rows if row["count"] is not None)])
    y = alt.Y(
        "count:Q",
        title=words["count"],
        axis=alt.Axis(tickMinStep=1, tickCount=4),
        scale=alt.Scale(domain=[0, top * 1.1]),  # so that the highest point is whole
    )
    base = alt.Chart(_data(rows))
    layers = [_grey(late)] if late else []
    layers += [
        base.mark_line(color=BLUE, invalid="break-paths-show-domains").encode(x=x, y=y),
        base.transform_filter("datum.state == 'shown'")
        .mark_point(filled=True, color=BLUE, size=40, opacity=1)
        .encode(x=x, y=y),
        base.transform_filter("datum.state == 'open'")
        .mark_point(filled=True, fill="white", stroke=GREY, size=50, opacity=1)
        .encode(x=x, y=y),
        base.transform_filter("datum.state == 'hidden'")
        .mark_text(color=GREY, baseline="bottom", dy=1)
        .encode(x=x, y="foot:Q", text=alt.value("×")),
    ]
    if marks:
        noted = [{"month": f"{month}-01", "sign": sign} for month, sign in sorted(marks.items())]
        rule = alt.Chart(_data(noted))
        layers.append(rule.mark_rule(color=ORANGE, strokeDash=[4, 3]).encode(x="month:T"))
        layers.append(
            rule.mark_text(
                color=ORANGE, baseline="top", align="left", dx=3, fontWeight="bold"
            ).encode(x="month:T", y=alt.value(0), text="sign:N")
        )
    return alt.layer(*layers).properties(
        width=WIDTH, height=110, title=alt.Title(label, anchor="start", fontSize=13)
    )


def _grey(late: Sequence[str]) -> Any:
    """A band behind the months that will still grow, half a month to each side."""
    half = timedelta(days=15)
    ends = [date.fromisoformat(f"{month}-01") for month in (late[0], late[-1])]
    rows = [{"from": str(ends[0] - half), "to": str(ends[1] + half)}]
    band = alt.Chart(_data(rows)).mark_rect(color=LIGHT, opacity=0.6)
    return band.encode(x="from:T", x2="to:T")


def heat(
    cells: Sequence[Sequence[int | None]],
    days: Sequence[str],
    bands: Sequence[str],
    words: Mapping[str, str],
) -> str:
    """Weekday by time of day; every cell holds its number."""
    rows = [
        {
            "day": days[d],
            "band": bands[b],
            "count": count,
            "text": HIDDEN if count is None else str(count),
        }
        for d, row in enumerate(cells)
        for b, count in enumerate(row)
    ]
    top = max([count for row in cells for count in row if count], default=1)
    x = alt.X("band:N", sort=None, title=words["time"], axis=alt.Axis(labelAngle=0, orient="top"))
    y = alt.Y("day:N", sort=None, title=None)
    base = alt.Chart(_data(rows))
    colour = alt.Color(
        "count:Q",
        scale=alt.Scale(domain=[0, top], range=["#f4f6f7", BLUE]),
        legend=None,
    )
    squares = base.mark_rect(stroke="white", strokeWidth=2, invalid=None).encode(
        x=x,
        y=y,
        color=alt.condition("datum.count === null", alt.value("#ffffff"), colour),
    )
    many = "black" if top < 1 else "white"
    text = base.mark_text().encode(
        x=x,
        y=y,
        text="text:N",
        color=alt.condition(f"datum.count > {top * 0.72}", alt.value(many), alt.value("#1c1c1c")),
    )
    size = max(22, min(56, WIDTH // len(bands)))
    return draw((squares + text).properties(width=size * len(bands), height=30 * len(days)))


def pairs(rows: Sequence[tuple[str, int, int]], names: tuple[str, str], title: str) -> str:
    """Before and after for each place: two bars with numbers, one dark and one outlined."""
    values = [
        {"label": label, "when": name, "count": count}
        for label, before, after in rows
        for name, count in zip(names, (before, after), strict=True)
    ]
    base = alt.Chart(_data(values)).encode(
        x=alt.X("count:Q", title=title, axis=alt.Axis(grid=False, tickMinStep=1, tickCount=5)),
        y=alt.Y("when:N", sort=None, title=None),
    )
    bar = base.mark_bar(stroke=BLUE, strokeWidth=1.5, height={"band": 0.7}).encode(
        color=alt.Color(
            "when:N", scale=alt.Scale(domain=list(names), range=[LIGHT, BLUE]), legend=None
        )
    )
    text = base.mark_text(align="left", dx=5).encode(text="count:Q")
    return draw(
        (bar + text)
        .properties(width=WIDTH - 90, height=alt.Step(26))
        .facet(
            row=alt.Row(
                "label:N",
                sort=None,
                title=None,
                header=alt.Header(
                    labelAngle=0, labelAlign="left", labelOrient="top", labelAnchor="start"
                ),
            )
        )
    )
