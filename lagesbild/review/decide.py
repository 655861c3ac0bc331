"""From a form to a reading: what the person chose, checked against the code plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lagesbild.errors import UsageError
from lagesbild.privacy import KINDS
from lagesbild.records import STANCES
from lagesbild.review.reports import Report
from lagesbild.store.decisions import Choice, Mode, Outcome, Reading
from lagesbild.store.hiding import Mark, joined, places_of, sha256, shape
from lagesbild.themes import CodePlan

_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LONGEST_NOTE = 2000


OTHER_KIND = "annat"
KINDS_OF_DATA = (*KINDS, OTHER_KIND)


@dataclass(frozen=True, slots=True)
class Hiding:
    """What the form of personal data says: words, one a line; none means the whole text."""

    client_id: str
    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a form says. `stance` and `subtheme` have one "theme:value" for each theme shown."""

    client_id: str
    themes: Sequence[str]
    stance: Sequence[str]
    subtheme: Sequence[str]
    outcome: Outcome
    note: str = ""


def choices(answer: Answer, plan: CodePlan) -> dict[str, Choice]:
    """The chosen themes. Raises UsageError with a sentence for what the plan does not allow."""
    stances, subthemes = _pairs(answer.stance), _pairs(answer.subtheme)
    chosen = {}
    for theme in dict.fromkeys(answer.themes):
        stance = stances.get(theme, "problem")
        subtheme = subthemes.get(theme) or None
        if theme not in plan.decided or not plan.has(theme, subtheme) or stance not in STANCES:
            raise UsageError("Temat, deltemat eller hållningen finns inte i kodplanen.")
        chosen[theme] = Choice(subtheme, stance)
    if len(chosen) > plan.max_themes_per_text:
        raise UsageError(f"Välj högst {plan.max_themes_per_text} teman.")
    return chosen


def _pairs(values: Sequence[str]) -> Mapping[str, str]:
    return {theme: value for theme, _, value in (text.partition(":") for text in values)}


def reading(report: Report, answer: Answer, reviewer: str, mode: Mode, plan: CodePlan) -> Reading:
    """What is stored of an answer."""
    is_decided = answer.outcome == "decided"
    return Reading(
        reading_id=checked_id(answer.client_id),
        submission_id=report.submission_id,
        text_sha256=report.text_sha256,
        classifier_version=report.classifier_version,
        reviewer=reviewer,
        mode=mode,
        outcome=answer.outcome,
        themes=choices(answer, plan) if is_decided else {},
        machine=report.machine,
        weight=report.weight if mode in ("blind", "second") else None,
        note=answer.note.strip()[:LONGEST_NOTE],
    )


def agreeing(report: Report, reading_id: str, batch_id: str, reviewer: str) -> Reading:
    """A bulk reading: the machine is right about this report."""
    return Reading(
        reading_id=reading_id,
        submission_id=report.submission_id,
        text_sha256=report.text_sha256,
        classifier_version=report.classifier_version,
        reviewer=reviewer,
        mode="bulk",
        themes={m.theme: Choice(m.subtheme, m.stance) for m in report.mentions},
        machine=report.machine,
        batch_id=batch_id,
    )


def without(report: Report, theme: str, reading_id: str, batch_id: str, reviewer: str) -> Reading:
    """A bulk reading: right, but for this one theme."""
    agreed = agreeing(report, reading_id, batch_id, reviewer)
    themes = {key: choice for key, choice in agreed.themes.items() if key != theme}
    return Reading(
        **{name: getattr(agreed, name) for name in Reading.__slots__ if name != "themes"},
        themes=themes,
    )


def checked_id(client_id: str) -> str:
    if not _ID.fullmatch(client_id):
        raise UsageError("Formuläret saknar sitt id; ladda om sidan och försök igen.")
    return client_id


# --- personal data that the redactor missed -------------------------------------------------------


def spans_of(text: str, words: str) -> list[tuple[int, int]]:
    """Where the words stand in the text, however they are written; all of it where none are given.

    Several, one on each line. Words that are not there hide nothing: UsageError, so that nobody
    believes something hidden that is not.
    """
    wanted = [line.strip() for line in words.splitlines() if line.strip()]
    if not wanted:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    for word in wanted:
        spans = places_of(text, word)
        if not spans:
            raise UsageError("Orden finns inte i texten; markera dem i texten eller dölj allt.")
        found += spans
    return joined(found)


def mark(report: Report, text: str, form: Hiding, reviewer: str) -> Mark:
    """What is stored of words to hide; `text`: as the newest snapshot has it."""
    spans = spans_of(text, form.words)
    return Mark(
        checked_id(form.client_id),
        report.submission_id,
        sha256(text),
        tuple(spans),
        tuple(shape(text[start:end]) for start, end in spans),
        form.kind if form.kind in KINDS_OF_DATA else OTHER_KIND,
        reviewer,
        "",
    )
