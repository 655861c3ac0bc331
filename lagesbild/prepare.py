"""From the inbox to staged files: parse, clean, tell new versions from old, classify.

Nothing here writes to a database; a night that dies here is simply run again.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from lagesbild.checks import Profile
from lagesbild.clean import clean
from lagesbild.places import Places
from lagesbild.records import (
    Classified,
    Parsed,
    ParsedSubmission,
    Rejection,
    Submission,
    SurveyAnswer,
)
from lagesbild.sources import Source, SourceConfig
from lagesbild.store.hiding import hide, spans_carried
from lagesbild.store.inbox import InboxRow
from lagesbild.store.staging import Staged, content_sha256
from lagesbild.store.warehouse import Known, Warehouse

BATCH = 5000  # raw records cleaned, classified and written at a time

# A refusal for one of these reasons means that the remark is gone at the source; for any other
# the last good version stays.
_WITHDRAWING = {"moderated", "test_row"}


class TextClassifier(Protocol):
    """What the core needs of a classifier; `classifiers` has the real ones."""

    @property
    def version(self) -> str: ...

    def classify(
        self, texts: Sequence[str], questions: Sequence[str | None]
    ) -> Sequence[Classified]: ...


@dataclass
class Prepared:
    """One source's staged night. `cursor` is the raw_id up to which the inbox has been read."""

    source: str
    folder: Path
    cursor: int
    profile: Profile
    n_submissions: int = 0
    n_rows: int = 0
    retried: list[int] = field(default_factory=list)


def prepare(
    source: Source,
    config: SourceConfig,
    rows: Iterable[InboxRow],
    warehouse: Warehouse,
    classifier: TextClassifier,
    places: Places,
    folder: Path,
    retried: Iterable[int] = (),
) -> Prepared:
    """Stage all `rows` (oldest first) of one source under `folder`.

    `retried`: raw_ids refused before; their old refusals are taken away when this is merged.
    """
    profile = Profile(getattr(source, "drift_fields", ()))
    prepared = Prepared(source.name, folder, -1, profile, retried=list(retried))
    job = _Job(source, config, warehouse, classifier, places, prepared)
    number = 0
    for number, batch in enumerate(_batches(rows), 1):
        job.stage(batch, number)
    if prepared.retried:
        staged = Staged()
        staged.rows["retried"] = [{"raw_id": raw_id} for raw_id in prepared.retried]
        staged.write(folder, number + 1)
    return prepared


def reclassify(warehouse: Warehouse, classifier: TextClassifier, folder: Path, limit: int) -> int:
    """Stage up to `limit` texts that this version of the classifier has not seen. Returns how many.

    The remarks stay as they are; only their classification is renewed when this is merged.
    """
    todo = warehouse.outdated(classifier.version, limit)
    for number, start in enumerate(range(0, len(todo), BATCH), 1):
        part = todo[start : start + BATCH]
        staged = Staged()
        results = classifier.classify([row[2] for row in part], [row[3] for row in part])
        for row, result in zip(part, results, strict=True):
            staged.add_classified(row[0], row[1], result)
        staged.write(folder, number)
    return len(todo)


