"""Counts: the planner's view, downloads, and what the work did."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from lagesbild.review.charts import bars
from lagesbild.review.pages_reports import Reader
from lagesbild.review.people import Session
from lagesbild.review.planner import OFFERED
from lagesbild.review.progress import measured_now, progress
from lagesbild.review.security import need
from lagesbild.review.site import language, render, site
from lagesbild.review.texts import translate

router = APIRouter()
Counter = Annotated[Session, Depends(need("counts"))]
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("/planera")
def show_counts(
    request: Request,
    found: Counter,
    tema: Annotated[str, Query(max_length=40)] = "",
    omrade: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    here = site(request)
    snapshot = here.planner.ready(here.reports.snapshot())
    areas = here.planner.areas(snapshot)
    theme = tema if tema in here.plan.decided else here.plan.decided[0]
    area = omrade if omrade in {key for key, _, _ in areas} else ""
    every = here.planner.series(snapshot, area)
    chosen = next(series for series in every if series.theme == theme)
    spoken = language(request)
    title = f"{here.plan.label(theme, spoken)}: {translate('rapporter per månad', spoken)}"
    return render(
        request,
        "planner.html",
        found,
        theme=theme,
        area=area,
        areas=areas,
        series=chosen,
        chart=bars(
            chosen.months,
            [count.n if count else None for count in chosen.counts],
            title,
            [(count.low, count.high) if count and count.n else None for count in chosen.counts],
        ),
        chart_title=title,
        every=every,
        offered=OFFERED,
        measured=measured_now(here.reports, here.store.decisions, here.plan),
    )


@router.get("/planera/hamta")
def download(
    request: Request,
    found: Counter,
    by: Annotated[str, Query(max_length=40)] = "area,theme,month",
    style: Literal["csv", "xlsx"] = "csv",
    profile: Literal["excel_sv", "open_data"] = "excel_sv",
) -> Response:
    here = site(request)
    if by not in OFFERED:
        raise HTTPException(404)
    snapshot = here.planner.ready(here.reports.snapshot())
    name, data = here.planner.download(snapshot, OFFERED[by], style, profile)
    here.people.log(found.person.name, "export", detail=name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=_TYPES[style], headers=headers)


@router.get("/resultat")
def show_progress(request: Request, found: Reader) -> Response:
    here = site(request)
    told = progress(here.reports, here.store.decisions, here.plan, found.person.name, here.clock())
    spoken = language(request)
    chart = bars(
        [day.day[5:] for day in told.days],
        [day.n_left for day in told.days],
        translate("Rapporter kvar att granska, per dag", spoken),
    )
    return render(request, "progress.html", found, told=told, chart=chart)
