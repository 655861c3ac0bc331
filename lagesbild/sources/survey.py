"""Survey answers: files from the usual tools, or LimeSurvey live; columns mapped by the user.

    [sources.trygghet]
    kind = "survey"
    preset = "limesurvey"
    path = "in/enkat/*.csv"          # or url, survey_id, user_env, password_env
    wave = "2025"
    open_questions = {Q5 = "Vad gör dig otrygg?"}
    closed_items = {"Q1[SQ001]" = "trygg_ute_sen_kvall"}
    areas = {stadsdel = "Q2"}

One respondent is one raw record; each open answer becomes a submission with its question, each
closed item an answer by its key. Who answered is a keyed hash from the start, and an answer never
sent in leaves nothing of its content. Without `respondent`, a record is known by its content.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from lagesbild.errors import SourceError, UsageError
from lagesbild.records import (
    Page,
    Parsed,
    ParsedSubmission,
    RawSubmission,
    Reason,
    Rejection,
    SurveyAnswer,
    canonical_json,
    digest,
)
from lagesbild.sources.base import PullContext, SourceConfig
from lagesbild.sources.folder import (
    changed_files,
    fresh_state,
    known_columns,
    new_column_notes,
)
from lagesbild.sources.limesurvey import export_answers
from lagesbild.sources.survey_config import SurveyColumns, SurveyConfig, resolve
from lagesbild.sources.tablefile import Row, Table, read_table
from lagesbild.sources.values import has_words, is_test_text, keyed_hash, read_time, repair

ROWS_PER_PAGE = 1000
RESPONDENT = "_respondent_hash"  # keys of the payload that are no columns of the file
INCOMPLETE = "_incomplete"
# What LimeSurvey writes as the time of answers to a survey that keeps none.
NO_DATE = dt.date(1980, 1, 1)
NOT_SHOWN = frozenset({"N/A"})


class SurveySource:
    """Respondents as raw records, and those as open and closed answers."""

    Config: ClassVar[type[SourceConfig]] = SurveyConfig

    def __init__(self, name: str, config: SurveyConfig) -> None:
        self.name = name
        self.config = config
        self.drift_fields = (*config.closed_items, *config.areas.values())
        self._zone = ZoneInfo(config.timezone)

    # --- fetch ------------------------------------------------------------------------------------

    def fetch(self, context: PullContext) -> Iterator[Page]:
        """Pages of changed files, or of everything LimeSurvey has."""
        state = fresh_state(context.state, self.config.model_dump_json())
        if self.config.path is None:
            yield from self._live(state, context)
            return
        faults: list[str] = []
        for file in changed_files(context.base_dir, self.config.path, dict(state["files"])):
            try:
                table = read_table(file.name, file.content, self.config.layout)
                for page in self._pages(file.name, table, state, {file.name: file.seen}, context):
                    state = dict(page.state)
                    yield page
            except SourceError as error:
                faults.append(str(error))
        if faults:
            raise SourceError(" ".join(faults))

    def _live(self, state: Mapping[str, Any], context: PullContext) -> Iterator[Page]:
        config = self.config
        content = export_answers(
            context.client,
            str(config.url),
            config.survey_id or 0,
            (_secret(config.user_env), _secret(config.password_env)),
            language=config.language,
            response_type=config.response_type,
        )
        table = read_table("LimeSurvey", content)
        if table.rows:
            yield from self._pages("LimeSurvey", table, state, {}, context)

    def _pages(
        self,
        where: str,
        table: Table,
        state: Mapping[str, Any],
        file_seen: Mapping[str, Any],
        context: PullContext,
    ) -> Iterator[Page]:
        columns = resolve(self.config, where, table.header)
        notes = new_column_notes(where, columns.dropped(table.header), state)
        known = known_columns(state, table.header)
        seen_ids: Counter[str] = Counter()
        starts = range(0, max(len(table.rows), 1), ROWS_PER_PAGE)
        for start in starts:
            made = [
                self._make_raw(row, where, columns, context, seen_ids)
                for row in table.rows[start : start + ROWS_PER_PAGE]
            ]
            records = [item for item in made if isinstance(item, RawSubmission)]
            refused = [item for item in made if not isinstance(item, RawSubmission)]
            read = file_seen if start == starts[-1] else {}
            next_state = {**state, "files": {**state["files"], **read}, "columns": known}
            yield Page(records, next_state, refused, notes=tuple(notes))
            notes = []

    def _make_raw(
        self,
        row: Row,
        where: str,
        columns: SurveyColumns,
        context: PullContext,
        seen_ids: Counter[str],
    ) -> RawSubmission | tuple[str, Rejection]:
        if row.fault:
            return self._refuse(where, row.number, *row.fault)
        content: dict[str, Any] = {
            key: row.cells.get(header, "") for key, header in columns.kept.items()
        }
        wave = self._wave(content)
        if columns.respondent is None:
            made = digest(*(content[key] for key in sorted(content)))[:32]
            seen_ids[made] += 1
            record_id = made if seen_ids[made] == 1 else f"{made}-{seen_ids[made]}"
            respondent = record_id
        else:
            written = row.cells.get(columns.respondent, "").strip()
            if not written:
                return self._refuse(where, row.number, "missing_id", "respondent saknas")
            respondent = keyed_hash(context.hash_key, self.name, written)
            record_id = digest(wave or "", respondent)[:32]
        if not columns.is_complete(row.cells):
            content = {INCOMPLETE: True}
        payload = canonical_json({**content, RESPONDENT: respondent})
        return RawSubmission(self.name, record_id, payload, context.now)

    def _refuse(
        self, where: str, number: int, reason: Reason, detail: str
    ) -> tuple[str, Rejection]:
        payload = canonical_json({"file": where, "row": number})
        record_id = "rad:" + digest(where, str(number))[:16]
        return payload, Rejection(self.name, record_id, reason, f"{where} rad {number}: {detail}")

    # --- parse ------------------------------------------------------------------------------------

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        """Each open answer, each closed item, or why there are none."""
        try:
            row = {key: str(value) for key, value in json.loads(raw.payload).items()}
        except (ValueError, AttributeError):
            row = {}
        if RESPONDENT not in row:
            return [self._reject(raw, "unreadable", "payload")]
        if INCOMPLETE in row:
            return [self._reject(raw, "incomplete_answer", "")]
        answered_at = self._answered_at(raw, row)
        if isinstance(answered_at, Rejection):
            return [answered_at]
        parsed = [*self._open(raw, row, answered_at), *self._closed(raw, row, answered_at)]
        return parsed or [self._reject(raw, "empty_text", "inga svar på de valda frågorna")]

    def _open(
        self, raw: RawSubmission, row: Mapping[str, str], answered_at: dt.datetime
    ) -> Iterator[Parsed]:
        areas = tuple(
            (area, value)
            for area, key in self.config.areas.items()
            if (value := repair(row.get(key, "")))
        )
        texts = {key: repair(row.get(key, "")) for key in self.config.open_questions}
        texts = {k: text for k, text in texts.items() if has_words(text) and text not in NOT_SHOWN}
        # one "test" among answers may well be an answer
        if texts and all(map(is_test_text, texts.values())):
            yield self._reject(raw, "test_row", ", ".join(texts))
            return
        for key, text in texts.items():
            yield ParsedSubmission(
                source=self.name,
                source_record_id=raw.source_record_id,
                kind="answer",
                text=text,
                reported_at=answered_at,
                part=key,
                question=self.config.open_questions[key],
                areas=areas,
                reporter_hash=row[RESPONDENT],
                wave=self._wave(row),
            )

    def _closed(
        self, raw: RawSubmission, row: Mapping[str, str], answered_at: dt.datetime
    ) -> Iterator[SurveyAnswer]:
        for key, item in {**self.config.closed_items, **self.config.background}.items():
            value = repair(row.get(key, ""))
            if value and value not in NOT_SHOWN:
                yield SurveyAnswer(
                    source=self.name,
                    source_record_id=raw.source_record_id,
                    respondent_hash=row[RESPONDENT],
                    wave=self._wave(row) or "",
                    item=item,
                    value=value,
                    answered_at=answered_at,
                )

    def _wave(self, row: Mapping[str, str]) -> str | None:
        wave = self.config.wave
        if wave is None or isinstance(wave, str):
            return wave
        return repair(row.get(wave.column, "")) or None

    def _answered_at(self, raw: RawSubmission, row: Mapping[str, str]) -> dt.datetime | Rejection:
        written = repair(next((row[k] for k in self.config.time_keys if row.get(k)), ""))
        if written:
            read = read_time(written, self._zone, self.config.day_first)
            if read is None:
                return self._reject(raw, "bad_time", "submitted_at")
            if read.astimezone(self._zone).date() != NO_DATE:
                return read
        day = self.config.date_of(self._wave(row))
        if day is None:
            return self._reject(raw, "missing_time", "submitted_at, och date är inte angivet")
        local = dt.datetime.combine(day, dt.time(), self._zone)
        return local.astimezone(dt.UTC)

    def _reject(self, raw: RawSubmission, reason: Reason, detail: str) -> Rejection:
        return Rejection(self.name, raw.source_record_id, reason, detail)


def _secret(variable: str | None) -> str:
    value = os.environ.get(variable or "", "")
    if not value:
        raise UsageError(f"Miljövariabeln {variable} (inloggning till LimeSurvey) är inte satt.")
    return value
