"""Cleaned and classified records on their way to the warehouse: Parquet files, one per table.

A night prepares everything here, outside the warehouse, so that its one transaction is short.
Types are given, never guessed: object columns have crashed the engine.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from lagesbild.records import (
    Classified,
    Rejection,
    Submission,
    SurveyAnswer,
    canonical_json,
    digest,
)
from lagesbild.store.hiding import HIDDEN_SIGN, sha256

LOCAL_ZONE = ZoneInfo("Europe/Stockholm")

_TEXT, _TIME = pa.string(), pa.timestamp("us")
SCHEMAS: Mapping[str, pa.Schema] = {
    "submission": pa.schema(
        [
            *[(name, _TEXT) for name in ("submission_id",)],
            ("version", pa.int32()),
            ("raw_id", pa.int64()),
            *[
                (name, _TEXT)
                for name in (
                    "source",
                    "source_record_id",
                    "part",
                    "kind",
                    "text",
                    "text_sha256",
                    "content_sha256",
                    "question",
                    "category",
                    "status",
                )
            ],
            ("reported_at", _TIME),
            ("reported_date", pa.date32()),
            ("occurred_at", _TIME),
            ("updated_at", _TIME),
            ("closed_at", _TIME),
            ("lat", pa.float64()),
            ("lon", pa.float64()),
            *[(name, _TEXT) for name in ("stance_hint", "reporter_hash", "wave", "language")],
            ("n_redacted", pa.int32()),
            ("redactor_version", _TEXT),
        ]
    ),
    "submission_area": pa.schema(
        [
            ("submission_id", _TEXT),
            ("version", pa.int32()),
            *[(name, _TEXT) for name in ("area_type", "area_code", "geo_version", "method")],
        ]
    ),
    "area": pa.schema(
        [(name, _TEXT) for name in ("area_type", "area_code", "area_name", "geo_version")]
    ),
    "rejected_submission": pa.schema(
        [
            ("raw_id", pa.int64()),
            *[(n, _TEXT) for n in ("source", "source_record_id", "part", "reason", "detail")],
        ]
    ),
    "redacted_text": pa.schema(
        [(name, _TEXT) for name in ("submission_id", "text_sha256", "redacted_sha256")]
    ),
    "survey_answer": pa.schema(
        [
            *[
                (name, _TEXT)
                for name in (
                    "source",
                    "source_record_id",
                    "item",
                    "value",
                    "wave",
                    "respondent_hash",
                )
            ],
            ("answered_at", _TIME),
            ("raw_id", pa.int64()),
        ]
    ),
    "classified_text": pa.schema(
        [
            *[(n, _TEXT) for n in ("submission_id", "text_sha256", "classifier_version")],
            ("abstain", _TEXT),
            ("needs_review", pa.bool_()),
            ("language", _TEXT),
            ("probabilities", pa.map_(_TEXT, pa.float32())),
        ]
    ),
    "classification": pa.schema(
        [
            *[(n, _TEXT) for n in ("submission_id", "text_sha256", "theme", "classifier_version")],
            ("subtheme", _TEXT),
            ("probability", pa.float64()),
            ("stance", _TEXT),
            ("evidence", pa.list_(pa.list_(pa.int32()))),
        ]
    ),
    # remarks their raw record no longer has (an answer emptied, a record refused after an edit)
    "withdrawn": pa.schema([("submission_id", _TEXT), ("raw_id", pa.int64())]),
    # records whose survey answers are replaced by newer ones
    "reanswered": pa.schema([("source", _TEXT), ("source_record_id", _TEXT)]),
    "retried": pa.schema([("raw_id", pa.int64())]),
}


_CONTENT = (
    "kind",
    "text",
    "question",
    "category",
    "status",
    "reported_at",
    "occurred_at",
    "updated_at",
    "closed_at",
    "lat",
    "lon",
    "stance_hint",
    "reporter_hash",
    "wave",
)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def content_sha256(submission: Submission) -> str:
    """Digest of all that a reader could see of a remark, to tell whether a version is new."""
    parsed = submission.parsed
    seen = {name: str(getattr(parsed, name)) for name in _CONTENT}
    areas = sorted(
        (p.area.area_type, p.area.area_code, p.area.geo_version) for p in submission.areas
    )
    return digest(canonical_json(seen), canonical_json(areas))


@dataclass
class Staged:
    """Rows gathered for one file of each table."""

    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in SCHEMAS}
    )

    def add_submission(
        self, raw_id: int, version: int, submission: Submission, shown: str | None = None
    ) -> None:
        """`shown`: the text less what people have hidden in it. It is known by its own digest."""
        parsed = submission.parsed
        key = {"submission_id": submission.submission_id, "version": version}
        if shown is None:
            shown = parsed.text
        if shown != parsed.text:
            self.rows["redacted_text"].append(
                {
                    "submission_id": submission.submission_id,
                    "text_sha256": submission.text_sha256,
                    "redacted_sha256": sha256(shown),
                }
            )
        self.rows["submission"].append(
            {
                **key,
                "raw_id": raw_id,
                "source": parsed.source,
                "source_record_id": parsed.source_record_id,
                "part": parsed.part,
                "kind": parsed.kind,
                "text": shown,
                "text_sha256": submission.text_sha256,
                "content_sha256": content_sha256(submission),
                "question": parsed.question,
                "category": parsed.category,
                "status": parsed.status,
                "reported_at": _utc(parsed.reported_at),
                "reported_date": parsed.reported_at.astimezone(LOCAL_ZONE).date(),
                "occurred_at": _utc(parsed.occurred_at),
                "updated_at": _utc(parsed.updated_at),
                "closed_at": _utc(parsed.closed_at),
                "lat": parsed.lat,
                "lon": parsed.lon,
                "stance_hint": parsed.stance_hint,
                "reporter_hash": parsed.reporter_hash,
                "wave": parsed.wave,
                "language": submission.language,
                "n_redacted": submission.n_redacted + shown.count(HIDDEN_SIGN),
                "redactor_version": submission.redactor_version,
            }
        )
        for placed in submission.areas:
            area = placed.area
            where = {"area_type": area.area_type, "area_code": area.area_code}
            where["geo_version"] = area.geo_version
            self.rows["submission_area"].append({**key, **where, "method": placed.method})
            self.rows["area"].append({**where, "area_name": area.area_name})

    def add_rejection(self, raw_id: int, rejection: Rejection, part: str = "") -> None:
        self.rows["rejected_submission"].append(
            {
                "raw_id": raw_id,
                "source": rejection.source,
                "source_record_id": rejection.source_record_id,
                "part": part,
                "reason": rejection.reason,
                "detail": rejection.detail,
            }
        )

    def add_answer(self, raw_id: int, answer: SurveyAnswer) -> None:
        self.rows["survey_answer"].append(
            {
                "source": answer.source,
                "source_record_id": answer.source_record_id,
                "item": answer.item,
                "value": answer.value,
                "wave": answer.wave,
                "respondent_hash": answer.respondent_hash,
                "answered_at": _utc(answer.answered_at),
                "raw_id": raw_id,
            }
        )

    def add_classified(self, submission_id: str, text_sha256: str, result: Classified) -> None:
        key = {
            "submission_id": submission_id,
            "text_sha256": text_sha256,
            "classifier_version": result.classifier_version,
        }
        self.rows["classified_text"].append(
            {
                **key,
                "abstain": result.abstain,
                "needs_review": result.needs_review,
                "language": result.language,
                "probabilities": list(result.probabilities.items()),
            }
        )
        for mention in result.themes:
            self.rows["classification"].append(
                {
                    **key,
                    "theme": mention.theme,
                    "subtheme": mention.subtheme,
                    "probability": mention.probability,
                    "stance": mention.stance,
                    "evidence": [list(span) for span in mention.evidence],
                }
            )

    def write(self, folder: Path, number: int) -> None:
        """One Parquet file for each table with rows: `<table>-<number>.parquet`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.rows.items():
            if rows:
                table = pa.Table.from_pylist(rows, schema=SCHEMAS[name])
                pq.write_table(table, folder / f"{name}-{number:05}.parquet")


def clear(folder: Path) -> None:
    """Remove what an interrupted night left."""
    shutil.rmtree(folder, ignore_errors=True)


def staged_files(folders: Iterable[Path], table: str) -> list[str]:
    return sorted(str(path) for folder in folders for path in folder.glob(f"{table}-*.parquet"))