def _batches(rows: Iterable[InboxRow]) -> Iterator[list[InboxRow]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


class _Job:
    """One source's run through `prepare`: remembers the versions made earlier in the same night."""

    def __init__(
        self,
        source: Source,
        config: SourceConfig,
        warehouse: Warehouse,
        classifier: TextClassifier,
        places: Places,
        prepared: Prepared,
    ) -> None:
        self._source = source
        self._config = config
        self._warehouse = warehouse
        self._classifier = classifier
        self._places = places
        self._prepared = prepared
        self._known: dict[str, dict[str, Known]] = {}  # record -> remark -> newest version
        self._classified: set[tuple[str, str]] = set()
        self._redacted = warehouse.redacted_texts()

    def stage(self, batch: Sequence[InboxRow], number: int) -> None:
        self._recall({row.raw.source_record_id for row in batch})
        staged = Staged()
        to_classify: list[Submission] = []
        for row in batch:
            self._prepared.cursor = max(self._prepared.cursor, row.raw_id)
            self._prepared.n_rows += 1
            self._prepared.profile.add_raw(_payload(row))
            to_classify += self._stage_row(row, staged)
        results = self._classifier.classify(
            [self._shown(s) for s in to_classify], [s.parsed.question for s in to_classify]
        )
        for submission, result in zip(to_classify, results, strict=True):
            staged.add_classified(submission.submission_id, submission.text_sha256, result)
        staged.write(self._prepared.folder, number)

    def _recall(self, record_ids: set[str]) -> None:
        new = sorted(record_ids - self._known.keys())
        self._known.update((record_id, {}) for record_id in new)
        for known in self._warehouse.known(self._source.name, new):
            self._known[known.source_record_id][known.submission_id] = known

    def _stage_row(self, row: InboxRow, staged: Staged) -> list[Submission]:
        """Stage what one raw record holds; returns the texts that need classifying."""
        known = self._known[row.raw.source_record_id]
        if any(version.raw_id > row.raw_id for version in known.values()):
            return []  # an old refusal retried after the record was mended at its source
        submissions, refused = self._outcomes(row, staged)
        kept = {submission.submission_id for submission in submissions}
        if not refused or refused & _WITHDRAWING:
            for submission_id, old in list(known.items()):
                if old.is_current and submission_id not in kept:
                    gone = {"submission_id": submission_id, "raw_id": row.raw_id}
                    staged.rows["withdrawn"].append(gone)
                    known[submission_id] = replace(old, is_current=False)
        fresh = [self._stage_version(row.raw_id, s, known, staged) for s in submissions]
        return [submission for submission in fresh if submission]

    def _outcomes(self, row: InboxRow, staged: Staged) -> tuple[list[Submission], set[str]]:
        submissions: list[Submission] = []
        refused: set[str] = set()
        answers: list[SurveyAnswer] = []
        for parsed in self._parsed(row):
            outcome = self._cleaned(parsed)
            if isinstance(outcome, Submission):
                self._prepared.profile.add_remark(is_placed=self._is_placed(outcome))
                submissions.append(outcome)
            elif isinstance(outcome, SurveyAnswer):
                answers.append(outcome)
            else:
                part = parsed.part if isinstance(parsed, ParsedSubmission) else ""
                self._prepared.profile.add_refusal(outcome.reason)
                refused.add(outcome.reason)
                staged.add_rejection(row.raw_id, outcome, part)
        if answers:
            key = {"source": row.raw.source, "source_record_id": row.raw.source_record_id}
            staged.rows["reanswered"].append(key)
            for answer in answers:
                staged.add_answer(row.raw_id, answer)
        return submissions, refused

    def _is_placed(self, submission: Submission) -> bool:
        """Whether the record itself, and not only its source, told where it is."""
        assumed = {*self._config.default_areas, "lan"}
        return any(placed.area.area_type not in assumed for placed in submission.areas)

    def _parsed(self, row: InboxRow) -> Sequence[Parsed]:
        if row.refusal and row.raw_id not in self._prepared.retried:
            return [row.refusal]
        parsed = self._source.parse(row.raw)
        if not parsed:
            return [Rejection(row.raw.source, row.raw.source_record_id, "unexpected_shape")]
        return parsed

    def _cleaned(self, parsed: Parsed) -> Submission | SurveyAnswer | Rejection:
        if not isinstance(parsed, ParsedSubmission):
            return parsed
        areas = (*parsed.areas, *self._config.default_areas.items())
        return clean(replace(parsed, areas=areas), self._places)

    def _stage_version(
        self, raw_id: int, submission: Submission, known: dict[str, Known], staged: Staged
    ) -> Submission | None:
        """Stage a version if anything in it is new; returns it if its text needs classifying."""
        old = known.get(submission.submission_id)
        content = content_sha256(submission)
        if old and old.is_current and old.content_sha256 == content:
            return None
        version = old.version + 1 if old else 1
        staged.add_submission(raw_id, version, submission, self._shown(submission))
        self._prepared.n_submissions += 1
        known[submission.submission_id] = Known(
            submission.submission_id,
            submission.parsed.source_record_id,
            version,
            raw_id,
            content,
            submission.text_sha256,
            True,
            self._classifier.version,
        )
        key = (submission.submission_id, submission.text_sha256)
        is_classified = key in self._classified or (
            old is not None
            and old.text_sha256 == submission.text_sha256
            and old.classifier_version == self._classifier.version
        )
        self._classified.add(key)
        return None if is_classified else submission

    def _shown(self, submission: Submission) -> str:
        """The text less what people have hidden in it, or in an older version of it."""
        text, texts = submission.parsed.text, self._redacted.get(submission.submission_id)
        if texts is None:
            return text
        if submission.text_sha256 in texts:
            return texts[submission.text_sha256]
        newest = list(texts.values())[-1]
        return hide(text, spans_carried(newest, text))


def _payload(row: InboxRow) -> object:
    try:
        payload: object = json.loads(row.raw.payload)
    except ValueError:
        return None
    return payload
