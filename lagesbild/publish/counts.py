"""Theme counts as files, for Swedish spreadsheets or for machines, under disclosure control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path

from lagesbild.errors import UsageError
from lagesbild.indicators.estimate import Estimate
from lagesbild.indicators.rates import count_interval, rate
from lagesbild.indicators.shares import share
from lagesbild.places import Places
from lagesbild.publish.correction import Corrector
from lagesbild.publish.denominators import denominator
from lagesbild.publish.disclosure import HIDDEN, Cell
from lagesbild.publish.families import (
    AXES,
    ROOT,
    Published,
    Tables,
    published,
    published_together,
)
from lagesbild.publish.formats import FORMATS
from lagesbild.publish.metadata import BIAS_NOTE, write_metadata
from lagesbild.publish.periods import Period
from lagesbild.publish.promises import Promise, promises_of, windows_of
from lagesbild.publish.releases import released
from lagesbild.publish.table import NOT_APPLICABLE, Column, Table, Value
from lagesbild.records import UNKNOWN_AREA
from lagesbild.settings import Publish, Settings
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

__all__ = ["BIAS_NOTE", "DIMENSIONS", "PROFILES", "Selection", "counts", "export_counts"]

PROFILES = ("excel_sv", "open_data")
PERIODS = ("month", "quarter", "tertial", "year", "week")
# What `--by` may name -> the columns it adds.
DIMENSIONS: Mapping[str, Sequence[str]] = {
    "area": ("area_type", "area_code", "area_name"),
    "theme": ("theme", "theme_sv"),
    "subtheme": ("subtheme", "subtheme_sv"),
    **{period: (period,) for period in PERIODS},
    "source": ("source",),
    "stance": ("stance",),
}
_LENGTHS = {"month": 1, "quarter": 3, "tertial": 4, "year": 12}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which counts: `by` names dimensions in the order of the columns; months are inclusive."""

    by: Sequence[str]
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.by if name not in DIMENSIONS]
        if unknown or not self.by or len(set(self.by)) < len(self.by):
            raise UsageError(
                f"--by kan vara {', '.join(DIMENSIONS)}, varje högst en gång; "
                f"{', '.join(unknown or self.by) or 'inget'} angavs."
            )
        if len(set(self.by) & set(PERIODS)) > 1:
            raise UsageError(
                "--by kan ha en av month, quarter, tertial, year och week, inte flera: olika "
                "perioder kan räknas fram ur varandra."
            )
        if "theme" not in self.by and {"stance", "subtheme"} & set(self.by):
            raise UsageError("--by stance och subtheme hör till ett tema; ta med theme också.")

    @property
    def period(self) -> str | None:
        return next((name for name in self.by if name in PERIODS), None)

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the family, in the family's names."""
        names = ["period" if name in PERIODS else name for name in self.by if name != "subtheme"]
        return tuple(names)

    @property
    def dimension_columns(self) -> list[str]:
        return [column for name in self.by for column in DIMENSIONS[name]]

    def tables(self, publish: Publish, promises: Sequence[Promise] = ()) -> Tables:
        """The family these counts belong to: all the tables that are published together.

        Counts that are not published have a family of their own, to be read in house only.
        """
        together = published_together(publish, windows_of(promises))
        if self._is_in(together):
            return together
        is_weekly = self.period == "week"
        # a week in one area has few reports: only areas asked for are crossed with weeks
        kept = [t for t in together.crossed if not (is_weekly and "area" in t)]
        if self._is_finer(together):
            kept = []
        crossed = dict.fromkeys([*kept, tuple(name for name in AXES if name in self.axes)])
        return Tables(
            tuple(crossed),
            periods="weeks" if is_weekly else "quarters",
            subthemes="subtheme" in self.by,
            windows=() if is_weekly else together.windows,
        )

    def is_published(self, publish: Publish) -> bool:
        """Whether these counts are part of what is published together."""
        return self._is_in(published_together(publish))

    def _is_in(self, together: Tables) -> bool:
        is_same_kind = self.period is None or (self.period == "week") == (
            together.periods == "weeks"
        )
        is_crossed = any(set(self.axes) <= set(table) for table in together.crossed)
        return is_same_kind and is_crossed and ("subtheme" not in self.by or together.subthemes)

    def _is_finer(self, together: Tables) -> bool:
        return "stance" in self.axes or ("subtheme" in self.by and not together.subthemes)


