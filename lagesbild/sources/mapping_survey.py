"""Proposes how a survey file is to be read: which questions are open, which are closed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from lagesbild.errors import SourceError
from lagesbild.sources.column_profile import Profile
from lagesbild.sources.mapping_toml import entry, raw_entry, unique_slug
from lagesbild.sources.presets import SURVEY_PRESETS, SurveyPreset
from lagesbild.sources.survey_config import CODED, find_questions

# Columns of which each tool writes at least one of every group.
_SIGNS: Mapping[SurveyPreset, Sequence[Sequence[str]]] = {
    "limesurvey": (("submitdate", "lastpage", "startlanguage", "Last page", "Sista sidan"),),
    "surveymonkey": (("Respondent ID", "respondent_id", "Svarande-ID"),),
    "surveygizmo": (("Date Submitted",), ("Status",), ("Time Started", "Response ID")),
    "microsoft_forms": (("Start time", "Starttid"), SURVEY_PRESETS["microsoft_forms"]["completed"]),
    "typeform": (("Submit Date (UTC)", "Submitted At", "Network ID"),),
    "google_forms": (("Timestamp", "Tidstämpel"),),
}
# What the tools themselves add; never a question.
_META = re.compile(
    r"(?i)(?:id|token|seed|lastpage|startlanguage|startdate|datestamp|submitdate|ipaddr|refurl|"
    r"time started|date submitted|start date|end date|submit date.*|start time|completion time|"
    r"starttid|slutförandetid|sluttid|collector id|respondent id|response id|internal id|status|"
    r"network id|tags?|timestamp|tidstämpel|user agent|language|kolumn \d+|.*time(?:r|stamp)?\d*|"
    r"groupTime.*|interviewtime)"
)


def guess_preset(header: Sequence[str]) -> SurveyPreset | None:
    """The tool that wrote a file with this header, if its columns tell."""
    n_coded = sum(CODED.match(name) is not None for name in header)
    if n_coded > 0.3 * len(header) or any(re.search(r"\w\[SQ\d+\]", name) for name in header):
        return "limesurvey"
    for preset, groups in _SIGNS.items():
        if all(find_questions(group, header) for group in groups):
            return preset
    return None


def is_survey(header: Sequence[str]) -> bool:
    """Whether the columns are questions: asked as such, or too long to be names of fields."""
    asked = sum("?" in name or len(name) > 60 for name in header)
    return guess_preset(header) is not None or asked >= max(3, 0.2 * len(header))


def survey_lines(columns: Sequence[Profile]) -> list[str]:
    """The lines of a survey table below its path. Raises SourceError if there are no questions."""
    header = [column.name for column in columns]
    preset = guess_preset(header)
    names = _question_names(header)
    asked = [c for c in columns if c.values and not _is_meta(names[c.name][0]) and not c.is_contact]
    open_ones = [c for c in asked if c.is_running_text]
    closed = [c for c in asked if not c.is_running_text and (c.is_choice or c.is_number)]
    if not (open_ones or closed):
        raise SourceError("Hittar inga frågor med svar i filen; är det verkligen en enkätexport?")
    lines = [f'preset = "{preset}"'] if preset else []
    lines += _time_lines(columns, preset, header)
    contacts = [column.name for column in columns if column.is_contact]
    if contacts:
        lines.append(f"# sparas inte (kan visa vem som svarat): {', '.join(contacts)}")
    lines += ["", "[{table}.open_questions]  # behåll bara frågor med svar i egna ord"]
    lines += [entry(*names[c.name], _doubt(c)) for c in open_ones]
    unsure = [c for c in asked if c not in open_ones and c not in closed]
    lines += ["# " + entry(*names[c.name], "osäker: öppen eller sluten fråga?") for c in unsure]
    taken: set[str] = set()
    lines += ["", "[{table}.closed_items]  # kolumn = nyckel som är densamma i alla mätningar"]
    for column in closed:
        code, question = names[column.name]
        item = unique_slug(question, taken)
        lines.append(entry(code, item, f"{column.n_distinct} olika svar"))
    return lines


def _question_names(header: Sequence[str]) -> dict[str, tuple[str, str]]:
    """header -> (what to call the column, its question)."""
    codes = {name: match for name in header if (match := CODED.match(name))}
    n_columns = Counter(match[1].casefold() for match in codes.values())
    names: dict[str, tuple[str, str]] = {}
    for name in header:
        match = codes.get(name)
        if match and n_columns[match[1].casefold()] == 1:
            names[name] = (match[1], name[match.end() :].strip() or match[1])
        else:
            names[name] = (name, name)
    return names


def _is_meta(code: str) -> bool:
    return _META.fullmatch(code) is not None


def _doubt(column: Profile) -> str:
    return "osäker: få svar" if len(column.values) < 5 else ""


def _time_lines(
    columns: Sequence[Profile], preset: SurveyPreset | None, header: Sequence[str]
) -> list[str]:
    known = SURVEY_PRESETS[preset].get("submitted_at", ()) if preset else ()
    found = find_questions(known, header)
    by_name = {column.name: column for column in columns}
    times = [by_name[name] for name in found.values()] or [c for c in columns if _is_answer_time(c)]
    lines: list[str] = []
    year = times[0].year if times else None
    if not times:
        lines.append("# date = 2025-01-31  # saknas: filen har ingen svarstid; ange mätningens dag")
    else:
        if not found:
            lines.append(entry("submitted_at", times[0].name, "osäker: enda kolumnen med tid"))
        lines += day_first_lines(times[0])
    doubt = "osäker: ge mätningen det namn den ska jämföras under"
    return [*lines, entry("wave", year or "okand", doubt)]


def _is_answer_time(column: Profile) -> bool:
    filled = len(column.values) >= 0.9 * min(column.n_rows, 2000)
    named = re.search(r"(?i)dat[eu]|tid\b|time|submit|skicka", column.name[:40]) is not None
    return column.is_time and filled and named


def day_first_lines(column: Profile) -> list[str]:
    """`day_first`, where the column's dates need it."""
    if not column.needs_day_first:
        return []
    if column.day_first is None:
        return [
            "# day_first = true  # osäker: 03/04/2026 kan läsas på två sätt; välj true eller false"
        ]
    return [raw_entry("day_first", str(column.day_first).lower())]
