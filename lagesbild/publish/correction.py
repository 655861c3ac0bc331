"""Counts corrected for the classifier's errors, where it is known how it errs.

A corrected count follows from the count that is shown, from the classifier's errors, and from the
number of texts rounded to two digits. It is made only where a share is shown as well, so it tells
nothing about a count that is hidden.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from lagesbild.indicators.corrected import Validation, corrected_counts
from lagesbild.indicators.estimate import Estimate
from lagesbild.night import Store
from lagesbild.publish.families import ROOT
from lagesbild.publish.periods import Period
from lagesbild.resources import data_path
from lagesbild.settings import Settings
from lagesbild.store.decisions import Reading
from lagesbild.store.warehouse import connect
from lagesbild.themes import CodePlan

FEWEST_WITH, FEWEST_WITHOUT = 20, 100  # texts that an error rate must rest on
_ONE_MODEL = 0.9  # share of the texts that one version of the classifier must have read


@dataclass(frozen=True, slots=True)
class KnownErrors:
    """How the classifier does on one theme.

    `origin`: people's blind readings of this very store's texts, or the figures that came with the
    model, from texts it had not learnt from. `n_texts`: how many.
    """

    validation: Validation
    origin: Literal["blind", "held_out"]
    n_texts: int

    @property
    def is_enough(self) -> bool:
        v = self.validation
        return (
            v.true_positive + v.false_negative >= FEWEST_WITH
            and v.false_positive + v.true_negative >= FEWEST_WITHOUT
        )


def known_errors(
    snapshot: Path, settings: Settings | None, plan: CodePlan
) -> Mapping[str, KnownErrors]:
    """For each theme the blind sample where it is large enough, else the model's own figures.

    Empty where several models have read the texts, or one that nothing is known about.
    """
    version = _version(snapshot)
    if version is None:
        return {}
    found = _held_out(_model_folder(settings), version)
    if settings is not None:
        found = {**found, **_blind(_readings(snapshot, settings, version), plan)}
    return {theme: found[theme] for theme in plan.decided if theme in found}


def _version(snapshot: Path) -> str | None:
    """The classifier that has read nearly all texts."""
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select classifier_version, count(*) as n from classified_text where is_current "
            "group by 1 order by n desc, 1"
        ).fetchall()
    total = sum(n for _, n in rows)
    return str(rows[0][0]) if rows and rows[0][1] >= _ONE_MODEL * total else None


# --- the figures that came with the model ---------------------------------------------------------


def _model_folder(settings: Settings | None) -> Path:
    own = Store(settings).model_folder(settings) if settings else None
    return own or data_path("model")


def _held_out(folder: Path, version: str) -> dict[str, KnownErrors]:
    """From the card beside the model, if it is the model that read the texts.

    A version names the first digits of its model file's SHA-256.
    """
    card = folder / "card.json"
    if not card.exists() or not any(made in version for made in model_digests(folder)):
        return {}
    figures: Mapping[str, Mapping[str, int]] = json.loads(card.read_text("utf-8")).get(
        "held_out", {}
    )
    found = {
        theme: KnownErrors(
            Validation(n["tp"], n["fp"], n["fn"], n["tn"]), "held_out", sum(n.values())
        )
        for theme, n in figures.items()
    }
    return {theme: known for theme, known in found.items() if known.is_enough}


def model_digests(folder: Path) -> list[str]:
    """The first digits of each model file's SHA-256, one of which is in the model's version."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix != ".json"]
    return [_digest(path, path.stat().st_mtime_ns) for path in files]


