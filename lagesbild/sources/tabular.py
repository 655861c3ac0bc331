"""Reports in CSV, TSV, XLSX and JSON files, from a folder or an address, columns mapped by hand.

    [sources.synpunkter]
    kind = "tabular"
    path = "in/synpunkter/*.csv"     # or url = "https://..."
    [sources.synpunkter.columns]
    id = "Ärendenummer"
    text = ["Rubrik", "Beskrivning"]
    reported_at = "Inkom"
    areas = {stadsdel = "Stadsdel"}

A file that has not changed is not read again. Of a file that has, every row is handed on: the
inbox knows the ones it has. Without `id`, one is made from what does not change in a row (text,
times of the event, place); a report whose text is edited then becomes a new report.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from lagesbild.errors import SourceError
from lagesbild.records import Page, Parsed, RawSubmission, Rejection
from lagesbild.sources.base import PullContext, SourceConfig
from lagesbild.sources.columns import MappedConfig, RowMapper
from lagesbild.sources.folder import (
    ChangedFile,
    changed_files,
    fresh_state,
    known_columns,
    new_column_notes,
)
from lagesbild.sources.tablefile import Layout, Row, read_table

ROWS_PER_PAGE = 2000


class TabularConfig(MappedConfig):
    """`path`: file or glob, from the configuration's folder. `skip_rows`: rows above the header."""

    kind: Literal["tabular"] = "tabular"
    path: str | None = None
    url: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.path) == bool(self.url):
            raise ValueError("ange antingen path (fil eller mönster) eller url, och bara en av dem")
        return self

    @property
    def layout(self) -> Layout:
        return Layout(
            encoding=check_encoding(self.encoding),
            delimiter=self.delimiter,
            sheet=self.sheet,
            skip_rows=self.skip_rows,
        )


def check_encoding(name: str | None) -> str | None:
    """The name of an encoding, if there is such a one. Raises SourceError otherwise."""
    try:
        "".encode(name or "utf-8")
    except LookupError:
        raise SourceError(f"encoding = {name!r} är ingen känd teckenkodning.") from None
    return name


class TabularSource:
    """Rows of files as raw records, and those as reports."""

    Config: ClassVar[type[SourceConfig]] = TabularConfig

    def __init__(self, name: str, config: TabularConfig) -> None:
        self.name = name
        self.config = config
        self._mapper = RowMapper(name, config)
        self.drift_fields = self._mapper.drift_fields

    def fetch(self, context: PullContext) -> Iterator[Page]:
        """Pages of changed files; a file that cannot be read is told of after the others."""
        state = fresh_state(context.state, self.config.model_dump_json())
        faults: list[str] = []
        for file in self._files(context, state["files"]):
            try:
                for page in self._pages(file, state, context):
                    state = dict(page.state)
                    yield page
            except SourceError as error:
                faults.append(str(error))
        if faults:
            raise SourceError(" ".join(faults))

    def parse(self, raw: RawSubmission) -> Sequence[Parsed]:
        return self._mapper.parse(raw)

    def _files(
        self, context: PullContext, seen: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[ChangedFile]:
        if self.config.path is not None:
            yield from changed_files(context.base_dir, self.config.path, dict(seen))
            return
        url = str(self.config.url)
        content = context.client.get(url).content
        name = PurePosixPath(urlsplit(url).path).name or "svar"
        sha256 = hashlib.sha256(content).hexdigest()
        if seen.get(name, {}).get("sha256") != sha256:
            yield ChangedFile(name, content, {"sha256": sha256})

    def _pages(
        self, file: ChangedFile, state: Mapping[str, Any], context: PullContext
    ) -> Iterator[Page]:
        table = read_table(file.name, file.content, self.config.layout)
        is_json = file.content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[")
        notes = self._mapper.check_header(file.name, table.header, is_json=is_json)
        notes += new_column_notes(file.name, self._mapper.dropped(table.header), state)
        columns = known_columns(state, table.header)
        seen_ids: Counter[str] = Counter()
        starts = range(0, max(len(table.rows), 1), ROWS_PER_PAGE)
        for start in starts:
            records, refused = self._records(
                table.rows[start : start + ROWS_PER_PAGE], file.name, context, seen_ids
            )
            if n_misplaced := self._mapper.misplaced(records):
                notes.append(_misplaced(file.name, n_misplaced, self.config.crs))
            is_last = start == starts[-1]
            files = {**state["files"], **({file.name: file.seen} if is_last else {})}
            next_state = {**state, "files": files, "columns": columns}
            yield Page(records, next_state, refused, notes=tuple(notes))
            notes = []

    def _records(
        self, rows: Sequence[Row], where: str, context: PullContext, seen_ids: Counter[str]
    ) -> tuple[list[RawSubmission], list[tuple[str, Rejection]]]:
        records: list[RawSubmission] = []
        refused: list[tuple[str, Rejection]] = []
        for row in rows:
            made = self._mapper.make_raw(row, where, context, seen_ids)
            if isinstance(made, RawSubmission):
                records.append(made)
            else:
                refused.append(made)
        return records, refused


def _misplaced(where: str, n_rows: int, crs: str) -> str:
    other = "sweref99tm" if crs == "wgs84" else "wgs84"
    return (
        f"{where}: {n_rows} rader har koordinater som inte är någon plats i {crs}; "
        f'stämmer crs, eller ska det vara "{other}"?'
    )