def counts(
    snapshot: Path,
    selection: Selection,
    plan: CodePlan,
    settings: Settings | None = None,
    profile: str = "excel_sv",
) -> Table:
    """The protected counts with their intervals, sorted; combinations without reports left out.

    `profile`: open data holds only what is ready for release, rounded where the settings say so.
    """
    return _Counter(snapshot, selection, plan, settings, is_open=profile == "open_data").table()


class _Counter:
    """Builds one table out of its family."""

    def __init__(
        self,
        snapshot: Path,
        selection: Selection,
        plan: CodePlan,
        settings: Settings | None,
        *,
        is_open: bool,
    ) -> None:
        self.snapshot = snapshot
        self.selection = selection
        self.plan = plan
        self.settings = settings
        self.places = Places(settings.areas, settings.base_dir) if settings else Places()
        self.publish = settings.publish if settings else Publish()
        self.is_open = is_open
        if is_open and selection.period is None:
            raise UsageError(
                "Öppna data behöver en period i --by, till exempel month: summan av allt hittills "
                "växer med enstaka rapporter mellan två utgåvor."
            )
        self.tables = selection.tables(self.publish, promises_of(settings))
        self.family = self._family(self.tables)
        self.names = _area_names(snapshot)
        self._wholes: dict[tuple[tuple[str, str], ...], int | None] = {}
        is_exact = not is_open or self.publish.rounding == "none"
        self.has_share = (
            is_exact
            and "theme" in selection.by
            and (set(selection.by) <= {"area", "theme", *PERIODS})
        )

    def _family(self, tables: Tables) -> Published:
        if self.is_open:
            return released(self.snapshot, tables, self.publish)
        return published(self.snapshot, tables)

    def table(self) -> Table:
        columns = [Column(name) for name in self.selection.dimension_columns]
        columns += [Column(name, "integer") for name in ("n_reports", "is_hidden")]
        measures = ["n_low", "n_high"]
        measures += ["n_corrected", "n_corrected_low", "n_corrected_high"] if self.has_share else []
        measures += ["share_percent", "share_low", "share_high"] if self.has_share else []
        has_rate = "area" in self.selection.by
        measures += ["per_1000", "per_1000_low", "per_1000_high"] if has_rate else []
        columns += [Column(name, "decimal") for name in measures]
        rows = sorted(self._rows(), key=lambda row: row[: len(self.selection.dimension_columns)])
        errors = self._corrector.errors if self.has_share else {}
        return Table(tuple(columns), tuple(rows), self.family, errors)

    def _rows(self) -> Iterator[tuple[Value, ...]]:
        axes = self.family.axes
        chosen = {}
        for cell in self.family.protected.family.counts:
            codes = {axis: code for axis, code in zip(axes, cell, strict=True) if code != ROOT}
            if set(codes) == set(self.selection.axes) and self._is_chosen(codes):
                chosen[cell] = codes
        corrections = self._corrections(chosen) if self.has_share else {}
        for cell, codes in chosen.items():
            yield (*self._labels(codes), *self._measures(cell, codes, corrections.get(cell)))

    def _is_chosen(self, codes: Mapping[str, str]) -> bool:
        if ("subtheme" in self.selection.by) != ("." in codes.get("theme", "")):
            return False
        if self.selection.period is None:
            return True
        return _is_within(codes["period"], self.selection)

    def _labels(self, codes: Mapping[str, str]) -> Iterator[Value]:
        for name in self.selection.by:
            if name == "area":
                area_type, _, code = codes["area"].partition(":")
                yield from (area_type, code, self.names.get((area_type, code), "Okänt"))
            elif name == "theme":
                theme = codes["theme"].partition(".")[0]
                yield from (theme, self.plan.label(theme))
            elif name == "subtheme":
                _, _, subtheme = codes["theme"].partition(".")
                yield from (subtheme, self.plan.label(codes["theme"]) if subtheme else "")
            else:
                yield codes["period" if name in PERIODS else name]

    def _measures(
        self, cell: Cell, codes: Mapping[str, str], corrected: Estimate | None
    ) -> Iterator[Value]:
        shown = self.family.rounded(cell)
        yield from (HIDDEN, 1) if shown is None else (shown, 0)
        if shown is None:
            yield from (HIDDEN, HIDDEN)
        else:
            interval = _interval(shown)
            yield from (interval.low, interval.high)
        if self.has_share:
            yield from _corrected(shown, corrected)
            yield from self._share(shown, codes)
        if "area" in self.selection.by:
            yield from self._rate(shown, codes["area"])

    def _corrections(self, chosen: Mapping[Cell, Mapping[str, str]]) -> dict[Cell, Estimate | None]:
        """All corrected counts of the table: together they are made much faster."""
        asked = []
        for cell, codes in chosen.items():
            has_share = self._whole(codes) is not None
            asked.append((codes["theme"], self.family.rounded(cell) if has_share else None, codes))
        return dict(zip(chosen, self._corrector.corrected_all(asked), strict=True))

    @cached_property
    def _corrector(self) -> Corrector:
        is_weekly = self.tables.periods == "weeks"
        return Corrector(self.snapshot, self.settings, self.plan, weeks=is_weekly)

    def _whole(self, codes: Mapping[str, str]) -> int | None:
        """The denominator in an area and period, the same for every theme."""
        place = tuple((axis, codes[axis]) for axis in ("area", "period") if axis in codes)
        if place not in self._wholes:
            self._wholes[place] = denominator(self.family, codes)
        return self._wholes[place]

    def _share(self, shown: int | None, codes: Mapping[str, str]) -> tuple[Value, Value, Value]:
        whole = self._whole(codes)
        if shown is None or whole is None or codes["theme"] == "drift_underhall":
            return (HIDDEN, HIDDEN, HIDDEN)
        found = share(shown, whole)
        if found is None:
            return (HIDDEN, HIDDEN, HIDDEN)
        percent = found.times(100)
        return (percent.value, percent.low, percent.high)

    def _rate(self, shown: int | None, area: str) -> tuple[Value, Value, Value]:
        area_type, _, code = area.partition(":")
        found = rate(0, self.places.population(area_type, code)).per_1000
        if found is None:
            return (NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE)
        if shown is None:
            return (HIDDEN, HIDDEN, HIDDEN)
        per = rate(shown, self.places.population(area_type, code)).per_1000
        assert per is not None  # noqa: S101  # the same residents as above
        return (per.value, per.low, per.high)


