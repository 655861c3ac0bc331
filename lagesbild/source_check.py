"""`source check`: one polite pull without storing, to see what a source would give."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lagesbild.records import REASONS_SV, ParsedSubmission, Rejection, SurveyAnswer
from lagesbild.settings import Settings, hash_key
from lagesbild.sources import PullContext, client_for

MAX_PAGES = 1


@dataclass
class SourceReport:
    """Counts only; what residents wrote is never shown."""

    source: str
    n_records: int = 0
    n_remarks: int = 0
    n_answers: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None


def check_source(settings: Settings, name: str) -> SourceReport:
    """Pull the first page of a source and parse it. Raises LagesbildError when it fails."""
    config = settings.source_config(name)
    source = settings.make_source(name)
    report = SourceReport(name)
    with client_for(source, config, settings.user_agent) as client:
        context = PullContext(client, {}, datetime.now(UTC), settings.base_dir, hash_key())
        pages = source.fetch(context)
        for _, page in zip(range(MAX_PAGES), pages, strict=False):
            report.n_records += len(page.records) + len(page.refused)
            report.notes += page.notes
            report.refused.update(rejection.reason for _, rejection in page.refused)
            for raw in page.records:
                for parsed in source.parse(raw):
                    _add(report, parsed)
    return report


def _add(report: SourceReport, parsed: ParsedSubmission | SurveyAnswer | Rejection) -> None:
    if isinstance(parsed, Rejection):
        report.refused[parsed.reason] += 1
    elif isinstance(parsed, SurveyAnswer):
        report.n_answers += 1
    else:
        report.n_remarks += 1
        times = [t for t in (report.first_at, report.last_at, parsed.reported_at) if t]
        report.first_at, report.last_at = min(times), max(times)


def check_text(report: SourceReport) -> str:
    """The report in Swedish, a line for each fact."""
    lines = [
        f"{report.source}: {report.n_records} poster på första sidan gav "
        f"{report.n_remarks} synpunkter och {report.n_answers} enkätsvar."
    ]
    if report.first_at and report.last_at:
        lines.append(f"Från {report.first_at:%Y-%m-%d} till {report.last_at:%Y-%m-%d}.")
    lines += [
        f"Avvisade, {REASONS_SV.get(reason, reason)}: {n}"
        for reason, n in report.refused.most_common()
    ]
    return "\n".join([*lines, *report.notes])