@lru_cache(maxsize=16)
def _digest(path: Path, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


# --- the blind sample -----------------------------------------------------------------------------


def _readings(snapshot: Path, settings: Settings, version: str) -> list[Reading]:
    """Blind readings that the snapshot knows, of texts this very classifier had read before.

    A later model may have learnt from them.
    """
    decisions = Store(settings).decisions
    if not decisions.path.exists():
        return []
    with connect(snapshot, read_only=True) as db:
        row = db.execute("select max(decided_at) from review").fetchone()
    if row is None or row[0] is None:
        return []
    return [
        reading
        for reading in decisions.readings("blind")
        if reading.outcome == "decided"
        and reading.classifier_version == version
        and datetime.fromisoformat(reading.read_at) <= row[0]
    ]


def _blind(readings: Sequence[Reading], plan: CodePlan) -> dict[str, KnownErrors]:
    """Weights undo that some texts are drawn more often than others."""
    found = {}
    for theme in plan.decided:
        seen = [(r.weight or 1.0, theme in r.themes, theme in r.machine) for r in readings]
        with_it = [(weight, given) for weight, has, given in seen if has]
        without = [(weight, not given) for weight, has, given in seen if not has]
        validation = Validation.of(*_weighted(with_it), *_weighted(without))
        known = KnownErrors(validation, "blind", len(seen))
        if known.is_enough:
            found[theme] = known
    return found


def _weighted(seen: Iterable[tuple[float, bool]]) -> tuple[float, int]:
    """The weighted share that is right, and how many even draws it is worth."""
    weights = [(weight, is_right) for weight, is_right in seen]
    total = sum(weight for weight, _ in weights)
    if not total:
        return 0.0, 0
    n = round(total**2 / sum(weight**2 for weight, _ in weights))
    return sum(weight for weight, is_right in weights if is_right) / total, n


# --- the corrected count --------------------------------------------------------------------------


class Corrector:
    """Corrected counts of one snapshot, by area and period."""

    def __init__(
        self, snapshot: Path, settings: Settings | None, plan: CodePlan, *, weeks: bool = False
    ) -> None:
        self.errors = known_errors(snapshot, settings, plan)
        self._texts = _texts(snapshot, "week" if weeks else "month") if self.errors else {}
        self._sums: dict[tuple[str, str], int] = {}

    def corrected(
        self, theme: str, shown: int | None, codes: Mapping[str, str], *, has_share: bool
    ) -> Estimate | None:
        """How many reports really are about `theme`; None where that is not known or not shown.

        `shown`: the count as published, None where hidden. `has_share`: whether the number of
        reports in the same area and period may be used as a denominator.
        """
        return self.corrected_all([(theme, shown if has_share else None, codes)])[0]

    def corrected_all(
        self, asked: Sequence[tuple[str, int | None, Mapping[str, str]]]
    ) -> list[Estimate | None]:
        """The same for many at once, (theme, shown, codes), in the order asked.

        `shown` is None where the count is hidden, and where it has no denominator.
        """
        cells: dict[str, dict[int, tuple[int, int]]] = {}
        for number, (theme, shown, codes) in enumerate(asked):
            if shown is not None and theme in self.errors:
                n_texts = max(shown, two_digits(self._whole(codes)))
                cells.setdefault(theme, {})[number] = (shown, n_texts)
        found: list[Estimate | None] = [None] * len(asked)
        for theme, of_theme in cells.items():
            estimates = _corrected(tuple(of_theme.values()), self.errors[theme].validation)
            for number, estimate in zip(of_theme, estimates, strict=True):
                found[number] = estimate
        return found

    def _whole(self, codes: Mapping[str, str]) -> int:
        """All texts that the classifier has read, whatever it found."""
        place = (codes.get("area", ROOT), codes.get("period", ROOT))
        if place not in self._sums:
            area, period = place
            by_period = self._texts.get(area, {})
            if period == ROOT:
                self._sums[place] = sum(by_period.values())
            else:
                parts = (period,) if period in by_period else _months(period)
                self._sums[place] = sum(by_period.get(part, 0) for part in parts)
        return self._sums[place]


@lru_cache(maxsize=64)
def _corrected(
    cells: tuple[tuple[int, int], ...], validation: Validation
) -> Sequence[Estimate | None]:
    """Every format of an export asks for the same ones."""
    return corrected_counts(cells, validation)


def _months(period: str) -> tuple[str, ...]:
    return () if "V" in period or ":" in period else Period(period).months


def two_digits(count: int) -> int:
    """Rounded to two digits, and to tens below 100: too coarse to tell of single reports."""
    step = max(10, int(10 ** (len(str(count)) - 2)))
    return (2 * count + step) // (2 * step) * step


def _texts(snapshot: Path, kind: str) -> dict[str, dict[str, int]]:
    """area -> month or week -> texts."""
    with connect(snapshot, read_only=True) as db:
        rows = db.execute(
            "select area_type || ':' || area_code, period, sum(n_reports)::bigint "
            "from report_count where period_type = ? group by all",
            [kind],
        ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for area, period, n in rows:
        found.setdefault(ROOT if area == f"{ROOT}:{ROOT}" else area, {})[period] = n
    return found


# --- how it is told -------------------------------------------------------------------------------

_WORDS: Mapping[str, Mapping[str, str]] = {
    "sv": {
        "unknown": "Korrigerade antal kan inte räknas: det är inte känt hur ofta klassningen har "
        "fel på de här texterna. De räknas när personal har läst tillräckligt många rapporter i "
        "det blinda provet.",
        "method": "Korrigerat antal skattar hur många rapporter som verkligen handlar om temat när "
        "klassningens kända fel räknas bort, med 95 % intervall (Rogan och Gladen 1978). Det "
        "räknas som om alla teman vore maskinellt satta, och bara där andelen också visas.",
        "blind": "{themes} av temana rättas efter {n} rapporter härifrån som personal har läst "
        "blint.",
        "held_out": "{themes} av temana rättas efter modellens egna kontrolltexter, {n} texter som "
        "den inte har lärt av. De är påhittade och svårare än vanliga rapporter: ta sådana "
        "korrigerade antal som en fingervisning.",
    },
    "en": {
        "unknown": "Corrected counts cannot be made: how often the classifier errs on these texts "
        "is not known. They are made once staff have read enough reports of the blind sample.",
        "method": "A corrected count estimates how many reports really are about the theme once "
        "the classifier's known errors are taken away, with a 95% interval (Rogan and Gladen "
        "1978). It takes every theme as set by machine, and is made only where the share is shown "
        "too.",
        "blind": "{themes} of the themes are corrected by {n} reports from here that staff have "
        "read blind.",
        "held_out": "{themes} of the themes are corrected by the model's own test texts, {n} that "
        "it has not learnt from. They are invented and harder than ordinary reports: take such "
        "corrected counts as a hint.",
    },
}


def told(errors: Mapping[str, KnownErrors], language: str = "sv") -> str:
    """What the corrected counts are and rest on, and what speaks against trusting them."""
    words = _WORDS[language]
    if not errors:
        return words["unknown"]
    lines = [words["method"]]
    for origin in ("blind", "held_out"):
        sizes = [known.n_texts for known in errors.values() if known.origin == origin]
        if sizes:
            lines.append(words[origin].format(themes=len(sizes), n=max(sizes)))
    return " ".join(lines)