def _corrected(shown: int | None, corrected: Estimate | None) -> tuple[Value, Value, Value]:
    if shown is None:
        return (HIDDEN, HIDDEN, HIDDEN)
    if corrected is None:
        return (NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE)
    return (corrected.value, corrected.low, corrected.high)


@cache
def _interval(count: int) -> Estimate:
    """Quantiles take a while, and the same counts come again and again."""
    return count_interval(count)


def _area_names(snapshot: Path) -> dict[tuple[str, str], str]:
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select area_type, area_code, max(area_name) from area group by all"
        ).fetchall()
    names = {(area_type, code): name for area_type, code, name in rows}
    return names | {(area_type, UNKNOWN_AREA): "Okänt" for area_type, _, _ in rows}


def _is_within(period: str, selection: Selection) -> bool:
    """Whether a period is of the kind asked for, and wholly between the first and last month."""
    if selection.period == "week":
        first = selection.first.strftime("%G-V%V") if selection.first else ""
        last = selection.last.strftime("%G-V%V") if selection.last else "9"
        return first <= period <= last
    months = () if ":" in period else Period(period).months
    if len(months) != _LENGTHS[selection.period or ""]:
        return False
    first = selection.first.strftime("%Y-%m") if selection.first else ""
    last = selection.last.strftime("%Y-%m") if selection.last else "9"
    return first <= months[0] and months[-1] <= last


def export_counts(
    snapshot: Path,
    selection: Selection,
    plan: CodePlan,
    folder: Path,
    *,
    profile: str = "excel_sv",
    style: str = "csv",
    settings: Settings | None = None,
) -> Path:
    """Write the counts and a metadata file beside them; the same snapshot gives the same bytes.

    `settings`: whose boundaries (for a map), population and publisher; none of them without.
    """
    if style not in FORMATS or profile not in PROFILES:
        raise UsageError(f"Formatet {style} eller profilen {profile} finns inte.")
    publish = settings.publish if settings else Publish()
    if not selection.is_published(publish):
        raise UsageError(
            f"--by {','.join(selection.by)} ryms inte i det som publiceras tillsammans (family och "
            "periods under [publish] i lagesbild.toml). Filer som inte är skyddade tillsammans kan "
            "dras ifrån varandra så att små antal syns. Lägg till indelningen i family."
        )
    table = counts(snapshot, selection, plan, settings, profile)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"antal_{'_'.join(selection.by)}_{profile}.{style}"
    target.write_bytes(FORMATS[style](table, profile, settings))
    write_metadata(target, snapshot, table, plan, publish, selection.by, profile)
    return target
